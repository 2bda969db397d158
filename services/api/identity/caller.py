"""Who asks: what every handler and page is told of the caller."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query, Request

from luna.contracts.identity import ROLE_SCOPES, KeyScope, Role

OWNER = "owner"
Means = Literal["nobody", "local", "monitor", "session", "token", "key"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, how they said so, and what they may.

    Attributes:
        name: the person's; ``local`` and ``nobody`` are no persons.
        means: how they said who they are; ``local``: nobody is set up yet, and the request comes from this machine.
        scopes: what they may do on their sites.
        sites: the sites they have; None: all.
        user_id: None for who is no person.
        session_id: of a sign-in, None for keys.
        key_prefix: of a key.
        confirmed_until: until when what is critical asks for no password.
        csrf_token: what a browser's session sends with everything that changes something.
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
        """What stands beside what they changed: their name; as long as nobody is set up, that of whoever owns this machine."""
        return OWNER if self.means == "local" else self.name

    @property
    def own_sites(self) -> tuple[str, ...] | None:
        """The caller's sites in order, as requests name them; None: all."""
        return None if self.sites is None else tuple(sorted(self.sites))

    def has_site(self, name: str) -> bool:
        """Return whether a site is one of the caller's."""
        return self.sites is None or name in self.sites

    def own_key(self, key: str | None) -> str | None:
        """Return the name of a piece of work so that nobody meets another's by it."""
        return key if key is None or self.sites is None else f"{self.name}:{key}"


NOBODY = Caller("nobody", "nobody", "user", frozenset())
LOCAL = Caller("local", "local", "admin", ROLE_SCOPES["admin"], sites=None)
MONITOR = Caller("monitor", "monitor", "user", frozenset({"read"}), sites=None)


async def _current(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


# Who asks, for handlers and pages.
CurrentCaller = Annotated[Caller, Depends(_current)]


async def _sign(
    caller: CurrentCaller,
    by: Annotated[str | None, Query(min_length=1, max_length=64, description="who says so; it stands in the history; usual: who asks")] = None,
) -> str:
    return by or caller.signature


# Whose name stands beside what a program or page changes.
Signature = Annotated[str, Depends(_sign)]
