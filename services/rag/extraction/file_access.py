"""Which files the process that reads a document may open: the document, its own folders and what Python and its libraries need. By Landlock.

Kernels have it from Linux 5.13 on, unless they were built or started without; it needs no capability. Elsewhere nothing is refused, and who starts
such a process says so.

Source: landlock(7), linux/landlock.h; https://docs.kernel.org/userspace-api/landlock.html. The numbers of the calls are those of every architecture.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import luna
import services

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _PR_SET_NO_NEW_PRIVS = 1, 1, 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE = 1 << 14
# Since which version of Landlock so many rights to files are known, the lowest bits first.
_RIGHTS_SINCE = ((5, 16), (3, 15), (2, 14), (1, 13))
_NETWORK_SINCE, _ALL_TCP = 4, 0b11
_SCOPES_SINCE, _ALL_SCOPES = 6, 0b11
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _READ_FILE | _READ_DIR
# Files and folders are made, changed, moved and removed; no links, which could lead elsewhere, no devices, sockets or pipes.
_CHANGE = _READ | _WRITE_FILE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13 | _TRUNCATE

# Shared libraries, fonts, time zones, data of text recognition; what numerical libraries ask of processor and memory.
_SYSTEM_FOLDERS = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store", "/usr/share")
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
    """What may be opened beside Python and its libraries.

    Args:
        read: files, or folders with all that is in them.
        change: folders in which everything may be read, made, changed and removed.
        run: programs that may be started.
    """

    read: tuple[Path, ...] = ()
    change: tuple[Path, ...] = ()
    run: tuple[Path, ...] = ()


def landlock_version() -> int:
    """Return which version of Landlock this kernel offers this process, 0 where it offers none."""
    if sys.platform != "linux":
        return 0
    return max(_call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG)), 0)


def restrict_files(access: FileAccess) -> bool:
    """Refuse this process every other file for good; return whether that was possible."""
    version = landlock_version()
    if version == 0:
        return False
    supported = (1 << next(bits for since, bits in _RIGHTS_SINCE if version >= since)) - 1
    parts = [supported, *([_ALL_TCP] if version >= _NETWORK_SINCE else []), *([_ALL_SCOPES] if version >= _SCOPES_SINCE else [])]
    attributes = struct.pack(f"={len(parts)}Q", *parts)
    rules = _call(_CREATE_RULESET, ctypes.create_string_buffer(attributes, len(attributes)), ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        allowed = all(_allow(rules, path, rights & supported) for path, rights in _list_rules(access))
        return allowed and _forgo_privileges() and _call(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0
    finally:
        os.close(rules)


def _list_rules(access: FileAccess) -> Iterator[tuple[Path, int]]:
    # A program is started by the loader, which lies among the libraries.
    run = _EXECUTE if access.run else 0
    yield from _each(map(Path, _SYSTEM_FOLDERS), _READ | run)
    yield from _each(map(Path, _SYSTEM_FACTS), _READ)
    yield from _each(_python_folders(), _READ)
    yield from _each((Path(os.devnull),), _READ_FILE | _WRITE_FILE)
    yield from _each(access.read, _READ)
    yield from _each(access.run, _READ_FILE | _EXECUTE)
    yield from _each(access.change, _CHANGE)


def _each(paths: Iterable[Path], rights: int) -> Iterator[tuple[Path, int]]:
    return ((path, rights) for path in paths)


def _python_folders() -> Iterator[Path]:
    """Yield where Python and its libraries lie; of Luna's own code its packages alone, for an owner's data may lie beside them."""
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from (Path(each) for each in sys.path if each.endswith((".zip", ".egg")) or _holds_libraries(Path(each)))
    yield from (Path(each) for package in (luna, services) for each in package.__path__)
    if sys.pycache_prefix:
        yield Path(sys.pycache_prefix)


def _holds_libraries(folder: Path) -> bool:
    """Say whether libraries were installed there, as in ``site-packages``, or in any folder that an image keeps them in."""
    return folder.name in {"site-packages", "dist-packages"} or next(folder.glob("*.dist-info"), None) is not None


def _allow(rules: int, path: Path, rights: int) -> bool:
    """Add a rule for a path; one that is not there needs none."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            # struct landlock_path_beneath_attr, packed.
            fitting = rights if path.is_dir() else rights & _OF_A_FILE
            rule = struct.pack("=Qi", fitting, descriptor)
            return _call(_ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), ctypes.create_string_buffer(rule, len(rule)), ctypes.c_uint32(0)) == 0
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
