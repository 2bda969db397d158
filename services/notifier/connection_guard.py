"""Holds connections of a library that opens its own sockets to the address policy.

Apprise speaks to a hundred services by several libraries, none of which takes a socket. An audit
hook sees the numeric address of every connection before it is made, so that names, redirects and a
second answer of the resolver are covered.
Source: PEP 578; the event ``socket.connect``.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from luna.platform.address_policy import AddressRefusedError, OutgoingPurpose, may_reach

_purpose: ContextVar[OutgoingPurpose | None] = ContextVar("outgoing_purpose", default=None)


@contextmanager
def reaching_only(purpose: OutgoingPurpose) -> Iterator[None]:
    """Refuse this thread's connections to addresses that a purpose may not reach."""
    _install()
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


@cache
def _install() -> None:
    # A hook cannot be removed; without a purpose it returns at once.
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    purpose = _purpose.get()
    address = arguments[1]
    # A socket of the file system has a path.
    if purpose is None or not isinstance(address, tuple):
        return
    host = str(address[0])
    if not may_reach(purpose, host):
        raise AddressRefusedError(purpose, host)
