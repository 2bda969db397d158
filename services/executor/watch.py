"""Schedule the control steps of armed sites' devices.

They run every few seconds, each second while a confirmation is pending, and at each slot's start.
"""

import math
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Gauge
from sqlalchemy import Connection, Engine

from luna.contracts.control import LEFT_ALONE, ControlState, ReasonCode
from luna.contracts.health import ControlledDevice, ControlledSite
from luna.drivers.control.units import list_units
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import LunaError, UnavailableError, UnreadableError
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import Clock, seconds_to_wait
from luna.platform.database import control, plans, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.executor_locks import SiteLocks
from luna.platform.health.readiness import Liveness
from services.executor.control_step import Executor
from services.executor.delivery import CONFIRMED
from services.executor.release import release_units

ARMED = Gauge("luna_executor_site_armed", "Whether a site is armed: 1 or 0.", ["site_id"])
FALLBACK = Gauge(
    "luna_executor_fallback_active",
    "Whether a device of an armed site does what it does by itself, for want of a plan or "
    "an answer.",
    ["site_id", "device"],
)
PLAN_AGE = Gauge(
    "luna_executor_plan_age_seconds",
    "How long ago the last plan of an armed site was issued; infinite without one.",
    ["site_id"],
)

log = structlog.get_logger("luna.executor")

LOOK = timedelta(seconds=5)
AWAITED_LOOK = timedelta(seconds=1)
PARALLEL_STEPS = 16  # devices that answer slowly must not delay the others


class Watch:
    """Scheduler of control steps: one after the other per device, devices in parallel."""

    def __init__(self, engine: Engine, executor: Executor, *, clock: Clock) -> None:
        self._engine = engine
        self._executor = executor
        self._clock = clock
        self._locks = SiteLocks(engine)
        self._running: dict[tuple[str, str], Future[bool]] = {}
        self._units = SiteUnits()
        self._status = ControlStatus()
        self.sites: tuple[ControlledSite, ...] = ()

    def run(self, pulse: Liveness, *, ending: threading.Event) -> None:
        """Run control steps until ``ending`` is set, then hand the devices back.

        A running step completes.
        """
        with ThreadPoolExecutor(PARALLEL_STEPS, thread_name_prefix="site") as pool:
            while not ending.is_set():
                pulse.beat()
                self._start_steps(pool)
                self._show_status()
                wait = wait_for(self._clock.now(), awaited=self._is_awaited())
                ending.wait(seconds_to_wait(wait))
            release_units(self._executor, self._running)
        self._locks.close()
        self._executor.close()

    def _is_awaited(self) -> bool:
        """Return whether a step runs or a confirmation is pending."""
        return any(not step.done() or step.result() for step in self._running.values())

    def _start_steps(self, pool: ThreadPoolExecutor) -> None:
        try:
            with unit_of_work(self._engine) as connection:
                active = list_due_units(connection, self._units)
            locked = self._locks.hold({site_id for site_id, _ in active})
        except UnavailableError as error:
            log.warning("the sites cannot be read", error=str(error))
            return
        due = [(site_id, key) for site_id, key in active if site_id in locked]
        for unit, step in list(self._running.items()):
            if step.done() and unit not in due:
                del self._running[unit]
        for unit in due:
            if unit not in self._running or self._running[unit].done():
                self._running[unit] = pool.submit(self._run_step, *unit)

    def _run_step(self, site_id: str, key: str) -> bool:
        try:
            return self._executor.turn(site_id, key)
        except LunaError as error:
            log.warning(
                "the slot cannot be followed", site_id=site_id, device=key, error=str(error)
            )
        except Exception:  # the edge of a control step: the others go on
            log.exception("the turn failed", site_id=site_id, device=key)
        return False

    def _show_status(self) -> None:
        """Set ``sites`` and the metrics.

        After the control steps are started, which these reads must not delay.
        """
        try:
            with unit_of_work(self._engine) as connection:
                self.sites = describe_sites(connection, self._units)
        except UnavailableError as error:
            log.warning("the sites cannot be read", error=str(error))
        else:
            self._status.show(self.sites, now=self._clock.now())


def wait_for(now: datetime, *, awaited: bool) -> timedelta:
    """Return the wait before the next pass: never past the start of a slot."""
    return min(AWAITED_LOOK if awaited else LOOK, floor_to(now, SLOT) + SLOT - now)


@dataclass(frozen=True, slots=True)
class ControlledUnits:
    """Driver and unit keys of a site's section ``control``, empty without one."""

    by: str | None = None
    keys: tuple[str, ...] = ()


