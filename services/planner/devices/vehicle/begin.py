"""Vehicles at the start of a plan: of a stored site, and by their owners' habits.

Their stays, their state of charge and its source.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from luna.contracts.charging_stays import fit_session, meet
from luna.contracts.counterfactual import Habit
from luna.contracts.plan import Assumption, StateMessage
from luna.contracts.plan.columns import Columns
from luna.contracts.plan.state import VehicleSession, VehicleState
from luna.energy.charge_sensors import SeenCharge, count_since, list_read
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.store_level import StoreLevel, Verdict
from luna.energy.timeline import SLOT, Timeline, floor_to, local_instant, parse_zone
from services.planner.devices.expected import Expected, expect
from services.planner.devices.kind import StoredStates

if TYPE_CHECKING:
    from luna.platform.database.site_facts import DemandFacts

# ``read``: its sensor says so; ``said``: its stay; ``counted``: its stay, and what its charger
# counted since; ``expected``: what the plan in force makes of it; ``assumed``: nobody does, and it
# is its reserve.
ChargeSource = Literal["read", "said", "counted", "expected", "assumed"]
# When a vehicle stands at its charger whose owner said no more than what it drives. Source:
# Mobilität in Deutschland 2017, most ways to work and home.
USUAL_FROM = "18:00"
USUAL_TO = "07:00"
# What a plan says of a charge that is not its sensor's alone, by the judgement of the sensor.
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
    """A vehicle's state of charge at a plan's start, or at its first stay, with its source.

    Of a sensor, ``at`` is the instant of its reading and ``sensed`` the judgement of it; of one
    that is counted, ``came`` says what it came with.
    """

    soc: float
    source: ChargeSource
    at: datetime | None = None
    sensed: StoreLevel | None = None
    came: Mapping[str, Any] = field(default_factory=dict)

    @property
    def note_code(self) -> str:
        """The code of the note that says where it comes from."""
        verdict = None if self.sensed is None else self.sensed.verdict
        return VERDICT_NOTES.get(verdict, f"vehicle_soc_{self.source}")


@dataclass(frozen=True, slots=True)
class KnownVehicle:
    """A vehicle as a plan begins with it, and where the charge comes from that its first stay
    begins with.

    ``usual_kwh`` is what a day takes of one that is planned by what it drives because nothing else
    was said; 0 of any other.
    """

    state: VehicleState
    charge: StartCharge
    usual_kwh: float = 0.0


def find_vehicles(site: Site, facts: "DemandFacts", *, start: datetime) -> dict[str, KnownVehicle]:
    """Return the site's vehicles with the stays that are stored, beside them those that a request
    named before, and how full they are.

    One of which no stay is known at all, but what it drives, is there at its usual times.

    Args:
        site: whose vehicles they are.
        facts: their stored stays, what they say themselves, and the plan in force.
        start: of the plan.
    """
    expected = expect(facts.begun, start)
    before_each = carry_vehicles(expected) if expected else {}
    vehicles = {}
    for vehicle in site.vehicles:
        own = [fit_session(each, vehicle) for each in facts.stays.get(vehicle.name, ())]
        before = before_each.get(vehicle.name)
        if before is not None:
            before = before.model_copy(
                update={"sessions": [session for session in before.sessions if session.to > start]}
            )
        usual = list_usual_stays(vehicle, site.timezone, start=start)
        # Sessions stored now replace earlier stored ones and go before those of a request; usual
        # ones are laid out anew.
        requested = (
            [
                each
                for each in before.sessions
                if each.session_id is None and not any(meet(each, other) for other in own)
            ]
            if before
            else []
        )
        usual_times = {(each.from_, each.to, each.target_soc) for each in usual}
        requested = [
            each for each in requested if (each.from_, each.to, each.target_soc) not in usual_times
        ]
        usual = [] if requested or own else usual
        own = own or usual
        if before is None and not own:
            continue
        sessions = sorted([*requested, *own], key=lambda each: each.from_)
        sensed = facts.sensed.get(vehicle.name, SeenCharge())
        charge = _find_sensed(site, vehicle, sensed, stays=sessions[:1], expected=expected)
        charge = (
            charge
            or _find_counted(vehicle, sensed, own, start)
            or _find_stored(vehicle, own, before, start)
        )
        state = (before or VehicleState(soc=charge.soc)).model_copy(
            update={"soc": charge.soc, "sessions": sessions}
        )
        # The first stay's arrival charge where it has not begun yet.
        charge = (
            next(
                (
                    StartCharge(each.arrival_soc, "said")
                    for each in sessions[:1]
                    if each.from_ > start and each.arrival_soc is not None
                ),
                None,
            )
            or charge
        )
        # Nobody said it: it follows from what it drives.
        if usual and charge.source == "said":
            charge = replace(charge, source="assumed")
        vehicles[vehicle.name] = KnownVehicle(
            state, charge, vehicle.daily_need_soc * vehicle.capacity_kwh if usual else 0.0
        )
    return vehicles


def list_usual_stays(
    vehicle: ElectricVehicle, timezone: str, *, start: datetime
) -> list[VehicleSession]:
    """Return the stays of a vehicle that comes home each evening with what the day took, and leaves
    full; none where nobody said what it drives.
    """
    if not vehicle.daily_need_soc:
        return []
    zone = parse_zone(timezone)
    today = start.astimezone(zone).date()
    shares = {
        "target_soc": vehicle.max_soc,
        "arrival_soc": vehicle.max_soc - vehicle.daily_need_soc,
    }
    evenings = [today + timedelta(days=days) for days in range(-1, USUAL_DAYS)]
    times = [
        (
            local_instant(evening, USUAL_FROM, zone),
            local_instant(evening + timedelta(days=1), USUAL_TO, zone),
        )
        for evening in evenings
    ]
    return [
        VehicleSession.model_validate({"from": begin, "to": end} | shares)
        for begin, end in times
        if end > start
    ]


def _find_sensed(
    site: Site,
    vehicle: ElectricVehicle,
    sensed: SeenCharge,
    *,
    stays: Sequence[VehicleSession],
    expected: Expected | None,
) -> StartCharge | None:
    """Return the state of charge by the sensor plus Luna's charging since.

    None without a reading, or where the owner's statement is newer.
    """
    level = sensed.charge
    if level is None or level.soc is None or level.at is None:
        return None
    at = level.at
    soc = level.soc
    # Whether the owner's stated arrival charge is newer than the sensor's reading.
    if any(
        stay.arrival_soc is not None and (at < stay.from_ or sensed.connected is False)
        for stay in stays
    ):
        return None
    # Only what Luna switches has charged as planned.
    is_switched = site.control is not None and vehicle.name in {
        each.vehicle for each in site.control.vehicles
    }
    if expected is None or not is_switched:
        return StartCharge(soc, "read", at, level)
    rests_on = list_read(expected.plan.request.assumptions).get(vehicle.name)
    if level.metered_until is None and rests_on is not None and at <= rests_on:
        return StartCharge(carry_vehicles(expected)[vehicle.name].soc, "read", rests_on, level)
    # By how much it has been charged as planned since the sensor, or its meter, was last read.
    counts_from = at if level.metered_until is None else max(at, level.metered_until)
    flows = [
        slot.vehicles[vehicle.name]
        for slot in expected.over
        if slot.start >= counts_from and vehicle.name in slot.vehicles
    ]
    stored_kwh = sum(
        flow.charge_kwh * vehicle.charge_efficiency
        - flow.discharge_kwh / vehicle.discharge_efficiency
        for flow in flows
    )
    soc = min(max(soc + float(stored_kwh / vehicle.capacity_kwh), 0.0), 1.0)
    return StartCharge(soc, "read", at, level)


def _find_counted(
    vehicle: ElectricVehicle, sensed: SeenCharge, own: Sequence[VehicleSession], start: datetime
) -> StartCharge | None:
    """Return the charge that a stay began with and what was metered since.

    None before it, or where nothing was counted.
    """
    first = own[0] if own else None
    if (
        first is None
        or first.arrival_soc is None
        or first.from_ > start
        or sensed.connected is False
    ):
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
    """Return the state of charge by the stored stays, or by the plan in force."""
    first = own[0] if own else None
    arrival_soc = first.arrival_soc if first else None
    known = {each.session_id for each in before.sessions} if before else set()
    # The plan that expects this state knows nothing of a stay that goes on and was stored since, or
    # has just begun.
    is_news = (
        first is not None
        and first.from_ <= start
        and (first.session_id not in known or first.from_ > floor_to(start, SLOT) - SLOT)
    )
    if before is not None and (arrival_soc is None or not is_news):
        return StartCharge(before.soc, "expected")
    # A stay before it that said so may have been taken back.
    return (
        StartCharge(vehicle.min_soc, "assumed")
        if arrival_soc is None
        else StartCharge(arrival_soc, "said")
    )


# A car that is a fiftieth fuller or emptier than the plan has it is worth another one: half a
# kilowatt-hour or a kilowatt-hour and a half.
NEWS_SOC = 0.02


def says_news(site: Site, facts: "DemandFacts", now: datetime) -> bool:
    """Return whether a vehicle deviates from the plan in force: fuller, emptier, or plugged in or
    out since it was made.
    """
    expected = expect(facts.begun, now)
    return expected is not None and any(
        _says_else(site, vehicle, facts, expected) for vehicle in site.vehicles
    )


def _says_else(
    site: Site, vehicle: ElectricVehicle, facts: "DemandFacts", expected: Expected
) -> bool:
    sensed = facts.sensed.get(vehicle.name)
    name = vehicle.name
    if sensed is None or name not in expected.plan.request.state.vehicles:
        return False
    if sensed.since is not None and sensed.since > expected.plan.reply.issued_at:
        return True
    read = _find_sensed(
        site, vehicle, sensed, stays=facts.stays.get(name, ())[:1], expected=expected
    )
    # How full it is at the start of the slot that runs, and at its end.
    begins = carry_vehicles(expected)[name].soc
    running = expected.plan.reply.slots[expected.passed : expected.passed + 1]
    socs = (
        begins,
        next((slot.vehicles[name].soc_end for slot in running if name in slot.vehicles), begins),
    )
    # What it holds on the road is no news before it is there.
    return (
        read is not None
        and sensed.connected is not False
        and not min(socs) - NEWS_SOC <= read.soc <= max(socs) + NEWS_SOC
    )


def carry_vehicles(expected: Expected, _switched: Collection[str] = ()) -> dict[str, VehicleState]:
    """Return the vehicles that a plan expects, with their stays."""
    states = dict(expected.plan.request.state.vehicles)
    for slot in expected.over[-1:]:
        for name, flow in slot.vehicles.items():
            states[name] = states[name].model_copy(
                update={"soc": flow.soc_end, "charging": flow.charge_kwh > 0}
            )
    return states


def note_charges(
    site: Site, facts: "DemandFacts", state: StateMessage, start: datetime
) -> Iterator[Assumption]:
    """Yield where the charge comes from that each vehicle has when its first stay begins, or now
    where that goes on.
    """
    for name, each in find_vehicles(site, facts, start=start).items():
        if name in state.vehicles or not each.state.sessions:
            continue
        about: dict[str, Any] = {"vehicle": name}
        if each.usual_kwh:
            yield Assumption(
                code="vehicle_usual",
                figures=about
                | {"need_kwh": round(each.usual_kwh, 3), "comes": USUAL_FROM, "leaves": USUAL_TO},
            )
        charge = each.charge
        sensed = facts.sensed.get(name, SeenCharge())
        at = {} if charge.at is None else {"at": charge.at.isoformat()}
        why = (
            {}
            if charge.sensed is None or charge.sensed.verdict == "trusted"
            else charge.sensed.describe()
        )
        yield Assumption(
            code=charge.note_code,
            figures=about | why | dict(charge.came) | {"soc": round(charge.soc, 6)} | at,
        )
        yield from _note_sensor(sensed, charge, about)
        untaken = facts.untaken.get(name)
        if untaken is not None:
            figures = {
                "since": untaken.since.isoformat(),
                "planned_kwh": round(untaken.planned_kwh, 3),
            }
            yield Assumption(code="vehicle_takes_nothing", figures=about | figures)
        if (
            sensed.connected is False
            and sensed.since is not None
            and each.state.sessions[0].from_ <= start
        ):
            yield Assumption(
                code="vehicle_not_connected", figures=about | {"since": sensed.since.isoformat()}
            )


def _note_sensor(
    sensed: SeenCharge, charge: StartCharge, about: dict[str, Any]
) -> Iterator[Assumption]:
    """Yield what is the matter with a vehicle's sensor, beside where its charge comes from."""
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
    return {name: each.state for name, each in find_vehicles(site, facts, start=start).items()}


