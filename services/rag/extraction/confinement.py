"""Confine a process before it opens a file from outside.

It gives up the network, other processes, unbounded memory and time, and every other file.

The network goes by a seccomp filter, on Linux on x86_64 and aarch64; elsewhere the other limits
hold, and ``confine`` says so. It needs no capability: containers with every one dropped can set it.
Files go by Landlock, which kernels have from Linux 5.13 on, unless they were built or started
without; it needs no capability either. Elsewhere nothing is refused, and who starts such a process
says so.

Source: seccomp(2), prctl(2), linux/seccomp.h, linux/audit.h, asm/unistd_64.h, asm-generic/unistd.h;
landlock(7), linux/landlock.h, https://docs.kernel.org/userspace-api/landlock.html. The numbers of
Landlock's calls are those of every architecture.
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import luna
import services
from services.rag.extraction.model import Limits

NETWORK_CAN_BE_REFUSED = sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"}

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_GREATER_EQUAL = 0x35
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_KILL = 0x80000000
_OFFSET_NUMBER = 0
_OFFSET_ARCHITECTURE = 4
_X32_BIT = 0x40000000  # the same calls of x86_64 under other numbers


@dataclass(frozen=True)
class _Architecture:
    audit: int
    # socket, connect and their kin, and io_uring, which does the same without calls.
    network: tuple[int, ...]
    # Looking into or stopping other processes, leaving the process group, mounts, namespaces, keys.
    others: tuple[int, ...]
    # Starting programs and threads, and stopping those again.
    starting: tuple[int, ...]


_ARCHITECTURES = {
    "x86_64": _Architecture(
        audit=0xC000003E,
        network=(41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 53, 288, 299, 307, 425, 426, 427),
        others=(
            101,
            112,
            129,
            165,
            200,
            248,
            249,
            250,
            272,
            297,
            298,
            308,
            310,
            311,
            321,
            323,
            424,
            434,
            438,
        ),
        starting=(56, 57, 58, 59, 62, 109, 322, 435),
    ),
    "aarch64": _Architecture(
        audit=0xC00000B7,
        network=(
            198,
            199,
            200,
            201,
            202,
            203,
            206,
            207,
            210,
            211,
            212,
            242,
            243,
            269,
            425,
            426,
            427,
        ),
        others=(
            40,
            97,
            117,
            130,
            138,
            157,
            217,
            218,
            219,
            240,
            241,
            268,
            270,
            271,
            280,
            282,
            424,
            434,
            438,
        ),
        starting=(129, 154, 220, 221, 281, 435),
    ),
}


def confine(limits: Limits, *, may_start_programs: bool = False) -> bool:
    """Bound this process for good, and return whether the network is refused as well.

    Args:
        may_start_programs: text recognition runs a program of its own, which inherits all bounds.
    """
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_CPU, limits.seconds)
    # Of one file; how much is unpacked altogether is counted where it is.
    _bound(resource.RLIMIT_FSIZE, max(limits.unpacked_bytes, 8 * limits.text_characters))
    _bound(resource.RLIMIT_NOFILE, 64)
    _bound(resource.RLIMIT_AS, limits.memory_bytes)
    if not NETWORK_CAN_BE_REFUSED:
        return False
    architecture = _ARCHITECTURES[platform.machine()]
    refused = (
        architecture.network
        + architecture.others
        + (() if may_start_programs else architecture.starting)
    )
    # A filter: another architecture kills, the calls named are refused with EPERM, all others are
    # allowed.
    checks = len(refused)
    steps = [
        (_LOAD, 0, 0, _OFFSET_ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_JUMP_GREATER_EQUAL, checks + 1, 0, _X32_BIT),
        *((_JUMP_EQUAL, checks - index, 0, number) for index, number in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    program = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(program)
    # struct sock_fprog: the number of instructions (8 bytes each), padded to the pointer to them.
    handed = ctypes.create_string_buffer(
        struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    )
    control = ctypes.CDLL(None, use_errno=True).prctl
    is_final: bool = (
        _forgo_privileges()
        and control(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), handed) == 0
    )
    return is_final


def _bound(kind: int, value: int) -> None:
    # Not every system knows every limit; a lower one that is set already stays.
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_TRUNCATE = 1 << 14
# Since which version of Landlock so many rights to files are known, the lowest bits first.
_RIGHTS_SINCE = ((5, 16), (3, 15), (2, 14), (1, 13))
_NETWORK_SINCE = 4
_ALL_TCP = 0b11
_SCOPES_SINCE = 6
_ALL_SCOPES = 0b11
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _READ_FILE | _READ_DIR
# Files and folders are made, changed, moved and removed; no links, which could lead elsewhere, no
# devices, sockets or pipes.
_CHANGE = _READ | _WRITE_FILE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13 | _TRUNCATE

# Shared libraries, fonts, time zones, data of text recognition; what numerical libraries ask of
# processor and memory.
_SYSTEM_FOLDERS = (
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
    "/usr/share",
)
_SYSTEM_FACTS = (
    "/usr/local/share",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/dev/urandom",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
)


@dataclass(frozen=True)
class FileAccess:
    """Paths that may be opened beside Python and its libraries.

    Args:
        read: files, or folders with all that is in them.
        change: folders in which everything may be read, made, changed and removed.
        run: programs that may be started.
    """

    read: tuple[Path, ...] = ()
    change: tuple[Path, ...] = ()
    run: tuple[Path, ...] = ()


def landlock_version() -> int:
    """Return the version of Landlock that this kernel offers, 0 if it offers none."""
    if sys.platform != "linux":
        return 0
    return max(_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG)), 0)


def restrict_files(access: FileAccess) -> bool:
    """Refuse this process every other file for good; return whether that was possible."""
    version = landlock_version()
    if version == 0:
        return False
    supported = (1 << next(bits for since, bits in _RIGHTS_SINCE if version >= since)) - 1
    parts = [supported]
    if version >= _NETWORK_SINCE:
        parts.append(_ALL_TCP)
    if version >= _SCOPES_SINCE:
        parts.append(_ALL_SCOPES)
    attributes = struct.pack(f"={len(parts)}Q", *parts)
    rules = _call(
        _CREATE_RULESET,
        ctypes.create_string_buffer(attributes, len(attributes)),
        ctypes.c_size_t(len(attributes)),
        ctypes.c_uint32(0),
    )
    if rules < 0:
        return False
    rights_to: tuple[tuple[Iterable[Path], int], ...] = (
        # A program is started by the loader, which lies among the libraries.
        (map(Path, _SYSTEM_FOLDERS), _READ | (_EXECUTE if access.run else 0)),
        (map(Path, _SYSTEM_FACTS), _READ),
        (_python_folders(), _READ),
        ((Path(os.devnull),), _READ_FILE | _WRITE_FILE),
        (access.read, _READ),
        (access.run, _READ_FILE | _EXECUTE),
        (access.change, _CHANGE),
    )
    try:
        for paths, rights in rights_to:
            if not all(_allow(rules, path, rights & supported) for path in paths):
                return False
        if not _forgo_privileges():
            return False
        return _call(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0
    finally:
        os.close(rules)


def _python_folders() -> Iterator[Path]:
    """Yield the folders of Python and its libraries.

    Of Luna's own code they are its packages alone, for an owner's data may lie beside them.
    """
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield Path(sysconfig.get_path(name))
    for folder in map(Path, sys.path):
        if _holds_libraries(folder):
            yield folder
    for package in (luna, services):
        yield from map(Path, package.__path__)
    if sys.pycache_prefix:
        yield Path(sys.pycache_prefix)


def _holds_libraries(folder: Path) -> bool:
    if folder.suffix in {".zip", ".egg"} or folder.name in {"site-packages", "dist-packages"}:
        return True
    # An image may install libraries in any other folder.
    return any(folder.glob("*.dist-info"))


def _allow(rules: int, path: Path, rights: int) -> bool:
    """Add a rule for a path; one that is not there needs none."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            # struct landlock_path_beneath_attr, packed.
            fitting = rights if path.is_dir() else rights & _OF_A_FILE
            rule = struct.pack("=Qi", fitting, descriptor)
            status = _call(
                _ADD_RULE,
                ctypes.c_int(rules),
                ctypes.c_int(_PATH_BENEATH),
                ctypes.create_string_buffer(rule, len(rule)),
                ctypes.c_uint32(0),
            )
            return status == 0
        finally:
            os.close(descriptor)
    return True


def _forgo_privileges() -> bool:
    arguments = (ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    result: int = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, *arguments)
    return result == 0


def _call(number: int, *arguments: object) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    result: int = call(ctypes.c_long(number), *arguments)
    return result
