# ruff: noqa
# Attempts to get at what a learner's code must not reach: each sets `loot` where it succeeds. Without the sandbox all of
# them succeed, and that is a test, too. Given: `course`, `own`, `others`, `found` (paths), and `port` and `name`, where
# the test listens.

# %% checks by open
loot = "EXERCISES" in open(course + "/nnlib/grading/checks/ex01.py").read()

# %% the set's own checks by open
loot = "EXERCISES" in open(own).read()

# %% checks by os.open
import os
loot = b"EXERCISES" in os.read(os.open(own, os.O_RDONLY), 9999)

# %% checks by io.FileIO
import io
loot = b"EXERCISES" in io.FileIO(own).read()

# %% checks by a path that winds
loot = "EXERCISES" in open(course + "/nnlib/../nnlib/./grading//checks/ex01.py").read()

# %% checks by a path as bytes
loot = b"EXERCISES" in open(own.encode(), "rb").read()

# %% checks by a path that changes
class Path(str):
    def __fspath__(self):
        return own
import os
class Changing(os.PathLike):
    def __fspath__(self):
        return own
loot = "EXERCISES" in open(Changing()).read()

# %% checks by a link
import os
os.symlink(own, "link")
loot = "EXERCISES" in open("link").read()

# %% checks by a link to the folder above
import os
os.symlink(os.path.dirname(own), "folder")
loot = "EXERCISES" in open("folder/" + os.path.basename(own)).read()

# %% checks by a folder's descriptor
import os
folder = os.open(os.path.dirname(own), os.O_RDONLY)
loot = b"EXERCISES" in os.read(os.open(os.path.basename(own), os.O_RDONLY, dir_fd=folder), 9999)

# %% checks by the root's descriptor
import os
folder = os.open("/", os.O_RDONLY)
loot = b"EXERCISES" in os.read(os.open(own[1:], os.O_RDONLY, dir_fd=folder), 9999)

# %% checks by another current folder
import os
os.chdir(os.path.dirname(own))
loot = "EXERCISES" in open(os.path.basename(own)).read()

# %% checks by /proc/self/root
loot = "EXERCISES" in open("/proc/self/root" + own).read()

# %% checks by numpy
import numpy as np
loot = b"EXERCISES" in np.fromfile(own, dtype=np.uint8).tobytes()

# %% checks by np.memmap
import numpy as np
loot = b"EXERCISES" in np.memmap(own, dtype=np.uint8, mode="r").tobytes()

# %% checks by np.loadtxt
import numpy as np
loot = "EXERCISES" in str(np.loadtxt(own, dtype=str, delimiter="\0", comments=None))

# %% checks by linecache
import linecache
loot = "EXERCISES" in "".join(linecache.getlines(own))

# %% checks by tokenize
import tokenize
loot = "EXERCISES" in tokenize.open(own).read()

# %% checks by fileinput
import fileinput
loot = "EXERCISES" in "".join(fileinput.input(own))

# %% checks by shutil
import shutil
shutil.copyfile(own, "copy")
loot = "EXERCISES" in open("copy").read()

# %% checks by a hard link
import os
os.link(own, "hard")
loot = "EXERCISES" in open("hard").read()

# %% checks by urllib
import urllib.request
loot = b"EXERCISES" in urllib.request.urlopen("file://" + own).read()

# %% checks by sqlite
import sqlite3
base = sqlite3.connect("base")
base.execute("attach ? as stolen", (found + "/loot.db",))
loot = base.execute("select word from stolen.words").fetchall()

# %% checks by matplotlib
from matplotlib import cbook
loot = "EXERCISES" in cbook.get_sample_data(own, asfileobj=True).read().decode()

# %% checks by import
from nnlib.grading.checks import ex01
loot = ex01.EXERCISES

# %% checks by importlib
import importlib
loot = importlib.import_module("nnlib.grading.checks").load("ex01_logistic_regression")

# %% checks by __import__
loot = __import__("nnlib.grading.checks.ex01", fromlist=["x"]).EXERCISES