STORED = StoredStates(
    _find_states, note_charges, says_news, roles=("vehicle_soc", "vehicle_connected")
)


# --- a vehicle that is not there yet: its stays by its owner's habit, and how full it is from one s


DAY = timedelta(days=1)
WEEKEND = 5


@dataclass(frozen=True, slots=True)
class AddedVehicle:
    """A vehicle and its owner's habit, by a clock."""

    device: ElectricVehicle
    habit: Habit
    zone: ZoneInfo

    def begin(self, ahead: Timeline, before: VehicleState | None) -> VehicleState:
        """Return its stays over a timeline: each day it comes home with what the day took, and
        leaves full.

        Args:
            ahead: what is planned.
            before: how full it was left, where it is at its charger at the start; None: what the
                day took is missing.

        Raises:
            InvalidInputError: a day takes more than it holds.
        """
        vehicle = self.device
        share = self.habit.energy_kwh_per_day / vehicle.capacity_kwh
        if share > vehicle.max_soc:
            raise refuse(
                "day-beyond-vehicle",
                field=f"habits.{vehicle.name}.energy_kwh_per_day",
                value=self.habit.energy_kwh_per_day,
                holds_kwh=vehicle.max_soc * vehicle.capacity_kwh,
            )
        home = vehicle.max_soc - share
        target = vehicle.max_soc
        stays = [
            stay for stay in self.list_stays(ahead) if stay[1] > ahead.begin and stay[0] < ahead.end
        ]
        sessions = [
            VehicleSession(
                from_=begin,
                to=end,
                target_soc=target,
                arrival_soc=None if begin <= ahead.begin else home,
            )
            for begin, end in stays
        ]
        return VehicleState(soc=home if before is None else before.soc, sessions=sessions)

    # A plan begins with it
    def end(
        self, flows: Columns, past: Timeline, before: VehicleState | None
    ) -> VehicleState | None:
        """Return how full it is at the end of some slots.

        None where it is away then, and comes back with what the day took.
        """
        here = any(begin < past.end < end for begin, end in self.list_stays(past))
        return VehicleState(soc=flows["soc_end"][past.count - 1]) if here else None

    def list_stays(self, timeline: Timeline) -> list[tuple[datetime, datetime]]:
        """Return begin and end of the stays from the day before a timeline's start to its end."""
        habit = self.habit
        day = timeline.start.astimezone(self.zone).date() - DAY
        stays = []
        while self._at(day, habit.from_) < timeline.end:
            if habit.days == "all" or (day.weekday() >= WEEKEND) == (habit.days == "weekend"):
                leaves = day + DAY if habit.to <= habit.from_ else day
                stays.append((self._at(day, habit.from_), self._at(leaves, habit.to)))
            day += DAY
        return stays

    def _at(self, day: date, clock: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(clock), self.zone)


