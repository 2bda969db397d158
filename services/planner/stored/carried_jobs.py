"""Cars and appliances of a stored site: what the plan in force was told of them goes on until somebody says otherwise."""

from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.plan import StateMessage, VehicleState
from luna.database import plans
from luna.errors import NotFoundError
from luna.site import Site
from services.planner.stored.expected_state import Expected, Issued


def carry_wishes(connection: Connection, site: Site, state: StateMessage, *, start: datetime, now: datetime) -> StateMessage:
    """Return the state with what the plan in force knew of cars, appliances and stores of heat, as it expects them; what the state says itself stands."""
    if all(told or not there for told, there in ((state.vehicles, site.vehicles), (state.loads, site.loads), (state.heat_pumps, site.heat_pumps))):
        return state
    plan = _read_in_force(connection, site.name, now)
    if plan is None:
        return state
    expected = Expected(plan, max((start - plan.start) // plan.request.step, 0), start)
    vehicles = {name: _ahead(each, start) for name, each in expected.vehicles().items() if name in {vehicle.name for vehicle in site.vehicles}}
    # What Luna switches has run as planned; of anything else only what somebody said is known.
    told = expected.loads_told({each.load for each in site.control.loads} if site.control else ())
    loads = {name: each for name, each in (expected.loads() | told).items() if name in {load.name for load in site.loads}}
    pumps = {name: each for name, each in expected.heat_pumps().items() if name in {pump.name for pump in site.heat_pumps}}
    update = {"vehicles": state.vehicles or vehicles, "loads": state.loads or loads, "heat_pumps": state.heat_pumps or pumps}
    return state.model_copy(update=update)


def _ahead(state: VehicleState, start: datetime) -> VehicleState:
    return state.model_copy(update={"sessions": [session for session in state.sessions if session.to > start]})


def _read_in_force(connection: Connection, site_id: str, now: datetime) -> Issued | None:
    reply = plans.read_due(connection, site_id, now)
    try:
        return None if reply is None else Issued(plans.load_inputs(connection, reply.plan_id), reply)
    except NotFoundError:
        # Issued before plans kept what they were made from.
        return None