# %% checks by their place
import importlib.util
spec = importlib.util.spec_from_file_location("innocent", course + "/nnlib/grading/checks/ex01.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
loot = module.EXERCISES

# %% checks by a loader's data
import importlib.machinery
loot = b"EXERCISES" in importlib.machinery.SourceFileLoader("innocent", own).get_data(own)

# %% checks by runpy
import runpy
loot = runpy.run_path(course + "/nnlib/grading/checks/ex01.py")["EXERCISES"]

# %% checks by exec
names = {}
exec(open(own).read(), names)
loot = names["EXERCISES"]

# %% checks by zipimport
import zipimport
loot = zipimport.zipimporter(found + "/loot.zip").get_source("loot")

# %% checks by pkgutil
import pkgutil
loot = b"EXERCISES" in pkgutil.get_data("nnlib", "grading/checks/ex01.py")

# %% checks by importlib.resources
import importlib.resources
loot = "EXERCISES" in (importlib.resources.files("nnlib") / "grading" / "checks" / "ex01.py").read_text()

# %% checks by a search path
import os, sys
sys.path.insert(0, os.path.dirname(own))
import ex91
loot = ex91.EXERCISES

# %% checks by a subprocess
import subprocess
loot = b"EXERCISES" in subprocess.run(["cat", own], capture_output=True).stdout

# %% checks by os.popen
import os
loot = "EXERCISES" in os.popen("cat " + own).read()

# %% checks by os.posix_spawn
import os
read, write = os.pipe()
os.posix_spawn("/bin/cat", ["cat", own], {}, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
os.close(write)
loot = b"EXERCISES" in os.read(read, 9999)

# %% checks by _posixsubprocess
import os, _posixsubprocess, subprocess
loot = b"EXERCISES" in subprocess.Popen(["/bin/cat", own], stdout=subprocess.PIPE, close_fds=True).communicate()[0]

# %% checks by a fork
import os
if not os.fork():
    os._exit(0 if b"EXERCISES" in open(own, "rb").read() else 1)
loot = os.wait()[1] == 0

# %% checks by ctypes
import ctypes
libc = ctypes.CDLL(None)
place, text = libc.open(own.encode(), 0), ctypes.create_string_buffer(9999)
loot = place > 0 and libc.read(place, text, 9999) > 0 and b"EXERCISES" in text.raw

# %% checks by ctypes, in the name of a library
import ctypes, sysconfig
code = "import ctypes\nlibc = ctypes.CDLL(None)\nplace, text = libc.open(own.encode(), 0), ctypes.create_string_buffer(9999)\n"
code += "loot = place > 0 and libc.read(place, text, 9999) > 0 and b'EXERCISES' in text.raw"
exec(compile(code, sysconfig.get_path("stdlib") + "/ctypes/x.py", "exec"))

# %% checks by cffi or numpy.ctypeslib
import numpy as np, numpy.ctypeslib, ctypes
libc = np.ctypeslib.load_library("libc.so.6", "/lib/x86_64-linux-gnu")
place, text = libc.open(own.encode(), 0), ctypes.create_string_buffer(9999)
loot = place > 0 and libc.read(place, text, 9999) > 0 and b"EXERCISES" in text.raw

# %% checks, with the hook's rules emptied
import gc
kept = []
for thing in gc.get_objects():
    if type(thing).__name__ == "function" and thing.__name__ == "watch":
        for cell in thing.__closure__ or ():
            if isinstance(cell.cell_contents, (list, dict, set)):
                kept.append((cell, cell.cell_contents))
                cell.cell_contents = []
try:
    loot = "EXERCISES" in open(own).read()
finally:
    for cell, contents in kept:
        cell.cell_contents = contents

# %% checks, with the hook's module rewritten
import sys
frame, kept = sys._getframe(), []
while frame:
    for name in ("PATHS", "FORBIDDEN", "READING"):
        module = frame.f_globals.get("sandbox")
        if hasattr(module, name):
            kept.append((module, name, getattr(module, name)))
            setattr(module, name, {} if name == "PATHS" else ())
    frame = frame.f_back
try:
    loot = "EXERCISES" in open(own).read()
finally:
    for change in reversed(kept):
        setattr(*change)

# %% checks by a link, with os.lstat replaced
import os
before = os.lstat
os.symlink(own, "lie")
def lie(*args, **options):
    raise OSError
os.lstat = lie
try:
    loot = "EXERCISES" in open("lie").read()
finally:
    os.lstat = before

# %% solutions
import glob
loot = any("sigmoid" in open(place).read() for place in glob.glob(course + "/solutions/*/*.ipynb"))

# %% solutions by pathlib
import pathlib
loot = [place.read_bytes() for place in pathlib.Path(course, "solutions").rglob("*.ipynb")]

# %% the names of the solutions
import os
loot = os.listdir(course + "/solutions")

# %% tests of the course
loot = open(course + "/tests/grading/test_hostile.py").read()

# %% notebooks of the course's history
loot = open(course + "/.git/HEAD").read()

# %% another submission
loot = open(others).read()

# %% the names of other submissions
import os
loot = os.listdir(os.path.dirname(others))

# %% own submission overwritten
import os
place = os.path.join(os.path.dirname(others), "own.ipynb")
open(place, "a").write(" ")
loot = True

# %% another submission removed
import os
os.remove(others + ".copy")
loot = True

# %% course changed
open(found + "/grader.py", "w").write("x = 1")
loot = True

# %% progress changed
import os
from pathlib import Path
place = Path(os.environ["NNLIB_PROGRESS"])
assert place != Path(os.devnull)
place.write_text("{}")
loot = True

# %% home written
import os, pwd
place = os.path.join(pwd.getpwuid(os.getuid()).pw_dir, ".nnlib-hostile")
open(place, "w").close()
os.remove(place)
loot = True

# %% /tmp written
import os
open("/tmp/nnlib-hostile", "w").close()
os.remove("/tmp/nnlib-hostile")
loot = True

# %% the grader's temporary folder written
open(found + "/nnlib-hostile", "w").close()
loot = True

# %% /dev/shm written
import os
open("/dev/shm/nnlib-hostile", "w").close()
os.remove("/dev/shm/nnlib-hostile")
loot = True

# %% /dev/shm written through multiprocessing
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory(name="nnlib-hostile", create=True, size=64)
memory.close(), memory.unlink()
loot = True

# %% environment
import os
loot = "NNLIB_HOSTILE_SECRET" in os.environ or b"NNLIB_HOSTILE_SECRET" in b"".join(os.environb)

# %% environment of this process as it began
loot = b"NNLIB_HOSTILE_SECRET" in open("/proc/self/environ", "rb").read()

# %% environment by ctypes
import ctypes
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
loot = getenv(b"NNLIB_HOSTILE_SECRET")

# %% environment of all parents
import os
number, loot = os.getpid(), False
while number > 1 and not loot:
    loot = b"NNLIB_HOSTILE_SECRET" in open(f"/proc/{number}/environ", "rb").read()
    number = int(open(f"/proc/{number}/stat").read().rpartition(")")[2].split()[1])

# %% command line of the parent
import os
loot = open(f"/proc/{os.getppid()}/cmdline", "rb").read()

# %% memory of the parent
import os
for line in open(f"/proc/{os.getppid()}/maps"):
    if "[heap]" in line:
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        memory = os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY)
        loot = os.pread(memory, 4096, start)

# %% files of the parent
import os
loot = os.listdir(f"/proc/{os.getppid()}/fd")

# %% memory of the parent by a system call
import ctypes, os
class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
start = next(int(line.split("-")[0], 16) for line in open("/proc/self/maps") if "[heap]" in line)
for line in open(f"/proc/{os.getppid()}/maps"):
    if "[heap]" in line:
        start = int(line.split("-")[0], 16)
text = ctypes.create_string_buffer(64)
loot = ctypes.CDLL(None).process_vm_readv(os.getppid(), ctypes.byref(Part(ctypes.addressof(text), 64)), 1,
                                          ctypes.byref(Part(start, 64)), 1, 0) > 0

# %% other processes
import os
loot = len([number for number in os.listdir("/proc") if number.isdigit() and int(number) < 1000 and number != str(os.getpid())]) > 5

# %% signal to the parent
import os
os.kill(os.getppid(), 0)
loot = True

# %% signal to the parent's group
import os
os.killpg(os.getpgid(os.getppid()), 0)
loot = True

# %% TCP to this machine
import socket
loot = socket.create_connection(("127.0.0.1", port), timeout=2).recv(4)

# %% TCP to this machine by another way
import asyncio
async def steal():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    return await reader.read(4)
loot = asyncio.new_event_loop().run_until_complete(steal())

# %% TCP by urllib
import urllib.request
try:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)
except ValueError:
    pass
