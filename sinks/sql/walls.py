"""What the sandboxed process may do to the machine: little, and less than its user may. Linux only, without root.

Landlock (files, TCP, signals), a seccomp filter (sockets, programs, other processes) and resource limits. They hold
for threads made afterwards, so they stand before the engine starts its own. Sources: landlock(7), seccomp(2),
linux/landlock.h, linux/seccomp.h, linux/bpf_common.h.
"""

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Iterable
from pathlib import Path

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same number on all architectures
_CREATE_VERSION = 1
_RULE_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38  # prctl
_SET_SECCOMP, _MODE_FILTER = 22, 2

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_READ = READ_FILE | READ_DIR
_ALL_V1 = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_CHANGE = (
    _ALL_V1 & ~EXECUTE & ~(1 << 6 | 1 << 9 | 1 << 10 | 1 << 11)
)  # no devices, sockets or pipes to be made
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL
_NET_ALL, _SCOPE_ALL = 3, 3

# Per architecture: its number for seccomp, and the calls that are answered with EPERM.
_CALLS: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
            "execve": 59, "kill": 62, "ptrace": 101, "mount": 165, "init_module": 175, "add_key": 248,
            "request_key": 249, "keyctl": 250, "tkill": 200, "unshare": 272, "perf_event_open": 298,
            "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
            "finit_module": 313, "bpf": 321, "execveat": 322, "userfaultfd": 323, "pidfd_send_signal": 424,
            "io_uring_setup": 425, "open_tree": 428, "pidfd_open": 434, "pidfd_getfd": 438,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "socket": 198, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206, "sendmsg": 211,
            "execve": 221, "kill": 129, "tkill": 130, "ptrace": 117, "mount": 40, "init_module": 105,
            "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97, "perf_event_open": 241,
            "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
            "finit_module": 273, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424,
            "io_uring_setup": 425, "open_tree": 428, "pidfd_open": 434, "pidfd_getfd": 438,
        },
    ),
}  # fmt: skip
_EPERM = 1
_X32 = 0x40000000  # calls of the x32 form have other numbers: refused as a whole


class WallsError(RuntimeError):
    """The walls cannot be put up here, so nothing may run behind them. The message says which one."""


def limit_resources(*, cpu_s: int, file_bytes: int) -> None:
    """Processor time, sizes of written files, open files, no core dump; the first to go when memory is short."""
    for kind, value in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, min(16_384, resource.getrlimit(resource.RLIMIT_NOFILE)[1])),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def confine_files(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """From now on this thread and those it starts reach nothing but these, and open or offer no TCP connection.

    Raises WallsError where the kernel has no Landlock (before 5.13, or switched off).
    """
    abi = _syscall(_LANDLOCK_CREATE, None, 0, _CREATE_VERSION)
    if abi < 1:
        raise WallsError("this kernel has no Landlock (Linux 5.13 or later, with lsm=landlock)")
    handled = (
        _ALL_V1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0) | (_IOCTL if abi >= 5 else 0)
    )
    attributes = struct.pack("=QQQ", handled, _NET_ALL if abi >= 4 else 0, _SCOPE_ALL if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = _syscall(_LANDLOCK_CREATE, attributes[:size], size, 0)
    _checked(rules, "landlock_create_ruleset")
    for paths, wanted in ((readable, _READ), (writable, _READ | _CHANGE | _TRUNCATE | _REFER)):
        for path in paths:
            _allow(rules, path, wanted & handled)
    _no_new_privileges()
    _checked(_syscall(_LANDLOCK_RESTRICT, rules, 0), "landlock_restrict_self")
    os.close(rules)


def _allow(rules: int, path: Path, wanted: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        allowed = wanted if path.is_dir() else wanted & _OF_FILES
        _checked(
            _syscall(_LANDLOCK_ADD, rules, _RULE_PATH_BENEATH, struct.pack("=Qi", allowed, handle), 0),
            str(path),
        )
    finally:
        os.close(handle)


def confine_calls() -> None:
    """From now on no socket, no other program and no look at other processes. Raises WallsError."""
    machine = platform.machine()
    if machine not in _CALLS:
        raise WallsError(f"no filter of system calls is known for {machine}")
    number, calls = _CALLS[machine]
    program = _filter(number, sorted(calls.values()), x32=machine == "x86_64")
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    _no_new_privileges()
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_SET_SECCOMP, _MODE_FILTER, header, 0, 0), "seccomp")


def _filter(architecture: int, refused: list[int], *, x32: bool) -> bytes:
    """The filter as instructions of classic BPF: (code, jump if true, jump if false, value)."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, kill, error = 0x7FFF0000, 0x80000000, 0x00050000 | _EPERM
    tail = [*([(at_least, 0, 0, _X32)] if x32 else []), *((equal, 0, 0, call) for call in refused)]
    count = len(tail)
    checks = [(code, count - at, 0, value) for at, (code, _yes, _no, value) in enumerate(tail)]
    steps = [
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (give, 0, 0, kill),
        (load, 0, 0, 0),
        *checks,
        (give, 0, 0, allow),
        (give, 0, 0, error),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _no_new_privileges() -> None:
    _checked(ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def _syscall(number: int, *given: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    widened = [ctypes.c_long(value) if isinstance(value, int) else value for value in given]
    return int(libc.syscall(ctypes.c_long(number), *widened))


def _checked(result: int, what: str) -> None:
    if result < 0:
        raise WallsError(f"{what} failed: {os.strerror(ctypes.get_errno())}")
