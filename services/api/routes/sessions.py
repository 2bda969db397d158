"""When vehicles are at their chargers, and what their owners want of a stay."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from luna.contracts.charging_stays import NewSession, StoredSession
from luna.contracts.message import Message
from luna.platform.clock import SystemClock
from luna.platform.database import charging_stays
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.identity.caller import Signature
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("vehicle sessions")


class SessionList(Message):
    """Stays in order of their beginning."""

    sessions: Annotated[list[StoredSession], Field(description="at most 500, the latest")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


@router.operation("List the stays of vehicles")
def list_sessions(
    site_id: SitePath, gateway: CurrentGateway, *, history: Annotated[bool, Query(description="also what is over or was taken back")] = False
) -> SessionList:
    """Return the stays at chargers that go on or are to come."""
    with unit_of_work(gateway.database) as connection:
        if history:
            return SessionList(sessions=charging_stays.read_history(connection, site_id))
        return SessionList(sessions=charging_stays.read_standing(connection, site_id, first=SystemClock().now()))


@router.operation("Store a stay of a vehicle", status_code=201)
def add_session(site_id: SitePath, session: NewSession, gateway: CurrentGateway, by: Signature) -> StoredSession:
    """Have the vehicle planned in this stay from the next plan on, until it is over; 422 says why it cannot be had."""
    with unit_of_work(gateway.database) as connection:
        return charging_stays.add(connection, site_id, session, by=by, now=SystemClock().now())


@router.operation("Take a stay back")
def remove_session(site_id: SitePath, session_id: Annotated[int, Path(ge=1, le=2**63 - 1)], gateway: CurrentGateway, by: Signature) -> StoredSession:
    """Take the stay out of every plan from the next one on; it stays in the history."""
    with unit_of_work(gateway.database) as connection:
        return charging_stays.remove(connection, site_id, session_id, by=by)