except OSError as error:
    loot = isinstance(error, ConnectionResetError)
except Exception as error:
    loot = type(error).__name__ in ("BadStatusLine", "RemoteDisconnected")

# %% TCP below the socket module
import _socket
link = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
link.settimeout(2)
link.connect(("127.0.0.1", port))
loot = link.recv(4)

# %% UDP to this machine
import socket
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.sendto(b"DNS?", ("127.0.0.1", port))
link.settimeout(2)
loot = link.recv(4)

# %% abstract socket of this machine
import socket
link = socket.socket(socket.AF_UNIX)
link.settimeout(2)
link.connect("\0" + name)
loot = link.recv(4)

# %% a server of its own
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), timeout=2)
loot = True

# %% expected values in memory
import gc
loot = [thing for thing in gc.get_objects() if type(thing).__name__ in ("Exercise", "Misconception", "Trial", "Case")]

# %% what was loaded, by its source
import inspect, sys
loot = "".join(inspect.getsource(module) for name, module in list(sys.modules.items()) if name.startswith("nnlib.grading.checks"))

# %% modules of the checks
import sys
loot = [name for name in sys.modules if name.startswith("nnlib.grading.")]

# %% seeds and expected values on the stack
import sys
frame = sys._getframe()
while frame:
    loot = loot or {"seed", "expected", "trials", "exercise", "exercises", "misconceptions"} & {*frame.f_locals, *frame.f_globals} - {*globals()}
    frame = frame.f_back

# %% seeds and expected values by inspect
import inspect
loot = [frame for frame in inspect.stack() if {"seed", "expected", "trials", "exercise"} & set(frame.frame.f_locals) - {*globals()}]

# %% the real ExerciseSet behind check
loot = getattr(check, "exercises", None)
