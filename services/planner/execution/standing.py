"""How everything that is told stands: armed, told by whom, last confirmed, planned when; for /health/services and those who watch."""

import math
from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.control import ControlState, ReasonCode
from luna.contracts.health import ControlledDevice, ControlledSite
from luna.control import BATTERIES
from luna.database import control, plans, sites
from luna.errors import InvalidInputError
from services.planner.execution.metrics import ARMED, CONFIRMED, FALLBACK, PLAN_AGE
from services.planner.execution.units import list_units

# What a device does by itself for want of a plan or an answer; all else is as it should be.
FALLBACKS: tuple[ReasonCode, ...] = ("no_plan", "plan_too_old", "plan_without_setpoints", "not_acknowledged")


def describe_sites(connection: Connection) -> tuple[ControlledSite, ...]:
    """Return how each armed site stands."""
    return tuple(_describe(connection, state) for state in control.load_active(connection) if state.armed_at is not None)


class Board:
    """The metrics of armed sites and their devices; those that are gone are taken off."""

    def __init__(self) -> None:
        self._sites: set[str] = set()
        self._devices: set[tuple[str, str]] = set()

    def show(self, standing: tuple[ControlledSite, ...], *, now: datetime) -> None:
        """Set what is measured; a device that was not there before counts from now on."""
        names = {site.site for site in standing}
        devices = {(site.site, device.device): device for site in standing for device in site.devices}
        self._take_off(names, set(devices))
        for site in standing:
            ARMED.labels(site.site).set(1)
            PLAN_AGE.labels(site.site).set(math.inf if site.plan_issued_at is None else (now - site.plan_issued_at).total_seconds())
        for whom, device in devices.items():
            if whom not in self._devices:
                CONFIRMED.labels(*whom).set(now.timestamp())
            FALLBACK.labels(*whom).set(device.fallback)
        self._sites, self._devices = names, set(devices)

    def _take_off(self, names: set[str], devices: set[tuple[str, str]]) -> None:
        for name in self._sites - names:
            ARMED.remove(name)
            PLAN_AGE.remove(name)
        for whom in self._devices - devices:
            CONFIRMED.remove(*whom)
            FALLBACK.remove(*whom)


def _describe(connection: Connection, state: ControlState) -> ControlledSite:
    try:
        section = (site := sites.load(connection, state.site)).control
        keys = list(list_units(site, section))
    except InvalidInputError:
        section, keys = None, []
    devices = [_describe_device(control.load(connection, state.site, key) if key != BATTERIES else state) for key in keys]
    return ControlledSite(
        site=state.site,
        armed_at=state.armed_at,
        by=None if section is None else section.by,
        plan_issued_at=plans.issued_last(connection, state.site),
        devices=tuple(devices),
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
