"""One steered site: its targets, its last measured flow, and a cycle of the loop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

import structlog

from luna.contracts.control import Setpoint, VehicleSetpoint
from luna.contracts.health import ControlledSite
from luna.contracts.live_flow import LiveFlow
from luna.contracts.steering import (
    DeviceTarget,
    SteeringState,
    SteeringTarget,
    to_limits,
)
from luna.drivers.control.device import Device
from luna.drivers.control.units import find_unit
from luna.drivers.control.units.unit import Controllable, Setpoints
from luna.drivers.control.units.vehicle import STOP
from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.operator_limits import OperatorLimit
from luna.energy.site import Site, parse_site
from luna.energy.site.control import Control
from luna.energy.steering import (
    LiveCommands,
    describe_devices,
    exceeds_limit,
    steer,
)
from luna.energy.steering.state import STALE_S
from luna.platform.clock import Clock
from services.steering.measurement import Moment, measure
from services.steering.memory_file import MemoryFile, recall_commands
from services.steering.records import SlotRecords, list_samples
from services.steering.set_points import compose_setpoints
from services.steering.slot_targets import compose_targets, find_devices, find_limits
from services.steering.sun_left import SunLeft
from services.steering.unit_sender import UnitCommand, UnitSender

# The target of a unit that is handed back because the process ends.
HANDED_BACK = "handed back"
# The reason of a charge that stops for a moment, so that its new start wakes the car.
WAKES_CAR = "wakes_car"
# The executor waits a moment for an answer.
CLOSE_SECONDS = 0.1

log = structlog.get_logger("luna.steering")


@dataclass(frozen=True, slots=True)
class _SteeredUnit:
    """A unit with its target and the sender of its commands."""

    target: SteeringTarget
    site: Site
    unit: Controllable
    sender: UnitSender


class SteeredSite:
    """The steering of one site. Thread-safe.

    Args:
        site_id: its name.
        open_device: opens the connection to devices of a section ``control``.
        memory_file: what a restart must not forget.
        records: what its devices were commanded, by quarter-hours.
        clock: gives the instant of a cycle.
        seconds: a clock that never goes back.
    """

    def __init__(
        self,
        site_id: str,
        open_device: Callable[[Control], Device],
        memory_file: MemoryFile,
        records: SlotRecords,
        *,
        clock: Clock,
        seconds: Callable[[], float],
    ) -> None:
        self.site_id = site_id
        self._open_device = open_device
        self._clock = clock
        self._seconds = seconds
        self._began_s = seconds()
        self._mutex = threading.Lock()
        self._units: dict[str, _SteeredUnit] = {}
        # Their states are still read by the executor.
        self._handed_back: dict[str, _SteeredUnit] = {}
        self._limits: tuple[OperatorLimit, ...] = ()
        self._flow: LiveFlow | None = None
        self._memory_file = memory_file
        self._memory = memory_file.load()
        self._records = records
        self._commands: LiveCommands | None = None
        self._sun = SunLeft()
        self._is_stale = False
        self._is_above = False
        self._blind_since: datetime | None = None
        self._cycled_at: datetime | None = None
        self._is_changed = True

    def set_target(self, target: SteeringTarget) -> bool:
        """Replace a unit's target, and the site's limits; return whether anything changed.

        Raises:
            InvalidInputError: the site cannot be read, or does not have the unit.
        """
        with self._mutex:
            handed_back = self._handed_back.get(target.unit)
            if handed_back is not None and handed_back.target == target:
                return False
            before = self._units.get(target.unit)
            if before is not None and before.target == target:
                return False
            self._handed_back.pop(target.unit, None)
            is_same_site = before is not None and before.target.site == target.site
            if before is not None and is_same_site:
                steered = _SteeredUnit(target, before.site, before.unit, before.sender)
            else:
                steered = self._make_unit(target, before)
            self._units[target.unit] = steered
            self._limits = to_limits(target.limits)
            self._is_changed = True
            return True

    def _make_unit(self, target: SteeringTarget, before: _SteeredUnit | None) -> _SteeredUnit:
        site = parse_site(target.site)
        control = site.control
        unit = find_unit(site, control, target.unit)
        if unit is None or control is None:
            raise InvalidInputError("the site does not control it", field=target.unit)
        if before is not None and before.site.control == control:
            # Another tariff or limit is no reason to lose the connection.
            before.sender.unit = unit
            return _SteeredUnit(target, site, unit, before.sender)

        def open_device() -> Device:
            return self._open_device(control)

        former = None
        if before is not None:
            before.sender.end()
            former = before.sender
        sender = UnitSender(self.site_id, unit, open_device, clock=self._clock, before=former)
        sender.start()
        return _SteeredUnit(target, site, unit, sender)

    def set_flow(self, flow: LiveFlow) -> None:
        """Replace the measured flow."""
        with self._mutex:
            self._flow = flow
            self._is_changed = True

    def drop(self, unit: str) -> None:
        """Leave a unit to another sender.

        Raises:
            UnavailableError: its connections are not closed yet.
        """
        with self._mutex:
            steered = self._units.get(unit)
        if steered is None:
            return
        steered.sender.end()
        if not steered.sender.join(CLOSE_SECONDS):
            raise UnavailableError("the connection to the device is being closed", field=unit)
        with self._mutex:
            self._units.pop(unit, None)

    def take_released(self) -> list[str]:
        """Return the units that were handed back, and forget them."""
        with self._mutex:
            released = []
            for key, steered in self._units.items():
                state = steered.sender.state
                if not steered.target.released or state is None or not state.confirmed:
                    continue
                if state.target_id == steered.target.target_id:
                    released.append(key)
            for key in released:
                self._handed_back[key] = self._units.pop(key)
                self._handed_back[key].sender.end()
            return released

    @property
    def is_changed(self) -> bool:
        """Whether something came since the last cycle."""
        return self._is_changed

    @property
    def is_stale(self) -> bool:
        """Whether the last cycle found the measured flow too old."""
        return self._is_stale

    @property
    def is_above(self) -> bool:
        """Whether the last cycle measured more than a limit allows."""
        return self._is_above

    @property
    def is_empty(self) -> bool:
        """Whether the site has no unit."""
        return not self._units

    def cycle(self) -> None:
        """Decide what the devices do now, and have it sent."""
        with self._mutex:
            units = dict(self._units)
            flow = self._flow
            limits = self._limits
            self._is_changed = False
        now = self._clock.now()
        at_s = self._seconds()
        is_early = at_s - self._began_s < STALE_S
        if not units or (flow is None and is_early):
            return
        released = {key: unit for key, unit in units.items() if unit.target.released}
        for steered in released.values():
            self._release(steered)
        steered_units = {key: unit for key, unit in units.items() if key not in released}
        if not steered_units:
            return
        devices = {}
        for key, steered in steered_units.items():
            devices[key] = find_devices(steered.target, now) or _fall_back(steered.unit)
        # The document that came last is that of all units, but for those that are handed back.
        site = list(steered_units.values())[-1].site
        described = describe_devices(site)
        socs: dict[str, float] = {}
        writes_left: dict[str, float] = {}
        for steered in steered_units.values():
            socs.update(steered.sender.socs)
            writes_left.update(steered.sender.writes_left)
        day = now.astimezone(ZoneInfo(site.timezone)).date()
        moment = Moment(now, at_s, day, sun_left_h=self._sun.find_hours_left(site, day, now))
        in_force = self._commands or recall_commands(self._memory, described)
        measured = measure(
            flow, described, in_force, socs=socs, writes_left=writes_left, moment=moment
        )
        in_force_limits = find_limits(site, limits, now)
        commands, self._memory = steer(
            compose_targets(devices.values()),
            measured,
            self._memory,
            limits=in_force_limits,
            devices=described,
        )
        self._commands = commands
        self._memory_file.store(self._memory)
        planned = dict(chain.from_iterable(unit.items() for unit in devices.values()))
        self._records.add(list_samples(commands, planned, measured, described), now)
        is_stale = measured.at_s - measured.read_at_s > STALE_S
        self._is_above = not is_stale and exceeds_limit(in_force_limits, measured)
        self._note_cycle(flow, now, is_stale=is_stale)
        measured_socs = {name: power.soc for name, power in measured.batteries.items()}
        for key, steered in steered_units.items():
            requested, reason = compose_setpoints(devices[key], commands)
            allowed = steered.unit.make_safe(requested, measured_socs)
            stopped_until = steered.target.stopped_until
            if stopped_until is not None and now < stopped_until:
                allowed = _stop_charges(allowed)
                reason = WAKES_CAR
            steered.sender.send(UnitCommand(steered.target.target_id, dict(allowed), reason, now))

    def _note_cycle(self, flow: LiveFlow | None, now: datetime, *, is_stale: bool) -> None:
        """Remember when the site was decided about, and since when it is blind."""
        self._cycled_at = now
        self._is_stale = is_stale
        if not is_stale:
            self._blind_since = None
        elif self._blind_since is None:
            # A restart does not know since when the meters have been silent.
            self._blind_since = now if flow is None else flow.at

    def _release(self, steered: _SteeredUnit) -> None:
        """Hand a unit back by its target's set-points, which are sent once."""
        setpoints: dict[str, Setpoint] = {}
        for name, target in steered.target.slots[0].devices.items():
            setpoints[name] = target.setpoint
        command = UnitCommand(
            steered.target.target_id, setpoints, "own_control", self._clock.now(), is_last=True
        )
        steered.sender.send(command)

    def hand_back(self) -> None:
        """Have every unit that is not released do what it does by itself; does not wait."""
        with self._mutex:
            units = list(self._units.values())
        for steered in units:
            if not steered.target.released:
                own = steered.unit.make_safe(
                    steered.unit.fallback("disarmed", None), steered.sender.socs
                )
                command = UnitCommand(
                    HANDED_BACK, dict(own), "own_control", self._clock.now(), is_last=True
                )
                steered.sender.send(command)

    @property
    def unconfirmed(self) -> list[str]:
        """The units whose last command is not confirmed."""
        with self._mutex:
            units = dict(self._units)
        keys = []
        for key, steered in units.items():
            state = steered.sender.state
            if state is not None and not state.confirmed:
                keys.append(key)
        return keys

    def close(self) -> None:
        """Close all connections; the devices keep their last commands."""
        with self._mutex:
            senders = [steered.sender for steered in self._units.values()]
        for sender in senders:
            sender.end()

    def join(self, timeout_s: float) -> None:
        """Wait until the connections are closed, for each unit so long."""
        with self._mutex:
            senders = [steered.sender for steered in self._units.values()]
        for sender in senders:
            sender.join(timeout_s)

    def describe_life(self) -> ControlledSite:
        """Return when the site's last cycle was, and since when it is blind."""
        return ControlledSite(
            site=self.site_id, cycled_at=self._cycled_at, blind_since=self._blind_since
        )

    def describe(self, *, sends: bool) -> SteeringState:
        """Return the state of the site."""
        with self._mutex:
            units = self._handed_back | self._units
            flow = self._flow
        states = {}
        for key, steered in units.items():
            state = steered.sender.state
            if state is not None:
                states[key] = state
        return SteeringState(
            site_id=self.site_id,
            at=self._clock.now(),
            sends=sends,
            stale=self._is_stale,
            units=states,
            flow=flow,
        )


def _stop_charges(setpoints: Setpoints) -> Setpoints:
    """Return set-points with which no car charges."""
    stopped = dict(setpoints)
    for name, setpoint in setpoints.items():
        if isinstance(setpoint, VehicleSetpoint):
            stopped[name] = STOP
    return stopped


def _fall_back(unit: Controllable) -> dict[str, DeviceTarget]:
    """Return what a unit does without any plan."""
    devices = {}
    for name, setpoint in unit.fallback("no_plan", None).items():
        devices[name] = DeviceTarget(setpoint=setpoint)
    return devices
