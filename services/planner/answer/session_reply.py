"""What deadlines of vehicles cost: the same request with a session that wants nothing more, ends an hour sooner, or an hour later."""

from dataclasses import dataclass
from datetime import timedelta

from luna.contracts.plan import PlanRequest, SessionReply, VehicleSession
from luna.timeline import FloatArray
from services.planner.model.formulation import formulate
from services.planner.model.solver import InfeasibleError, Solver
from services.planner.model.ways import Ways
from services.planner.placing.vehicle_wish import Stay, VehicleWish
from services.planner.plan import Plan
from services.planner.posing.problem import pose

HOUR = timedelta(hours=1)


def price_sessions(plan: Plan, request: PlanRequest, solver: Solver) -> list[SessionReply]:
    """Return what the deadline of every session with a target costs.

    All costs are those of the relaxed model, in which a charger's least power is no limit: each takes one linear solve, and differences of cents are
    not lost in the gap that a placement is proven to. Energy beyond a target is worth nothing in them.
    """
    if plan.placement is None:
        return []
    plain = _change(request, {name: [_plain(each) for each in state.sessions] for name, state in request.state.vehicles.items()})
    usual, flows = _relax(plain, solver), zip(plan.placement.wishes.vehicles, plan.placement.vehicle_kwh, plan.placement.vehicle_give_kwh, strict=True)
    return [
        _price((plain, usual), (wish, stay), solver, soc_end=_soc_end(wish, stay, charge, give))
        for wish, charge, give in flows
        for stay in wish.stays
        if not stay.surplus_only and stay.end > stay.first
    ]


@dataclass(frozen=True, slots=True)
class _Bill:
    """What a request costs at least without what is missing, and how much each vehicle lacks, kWh."""

    cost: float
    missing_kwh: dict[str, float]


def _price(usual: tuple[PlanRequest, _Bill], wanted: tuple[VehicleWish, Stay], solver: Solver, *, soc_end: float) -> SessionReply:
    (request, bill), (wish, stay) = usual, wanted
    name, sessions = wish.vehicle.name, request.state.vehicles[wish.vehicle.name].sessions
    session = next(each for each in sessions if each.to == stay.until)

    def instead(**changes: object) -> _Bill:
        changed = [each.model_copy(update=changes) if each is session else each for each in sessions]
        return _relax(_change(request, {name: changed}), solver)

    held = min(stay.target_soc, stay.least_kwh / wish.vehicle.capacity_kwh)
    begin = max(session.from_, request.start) if request.start else session.from_
    sooner = instead(to=session.to - HOUR) if session.to - HOUR > begin else None
    free_after = not any(session.to <= each.from_ < session.to + HOUR for each in sessions)
    later = instead(to=session.to + HOUR) if free_after else None
    return SessionReply(
        vehicle=name,
        to=session.to,
        target_soc=stay.target_soc,
        soc_end=round(soc_end, 6),
        target_cost=round(bill.cost - instead(target_soc=held).cost, 6),
        hour_earlier_cost=None if sooner is None else round(sooner.cost - bill.cost, 6),
        hour_earlier_missing_kwh=None if sooner is None else round(max(sooner.missing_kwh[name] - bill.missing_kwh[name], 0.0), 6),
        hour_later_saving=None if later is None else round(bill.cost - later.cost, 6),
    )


def _plain(session: VehicleSession) -> VehicleSession:
    return session.model_copy(update={"extra_value": 0.0})


def _change(request: PlanRequest, sessions: dict[str, list[VehicleSession]]) -> PlanRequest:
    """Return the request with other sessions of some vehicles."""
    vehicles = {name: state.model_copy(update={"sessions": sessions.get(name, state.sessions)}) for name, state in request.state.vehicles.items()}
    return request.model_copy(update={"state": request.state.model_copy(update={"vehicles": vehicles})})


def _relax(request: PlanRequest, solver: Solver) -> _Bill:
    problem = pose(request).paid
    try:
        built = formulate(problem, Ways.of(problem))
        solution = solver.solve(built.model.relaxed(), time_limit_s=problem.time_limit_s)
    except InfeasibleError:
        built = formulate(problem, Ways.of(problem), elastic=True)
        solution = solver.solve(built.model.relaxed(), time_limit_s=problem.time_limit_s)
    lacking = {wish.vehicle.name: each.missing for wish, each in zip(problem.wishes.vehicles, built.placed.vehicles, strict=True)}
    slack = sum(float(built.model.cost[columns] @ solution.column[columns]) for columns in lacking.values())
    return _Bill(solution.objective - slack, {name: float(solution.column[columns].sum()) for name, columns in lacking.items()})


def _soc_end(wish: VehicleWish, stay: Stay, charge_kwh: FloatArray, give_kwh: FloatArray) -> float:
    return float(wish.stored_after(charge_kwh, give_kwh)[stay.end - 1] / wish.vehicle.capacity_kwh)