def add_vehicles(
    vehicles: Sequence[ElectricVehicle], habits: Mapping[str, Habit], zone: ZoneInfo
) -> list[AddedVehicle]:
    """Return the vehicles that a variant adds to recorded days.

    Raises:
        InvalidInputError: a vehicle without a habit, or a habit of none that is added.
    """
    for name in {*habits} ^ {each.name for each in vehicles}:
        raise refuse("habit-without-vehicle", field=f"habits.{name}")
    # What a car that is not there would give to the house cannot be set against a recorded load.
    return [
        AddedVehicle(each.model_copy(update={"discharge_limit_kw": 0.0}), habits[each.name], zone)
        for each in vehicles
    ]


def place_by_habit(
    site: Site, habits: Mapping[str, Habit], timeline: Timeline
) -> dict[str, VehicleState]:
    """Return the vehicles of a variant of a plan that stand as they are used to.

    Raises:
        InvalidInputError: a habit of a vehicle that the site does not have, or a day takes more
            than it holds.
    """
    vehicles = {vehicle.name: vehicle for vehicle in site.vehicles}
    zone = ZoneInfo(site.timezone)
    if strangers := [name for name in habits if name not in vehicles]:
        raise refuse(
            "variant-no-such-vehicle",
            field=f"variant.habits.{strangers[0]}",
            names=", ".join(vehicles) or "none",
        )
    return {
        name: AddedVehicle(vehicles[name], habit, zone).begin(timeline, None)
        for name, habit in habits.items()
    }
