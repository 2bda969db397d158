"""Control step of one unit of a site: choice of the decider, safety layer, delivery.

A decision is stored before it is sent and stands for its slot: whoever turns next, after whatever crash, sends the same again or nothing. What is not confirmed
is sent again, then taken back: the device does what it does by itself, and a new plan is asked for.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine

from luna.contracts.control import ControlState
from luna.energy.devices.battery import BATTERIES
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.platform.clock import Clock
from luna.platform.database import control as control_rows
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from services.executor.control_request import find_source, is_current
from services.executor.decider import Decider, PlanRequests
from services.executor.delivery import Delivery
from services.executor.device import Device
from services.executor.devices import find_unit
from services.executor.target import ControlTarget, DeviceConnections


class Executor:
    """Executor of armed sites' plans. A unit's control steps run one after another; units may run in parallel.

    Args:
        engine: of the database.
        open_device: returns what tells a site's devices.
        ask_plan: asks for a new plan of a site; nobody waits for it.
        clock: tells which slot is now.
        plan_max_age: a plan issued longer ago is not followed.
    """

    def __init__(
        self, engine: Engine, open_device: Callable[[Control], Device], ask_plan: Callable[[str], None], *, clock: Clock, plan_max_age: timedelta
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._connections = DeviceConnections(open_device)
        self._plan_requests = PlanRequests(ask_plan, clock)
        self._decider = Decider(engine, self._plan_requests, clock, plan_max_age)
        self._delivery = Delivery(engine, self._decider, self._plan_requests, clock=clock)

    def turn(self, site_id: str, key: str = BATTERIES) -> bool:
        """Run the control step of a unit; return whether a confirmation is pending.

        Raises:
            NotFoundError: no such site.
            UnreadableError: this release can read no version of the site.
            UnavailableError: the database is away.
        """
        with unit_of_work(self._engine) as connection:
            state, (site, fault) = control_rows.load(connection, site_id, key), sites.load_last_readable(connection, site_id)
        awaited = self._follow(state, site, readable=fault is None)
        # Only now: what is to be done in this slot comes before any planning.
        self._plan_requests.send(site_id, key)
        return awaited

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def _follow(self, state: ControlState, site: Site, *, readable: bool) -> bool:
        now, last_control = self._clock.now(), state.decision.control if state.decision is not None else None
        # Of a site that cannot be read now, the last decision's control section is newer than any readable version.
        section = site.control if readable or last_control is None else last_control
        named = find_unit(site, section, state.device) is not None
        source = find_source(state, now, named=named)
        # A device that the section does not name any more is released over the connection of its last command.
        # So is a device whose connection changed since, once the site is disarmed: the last command went over the former connection.
        former = last_control is not None and section is not None and source == "released" and last_control.by != section.by
        control = section if named and not former else last_control
        unit = find_unit(site, control, state.device)
        if source is None or control is None or unit is None:
            return False
        target = ControlTarget(site, control, unit, *self._connections.reach((state.site, state.device), control), readable)
        if not is_current(state, source, now):
            state = self._decider.decide(target, state, source)
        decision = state.decision
        # Another was faster and decided for someone else: the next turn follows that.
        if decision is None or decision.source != source:
            return True
        return self._delivery.advance(target, state, decision)
