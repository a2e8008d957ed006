# ruff: noqa
# Cells that do harm, each in a notebook with right answers before and after it, which keep their points.
# What a cell starts is bounded: 300 processes or threads, 12 GB that are never touched, 200 MB of disk, 30 s of sleep.
# The words after -> must stand in what the grader says. A cell that needs more time says so.

# %% endless loop ->
while True:
    pass

# %% loop that swallows interrupts ->
while True:
    try:
        while True:
            pass
    except BaseException:
        pass

# %% loop in C that hears no signal ->
sum(range(10**15))

# %% regular expression without end ->
import re
re.match("(a+)+$", "a" * 60 + "b")

# %% loop that has ignored every signal ->
import signal
signal.setitimer(signal.ITIMER_REAL, 0)
for number in range(1, 32):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass

# %% loop with all signals blocked ->
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
while True:
    pass

# %% endless sleep ->
import time
while True:
    try:
        time.sleep(60)
    except BaseException:
        pass

# %% stopped by a signal ->
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)

# %% endless print ->
while True:
    print("x" * 1000)

# %% endless print below Python ->
import os
while True:
    os.write(1, b"x" * 65536), os.write(2, b"x" * 65536)

# %% 50 GiB in one array ->
import numpy as np
much = np.zeros(50 << 30, dtype=np.uint8)

# %% 12 GB in many pieces ->
import numpy as np
pieces = [np.zeros(256 << 20, dtype=np.uint8) for _ in range(48)]

# %% 12 GB in many pieces, kept in spite of the error ->
import numpy as np, sys
sys.pieces = []
try:
    for _ in range(48):
        sys.pieces.append(np.zeros(256 << 20, dtype=np.uint8))
except MemoryError:
    try:
        for _ in range(10**5):
            sys.pieces.append(bytearray(1 << 12))
    except MemoryError:
        pass

# %% fork bomb ->
import os, time
for _ in range(300):
    try:
        if not os.fork():
            time.sleep(20)
            os._exit(0)
    except Exception:
        pass

# %% fork bomb below Python ->
import ctypes, os, time
for _ in range(300):
    if not ctypes.CDLL(None).fork():
        time.sleep(20)
        os._exit(0)

# %% fork bomb by the worker's own fork ->
# needs 3 s
import os, sys, time
frame = sys._getframe()
while frame.f_back and "fork_child" not in frame.f_globals:
    frame = frame.f_back
fork_child = frame.f_globals["fork_child"]
frame.f_globals["serve"] = lambda *args: time.sleep(20)
for _ in range(300):
    fork_child({})

# %% threads from C ->
import _thread, time
for _ in range(300):
    _thread.start_new_thread(time.sleep, (20,))

# %% thread flood ->
import threading, time
for _ in range(300):
    threading.Thread(target=time.sleep, args=(20,)).start()

# %% daemon threads that go on ->
import threading
for _ in range(3):
    threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()

# %% sleeping thread that wakes and exits the process ->
import os, threading, time
threading.Thread(target=lambda: (time.sleep(2), os._exit(3))).start()  # 0.3 s would hit the same trial twice, at times
time.sleep(0.1)

# %% processes that detach themselves ->
import os, time
for _ in range(3):
    if not os.fork():
        os.setsid()
        if not os.fork():
            time.sleep(30)
        os._exit(0)

# %% program in the background ->
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], start_new_session=True)

# %% program through multiprocessing ->
import multiprocessing, time
multiprocessing.get_context("spawn").Process(target=time.sleep, args=(30,)).start()

# %% deep recursion ->
def down(n):
    return down(n + 1)
down(0)

# %% deep recursion without a limit ->
import sys
sys.setrecursionlimit(10**9)
def down(n):
    return down(n + 1) + max([n], key=lambda n: down(n))
down(0)

# %% recursion limit of 10 ->
import sys
try:
    sys.setrecursionlimit(60)
except RecursionError:
    pass

# %% sys.exit ->
import sys
sys.exit(0)

# %% SystemExit from every thing ->
raise SystemExit("done")

# %% KeyboardInterrupt ->
raise KeyboardInterrupt

# %% GeneratorExit ->
raise GeneratorExit

# %% exception that cannot be shown ->
class Odd(BaseException):
    def __str__(self):
        raise Odd
    __repr__ = __str__
raise Odd

# %% exception with a lying class ->
class Odd(BaseException):
    __class__ = property(lambda self: 1 / 0)
    __traceback__ = property(lambda self: 1 / 0)
    __str__ = lambda self: "x" * 10**8
raise Odd

# %% os._exit ->
import os
os._exit(0)

# %% os.abort ->
import os
os.abort()

# %% killed worker ->
import os
os.kill(os.getpid(), 9)

# %% killed parent ->
import os
os.kill(os.getppid(), 9)

# %% killed group ->
import os
os.kill(0, 9)

# %% killed group, by its number ->
import os
os.killpg(os.getpgid(0), 9)

# %% killed group, below Python ->
import ctypes
ctypes.CDLL(None).kill(0, 9)

