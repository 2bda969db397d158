"""Price the deadlines of charging sessions by the least costs of changed requests.

Each session is planned again with a lower target, an hour earlier and an hour later.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from luna.contracts.plan import PlanRequest, SessionReply
from luna.contracts.plan.state import VehicleSession
from services.planner.devices.kind import DemandSchedule, RelaxedBill
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.devices.vehicle.schedule import VehicleSchedule

HOUR = timedelta(hours=1)
# Returns the least cost of a request, from the relaxation of its model.
Relax = Callable[[PlanRequest], RelaxedBill]


def price_sessions(
    request: PlanRequest, loads: Sequence[DemandSchedule], relax: Relax
) -> Iterator[SessionReply]:
    """Yield the cost of the deadline of every session with a target."""
    sessions = {}
    for name, state in request.state.vehicles.items():
        # Energy beyond the target would blur the cost of the target.
        sessions[name] = [
            session.model_copy(update={"extra_value": 0.0}) for session in state.sessions
        ]
    base = _replace_sessions(request, sessions)
    base_bill = relax(base)
    for vehicle in loads:
        if not isinstance(vehicle, VehicleSchedule):
            continue
        demand = vehicle.demand.car
        stored_kwh = demand.stored_after(vehicle.use_kwh, vehicle.give_kwh)
        for charging_session in demand.sessions:
            if not charging_session.surplus_only and charging_session.end > charging_session.first:
                soc_end = float(stored_kwh[charging_session.end - 1] / demand.vehicle.capacity_kwh)
                yield _price(
                    (base, base_bill),
                    charging=(demand, charging_session),
                    relax=relax,
                    soc_end=soc_end,
                )


def _price(
    base: tuple[PlanRequest, RelaxedBill],
    *,
    charging: tuple[VehicleDemand, ChargingSession],
    relax: Relax,
    soc_end: float,
) -> SessionReply:
    request, bill = base
    demand, charging_session = charging
    name = demand.vehicle.name
    sessions = request.state.vehicles[name].sessions
    session = next(session for session in sessions if session.to == charging_session.until)

    def bill_with(**changes: object) -> RelaxedBill:
        changed = list(sessions)
        changed[sessions.index(session)] = session.model_copy(update=changes)
        return relax(_replace_sessions(request, {name: changed}))

    least_soc = min(
        charging_session.target_soc, charging_session.least_kwh / demand.vehicle.capacity_kwh
    )
    begin = max(session.from_, request.start) if request.start else session.from_
    earlier_cost = None
    earlier_missing_kwh = None
    if session.to - HOUR > begin:
        earlier = bill_with(to=session.to - HOUR)
        earlier_cost = round(earlier.cost - bill.cost, 6)
        more_missing_kwh = earlier.missing_kwh[name] - bill.missing_kwh[name]
        earlier_missing_kwh = round(max(more_missing_kwh, 0.0), 6)
    later_saving = None
    if not any(session.to <= other.from_ < session.to + HOUR for other in sessions):
        later_saving = round(bill.cost - bill_with(to=session.to + HOUR).cost, 6)
    return SessionReply(
        vehicle=name,
        to=session.to,
        target_soc=charging_session.target_soc,
        soc_end=round(soc_end, 6),
        target_cost=round(bill.cost - bill_with(target_soc=least_soc).cost, 6),
        hour_earlier_cost=earlier_cost,
        hour_earlier_missing_kwh=earlier_missing_kwh,
        hour_later_saving=later_saving,
    )


def _replace_sessions(
    request: PlanRequest, sessions: dict[str, list[VehicleSession]]
) -> PlanRequest:
    """Return the request with other sessions of some vehicles."""
    vehicles = {
        name: state.model_copy(update={"sessions": sessions.get(name, state.sessions)})
        for name, state in request.state.vehicles.items()
    }
    state = request.state.model_copy(update={"vehicles": vehicles})
    return request.model_copy(update={"state": state})