class SiteUnits:
    """Reader of sites' controlled units, for all sites at once.

    Only new configurations are parsed.
    """

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[tuple[int, int], ControlledUnits | None]] = {}

    def read(self, connection: Connection, names: Sequence[str]) -> dict[str, ControlledUnits]:
        """Return the controlled units of each site that has a readable configuration.

        The last readable one counts: the devices of a site whose latest cannot be read still need
        their fallback sent.
        """
        versions = sites.read_versions(connection, names)
        changed = []
        for name, version in versions.items():
            if name not in self._parsed or self._parsed[name][0] != version:
                changed.append(name)
        for name, configuration in sites.read_configurations(connection, changed).items():
            self._parsed[name] = (versions[name], _read_units(connection, name, configuration))
        readable = {}
        for name in versions:
            # A site may have been removed between the two queries.
            _, units = self._parsed.get(name, (None, None))
            if units is not None:
                readable[name] = units
        return readable


def _read_units(connection: Connection, name: str, configuration: Any) -> ControlledUnits | None:
    try:
        site = sites.parse_stored(name, configuration)
    except UnreadableError as error:
        log.warning("the site cannot be read", site_id=name, error=str(error))
        try:
            site, _ = sites.load_last_readable(connection, name)
        except UnreadableError:
            return None
    driver = None if site.control is None else site.control.by
    return ControlledUnits(driver, tuple(list_units(site, site.control)))


def list_due_units(connection: Connection, units: SiteUnits) -> list[tuple[str, str]]:
    """Return site and unit key of every due control step.

    These are the units of the section ``control``, the batteries, and devices with an earlier
    command.
    """
    names = [state.site for state in control.load_active(connection)]
    site_units = units.read(connection, names)
    commanded = control.list_commanded_each(connection)
    due: list[tuple[str, str]] = []
    for name in names:
        if name in site_units:
            keys = dict.fromkeys([*site_units[name].keys, BATTERIES, *commanded.get(name, [])])
            due.extend((name, key) for key in keys)
    return due


def describe_sites(connection: Connection, units: SiteUnits) -> tuple[ControlledSite, ...]:
    """Return the control status of each armed site."""
    armed = [state for state in control.load_active(connection) if state.armed_at is not None]
    names = [state.site for state in armed]
    site_units = units.read(connection, names)
    issued = plans.issued_last_each(connection, names)
    described = []
    for state in armed:
        units_of_site = site_units.get(state.site, ControlledUnits())
        devices = []
        for key in units_of_site.keys:
            unit_state = state
            if key != BATTERIES:
                unit_state = control.load(connection, state.site, key)
            devices.append(_describe_device(unit_state))
        site = ControlledSite(
            site=state.site,
            armed_at=state.armed_at,
            by=units_of_site.by,
            plan_issued_at=issued.get(state.site),
            devices=tuple(devices),
        )
        described.append(site)
    return tuple(described)


# Reasons of decisions in which a device runs by itself for want of a plan or an acknowledgement.
FALLBACKS: tuple[ReasonCode, ...] = (
    "no_plan",
    "plan_too_old",
    "plan_without_setpoints",
    "site_unreadable",
    *LEFT_ALONE,
)


def _describe_device(state: ControlState) -> ControlledDevice:
    decision = state.decision
    if decision is None:
        return ControlledDevice(device=state.device)
    return ControlledDevice(
        device=state.device,
        slot_start=decision.slot_start,
        told={name: setpoint.mode for name, setpoint in decision.allowed.items()},
        reason=decision.reason,
        confirmed_at=decision.confirmed_at,
        fallback=decision.reason in FALLBACKS,
    )


class ControlStatus:
    """Metrics of armed sites and their devices; those of removed ones are deleted."""

    def __init__(self) -> None:
        self._sites: set[str] = set()
        self._devices: set[tuple[str, str]] = set()

    def show(self, armed: tuple[ControlledSite, ...], *, now: datetime) -> None:
        """Set the metrics; a new device counts as confirmed now."""
        names = {site.site for site in armed}
        devices = {}
        for site in armed:
            for device in site.devices:
                devices[site.site, device.device] = device
        for name in self._sites - names:
            ARMED.remove(name)
            PLAN_AGE.remove(name)
        for labels in self._devices - devices.keys():
            CONFIRMED.remove(*labels)
            FALLBACK.remove(*labels)
        for site in armed:
            plan_age_s = math.inf
            if site.plan_issued_at is not None:
                plan_age_s = (now - site.plan_issued_at).total_seconds()
            ARMED.labels(site.site).set(1)
            PLAN_AGE.labels(site.site).set(plan_age_s)
        for labels, device in devices.items():
            if labels not in self._devices:
                CONFIRMED.labels(*labels).set(now.timestamp())
            FALLBACK.labels(*labels).set(device.fallback)
        self._sites = names
        self._devices = set(devices)
