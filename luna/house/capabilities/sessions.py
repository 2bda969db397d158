"""Declare when devices are at their chargers, and their owners' wishes for it."""

from typing import Annotated

from pydantic import Field

from luna.contracts.charging_sessions import WEEKDAYS, NewSession, StoredSession
from luna.contracts.message import Message
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import charging_sessions
from luna.words import Numbers, say_instant

_NOUN = "vehicle sessions"
SessionNumber = Annotated[
    int, Field(ge=1, le=2**63 - 1, description="the session's number, as in the list")
]
_PATH = "/v1/sites/{site_id}/vehicle-sessions"


class SessionList(Message):
    """Stays in order of their beginning."""

    sessions: Annotated[list[StoredSession], Field(description="at most 500, the latest")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


def _show(session: StoredSession, numbers: Numbers) -> list[str]:
    leaves = "sun alone" if session.target_soc is None else numbers.share(session.target_soc)
    span = [say_instant(instant, numbers.zone) for instant in (session.from_, session.to)]
    if session.days:
        weekdays = numbers.weekdays([WEEKDAYS.index(day) for day in session.days])
        span = [numbers.clock(session.from_), f"{weekdays} {numbers.clock(session.to)}"]
    return [
        str(session.session_id),
        session.device,
        *span,
        numbers.share(session.arrival_soc),
        leaves,
        session.whose,
    ]


_HEADINGS = ("session", "vehicle", "from", "to", "comes with", "leaves with", "by")
SESSION_TABLE = ReplyTable(_HEADINGS, _show)


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="session list",
    shown=ReplyTable(_HEADINGS, _show, "sessions", none="There are no charging sessions."),
)
def list_sessions(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    history: Annotated[bool, Field(description="also ended and removed ones")] = False,
) -> SessionList:
    """List the sessions of cars.

    Return current and future charging sessions.
    """
    if history:
        return SessionList(sessions=charging_sessions.read_history(call.connection, site_id))
    return SessionList(
        sessions=charging_sessions.read_standing(call.connection, site_id, first=call.now)
    )


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="operate",
    command="session add",
    shown=SESSION_TABLE,
    status=201,
    signable=True,
)
def add_session(call: CapabilityCall, site_id: SiteName, session: NewSession) -> StoredSession:
    """Add a charging session.

    Plan the car in this session from the next plan on, until it ends.
    """
    return charging_sessions.add(call.connection, site_id, session, by=call.by, now=call.now)


@capability(
    "DELETE",
    f"{_PATH}/{{session_id}}",
    noun=_NOUN,
    scope="operate",
    command="session remove",
    signable=True,
    shown="Session {session_id} is in no plan of {site_id} any more.",
)
def remove_session(
    call: CapabilityCall, site_id: SiteName, session_id: SessionNumber
) -> StoredSession:
    """Remove a charging session.

    Remove the session from the next plan on; it stays in the history.
    """
    return charging_sessions.remove(call.connection, site_id, session_id, by=call.by)


CAPABILITIES = (
    list_sessions,
    add_session,
    remove_session,
)
