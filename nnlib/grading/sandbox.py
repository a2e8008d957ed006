"""What holds a learner's process: limits, an audit hook and, where the system has them, namespaces, Landlock, cgroups.

Every layer is optional and each covers what another one lacks. `available()` asks the system once, `protections()` and
`missing()` say it in sentences. The audit hook is Python's own and stops the ordinary attempts; code that digs for it
can get round it, so hard safety needs the layers of the kernel. Nothing but the standard library is imported here.
"""

import contextlib
import ctypes
import functools
import mmap
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

MEMORY = 4 << 30  # bytes that a worker may map beyond what it begins with; the cells alone three quarters of them
FILE, OPEN_FILES, TASKS, SCRATCH, ROOM = 64 << 20, 256, 64, "256m", 16 << 20
NEW_MOUNTS, NEW_IPC, NEW_USERS, NEW_PIDS, NEW_NET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
LAYERS = {  # name: what it gives, what is absent without it
    "limits": ("Limits for each notebook at work: 4 GiB of memory, processor time, 64 MiB a file, 256 open files.",
               "No limits of memory, processor time and files: this system has no `resource`."),
    "namespaces": ("Namespaces: no network, other processes out of sight, none left behind, 256 MiB of scratch space.",
                   "No namespaces: the audit hook alone closes the network, and the scratch space has no limit."),
    "landlock": ("Landlock: of the disk only Python, its packages and nnlib can be read, only scratch be written.",
                 "No Landlock: the audit hook alone closes files of the course and of other learners."),
    "tasks": (f"A cgroup: at most {TASKS} processes and threads for each notebook at work.",
              "No cgroup for processes: only the user's own limit holds a flood of threads back, and root has none."),
}
HOOK = "An audit hook: no programs, processes, sockets, C libraries; no files of the course; writes to scratch only."
PATHS = {"open": 1, "os.listdir": 1, "os.scandir": 1, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.rename": 2,
         "os.link": 2, "os.symlink": 2, "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.utime": 1,
         "os.chdir": 1, "shutil.rmtree": 1, "sqlite3.connect": 1}  # events whose first arguments are paths
READING = {"os.listdir", "os.scandir", "os.chdir"}
DEVICES = "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"
FORBIDDEN = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "pty.",
             "os.kill", "socket.connect", "socket.bind", "socket.send", "socket.get", "socket.__new__", "ctypes.",
             "_winapi.")


class _Capabilities(ctypes.Structure):
    _fields_ = [("sets", ctypes.c_uint32 * 6)]


