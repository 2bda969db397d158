"""Everything that Home Assistant is told of a site, as it stands at an instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna import control_service, findings
from luna.contracts.control import ControlState
from luna.contracts.plan import PlanReply, SlotReply
from luna.database import control, plans, sites
from luna.device_config import BATTERIES
from luna.findings import SiteFinding
from luna.site import Site
from luna.timeline import local_day, parse_zone
from services.home_assistant.day import Day, find_slot, read_day, save_beside_inverter

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PlannedView:
    """What only a new plan or a new slot changes: the plan that drives the site, and the day it makes. ``saved_today`` is beside the inverter alone."""

    plan: PlanReply | None
    today: Day
    tomorrow: Day
    saved_today: float | None


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site at ``now``: how it is planned, how its devices stand (batteries first), and what is the matter with it."""

    site: Site
    now: datetime
    planned: PlannedView
    states: tuple[ControlState, ...]
    vacation: bool
    findings: tuple[SiteFinding, ...]

    @property
    def slot(self) -> SlotReply | None:
        """The slot that runs."""
        return None if self.planned.plan is None else find_slot(self.planned.plan, self.now)

    @property
    def next_slot(self) -> SlotReply | None:
        """The next slot in which batteries do something else."""
        plan, current = self.planned.plan, self.slot
        if plan is None or current is None:
            return None
        return next((slot for slot in plan.slots if slot.start > self.now and slot.mode != current.mode), None)

    def state_of(self, device: str) -> ControlState | None:
        """Return how a device stands."""
        return next((state for state in self.states if state.device == device), None)


def read_planned(connection: Connection, site: Site, *, now: datetime) -> PlannedView:
    """Return how a stored site is planned."""
    zone = parse_zone(site.timezone)
    plan = plans.read_due(connection, site.name, now)
    first = now.astimezone(zone).date()
    today, tomorrow = (read_day(connection, site, local_day(day, zone), now=now) for day in (first, first + DAY))
    return PlannedView(plan, today, tomorrow, save_beside_inverter(site, today, plan))


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
    )


def list_devices(site: Site) -> tuple[str, ...]:
    """Return what can be overridden at a site, batteries first."""
    named = site.control.devices if site.control else ()
    return (BATTERIES, *(device for device in named if device != BATTERIES))