# %% killed group, with the hook's lists emptied ->
import os, sys
frame = sys._getframe()
while frame:
    if "sandbox" in frame.f_globals:
        frame.f_globals["sandbox"].FORBIDDEN = ()
    frame = frame.f_back
os.kill(0, 9)

# %% killed parents, by all process numbers up the tree ->
import os
number = os.getppid()
while number > 1:
    above = int(open(f"/proc/{number}/stat").read().rpartition(")")[2].split()[1])
    if b"driver.py" in open(f"/proc/{number}/cmdline", "rb").read() or b"zygote" in open(f"/proc/{number}/cmdline", "rb").read():
        os.kill(number, 9)
    number = above

# %% segmentation fault ->
import ctypes
ctypes.string_at(0)

# %% segmentation fault by marshal ->
import types
def f(): pass
f.__code__ = f.__code__.replace(co_code=b"\xff" * 64, co_stacksize=0)
f()

# %% segmentation fault by faulthandler ->
import faulthandler
faulthandler._sigsegv()

# %% signal handlers ->
# needs 3 s
import signal
def ignore(*args):
    while True:
        pass
for number in signal.valid_signals():
    try:
        signal.signal(number, ignore)
    except (OSError, ValueError):
        pass
signal.alarm(1)

# %% alarm in a moment ->
import signal
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)

# %% atexit ->
import atexit
@atexit.register
def stay():
    while True:
        pass

# %% callback at fork ->
# needs 3 s
import os
def stay():
    while True:
        pass
os.register_at_fork(after_in_child=stay)

# %% callback at fork that exits the parent ->
import os
os.register_at_fork(before=lambda: os._exit(5))

# %% callback of the garbage collector ->
import gc
gc.callbacks.append(lambda *args: gc.collect())
gc.callbacks.append(lambda *args: 1 / 0)
gc.set_threshold(1)

# %% weak references and finalizers ->
import os
class Last:
    def __del__(self):
        os._exit(4)
last = Last()

# %% trace function ->
import sys, threading
def trace(frame, event, arg):
    if "sigmoid" not in frame.f_code.co_name:
        frame.f_trace_opcodes = True
    raise RuntimeError("not so fast")
sys.settrace(trace), threading.settrace(trace)

# %% profile function ->
import sys, threading
def profile(frame, event, arg):
    raise RuntimeError("not so fast")
sys.setprofile(profile), threading.setprofile(profile)

# %% monitoring ->
import sys
if hasattr(sys, "monitoring"):
    sys.monitoring.use_tool_id(4, "odd")
    sys.monitoring.register_callback(4, sys.monitoring.events.PY_START, lambda *args: 1 / 0)
    sys.monitoring.set_events(4, sys.monitoring.events.PY_START)

# %% audit hook that refuses everything ->
import sys
def refuse(*args):
    raise RuntimeError("no")
sys.addaudithook(refuse)

# %% excepthook and its friends ->
import sys
sys.excepthook = sys.unraisablehook = sys.displayhook = sys.breakpointhook = lambda *args: sys.exit(3)

# %% streams closed ->
import sys
sys.stdout.close(), sys.stderr.close()
sys.stdin = sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None

# %% all files closed ->
import os
os.closerange(0, 256)

# %% all files replaced by one ->
import os
null = os.open("/dev/null", os.O_RDWR)
for place in range(64):
    os.dup2(null, place)

# %% no file descriptors left ->
import os
kept = []
try:
    while len(kept) < 5000:
        kept.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass

# %% forged lines to every file ->
import os
forged = b'{"question": "sigmoid", "points": 2, "possible": 2, "status": "right"}\n'
for place in range(64):
    for line in (forged, b"[]\n", b"5\n", b"\xff\x00\n"):
        try:
            os.write(place, line)
        except OSError:
            pass

# %% forged frames to every file ->
import json, os, struct
for event in (["ran", 0, ""], ["begin", 10**9, 0], ["begin", -1, -1], ["error", 1, 7], [[[]]], {"value": 0}, "ran"):
    for text in (json.dumps(event), json.dumps(["list", *event])):
        frame = struct.pack(">4sIQ", b"nnl1", len(text), 0) + text.encode()
        for place in range(64):
            try:
                os.write(place, frame)
            except OSError:
                pass

# %% frame of 2^63 bytes to every file ->
import os, struct
for place in range(64):
    try:
        os.write(place, struct.pack(">4sIQ", b"nnl1", 2**32 - 1, 2**63))
    except OSError:
        pass

# %% half a frame, then silence ->
import os, struct, time
for place in range(64):
    try:
        os.write(place, struct.pack(">4sIQ", b"nnl1", 1000, 0) + b"[")
    except OSError:
        pass
while True:
    time.sleep(1)

# %% reads what is meant for the worker ->
import fcntl, os
for place in range(64):
    try:
        fcntl.fcntl(place, fcntl.F_SETFL, os.O_NONBLOCK)
        os.read(place, 1 << 20)
    except OSError:
        pass

# %% the worker's own functions replaced ->
import sys
frame = sys._getframe()
while frame:
    for name in list(frame.f_globals):
        if name not in ("__name__", "__builtins__") and callable(frame.f_globals[name]) and frame.f_globals is not globals():
            frame.f_globals[name] = lambda *args, **options: True
    frame = frame.f_back

