"""Each layer of the sandbox really stops what it is for, in a process of its own, where this system has it."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

from nnlib.grading import sandbox

FILE = Path(sandbox.__file__)
LOADING = f"""
import ctypes, importlib.util, os, resource, signal, socket, subprocess, sys, threading, time
spec = importlib.util.spec_from_file_location("sandbox", {str(FILE)!r})
sandbox = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sandbox)

def refused(action, *args, **options):
    try:
        action(*args, **options)
    except (OSError, MemoryError, RuntimeError) as error:
        return type(error).__name__
    return "done"
"""


def needs(layer):
    return pytest.mark.skipif(layer not in sandbox.available(), reason=f"this system lacks the layer {layer}")


@pytest.fixture
def python(tmp_path):
    """Runs lines of Python in a process of its own, in an empty folder; gives what they printed, word by word."""
    def run(lines, **environment):
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        ran = subprocess.run([sys.executable, "-c", LOADING + textwrap.dedent(lines)], cwd=scratch, timeout=300,
                             text=True, capture_output=True, env={**os.environ, **environment})
        assert not ran.stderr
        return ran.stdout.split()
    return run


# Layers of the kernel

@needs("namespaces")
def test_namespaces_close_the_network_and_hide_processes(python):
    said = python("""
        host = socket.create_server(("127.0.0.1", 0))
        place, me, outside = host.getsockname(), os.getpid(), os.getppid()
        sandbox.isolate(os.getcwd())
        if not os.fork():
            print(refused(socket.create_connection, place, timeout=2))
            print(refused(os.kill, me, 0), os.getpid())
            print(refused(lambda: open(f"/proc/{outside}/environ").read()))
            sandbox.give_up_rights()
            print(refused(sandbox._kernel, "mount", b"x", b".", b"tmpfs", 0, b""))
            space = os.statvfs(os.getcwd())
            print(space.f_blocks * space.f_frsize)
            sys.stdout.flush()
            os._exit(0)
        os.wait()
    """)
    assert said == ["OSError", "ProcessLookupError", "1", "PermissionError", "PermissionError", str(256 << 20)]


@needs("namespaces")
def test_what_detaches_itself_ends_with_process_1_of_its_namespace(python, tmp_path):
    beats = tmp_path / "beats"
    said = python(f"""
        beats = open({str(beats)!r}, "a")
        sandbox.isolate(os.getcwd())
        first = os.fork()
        if not first:
            if not os.fork():
                os.setsid()
                if not os.fork():
                    for _ in range(500):
                        beats.write(".")
                        beats.flush()
                        time.sleep(0.01)
                os._exit(0)
            while not os.path.getsize(beats.name):
                time.sleep(0.01)
            os._exit(0)
        os.waitpid(first, 0)
        heard = os.path.getsize({str(beats)!r})
        time.sleep(0.2)
        print(heard > 0, os.path.getsize({str(beats)!r}) == heard)
    """)
    assert said == ["True", "True"]


@needs("namespaces")
def test_a_worker_ends_with_its_parent(python):
    said = python("""
        source, sink = os.pipe()
        parent = os.fork()
        if not parent:
            if not os.fork():
                sandbox.end_with_parent()
                os.write(sink, b"here")
                time.sleep(50)
            time.sleep(50)
        os.close(sink)
        print(os.read(source, 9).decode())
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        started = time.monotonic()
        print(os.read(source, 9).decode() == "" and time.monotonic() - started < 40)
    """)
    assert said == ["here", "True"]


@needs("landlock")
def test_landlock_leaves_only_what_is_named(python, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    said = python(f"""
        readable, secret = sandbox.readable([{str(FILE.parent)!r}]), {str(tmp_path / "secret.txt")!r}
        sandbox.confine(os.getcwd(), readable)
        import statistics, sqlite3
        print(refused(open, secret), refused(open, {str(FILE)!r}), refused(os.listdir, {str(tmp_path)!r}))
        print(refused(open, "/etc/hostname"), refused(open, "/proc/self/environ"), refused(os.remove, secret))
        print(refused(open, secret + "2", "w"), refused(os.symlink, secret, "link"), refused(open, "link"))
        print(refused(os.execv, sys.executable, ["python"]), refused(os.link, "link", "/tmp/hard"))
        print(refused(open, "mine", "w"), refused(open, os.devnull, "w"), refused(open, "/dev/urandom"))
        print(refused(open, sandbox.sysconfig.get_path("stdlib") + "/this.py"))
    """)
    no = "PermissionError"
    assert said == [no, no, no, no, no, no, no, "done", no, no, no, "done", "done", "done", "done"]


@needs("landlock")
def test_what_can_be_read_leaves_out_the_hidden_parts(tmp_path):
    for name in ("a/b/c", "a/d", "e"):
        (tmp_path / name).mkdir(parents=True)
    hidden = [str(tmp_path / "a" / "b"), str(tmp_path / "nothing")]
    assert sandbox._without(str(tmp_path), hidden) == [str(tmp_path / "a" / "d"), str(tmp_path / "e")]
    assert sandbox._without(str(tmp_path / "e"), hidden) == [str(tmp_path / "e")]
    assert sandbox._without(str(tmp_path / "a" / "b"), hidden) == []
    given = sandbox.readable([str(FILE.parent)])
    assert sysconfig.get_path("stdlib").startswith(tuple(given)) and not any(str(FILE).startswith(p) for p in given)
    assert str(FILE.parents[2]) not in given and str(FILE.parents[1]) not in given


@needs("tasks")
def test_a_cgroup_ends_a_flood_of_threads(python):
    said = python("""
        tasks = sandbox.Tasks.make()
        child = os.fork()
        if not child:
            tasks.limit(20)
            tasks.add(os.getpid())
            def flood():
                for count in range(300):
                    threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
            print(refused(flood), threading.active_count() <= 20, refused(os.fork), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        tasks.remove()
        print(tasks.folder.exists())
    """)
    assert said == ["RuntimeError", "True", "BlockingIOError", "False"]


@needs("tasks")
def test_groups_of_killed_graders_are_removed():
    mine = sandbox.Tasks.make()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    old = mine.folder.with_name(f"nnlib-grading-{gone.pid}-1")
    old.mkdir()
    other = sandbox.Tasks.make()
    try:
        assert not old.exists() and mine.folder.exists()
    finally:
        mine.remove()
        other.remove()
    assert not mine.folder.exists() and not other.folder.exists()


@needs("limits")
def test_limits_of_memory_files_and_time(python):
    said = python("""
        sandbox.limit(1, 400 << 20)
        print(refused(bytearray, 350 << 20), refused(bytearray, 50 << 20))
        sandbox.all_memory()
        print(refused(bytearray, 350 << 20), refused(bytearray, 50 << 30))
        print(refused(lambda: open("large", "wb", 0).write(bytes(65 << 20)) and open("large", "ab", 0).write(b"x")))
        print(refused(lambda: [os.open(".", 0) for _ in range(300)]))
        print(resource.getrlimit(resource.RLIMIT_CORE)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])
    """)
    assert said == ["MemoryError", "done", "done", "MemoryError", "OSError", "OSError", "0", "2"]


@needs("limits")
def test_processor_time_is_limited():
    code = LOADING + "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", code], timeout=300).returncode in (-signal.SIGXCPU, -signal.SIGKILL)


# The hook

def test_the_hook_refuses_what_a_learner_has_no_need_of(python, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    said = python(f"""
        import shutil, sqlite3
        readable, secret = sandbox.readable([{str(FILE.parent)!r}]), {str(tmp_path / "secret.txt")!r}
        os.symlink(secret, "link")
        def trusted():
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
        sandbox.hook(os.getcwd(), readable, (trusted.__code__,))
        outside = {str(tmp_path / "new")!r}
        print(*[refused(*call) for call in [
            (open, secret), (open, os.fsencode(secret)), (open, "../secret.txt"), (open, "link"), (os.open, secret, 0),
            (open, {str(FILE)!r}), (os.listdir, {str(FILE.parent)!r}), (os.scandir, ".."),
            (open, "/proc/self/environ"), (open, outside, "w"), (os.open, outside, os.O_WRONLY | os.O_CREAT),
            (os.mkdir, outside), (os.remove, secret),
            (os.rename, secret, "taken"), (os.link, secret, "taken"), (shutil.rmtree, ".."), (sqlite3.connect, outside),
            (os.fork,), (os.system, "true"), (subprocess.run, ["true"]), (os.execv, sys.executable, ["python"]),
            (os.kill, os.getppid(), 0), (socket.socket,), (socket.gethostbyname, "localhost"), (ctypes.CDLL, None),
            (ctypes.string_at, 0), (__import__, "nnlib.grading.checks")]])
    """)
    assert said == ["PermissionError"] * 27
    assert (tmp_path / "secret.txt").read_text() == "secret" and not (tmp_path / "new").exists()


def test_the_hook_lets_work_go_on(python):
    said = python(f"""
        def trusted():
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
        sandbox.hook(os.getcwd(), sandbox.readable([{str(FILE.parent)!r}]), (trusted.__code__,))
        import numpy, tempfile, statistics
        def scratch():
            os.mkdir("a")
            open("a/b", "w").write("x")
            os.rename("a/b", "c")
            assert os.listdir() == ["a", "c"] or os.listdir() == ["c", "a"]
            os.remove("c")
        print(*[refused(*call) for call in [
            (scratch,), (trusted,), (os.kill, os.getpid(), 0), (open, numpy.__file__), (open, os.devnull, "w"),
            (numpy.linalg.inv, numpy.eye(3)), (threading.Thread(target=print).start,)]])
    """)
    assert said == ["done"] * 7


# What is said, and what a worker begins with

def test_sentences_for_what_is_there_and_what_is_not(monkeypatch):
    assert sandbox.protections()[-1] == sandbox.HOOK
    assert len(sandbox.protections()) - 1 + len(sandbox.missing()) == len(sandbox.LAYERS) + (sys.platform != "linux")
    monkeypatch.setattr(sandbox, "available", lambda: ("limits",))
    lacking = sandbox.missing()
    assert [sentence.split(":")[0] for sentence in lacking[:3]] == [
        "No namespaces", "No Landlock", "No cgroup for processes"]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "No fork server" in sandbox.missing()[-1]
    monkeypatch.setattr(sandbox, "available", tuple)
    assert "this system has no `resource`" in sandbox.missing()[0]
    assert all(re.fullmatch(r"[A-Z][^.]*\.", text) for text in [*sandbox.missing(), *sandbox.protections()])


def test_no_secret_is_in_the_environment(monkeypatch):
    for name in ("API_TOKEN", "AWS_SECRET_ACCESS_KEY", "NNLIB_CHECKS", "MY_PATH", "PASSWORD", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    given = sandbox.clean_environment()
    assert "secret" not in given.values() and given["LC_ALL"] == "C.UTF-8" and given["PATH"] == os.environ["PATH"]
    assert given["PYTHONHASHSEED"] == "0" and given["OPENBLAS_NUM_THREADS"] == "1"


def test_scratch_is_the_home(python, tmp_path):
    said = python("""
        sandbox.move_in(os.getcwd())
        import tempfile, pathlib
        print(pathlib.Path.home(), tempfile.gettempdir(), "XDG_CACHE_HOME" in os.environ)
    """, XDG_CACHE_HOME="/somewhere", TMPDIR=str(tmp_path))
    assert said == [str(tmp_path / "scratch")] * 2 + ["False"]
