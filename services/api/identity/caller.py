"""The authenticated caller of a request, for handlers and pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from luna.contracts.identity import ROLE_SCOPES, KeyScope, Role

OWNER = "owner"
Means = Literal["nobody", "local", "monitor", "session", "token", "key"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request, the kind of credentials, and the permissions.

    Attributes:
        name: the user's; ``local``, ``nobody`` and ``monitor`` are no users.
        means: kind of credentials; ``local``: the owner's token or cookie, valid until the first
            user is set up.
        scopes: permissions on the caller's sites.
        sites: the caller's sites; None: all.
        user_id: None without a user.
        session_id: of a sign-in; None for keys.
        key_prefix: of an API key.
        confirmed_until: until then critical operations need no password.
        csrf_token: sent by a browser's session with every unsafe request.
    """

    name: str
    means: Means
    role: Role
    scopes: frozenset[KeyScope]
    sites: frozenset[str] | None = frozenset()
    user_id: int | None = None
    session_id: int | None = None
    key_prefix: str | None = None
    confirmed_until: datetime | None = None
    csrf_token: str | None = None

    @property
    def signature(self) -> str:
        """The name recorded with the caller's changes; ``owner`` until the first user is set up."""
        return OWNER if self.means == "local" else self.name

    @property
    def own_sites(self) -> tuple[str, ...] | None:
        """The names of the caller's sites, sorted; None: all."""
        return None if self.sites is None else tuple(sorted(self.sites))

    def has_site(self, name: str) -> bool:
        """Return whether the caller may access the site."""
        return self.sites is None or name in self.sites

    def own_key(self, key: str | None) -> str | None:
        """Return an idempotency key, prefixed with the name of a caller of some sites.

        So such callers never share one.
        """
        if key is None or self.sites is None:
            return key
        return f"{self.name}:{key}"


NOBODY = Caller("nobody", "nobody", "user", frozenset())
LOCAL = Caller("local", "local", "admin", ROLE_SCOPES["admin"], sites=None)
MONITOR = Caller("monitor", "monitor", "user", frozenset({"read"}), sites=None)


async def _current(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


# Caller of a request, for handlers and pages.
CurrentCaller = Annotated[Caller, Depends(_current)]


async def _sign(
    caller: CurrentCaller,
    by: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=64,
            description="who says so; it stands in the history: who asks, and nobody else",
        ),
    ] = None,
) -> str:
    return by or caller.signature


# The name recorded with a change.
Signature = Annotated[str, Depends(_sign)]
