"""Everything that Home Assistant is told of a site, as it stands at an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna import control_service, findings
from luna.contracts.control import ControlState
from luna.contracts.plan import PlanReply, SlotReply
from luna.database import control, plans, sites
from luna.device_config import BATTERIES
from luna.device_runs import PlannedRun, find_load_run, find_vehicle_run
from luna.findings import SiteFinding
from luna.proposed_runs import ProposedSlot, find_proposed_runs, moved_kwh
from luna.site import Site
from luna.site_day import Day, find_slot, read_day, save_beside_inverter
from luna.timeline import local_day, parse_zone

DAY = timedelta(days=1)
PROBLEMS = frozenset({"no_plan", "plan_old", "device_silent", "sensors_silent"})


@dataclass(frozen=True, slots=True)
class PlannedView:
    """What only a new plan or a new slot changes: the plan that drives the site, the day it makes, and what runs next of cars and appliances, by name.

    ``saved_today`` is beside the inverter alone.
    """

    plan: PlanReply | None
    today: Day
    tomorrow: Day
    saved_today: float | None
    vehicle_runs: Mapping[str, PlannedRun]
    load_runs: Mapping[str, PlannedRun]


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site at ``now``: how it is planned, how its devices stand (batteries first), and what is the matter with it.

    ``planned_before`` says whether there ever was a plan.
    """

    site: Site
    now: datetime
    planned: PlannedView
    states: tuple[ControlState, ...]
    vacation: bool
    findings: tuple[SiteFinding, ...]
    planned_before: bool

    @property
    def slot(self) -> SlotReply | None:
        """The slot that runs."""
        return None if self.planned.plan is None else find_slot(self.planned.plan, self.now)

    @property
    def next_run(self) -> list[SlotReply]:
        """The slots of what batteries do next, none where they go on as they do now."""
        plan, current = self.planned.plan, self.slot
        slots = [slot for slot in plan.slots if slot.start >= current.start] if plan and current else []
        following = find_proposed_runs([propose(slot) for slot in slots])[1:2]
        # What a run took in beside it has words of its own.
        return [slot for run in following for slot in slots[run.first : run.end] if slot.mode == run.mode]

    @property
    def problems(self) -> list[SiteFinding]:
        """What was there and is missing, and commands that failed; what has yet to come is no problem, nor what is worth knowing beside it."""
        return [finding for finding in self.findings if finding.code in PROBLEMS and (self.planned_before or finding.code != "no_plan")]

    def state_of(self, device: str) -> ControlState | None:
        """Return how a device stands."""
        return next((state for state in self.states if state.device == device), None)


def propose(slot: SlotReply) -> ProposedSlot:
    """Return what is decided of a plan's slot."""
    charge, discharge = (sum(getattr(flow, name) for flow in slot.batteries.values()) for name in ("charge_kwh", "discharge_kwh"))
    return ProposedSlot(slot.mode, moved_kwh(slot.mode, charge_kwh=charge, discharge_kwh=discharge, export_kwh=slot.export_kwh))


def read_planned(connection: Connection, site: Site, *, now: datetime) -> PlannedView:
    """Return how a stored site is planned."""
    zone = parse_zone(site.timezone)
    plan = plans.read_due(connection, site.name, now)
    first = now.astimezone(zone).date()
    today, tomorrow = (read_day(connection, site, local_day(day, zone), now=now) for day in (first, first + DAY))
    return PlannedView(plan, today, tomorrow, save_beside_inverter(site, today, plan), *_find_runs(site, plan, now))


def _find_runs(site: Site, plan: PlanReply | None, now: datetime) -> tuple[dict[str, PlannedRun], dict[str, PlannedRun]]:
    """Return what is planned next of each vehicle, until it has left, and of each appliance; of those for which anything is."""
    if plan is None:
        return {}, {}
    vehicles = {each.name: find_vehicle_run(plan, each.name, now, _find_departure(plan, each.name, now)) for each in site.vehicles}
    loads = {each.name: find_load_run(plan, each.name, now) for each in site.loads}
    found = [{name: run for name, run in runs.items() if run is not None} for runs in (vehicles, loads)]
    return found[0], found[1]


def _find_departure(plan: PlanReply, vehicle: str, now: datetime) -> datetime:
    """Return when the stay of a vehicle ends that goes on or comes first; a day after the plan where that is not known."""
    gone = (slot.start for slot in plan.slots if slot.start > now and (vehicle not in slot.vehicles or slot.vehicles[vehicle].reason is None))
    return next(gone, plan.slots[-1].start + DAY)


def read_view(connection: Connection, site_id: str, planned: PlannedView, *, plan_max_age: timedelta, now: datetime) -> SiteView:
    """Return a stored site as it stands, with what was read of its plan."""
    site = sites.load(connection, site_id)
    devices = list_devices(site)
    states = tuple(control.load(connection, site_id, device) for device in devices)
    return SiteView(
        site=site,
        now=now,
        planned=planned,
        states=states,
        vacation=control_service.is_on_vacation(connection, site_id, now=now),
        findings=tuple(findings.find(connection, site, plan=planned.plan, states=states, plan_max_age=plan_max_age, now=now)),
        planned_before=plans.issued_last(connection, site_id) is not None,
    )


def list_devices(site: Site) -> tuple[str, ...]:
    """Return what can be overridden at a site, batteries first."""
    named = site.control.devices if site.control else ()
    return (BATTERIES, *(device for device in named if device != BATTERIES))
