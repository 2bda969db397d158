"""Control step of one unit of a site: choice of the decider, safety layer, delivery.

A decision is stored before it is sent and stands for its slot, so after a crash the next step sends
the same decision or nothing. An unconfirmed decision is sent again, then replaced by the fallback,
and a new plan is requested.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from luna.contracts.control import ControlState, Decision, Source
from luna.drivers.control.units import find_unit
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.house.control_standing import is_handed_back, runs_by_itself
from luna.house.untried_devices import find_untried
from luna.platform.clock import Clock
from luna.platform.database import control as control_rows
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from services.executor.control_request import find_source, is_current
from services.executor.decider import Decider, PlanRequests, is_within_limits, may_have_more
from services.executor.delivery import ASK_AGAIN, Delivery
from services.executor.draw_watch import DrawWatch
from services.executor.site_limit import ReadFlow, SiteLimit, read_site_limit
from services.executor.steered_device import SteeredDevice
from services.executor.steering_target import TargetComposer
from services.executor.target import ControlTarget, DeviceConnections

log = structlog.get_logger("luna.executor")


class Executor:
    """Executor of armed sites' plans.

    A unit's control steps run one after another; units may run in parallel.

    Args:
        engine: of the database.
        connections: to the devices of sites.
        ask_plan: requests a new plan of a site without waiting for it.
        clock: gives the current slot.
        plan_max_age: largest age of a plan, from the start of its first slot.
        read_flow: reads a site's live powers, under an operator's limit and while a car is to
            charge; None where there are none.
    """

    def __init__(
        self,
        engine: Engine,
        connections: DeviceConnections,
        ask_plan: Callable[[str], None],
        *,
        clock: Clock,
        plan_max_age: timedelta,
        read_flow: ReadFlow,
    ) -> None:
        self._engine = engine
        self._read_flow = read_flow
        self._clock = clock
        self._connections = connections
        self._targets = TargetComposer(engine, clock)
        self._plan_requests = PlanRequests(ask_plan, clock)
        self._decider = Decider(engine, self._plan_requests, clock, plan_max_age)
        self._requested_at: dict[tuple[str, str], datetime] = {}
        # Devices that were reported as untried.
        self._untried: set[tuple[str, str]] = set()
        self._delivery = Delivery(engine, self._decider, self._plan_requests, clock=clock)
        self._draw_watch = DrawWatch(engine, ask_plan, clock, read_flow)

    def turn(self, site_id: str, key: str = BATTERIES) -> bool:
        """Run the control step of a unit; return whether a confirmation is pending.

        Raises:
            NotFoundError: no such site.
            UnreadableError: this release can read no version of the site.
            UnavailableError: the database is away.
        """
        state, site, readable = self._load(site_id, key)
        awaited = self._follow(state, site, readable=readable)
        # Only now: this slot's commands come before any planning.
        self._plan_requests.send(site_id, key)
        return awaited

    def hand_back(self, site_id: str, key: str) -> bool:
        """Run a control step that hands a unit back although its site stays armed.

        Return whether nothing is left to be confirmed. The next control step of an armed site goes
        on with its plan.

        Raises:
            NotFoundError: no such site.
            UnreadableError: this release can read no version of the site.
            UnavailableError: the database is away.
        """
        state, site, readable = self._load(site_id, key)
        if state.decision is None or is_handed_back(state.decision):
            return True
        if self._connections.is_steered((site_id, key)):
            # Steering goes on by the last target, and hands back itself when it ends.
            return True
        self._follow(state, site, readable=readable, hands_back=True)
        with unit_of_work(self._engine) as connection:
            decision = control_rows.load(connection, site_id, key).decision
        return decision is None or is_handed_back(decision)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def _load(self, site_id: str, key: str) -> tuple[ControlState, Site, bool]:
        """Return a unit's state, its site, and whether the site's configuration can be read."""
        with unit_of_work(self._engine) as connection:
            state = control_rows.load(connection, site_id, key)
            site, fault = sites.load_last_readable(connection, site_id)
        return state, site, fault is None

    def _read_limit(
        self, state: ControlState, site: Site, section: Control | None
    ) -> SiteLimit | None:
        """Return the operator's limit that a unit is kept within, None without one.

        What its owner took back from Luna is kept within nothing.
        """
        if state.armed_at is None or state.paused is not None:
            return None
        with unit_of_work(self._engine) as connection:
            return read_site_limit(
                connection, site, section, now=self._clock.now(), read_flow=self._read_flow
            )

    def _follow(
        self, state: ControlState, site: Site, *, readable: bool, hands_back: bool = False
    ) -> bool:
        now = self._clock.now()
        last = state.decision
        last_control = None if last is None else last.control
        # Where the current configuration is unreadable, the last decision's control section is
        # newer than any readable version's.
        section = site.control if readable or last_control is None else last_control
        is_dropped = self._is_battery_dropped(state, section)
        is_named = (
            find_unit(site, section, state.device) is not None
            and not is_dropped
            and not self._is_untried(state, section)
        )
        source = find_source(state, now, named=is_named and not hands_back)
        control = section
        # A device is released over the connection of its last command: where the section names it
        # no longer, or disarmed with another connection.
        if not is_named or (source == "released" and _has_other_driver(last_control, section)):
            control = last_control
        unit = find_unit(site, control, state.device)
        if source is None or control is None or unit is None:
            return False
        device, soc_reader = self._connections.reach((state.site, state.device), control)
        # A device that leaves Luna's control for good is limited by nothing that Luna would undo.
        is_left = source == "released" and not hands_back
        limit = None if is_left else self._read_limit(state, site, section)
        target = ControlTarget(
            site=site,
            control=control,
            unit=unit,
            device=device,
            soc_reader=soc_reader,
            readable=readable,
            limit=limit,
        )
        needs_decision = (
            not is_current(state, source, now)
            or _is_outdated(last, target, source)
            or (source == "released" and self._answers_again(target, state))
        )
        if needs_decision:
            state = self._decider.decide(target, state, source)
        decision = state.decision
        # Another process stored a decision of another source first: the next step follows that one.
        if decision is None or decision.source != source:
            return True
        if isinstance(device, SteeredDevice):
            steering_target = self._targets.compose(
                target,
                state,
                decision,
                stopped_until=self._draw_watch.find_stop_end(state.site, state.device),
            )
            if steering_target is not None:
                writes = unit.render(decision.allowed)
                device.hand_over(steering_target, writes, is_settled=decision.settled)
        awaited = self._delivery.advance(target, state, decision)
        is_woken = self._draw_watch.look(target, state)
        return awaited or is_woken

    def _is_battery_dropped(self, state: ControlState, section: Control | None) -> bool:
        """Return whether a battery of the last command has to be handed back first.

        It was taken out of the section, or is reached elsewhere now. It may be gone for good, so
        this is tried only once.
        """
        last = state.decision
        last_control = None if last is None else last.control
        if state.device != BATTERIES or _list_reached(last_control) <= _list_reached(section):
            return False
        is_tried = last is not None and last.source == "released" and last.settled
        return not is_tried and self._can_reach(state, last_control)

    def _is_untried(self, state: ControlState, section: Control | None) -> bool:
        """Return whether a device of a unit is only read until a trial has moved it."""
        if state.armed_at is None or section is None:
            return False
        vias = section.vias
        if state.device != BATTERIES:
            via = section.vias_by_key.get(state.device)
            vias = {} if via is None else {state.device: via}
        if not vias:
            return False
        with unit_of_work(self._engine) as connection:
            untried = find_untried(connection, vias, self._connections.data_folder)
        for name, profile in untried.items():
            if (state.site, name) not in self._untried:
                log.warning(
                    "the device is only read until it was tried",
                    site_id=state.site,
                    device=name,
                    profile=profile.profile,
                    remedy="Try it on the page Planning, or with luna devices test --move.",
                )
            self._untried.add((state.site, name))
        return bool(untried)

    def _answers_again(self, target: ControlTarget, state: ControlState) -> bool:
        """Return whether a battery that holds for want of its state of charge reports it now.

        It can then be handed back.
        """
        now = self._clock.now()
        last = state.decision
        unit = (state.site, state.device)
        if last is None or last.source != "released" or runs_by_itself(last):
            return False
        if abs(now - self._requested_at.get(unit, last.slot_start)) < ASK_AGAIN:
            return False
        self._requested_at[unit] = now
        levels = target.soc_reader.read(
            target.device, target.unit.places, now=now, site=target.site
        )
        return bool(levels) and not any(math.isnan(level) for level in levels.values())

    def _can_reach(self, state: ControlState, control: Control | None) -> bool:
        """Return whether a former connection can still be opened.

        Its profile, secret or home automation may be gone with it.
        """
        if control is None:
            return False
        try:
            self._connections.reach((state.site, state.device), control)
        except InvalidInputError as error:
            log.warning(
                "a former device cannot be handed back",
                site_id=state.site,
                device=state.device,
                error=str(error),
            )
            return False
        return True


def _has_other_driver(last_control: Control | None, section: Control | None) -> bool:
    return last_control is not None and section is not None and last_control.by != section.by


def _is_outdated(last: Decision | None, target: ControlTarget, source: Source) -> bool:
    """Return whether the site's limits of now ask for another decision within the slot.

    Limits that were tightened since count at once, and so does an operator's that has ended.
    """
    if last is None or source == "released":
        return False
    # What is left alone is told no more than an operator's limit.
    if last.gave_up and target.limit is None:
        return False
    if not is_within_limits(last, target.unit, target.limit):
        return True
    return may_have_more(last, target.unit, target.limit)


def _list_reached(section: Control | None) -> set[tuple[str, tuple[str, str, str | None] | None]]:
    """Return the controlled batteries, each with the address of its connection.

    Another secret or proxy is no other address.
    """
    reached = set()
    for battery in () if section is None else section.batteries:
        via = battery.via
        address = None if via is None else (via.profile, via.address, via.prefix)
        reached.add((battery.battery, address))
    return reached
