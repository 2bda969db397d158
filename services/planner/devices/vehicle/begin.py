"""Find a stored site's vehicles at a plan's start: sessions, state of charge and its source."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from luna.contracts.charging_sessions import fit_session, meet
from luna.contracts.plan import Assumption, StateMessage
from luna.contracts.plan.state import VehicleSession, VehicleState
from luna.contracts.vehicle_levels import VehicleLevel
from luna.energy.car_draw import CarDraw
from luna.energy.charge_sensors import SeenCharge, count_since, list_read
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.site import Site
from luna.energy.store_level import StoreLevel, Verdict
from luna.energy.timeline import SLOT, floor_to, local_instant, parse_zone
from services.planner.devices.expected import Expected, expect
from services.planner.devices.kind import StoredStates
from services.planner.devices.vehicle.demand import is_left_out

if TYPE_CHECKING:
    from luna.platform.database.site_facts import DemandFacts

# ``read``: by its sensor; ``ranged``: by the range that it reports; ``said``: by its session;
# ``counted``: by its session and its charger's meter; ``stated``: as its owner stated it;
# ``estimated``: by that and the meter; ``expected``: by the plan in force; ``assumed``: by none of
# them, it is the vehicle's reserve; ``full``: by its charger, from which it draws nothing more.
ChargeSource = Literal[
    "read",
    "ranged",
    "said",
    "counted",
    "stated",
    "estimated",
    "expected",
    "assumed",
    "full",
]
# The times at the charger of a vehicle of which only its daily need is known. Source: Mobilität in
# Deutschland 2017, most ways to work and home.
USUAL_FROM = "18:00"
USUAL_TO = "07:00"
# The plan's note on a state of charge that is not the sensor's alone, by the sensor's verdict.
VERDICT_NOTES: dict[Verdict | None, str] = {
    "stands_still": "vehicle_soc_stands_still",
    "faster_than_power": "vehicle_soc_too_fast",
    "against_meter": "vehicle_soc_against_meter",
    "stale": "vehicle_soc_stale",
    "out_of_range": "vehicle_soc_out_of_range",
}
USUAL_DAYS = 4  # further than any plan that is made without being asked for


@dataclass(frozen=True, slots=True)
class StartCharge:
    """A vehicle's state of charge at a plan's start or at its first session.

    Args:
        soc: state of charge, 0 to 1.
        source: where it comes from.
        at: the instant of the sensor's reading.
        sensed: the sensor's level with its verdict.
        came: of a counted charge, the figures at the begin of the session; of a stated one, those
            of the statement.
    """

    soc: float
    source: ChargeSource
    at: datetime | None = None
    sensed: StoreLevel | None = None
    came: Mapping[str, Any] = field(default_factory=dict)

    @property
    def note_code(self) -> str:
        """The code of the note on its source."""
        verdict = None if self.sensed is None else self.sensed.verdict
        return VERDICT_NOTES.get(verdict, f"vehicle_soc_{self.source}")


@dataclass(frozen=True, slots=True)
class StartingVehicle:
    """A vehicle's state at a plan's start, and the state of charge at its first session.

    ``usual_kwh`` is the daily need at the charger of a vehicle that is planned by that need
    alone, else 0.
    """

    state: VehicleState
    charge: StartCharge
    usual_kwh: float = 0.0


def find_vehicles(
    site: Site, facts: "DemandFacts", *, start: datetime
) -> dict[str, StartingVehicle]:
    """Return the site's vehicles with their sessions and their states of charge.

    The sessions are the stored ones and those of an earlier request that are not over. A vehicle
    without any has its usual sessions if its daily need is known.

    Args:
        site: whose vehicles they are.
        facts: their stored sessions, their sensors, and the plan in force.
        start: of the plan.
    """
    expected = expect(facts.begun, start)
    expected_states = carry_vehicles(expected) if expected else {}
    vehicles = {}
    for vehicle in site.vehicles:
        before = _drop_past(expected_states.get(vehicle.name), start)
        own = [
            fit_session(charging_session, vehicle)
            for charging_session in facts.sessions.get(vehicle.name, ())
        ]
        usual = list_usual_sessions(vehicle, site.timezone, start=start)
        requested = _list_requested(before, own=own, usual=usual)
        if own or requested:
            usual = []
        own = own or usual
        if before is None and not own:
            continue
        sessions = sorted([*requested, *own], key=lambda session: session.from_)
        sensed = facts.sensed.get(vehicle.name, SeenCharge())
        stated = facts.stated.get(vehicle.name)
        charge = _find_sensed(site, vehicle, sensed, sessions=sessions[:1], expected=expected)
        if stated is not None and (charge is None or _is_older(charge, stated)):
            planned_soc = _find_planned_soc(facts, before, stated)
            charge = _find_stated(vehicle, sensed, stated, planned_soc=planned_soc, start=start)
            sessions = _begin_with(sessions, charge, start)
        draw = facts.draws.get(vehicle.name, CarDraw())
        most_kw = _find_most_kw(draw, sensed, sessions, start)
        if charge is None and most_kw == 0 and draw.verdict == "full":
            charge = StartCharge(vehicle.max_soc, "full")
        charge = charge or _find_counted(vehicle, sensed, own, start)
        charge = charge or _find_stored(vehicle, own, before, start)
        state = before or VehicleState(soc=charge.soc)
        changes = {"soc": charge.soc, "sessions": sessions, "most_kw": most_kw}
        state = state.model_copy(update=changes)
        first = sessions[0] if sessions else None
        is_ahead = first is not None and first.from_ > start
        if stated is None and first is not None and is_ahead and first.arrival_soc is not None:
            charge = StartCharge(first.arrival_soc, "said")
        # The arrival charge of a usual session follows from the daily need: nobody stated it.
        if usual and charge.source == "said":
            charge = replace(charge, source="assumed")
        usual_kwh = 0.0
        if usual:
            usual_kwh = vehicle.daily_need_soc * vehicle.capacity_kwh / vehicle.charge_efficiency
        vehicles[vehicle.name] = StartingVehicle(state, charge, usual_kwh)
    return vehicles


def _drop_past(before: VehicleState | None, start: datetime) -> VehicleState | None:
    """Return an earlier state without the sessions that are over."""
    if before is None:
        return None
    ahead = [session for session in before.sessions if session.to > start]
    return before.model_copy(update={"sessions": ahead})


def _is_older(charge: StartCharge, stated: VehicleLevel) -> bool:
    return charge.at is not None and charge.at < stated.stated_at


def _find_stated(
    vehicle: ElectricVehicle,
    sensed: SeenCharge,
    stated: VehicleLevel,
    *,
    planned_soc: float | None,
    start: datetime,
) -> StartCharge:
    """Return the level that the owner stated, with what was charged since.

    Without a meter it is ``planned_soc``, by a plan that was made since.
    """
    figures = {"stated_soc": stated.soc, "stated_at": stated.stated_at.isoformat()}
    counted = count_since(vehicle, sensed, stated.soc, since=stated.stated_at, now=start)
    if counted is not None and counted[1]:
        soc, metered_kwh = counted
        came = figures | {"metered_kwh": round(metered_kwh, 3)}
        return StartCharge(soc, "estimated", came=came)
    if counted is None and planned_soc is not None:
        return StartCharge(planned_soc, "expected")
    return StartCharge(stated.soc, "stated", came=figures)


def _find_planned_soc(
    facts: "DemandFacts", before: VehicleState | None, stated: VehicleLevel
) -> float | None:
    """Return the level by the plan in force; None where it is older than what was stated."""
    if before is None or facts.begun is None:
        return None
    return before.soc if facts.begun[0].issued_at > stated.stated_at else None


def _begin_with(
    sessions: Sequence[VehicleSession], charge: StartCharge, start: datetime
) -> list[VehicleSession]:
    """Return sessions of which the first begins with a stated charge."""
    if not sessions or sessions[0].from_ <= start:
        return list(sessions)
    first = sessions[0].model_copy(update={"arrival_soc": charge.soc})
    return [first, *sessions[1:]]


def _find_most_kw(
    draw: CarDraw, sensed: SeenCharge, sessions: Sequence[VehicleSession], start: datetime
) -> float | None:
    """Return the most that a vehicle draws; None: all that its charger gives.

    What was found before it was plugged in anew, or before its session, counts no more.
    """
    most_kw = draw.find_most_kw(start)
    if most_kw is None or draw.since is None:
        return None
    if sensed.connected and sensed.since is not None and sensed.since > draw.since:
        return None
    if most_kw == 0 and sessions and sessions[0].from_ > draw.since:
        return None
    return most_kw


def _list_requested(
    before: VehicleState | None,
    *,
    own: Sequence[VehicleSession],
    usual: Sequence[VehicleSession],
) -> list[VehicleSession]:
    """Return the sessions of an earlier request that still count.

    Stays stored now replace the ones stored earlier and go before those of a request. Usual
    sessions are laid out anew.
    """
    if before is None:
        return []
    usual_times = {
        (charging_session.from_, charging_session.to, charging_session.target_soc)
        for charging_session in usual
    }
    requested = []
    for session in before.sessions:
        is_stored = session.session_id is not None or any(
            meet(session, charging_session) for charging_session in own
        )
        is_usual = (session.from_, session.to, session.target_soc) in usual_times
        if not is_stored and not is_usual:
            requested.append(session)
    return requested


def list_usual_sessions(
    vehicle: ElectricVehicle, timezone: str, *, start: datetime
) -> list[VehicleSession]:
    """Return a vehicle's usual sessions by its daily need; none if that is not known.

    It comes home each evening without the energy that the day took, and leaves full.
    """
    if not vehicle.daily_need_soc:
        return []
    zone = parse_zone(timezone)
    today = start.astimezone(zone).date()
    sessions = []
    for days in range(-1, USUAL_DAYS):
        evening = today + timedelta(days=days)
        begin = local_instant(evening, USUAL_FROM, zone)
        end = local_instant(evening + timedelta(days=1), USUAL_TO, zone)
        if end > start:
            session = {
                "from": begin,
                "to": end,
                "target_soc": vehicle.max_soc,
                "arrival_soc": vehicle.max_soc - vehicle.daily_need_soc,
            }
            sessions.append(VehicleSession.model_validate(session))
    return sessions


def _find_sensed(
    site: Site,
    vehicle: ElectricVehicle,
    sensed: SeenCharge,
    *,
    sessions: Sequence[VehicleSession],
    expected: Expected | None,
) -> StartCharge | None:
    """Return the state of charge by the sensor plus Luna's charging since.

    None without a reading, or where the owner's statement is newer.
    """
    level = sensed.charge
    if level is None or level.soc is None or level.at is None:
        return None
    at = level.at
    source: ChargeSource = "ranged" if sensed.by_range else "read"
    for session in sessions:
        is_newer = at < session.from_ or sensed.connected is False
        if session.arrival_soc is not None and is_newer:
            return None
    # Only vehicles that Luna switches have charged as planned.
    is_switched = site.control is not None and vehicle.name in {
        controlled.vehicle for controlled in site.control.vehicles
    }
    if expected is None or not is_switched:
        return StartCharge(level.soc, source, at, level)
    rests_on = list_read(expected.plan.request.assumptions).get(vehicle.name)
    if level.metered_until is None and rests_on is not None and at <= rests_on:
        return StartCharge(carry_vehicles(expected)[vehicle.name].soc, source, rests_on, level)
    # Add the planned charge since the sensor, or its meter, was last read.
    counts_from = at if level.metered_until is None else max(at, level.metered_until)
    stored_kwh = 0.0
    for slot in expected.over:
        if slot.start >= counts_from and vehicle.name in slot.vehicles:
            flow = slot.vehicles[vehicle.name]
            charged_kwh = flow.charge_kwh * vehicle.charge_efficiency
            given_kwh = flow.discharge_kwh / vehicle.discharge_efficiency
            stored_kwh += charged_kwh - given_kwh
    soc = min(max(level.soc + stored_kwh / vehicle.capacity_kwh, 0.0), 1.0)
    return StartCharge(soc, source, at, level)


def _find_counted(
    vehicle: ElectricVehicle, sensed: SeenCharge, own: Sequence[VehicleSession], start: datetime
) -> StartCharge | None:
    """Return the arrival charge of the running session plus the energy metered since.

    None before the session, or where nothing was metered.
    """
    first = own[0] if own else None
    if first is None or first.arrival_soc is None:
        return None
    if first.from_ > start or sensed.connected is False:
        return None
    counted = count_since(vehicle, sensed, first.arrival_soc, since=first.from_, now=start)
    if counted is None or not counted[1]:
        return None
    soc, metered_kwh = counted
    came = {
        "arrival_soc": first.arrival_soc,
        "since": first.from_.isoformat(),
        "metered_kwh": round(metered_kwh, 3),
    }
    return StartCharge(soc, "counted", came=came)


def _find_stored(
    vehicle: ElectricVehicle,
    own: Sequence[VehicleSession],
    before: VehicleState | None,
    start: datetime,
) -> StartCharge:
    """Return the state of charge by the stored sessions, or by the plan in force."""
    first = own[0] if own else None
    arrival_soc = first.arrival_soc if first else None
    known_ids = {session.session_id for session in before.sessions} if before else set()
    # The plan in force ignores a running session that was stored after it, or has just begun.
    is_news = False
    if first is not None and first.from_ <= start:
        has_just_begun = first.from_ > floor_to(start, SLOT) - SLOT
        is_news = first.session_id not in known_ids or has_just_begun
    if before is not None and (arrival_soc is None or not is_news):
        return StartCharge(before.soc, "expected")
    # An earlier session that stated the charge may have been withdrawn.
    if arrival_soc is None:
        return StartCharge(vehicle.min_soc, "assumed")
    return StartCharge(arrival_soc, "said")


# A deviation from the plan's state of charge that is worth another plan: half a kilowatt-hour to a
# kilowatt-hour and a half.
NEWS_SOC = 0.02


def contradicts_plan(site: Site, facts: "DemandFacts", now: datetime) -> bool:
    """Return whether a vehicle deviates from the plan in force.

    It is fuller or emptier than planned, or was plugged in or out since the plan was made.
    """
    expected = expect(facts.begun, now)
    if expected is None:
        return False
    return any(_deviates(site, vehicle, facts, expected) for vehicle in site.vehicles)


def _deviates(
    site: Site, vehicle: ElectricVehicle, facts: "DemandFacts", expected: Expected
) -> bool:
    name = vehicle.name
    sensed = facts.sensed.get(name)
    if sensed is None or name not in expected.plan.request.state.vehicles:
        return False
    if sensed.since is not None and sensed.since > expected.plan.reply.issued_at:
        return True
    sessions = facts.sessions.get(name, ())[:1]
    read = _find_sensed(site, vehicle, sensed, sessions=sessions, expected=expected)
    # The charge of a vehicle on the road is no news before it is at its charger.
    if read is None or sensed.connected is False:
        return False
    begin_soc = carry_vehicles(expected)[name].soc
    end_soc = begin_soc
    for running in expected.plan.reply.slots[expected.passed : expected.passed + 1]:
        if name in running.vehicles:
            end_soc = running.vehicles[name].soc_end
    lowest_soc = min(begin_soc, end_soc) - NEWS_SOC
    highest_soc = max(begin_soc, end_soc) + NEWS_SOC
    return not lowest_soc <= read.soc <= highest_soc


def carry_vehicles(expected: Expected, _switched: Collection[str] = ()) -> dict[str, VehicleState]:
    """Return the states that a plan expects of its vehicles, with their sessions."""
    states = dict(expected.plan.request.state.vehicles)
    for slot in expected.over[-1:]:
        for name, flow in slot.vehicles.items():
            changes = {"soc": flow.soc_end, "charging": flow.charge_kwh > 0}
            states[name] = states[name].model_copy(update=changes)
    return states


def note_charges(
    site: Site, facts: "DemandFacts", state: StateMessage, start: datetime
) -> Iterator[Assumption]:
    """Yield notes on the source of each vehicle's charge at its present or first session."""
    for name, known in find_vehicles(site, facts, start=start).items():
        if name in state.vehicles or not known.state.sessions:
            continue
        about: dict[str, Any] = {"vehicle": name}
        if known.usual_kwh:
            usual = {
                "need_kwh": round(known.usual_kwh, 3),
                "comes": USUAL_FROM,
                "leaves": USUAL_TO,
            }
            yield Assumption(code="vehicle_usual", figures=about | usual)
        charge = known.charge
        sensed = facts.sensed.get(name, SeenCharge())
        figures = dict(about)
        if charge.sensed is not None and charge.sensed.verdict != "trusted":
            figures |= charge.sensed.describe()
        figures |= charge.came
        figures["soc"] = round(charge.soc, 6)
        if charge.at is not None:
            figures["at"] = charge.at.isoformat()
        # A usual day's charge follows from its need, until somebody or a sensor says it.
        if not known.usual_kwh or charge.note_code != "vehicle_soc_expected":
            yield Assumption(code=charge.note_code, figures=figures)
        yield from _note_sensor(sensed, charge, about)
        yield from _note_draw(facts.draws.get(name), known.state, start, about)
        untaken = facts.untaken.get(name)
        if untaken is not None and known.state.most_kw is None:
            refused = {
                "since": untaken.since.isoformat(),
                "planned_kwh": round(untaken.planned_kwh, 3),
            }
            yield Assumption(code="vehicle_takes_nothing", figures=about | refused)
        has_begun = known.state.sessions[0].from_ <= start
        if has_begun and sensed.connected is False and sensed.since is not None:
            since = {"since": sensed.since.isoformat()}
            yield Assumption(code="vehicle_not_connected", figures=about | since)


