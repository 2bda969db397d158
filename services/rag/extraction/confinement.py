"""What a process gives up before it opens a file from outside: the network, other processes, memory and time without bound.

Only Linux on x86_64 and aarch64 can take the network from a process without privileges; elsewhere the other limits hold, and ``confine`` says so.
The filter needs no capability: containers with every one dropped can set it.

Source: seccomp(2), prctl(2), linux/seccomp.h, linux/audit.h, asm/unistd_64.h, asm-generic/unistd.h.
"""

import contextlib
import ctypes
import errno
import platform
import resource
import struct
import sys
from dataclasses import dataclass

from services.rag.extraction.model import Limits

NETWORK_CAN_BE_REFUSED = sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"}

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE = 0, 4
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
        others=(101, 112, 129, 165, 200, 248, 249, 250, 272, 297, 298, 308, 310, 311, 321, 323, 424, 434, 438),
        starting=(56, 57, 58, 59, 62, 109, 322, 435),
    ),
    "aarch64": _Architecture(
        audit=0xC00000B7,
        network=(198, 199, 200, 201, 202, 203, 206, 207, 210, 211, 212, 242, 243, 269, 425, 426, 427),
        others=(40, 97, 117, 130, 138, 157, 217, 218, 219, 240, 241, 268, 270, 271, 280, 282, 424, 434, 438),
        starting=(129, 154, 220, 221, 281, 435),
    ),
}


def confine(limits: Limits, *, may_start_programs: bool = False) -> bool:
    """Bound this process for good; return whether the network is refused to it as well.

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
    refused = architecture.network + architecture.others + (() if may_start_programs else architecture.starting)
    # A filter: another architecture kills, the calls named are refused with EPERM, all others are allowed.
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
    handed = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer)))
    control = ctypes.CDLL(None, use_errno=True).prctl
    arguments = (ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    is_final: bool = control(_PR_SET_NO_NEW_PRIVS, *arguments) == 0 and control(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), handed) == 0
    return is_final


def _bound(kind: int, value: int) -> None:
    # Not every system knows every limit; a lower one that is set already stays.
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
