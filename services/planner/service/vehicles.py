"""The vehicles with which a plan begins: their stays, how full they are, and who says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from luna.contracts.charging_stays import fit_session, meet
from luna.contracts.plan import VehicleSession, VehicleState
from luna.energy.charge_sensors import SeenCharge, list_read
from luna.energy.devices import ElectricVehicle
from luna.energy.levels import JudgedLevel
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to, local_instant, parse_zone
from luna.platform.database.site_facts import DemandFacts
from services.planner.devices.expected import Expected, expect

# ``read``: its sensor says so; ``said``: its stay; ``expected``: what the plan in force makes of it; ``assumed``: nobody does, and it is its reserve.
ChargeSource = Literal["read", "said", "expected", "assumed"]
# When a vehicle stands at its charger whose owner said no more than what it drives. Source: Mobilität in Deutschland 2017, most ways to work and home.
USUAL_FROM, USUAL_TO = "18:00", "07:00"
USUAL_DAYS = 4  # further than any plan that is made without being asked for


@dataclass(frozen=True, slots=True)
class StartCharge:
    """How full a vehicle is when a plan begins, or comes to its first stay, and who says so; ``at`` is when its sensor did."""

    soc: float
    source: ChargeSource
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownVehicle:
    """A vehicle as a plan begins with it, and where the charge comes from that its first stay begins with.

    ``usual_kwh`` is what a day takes of one that is planned by what it drives because nothing else was said; 0 of any other.
    """

    state: VehicleState
    charge: StartCharge
    usual_kwh: float = 0.0


def find_vehicles(site: Site, known: DemandFacts, *, start: datetime) -> dict[str, KnownVehicle]:
    """Return the site's vehicles with the stays that are stored, beside them those that a request named before, and how full they are.

    One of which no stay is known at all, but what it drives, is there at its usual times.

    Args:
        site: whose vehicles they are.
        known: their stored stays, what they say themselves, and the plan in force.
        start: of the plan.
    """
    expected = expect(known.begun, start)
    before_each = expected.vehicles() if expected else {}
    found = {}
    for vehicle in site.vehicles:
        own = [fit_session(each, vehicle) for each in known.stays.get(vehicle.name, ())]
        before = _ahead(before_each[vehicle.name], start) if vehicle.name in before_each else None
        usual = list_usual_stays(vehicle, site.timezone, start=start)
        # Of what was stored only what is stored now holds, and it goes before what was said once; what is usual is laid out anew.
        told = [each for each in before.sessions if each.session_id is None and not any(meet(each, other) for other in own)] if before else []
        told = [each for each in told if not any(_is_same(each, other) for other in usual)]
        usual = [] if told or own else usual
        own = own or usual
        if before is None and not own:
            continue
        sessions = sorted([*told, *own], key=lambda each: each.from_)
        seen = known.seen.get(vehicle.name, SeenCharge())
        charge = _find_read(site, vehicle, seen, stays=sessions[:1], expected=expected) or _find_told(vehicle, own, before, start)
        state = (before or VehicleState(soc=charge.soc)).model_copy(update={"soc": charge.soc, "sessions": sessions})
        charge = _on_arrival(sessions[:1], start) or charge
        # Nobody said it: it follows from what it drives.
        if usual and charge.source == "said":
            charge = replace(charge, source="assumed")
        found[vehicle.name] = KnownVehicle(state, charge, vehicle.daily_need_soc * vehicle.capacity_kwh if usual else 0.0)
    return found


def list_usual_stays(vehicle: ElectricVehicle, timezone: str, *, start: datetime) -> list[VehicleSession]:
    """Return the stays of a vehicle that comes home each evening with what the day took, and leaves full; none where nobody said what it drives."""
    if not vehicle.daily_need_soc:
        return []
    zone = parse_zone(timezone)
    today = start.astimezone(zone).date()
    shares = {"target_soc": vehicle.max_soc, "arrival_soc": vehicle.max_soc - vehicle.daily_need_soc}
    evenings = [today + timedelta(days=days) for days in range(-1, USUAL_DAYS)]
    times = [(local_instant(evening, USUAL_FROM, zone), local_instant(evening + timedelta(days=1), USUAL_TO, zone)) for evening in evenings]
    return [VehicleSession.model_validate({"from": begin, "to": end} | shares) for begin, end in times if end > start]


def _is_same(stay: VehicleSession, usual: VehicleSession) -> bool:
    return (stay.from_, stay.to, stay.target_soc) == (usual.from_, usual.to, usual.target_soc)


def _find_read(site: Site, vehicle: ElectricVehicle, seen: SeenCharge, *, stays: Sequence[VehicleSession], expected: Expected | None) -> StartCharge | None:
    """Return how full a vehicle is by its sensor and by what Luna charged since; None where it says nothing, or its owner said something later."""
    if seen.charge is None or any(_says_more(stay, seen, seen.charge) for stay in stays):
        return None
    at, soc = seen.charge.at, seen.charge.soc
    # Only what Luna switches has charged as planned.
    if expected is not None and site.control is not None and vehicle.name in {each.vehicle for each in site.control.vehicles}:
        rests_on = list_read(expected.plan.request.assumptions).get(vehicle.name)
        if rests_on is not None and at <= rests_on:
            return StartCharge(expected.vehicles()[vehicle.name].soc, "read", rests_on)
        soc = min(max(soc + expected.charged_since(vehicle, at), 0.0), 1.0)
    return StartCharge(soc, "read", at)


def _says_more(stay: VehicleSession, seen: SeenCharge, charge: JudgedLevel) -> bool:
    """Return whether what an owner said of the charge that a vehicle comes with tells more than its sensor, which spoke before it came."""
    return stay.arrival_soc is not None and (charge.at < stay.from_ or seen.connected is False)


def _find_told(vehicle: ElectricVehicle, own: Sequence[VehicleSession], before: VehicleState | None, start: datetime) -> StartCharge:
    """Return how full a vehicle is by its stored stays, or by the plan in force."""
    said = own[0].arrival_soc if own else None
    if before is not None and (said is None or not _is_news(own, before, start)):
        return StartCharge(before.soc, "expected")
    # A stay before it that said so may have been taken back.
    return StartCharge(vehicle.min_soc, "assumed") if said is None else StartCharge(said, "said")


def _on_arrival(stays: Sequence[VehicleSession], start: datetime) -> StartCharge | None:
    """Return what the first stay says where it has not begun: until it does, nobody knows better."""
    return next((StartCharge(each.arrival_soc, "said") for each in stays if each.from_ > start and each.arrival_soc is not None), None)


def _is_news(own: Sequence[VehicleSession], state: VehicleState, start: datetime) -> bool:
    """Return whether the plan that expects this state knows nothing of the stay that goes on: it was stored since, or has just begun."""
    if not own or own[0].from_ > start:
        return False
    return own[0].session_id not in {each.session_id for each in state.sessions} or own[0].from_ > floor_to(start, SLOT) - SLOT


def _ahead(state: VehicleState, start: datetime) -> VehicleState:
    return state.model_copy(update={"sessions": [session for session in state.sessions if session.to > start]})


# A car that is a fiftieth fuller or emptier than the plan has it is worth another one: half a kilowatt-hour or a kilowatt-hour and a half.
NEWS_SOC = 0.02


def find_news(site: Site, known: DemandFacts, *, now: datetime) -> Mapping[str, SeenCharge]:
    """Return the vehicles that say something else than the plan in force has: fuller, emptier, or since it was made plugged in or out."""
    expected = expect(known.begun, now)
    if expected is None:
        return {}
    found = {}
    for vehicle in site.vehicles:
        seen, socs = known.seen.get(vehicle.name), expected.running_socs(vehicle.name)
        if seen is None or socs is None:
            continue
        read = _find_read(site, vehicle, seen, stays=known.stays.get(vehicle.name, ())[:1], expected=expected)
        # What it holds on the road is no news before it is there.
        differs = read is not None and seen.connected is not False and not min(socs) - NEWS_SOC <= read.soc <= max(socs) + NEWS_SOC
        if differs or (seen.since is not None and seen.since > expected.plan.reply.issued_at):
            found[vehicle.name] = seen
    return found
