"""What SECURITY.md promises of JupyterLab: it is for the one who started it, whoever else is on machine and network."""

import contextlib
import http.client
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import lab

ROOT = Path(__file__).resolve().parents[1]
START = 60  # seconds to wait for a server
posix = pytest.mark.skipif(os.name == "nt", reason="there lab.py waits for JupyterLab, which a test could not end")


class Server:
    """A JupyterLab that tools/lab.py has started, with files of its own in `place`."""

    def __init__(self, place):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.runtime, self.log = place / "runtime", place / "log.txt"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | {
            "HOME": str(place), "JUPYTER_RUNTIME_DIR": str(self.runtime), "JUPYTER_CONFIG_DIR": str(place / "config"),
            "JUPYTER_DATA_DIR": str(place / "data"), "IPYTHONDIR": str(place / "ipython")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "tools" / "lab.py", "--no-browser", f"--ServerApp.port={self.port}"],
                cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self):
        """Wait until it answers; learn its token as JupyterLab's own `jupyter server list` does."""
        end = time.monotonic() + START
        while self.process.poll() is None and time.monotonic() < end:
            for record in self.runtime.glob("jpserver-*.json"):
                try:
                    self.record, self.token = record, json.loads(record.read_text())["token"]
                    self.ask("GET", "/api")
                    return
                except (ValueError, OSError):
                    pass
            time.sleep(0.1)
        pytest.fail(f"JupyterLab did not start:\n{self.log.read_text()[-2000:]}")

    def ask(self, method, path, body=None, **headers):
        """(status, headers, bytes) of what it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("lab"))
    try:
        running.wait()
        yield running
    finally:
        running.process.terminate()
        running.process.wait(START)


@posix
@pytest.mark.parametrize("method, path", [
    ("GET", "/api/contents"), ("GET", "/files/README.md"), ("GET", "/api/kernels"), ("POST", "/api/kernels"),
    ("POST", "/api/terminals"), ("DELETE", "/api/contents/there-is-no-such-file")])
def test_without_the_token_nothing_is_served(server, method, path):
    status, headers, _ = server.ask(method, path, Authorization="token 0123456789abcdef")
    assert status == 403 or status == 302 and headers["Location"].startswith("/login")


@posix
def test_without_the_token_the_page_is_a_login(server):
    status, headers, _ = server.ask("GET", "/lab")
    assert (status, headers["Location"].partition("?")[0]) == (302, "/login")
    assert server.ask("GET", "/api/contents?content=0", Authorization=f"token {server.token}")[0] == 200


@posix
def test_pages_of_other_sites_get_nothing_in_the_learners_name(server):
    _, headers, _ = server.ask("GET", f"/lab?token={server.token}")
    cookies = "; ".join(cookie.partition(";")[0] for cookie in headers.get_all("Set-Cookie"))
    assert server.ask("GET", "/api/contents?content=0", Cookie=cookies)[0] == 200
    assert server.ask("POST", "/api/terminals", Cookie=cookies)[0] == 403  # without the XSRF header
    foreign = {"Cookie": cookies, "Origin": "http://foreign.example"}
    status, headers, _ = server.ask("GET", "/api/contents?content=0", **foreign)
    assert status >= 400 or "Access-Control-Allow-Origin" not in headers
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
               "Sec_WebSocket_Key": "x3JJHMbDL1EzLkh9GBhXDw=="}
    assert server.ask("GET", "/api/events/subscribe", **foreign, **upgrade)[0] == 403
    assert server.ask("GET", "/login", Host="foreign.example")[0] == 403  # a name that was led to this machine


def of_all(server, ask):
    """What `ask` tells of the server's process and of those that it has started, without those that end meanwhile."""
    whole, answers = psutil.Process(server.process.pid), []
    for process in (whole, *whole.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


@posix
def test_server_and_kernel_listen_on_this_machine_alone_and_their_keys_are_the_users(server):
    status, _, body = server.ask("POST", "/api/kernels", "{}", Authorization=f"token {server.token}")
    assert status == 201
    kernel = server.runtime / f"kernel-{json.loads(body)['id']}.json"
    end = time.monotonic() + START
    while time.monotonic() < end:
        places = [one for connections in of_all(server, lambda process: process.net_connections("inet"))
                  for one in connections if one.status == psutil.CONN_LISTEN]
        if len(places) > 4:  # the server's, and those of the kernel
            break
        time.sleep(0.1)
    assert len(places) > 4 and {one.laddr.ip for one in places} == {"127.0.0.1"}
    for key in server.runtime, server.record, kernel:  # the folder, too: it holds a page with the token
        assert stat.S_IMODE(key.stat().st_mode) & 0o077 == 0


@posix
def test_the_token_is_long_and_on_no_command_line(server):
    lines = of_all(server, lambda process: " ".join(process.cmdline()))
    assert len(server.token) >= 40 and "jupyterlab" in lines[0]
    assert not [line for line in lines if server.token in line]


@pytest.mark.parametrize("arguments", [
    ["--ServerApp.token="], ["--ServerApp.token", ""], ["--IdentityProvider.token=''"], ["--NotebookApp.token=abc"],
    ["notebooks/00_welcome.ipynb", "--LabApp.token=''"], ["--ServerApp.disable_check_xsrf=True"],
    ["--ServerApp.allow_origin=*"], ["--ServerApp.allow_origin_pat", ".*"],
    ["--ServerApp.allow_unauthenticated_access=True"]])
def test_options_that_let_others_in_are_refused(monkeypatch, arguments):
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("it was started"))
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: pytest.fail("it was started"))
    assert lab.main(arguments).endswith("JupyterLab was not started.")


@pytest.mark.parametrize("arguments", [["--ip", "0.0.0.0"], ["--ip=*"], ["--ServerApp.ip=192.168.0.7"],
                                       ["--ServerApp.ip", "::"], ["--ip="]])
def test_other_machines_are_warned_of(arguments):
    refusal, warning = lab.judge(arguments)
    assert not refusal and "from other machines, without encryption" in warning


@pytest.mark.parametrize("arguments", [[], ["--no-browser"], ["--ServerApp.ip=127.0.0.1"], ["--ip", "localhost"],
                                       ["--ServerApp.port=9999", "--debug"]])
def test_other_options_pass(arguments):
    assert lab.judge(arguments) == ("", "")