# %% the library emptied ->
import sys
for name in list(sys.modules):
    if name.startswith("nnlib"):
        vars(sys.modules[name]).clear()

# %% modules deleted ->
import sys
for name in list(sys.modules):
    if name.split(".")[0] in ("numpy", "json", "pickle", "os", "linecache", "warnings", "signal"):
        del sys.modules[name]

# %% all modules deleted ->
import sys
sys.modules.clear()

# %% names deleted ->
for name in list(globals()):
    if not name.startswith("__") and name not in ("double", "check", "np"):
        del globals()[name]

# %% builtins emptied ->
import builtins
vars(builtins).clear()

# %% builtins replaced ->
import builtins
for name in ("abs", "sum", "isinstance", "issubclass", "type", "len", "getattr", "hasattr", "callable", "sorted", "zip", "repr",
             "min", "max", "map", "iter", "next", "dict", "list", "tuple", "str", "int", "float", "bool", "range", "enumerate"):
    setattr(builtins, name, lambda *args, **options: True)

# %% exceptions replaced ->
import builtins
for name in ("Exception", "BaseException", "OSError", "ValueError", "TypeError", "KeyError", "PermissionError", "StopIteration"):
    setattr(builtins, name, ZeroDivisionError)

# %% import and open replaced ->
import builtins
builtins.__import__ = builtins.open = builtins.exec = builtins.compile = builtins.eval = builtins.print = lambda *a, **k: 1 / 0

# %% __build_class__ replaced ->
import builtins
builtins.__build_class__ = lambda *args, **options: 1 / 0

# %% json, pickle, struct, os and time replaced ->
import json, os, pickle, select, signal, struct, time, traceback, warnings
for module in (json, pickle, struct, select, traceback, warnings):
    for name in list(vars(module)):
        if not name.startswith("__") and callable(getattr(module, name)):
            setattr(module, name, lambda *args, **options: None)
os.write = os.read = os.fork = os._exit = os.kill = os.pipe = os.waitpid = signal.signal = signal.setitimer = lambda *args: 0
time.monotonic = time.time = lambda: 0.0

# %% numpy's random state destroyed ->
import numpy as np
np.random.seed(0)
np.random.set_state = np.random.get_state = np.random.seed = None

# %% numpy raises on everything ->
import numpy as np
np.seterr(all="raise")
np.seterrcall(lambda *args: 1 / 0)

# %% numpy's print options ->
import numpy as np
np.set_printoptions(threshold=1, precision=0, formatter={"all": lambda x: 1 / 0})

# %% warnings as errors ->
import warnings
warnings.simplefilter("error")
warnings.showwarning = lambda *args: 1 / 0
warnings.warn("now")

# %% another folder ->
import os
os.chdir("/")

# %% a folder that is gone ->
import os
os.mkdir("gone"), os.chdir("gone"), os.rmdir("../gone")

# %% umask, priority, locale, time zone ->
import locale, os, time
os.umask(0o777)
os.nice(19)
os.environ.clear()
os.environ["TZ"] = "Asia/Kolkata"
time.tzset()
locale.setlocale(locale.LC_ALL, "C")

# %% lowest limits ->
import resource
for name in ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_STACK"):
    resource.setrlimit(getattr(resource, name), (4, 4))

# %% lowest memory ->
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))

# %% disk filled with one sparse file ->
with open("sparse", "wb") as file:
    file.truncate(5 << 30)

# %% disk filled with 200 MB ->
for number in range(4):
    with open(f"full{number}", "wb") as file:
        for _ in range(50):
            file.write(bytes(1 << 20))

# %% five thousand files ->
import os
for number in range(5000):
    open(f"file{number}", "w").close()

# %% folders a thousand deep ->
import os
for number in range(1000):
    os.mkdir("d"), os.chdir("d")

# %% files without permission in scratch ->
import os
os.mkdir("locked")
open("locked/inside", "w").close()
os.chmod("locked/inside", 0), os.chmod("locked", 0)

# %% links in scratch ->
import os
os.symlink("/", "root"), os.symlink("loop", "loop"), os.symlink(course, "course"), os.mkfifo("pipe")

# %% standard input ->
input("Your name? ")

# %% debugger ->
breakpoint()

# %% self-referencing and odd names ->
a = []
a.append(a)
globals()["\ud800"] = globals()[""] = globals()["\0"] = a
globals()[3] = a

# %% Recorder's answers replaced ->
type(check).answers = {"double": 3, "triple": None, 5: 5}
check.answers = property(lambda self: 1 / 0)

# %% test cells replaced ->
class ExerciseSet:
    def __init__(self, *args):
        pass
    def __call__(self, *args):
        return 100
check = ExerciseSet("ex91_hostile")

# %% np.allclose and np.testing replaced ->
import numpy as np
np.allclose = np.isclose = np.array_equal = np.all = np.any = lambda *args, **options: True
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, lambda *args, **options: None)

# %% numpy's constructors replaced ->
import numpy as np
np.asarray = np.array = np.ndarray = np.shape = np.copy = lambda *args, **options: 0