def _note_draw(
    draw: CarDraw | None, state: VehicleState, start: datetime, about: dict[str, Any]
) -> Iterator[Assumption]:
    """Yield a note on a vehicle that draws less than its charger gives."""
    if draw is None or draw.since is None or state.most_kw is None:
        return
    if state.most_kw > 0:
        yield Assumption(code="vehicle_draws_less", figures=about | {"kw": round(state.most_kw, 3)})
    elif is_left_out(state, state.sessions[0], start):
        since = {"since": draw.since.isoformat()}
        yield Assumption(code="vehicle_left_out", figures=about | since)


def _note_sensor(
    sensed: SeenCharge, charge: StartCharge, about: dict[str, Any]
) -> Iterator[Assumption]:
    """Yield notes on a vehicle's faulty sensor."""
    level = sensed.charge
    if level is None:
        return
    if level.judged is not None and level.judged.doubted is not None:
        yield Assumption(code="vehicle_soc_doubted", figures=about | level.judged.describe_doubt())
    elif level.soc is None and level.verdict in ("stale", "out_of_range"):
        yield Assumption(code="vehicle_soc_unusable", figures=about | {"verdict": level.verdict})
    elif level.verdict == "jumps" and charge.sensed is not None:
        yield Assumption(code="vehicle_soc_jumps", figures=about | level.describe())


def _find_states(site: Site, facts: "DemandFacts", start: datetime) -> Mapping[str, VehicleState]:
    vehicles = find_vehicles(site, facts, start=start)
    return {name: known.state for name, known in vehicles.items()}


STORED = StoredStates(
    _find_states,
    note_charges,
    contradicts_plan,
    roles=("vehicle_soc", "vehicle_connected", "vehicle_range"),
)
