"""What the deadlines of charging sessions cost: each is planned again with another target, an hour earlier and an hour later."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from luna.contracts.plan import PlanRequest, SessionReply, VehicleSession
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import PlacedDemand, RelaxedBill
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.devices.vehicle.planned import PlacedVehicle

HOUR = timedelta(hours=1)
Relax = Callable[[PlanRequest], RelaxedBill]


def price_sessions(request: PlanRequest, placed: Sequence[PlacedDemand], relax: Relax) -> Iterator[SessionReply]:
    """Yield what the deadline of every session with a target costs, by what requests cost at least (``relax``)."""
    sessions = {name: [each.model_copy(update={"extra_value": 0.0}) for each in state.sessions] for name, state in request.state.vehicles.items()}
    plain = _change(request, sessions)
    usual = plain, relax(plain)
    for vehicle in (each for each in placed if isinstance(each, PlacedVehicle)):
        demand = vehicle.demand.car
        for stay in demand.stays:
            if not stay.surplus_only and stay.end > stay.first:
                yield _price(usual, (demand, stay), relax, soc_end=_soc_end(demand, stay, vehicle.use_kwh, vehicle.give_kwh))


def _price(usual: tuple[PlanRequest, RelaxedBill], charging: tuple[VehicleDemand, ChargingSession], relax: Relax, *, soc_end: float) -> SessionReply:
    (request, bill), (demand, stay) = usual, charging
    name, sessions = demand.vehicle.name, request.state.vehicles[demand.vehicle.name].sessions
    session = next(each for each in sessions if each.to == stay.until)

    def instead(**changes: object) -> RelaxedBill:
        changed = [each.model_copy(update=changes) if each is session else each for each in sessions]
        return relax(_change(request, {name: changed}))

    least_soc = min(stay.target_soc, stay.least_kwh / demand.vehicle.capacity_kwh)
    begin = max(session.from_, request.start) if request.start else session.from_
    sooner = instead(to=session.to - HOUR) if session.to - HOUR > begin else None
    free_after = not any(session.to <= each.from_ < session.to + HOUR for each in sessions)
    later = instead(to=session.to + HOUR) if free_after else None
    return SessionReply(
        vehicle=name,
        to=session.to,
        target_soc=stay.target_soc,
        soc_end=round(soc_end, 6),
        target_cost=round(bill.cost - instead(target_soc=least_soc).cost, 6),
        hour_earlier_cost=None if sooner is None else round(sooner.cost - bill.cost, 6),
        hour_earlier_missing_kwh=None if sooner is None else round(max(sooner.missing_kwh[name] - bill.missing_kwh[name], 0.0), 6),
        hour_later_saving=None if later is None else round(bill.cost - later.cost, 6),
    )


def _change(request: PlanRequest, sessions: dict[str, list[VehicleSession]]) -> PlanRequest:
    """Return the request with other sessions of some vehicles."""
    vehicles = {name: state.model_copy(update={"sessions": sessions.get(name, state.sessions)}) for name, state in request.state.vehicles.items()}
    return request.model_copy(update={"state": request.state.model_copy(update={"vehicles": vehicles})})


def _soc_end(demand: VehicleDemand, stay: ChargingSession, charge_kwh: FloatArray, give_kwh: FloatArray) -> float:
    return float(demand.stored_after(charge_kwh, give_kwh)[stay.end - 1] / demand.vehicle.capacity_kwh)