class _Rules(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scope", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def _kernel(name, *args):
    """Call a function of the C library. Raises OSError where it fails."""
    result = getattr(ctypes.CDLL(None, use_errno=True), name)(*args)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


# What there is

@functools.cache
def available():
    """Names of the layers that this system gives, in the order of LAYERS; tried out in a process of their own."""
    found = {"limits"} if resource else set()
    if sys.platform.startswith("linux"):
        tried = subprocess.run([sys.executable, "-I", "-S", __file__], capture_output=True, text=True, timeout=60)
        found |= set(tried.stdout.split())
        tasks = Tasks.make()
        if tasks:
            found.add("tasks")
            tasks.remove()
    return tuple(name for name in LAYERS if name in found)


def protections():
    """Sentences: what holds learners' code on this system."""
    held = [LAYERS[name][0] for name in available()]
    if sys.platform == "darwin":
        held = [sentence.replace("4 GiB of memory, ", "") for sentence in held]
    return held + [HOOK]


def missing():
    """Sentences: which protections this system lacks."""
    lacking = [LAYERS[name][1] for name in LAYERS if name not in available()]
    if sys.platform == "darwin" and "limits" in available():
        lacking.append("No limit of memory that holds: macOS accepts one and does not keep to it.")
    if not sys.platform.startswith("linux"):
        lacking.append("No fork server: each notebook gets a fresh process, which takes some seconds, and what a "
                       "learner's code starts and detaches may be left behind.")
    return lacking


def _try_out():
    """Print the names of the kernel's layers that work; each is tried in a child."""
    for name, layer in {"namespaces": lambda: isolate("/tmp"), "landlock": lambda: confine("/tmp", [])}.items():
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                layer()
                if name == "landlock" or not os.waitpid(os.fork() or os._exit(0), 0)[1]:  # pid 1 can be made
                    os._exit(0)
            os._exit(1)
        if os.waitpid(child, 0)[1] == 0:
            print(name)


# The layers of the kernel

def isolate(scratch):
    """New user, mount, process, network and IPC namespaces; small scratch space. Children are in them, too."""
    user, group = os.getuid(), os.getgid()
    _kernel("unshare", NEW_USERS | NEW_MOUNTS | NEW_PIDS | NEW_NET | NEW_IPC)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(text, encoding="utf-8")
    _kernel("mount", b"scratch", os.fsencode(scratch), b"tmpfs", 6, f"size={SCRATCH},mode=700".encode())


def give_up_rights():
    """No more capabilities, not even those over the own namespaces, and none through setuid programs."""
    _kernel("prctl", 38, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _kernel("capset", ctypes.byref(header), ctypes.byref(_Capabilities()))


def end_with_parent():
    """This process is killed when the one that forked it ends."""
    with contextlib.suppress(AttributeError, OSError):
        _kernel("prctl", 1, signal.SIGKILL, 0, 0, 0)


def adopt_orphans():
    """Descendants whose parent ends become children of this process, so that it can wait for them."""
    with contextlib.suppress(AttributeError, OSError):
        _kernel("prctl", 36, 1, 0, 0, 0)


def confine(scratch, readable):
    """Landlock: read files and folders of `readable` only, write in `scratch` only, run no program."""
    version = _kernel("syscall", 444, None, 0, 1)
    reads, file_rights = 0b1100, 0b1100000000000110  # READ_DIR, READ_FILE; those that a single file can have
    everything = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    rules, size = _Rules(everything, 3, 3), 24 if version >= 6 else 16 if version >= 4 else 8  # no TCP, no signals
    ruleset = _kernel("syscall", 444, ctypes.byref(rules), size, 0)
    rights_of = {**dict.fromkeys(readable, reads), **dict.fromkeys(DEVICES, 0b1110), scratch: everything & ~1}
    for path, rights in rights_of.items():
        with contextlib.suppress(OSError):  # what is not there needs no rule
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                allowed = rights & everything & (-1 if os.path.isdir(path) else file_rights)
                _kernel("syscall", 445, ruleset, 1, ctypes.byref(_Beneath(allowed, place)), 0)
            finally:
                os.close(place)
    _kernel("prctl", 38, 1, 0, 0, 0)
    _kernel("syscall", 446, ruleset, 0)
    os.close(ruleset)


class Tasks:
    """A cgroup that bounds the number of processes and threads."""

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def make(cls):
        """A new one, or None where none can be written."""
        number = time.monotonic_ns()
        for base in _bases():
            with contextlib.suppress(OSError):
                for old in base.glob("nnlib-grading-*"):  # of graders that were killed
                    if not Path("/proc", old.name.split("-")[2]).exists():
                        with contextlib.suppress(OSError):
                            old.rmdir()
                tasks = cls(base / f"nnlib-grading-{os.getpid()}-{number}")
                tasks.folder.mkdir()
                with contextlib.suppress(OSError):
                    tasks.limit(TASKS)
                    if Path(tasks.folder, "cgroup.procs").exists():
                        return tasks
                tasks.remove()
        return None

    def add(self, pid):
        """Put a process, and all that it will start, into the group. Raises OSError."""
        Path(self.folder, "cgroup.procs").write_text(str(pid), encoding="utf-8")

    def limit(self, most):
        """At most so many processes and threads."""
        Path(self.folder, "pids.max").write_text(str(most), encoding="utf-8")

    def remove(self):
        """Remove the group, once its processes have ended."""
        for _ in range(100):
            try:
                return self.folder.rmdir()
            except FileNotFoundError:
                return None
            except OSError:
                time.sleep(0.01)


def _bases():
    """Folders in which a cgroup of tasks might be made: version 1, then version 2 beside and in our own."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, own = line.split(":", 2)
            if "pids" in kinds.split(","):
                yield Path("/sys/fs/cgroup/pids" + own)
            elif not kinds:
                own = Path("/sys/fs/cgroup" + own)
                yield from (own.parent, own) if own != Path("/sys/fs/cgroup") else (own,)


# Limits, files and the hook

def limit(seconds, memory):
    """Limits of this process and of those it starts: `seconds` of processor time, `memory` in bytes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")  # where memory runs out, it goes first
    if not resource:
        return
    limits = {"RLIMIT_CPU": (int(seconds) + 1, int(seconds) + 2), "RLIMIT_FSIZE": (FILE, FILE), "RLIMIT_CORE": (0, 0),
              "RLIMIT_NOFILE": (OPEN_FILES, OPEN_FILES), "RLIMIT_NPROC": (_tasks_of_user() + 4 * TASKS,) * 2,
              "RLIMIT_AS": (_mapped() + memory * 3 // 4, _mapped() + memory)}
    for name, (soft, hard) in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):  # lower ones may be set already
            resource.setrlimit(getattr(resource, name), (soft, hard))


def has_room():
    """Whether this process can get memory enough to go on with its work."""
    try:
        mmap.mmap(-1, ROOM).close()  # asked for and never touched: it costs nothing
        return True
    except (OSError, MemoryError):
        return False


def all_memory():
    """Let this process use what is left of the memory that its cells were not given."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _mapped():
    """Bytes of address space in use; 1 GiB where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 1 << 30


def _tasks_of_user():
    """Processes and threads of this user: RLIMIT_NPROC counts them all, and does not hold root."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*") if os.getuid() else ():
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                count += len(os.listdir(folder / "task"))
    return count


def readable(hidden):
    """Files and folders that Python, its packages and the library need, without those in `hidden`."""
    library = Path(__file__).parents[1]
    system = "/usr /lib /lib64 /lib32 /bin /sbin /etc/fonts /etc/ld.so.cache /etc/localtime /etc/mime.types /etc/passwd"
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, sysconfig.get_path("stdlib"), *system.split(), *sys.path]
    folders = {os.path.realpath(folder) for folder in folders if folder} - {str(library.parent)}
    hidden = [os.path.realpath(path) for path in hidden]
    return [part for folder in sorted(folders | {str(library)}) for part in _without(folder, hidden)]


def _without(folder, hidden):
    """`folder`, or those of its parts that do not lie in `hidden`."""
    inside = [path for path in hidden if _under(path, folder)]
    if not inside:
        return [folder]
    if folder in inside:
        return []
    with contextlib.suppress(OSError):
        return [part for name in sorted(os.listdir(folder)) for part in _without(os.path.join(folder, name), inside)]
    return []


def _under(path, folder):
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def hook(scratch, readable, trusted):
    """Add the audit hook, which cannot be taken off: what learners' code may not do raises PermissionError.

    Files: as `confine`. trusted: code objects that may fork and kill.
    """
    real, fspath, frame_of, own = os.path.realpath, os.fsdecode, sys._getframe, os.getpid
    scratch, exact, strings = real(scratch), {*readable, *DEVICES}, (str, bytes, os.PathLike)
    nothing = {os.devnull, real(os.devnull)}  # two names on Windows
    beneath = tuple(path.rstrip(os.sep) + os.sep for path in readable)
    libraries = tuple(real(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib", "platlib"))

    def watch(event, args):
        if event in PATHS:
            for path in args[:PATHS[event]]:
                path = real(fspath(path)) if isinstance(path, strings) else os.devnull  # a number: it is open already
                if path in nothing or _under(path, scratch):
                    continue
                writes = event not in READING and not (event == "open" and not set(args[1] or "") & set("wax+")
                                                       and not (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
                if writes:
                    refuse("files can be written in the current folder only")
                if path not in exact and not path.startswith(beneath):
                    refuse("this file or folder cannot be read")
        elif event == "import" and args[0].startswith("nnlib.grading."):
            refuse("the grader cannot be imported")
        elif event.startswith(FORBIDDEN):
            if not (event in ("os.fork", "os.kill") and frame_of(1).f_code in trusted
                    or event == "os.kill" and args[0] == own() or event.startswith("ctypes.") and by_library()):
                refuse(event)

    def by_library():  # numpy and threadpoolctl look into C libraries
        frame = frame_of(2)
        while frame and "ctypes" in frame.f_code.co_filename:
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename.startswith(libraries)

    def refuse(what):
        raise PermissionError(1, f"not possible in a graded notebook: {what}")

    sys.addaudithook(watch)


def clean_environment():
    """Environment variables for the processes of learners: what Python needs to start, nothing that may be secret."""
    kept = re.compile(r"PATH|HOME|LANG|LC_\w+|TZ|LD_LIBRARY_PATH|DYLD_\w+|PYTHONPATH|PYTHONHOME|VIRTUAL_ENV|TMPDIR|"
                      r"CONDA_PREFIX|XDG_C\w+_HOME|MPLCONFIGDIR|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|TEMP|TMP|USERPROFILE|"
                      r"(LOCAL)?APPDATA|NUMBER_OF_PROCESSORS|PROCESSOR_\w+", re.IGNORECASE)
    threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return {**{name: value for name, value in os.environ.items() if kept.fullmatch(name)},
            **dict.fromkeys(threads, "1"), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg",
            "NNLIB_PROGRESS": os.devnull}


def move_in(scratch):
    """Make `scratch` the current folder, home and place of temporary files."""
    os.chdir(scratch)
    for name in list(os.environ):
        if re.fullmatch(r"XDG_\w+|MPLCONFIGDIR|(LOCAL)?APPDATA|PYTHONPATH", name):
            del os.environ[name]
    os.environ.update(dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(scratch)))
    tempfile.tempdir = str(scratch)


if __name__ == "__main__":
    _try_out()
