"""Watch whether a car draws what its charger was commanded, and wake it once where it does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.control import ControlState, Decision, DeviceReport, VehicleSetpoint
from luna.contracts.device_template import WATTS
from luna.contracts.live_flow import LIVE_FOR
from luna.drivers.control.device import DeviceError
from luna.drivers.control.profile_texts import PHASES_KEPT
from luna.drivers.control.units.vehicle import STOP, ChargerUnit
from luna.energy.car_draw import LEFT_OUT, CarDraw, DrawSample, judge_draw
from luna.energy.charge_sensors import SeenCharge
from luna.energy.devices.commands import CAR_OF
from luna.energy.site import Site
from luna.platform.clock import Clock
from luna.platform.database import charging_sessions, plan_causes, sites
from luna.platform.database import control as control_rows
from luna.platform.database.engine import unit_of_work
from services.executor.site_limit import ReadFlow
from services.executor.steered_device import SteeredDevice
from services.executor.target import ControlTarget

# Twice within the time in which a car is noticed that draws nothing.
LOOK_EVERY = timedelta(seconds=10)
# Chargers tell a car by the pilot signal within seconds that its charge is over.
WAKE_PAUSE = timedelta(seconds=10)
# The series of what chargers count.
CHARGED = "vehicle_kwh"

log = structlog.get_logger("luna.executor")


@dataclass(frozen=True, slots=True)
class CommandedDraw:
    """Power commanded of a charger, with the current of each phase if known."""

    charge_kw: float
    current_a: float | None = None


@dataclass
class DrawWatch:
    """Watch over the cars of sites.

    Args:
        engine: of the database.
        ask_plan: requests a new plan of a site without waiting for it.
        clock: gives the instant of a look.
        read_flow: reads a site's live powers.
    """

    engine: Engine
    ask_plan: Callable[[str], None]
    clock: Clock
    read_flow: ReadFlow
    _looked_at: dict[tuple[str, str], datetime] = field(default_factory=dict, init=False)
    _stopped_at: dict[tuple[str, str], datetime] = field(default_factory=dict, init=False)

    def look(self, target: ControlTarget, state: ControlState) -> bool:
        """Judge what a car draws, and return whether it is being woken."""
        unit = target.unit
        if not isinstance(unit, ChargerUnit) or target.control.by in ("dry_run", "advice"):
            return False
        key = (state.site, state.device)
        now = self.clock.now()
        if key in self._stopped_at:
            return self._restart(target, state, now)
        looked_at = self._looked_at.get(key)
        # A clock that was put back must not delay the look.
        if looked_at is not None and abs(now - looked_at) < LOOK_EVERY:
            return False
        self._looked_at[key] = now
        with unit_of_work(self.engine) as connection:
            fresh = control_rows.load(connection, state.site, state.device)
        command = find_command(target, unit, fresh.decision)
        return command is not None and self._judge(target, unit, fresh, command)

    def find_stop_end(self, site_id: str, device: str) -> datetime | None:
        """Return until when a charge is stopped to wake its car; None: it is not."""
        stopped_at = self._stopped_at.get((site_id, device))
        return None if stopped_at is None else stopped_at + WAKE_PAUSE

    def _judge(
        self, target: ControlTarget, unit: ChargerUnit, state: ControlState, command: CommandedDraw
    ) -> bool:
        report = state.reports.get(unit.vehicle.name, DeviceReport())
        before = report.draw or CarDraw()
        if not command.charge_kw and not before.commanded_kw and before.verdict not in LEFT_OUT:
            return False
        readings = read_charger(target, unit)
        sample = self._sample(target, unit, state, command=command, readings=readings)
        draw = judge_draw(before, sample)
        keeps_phases = bool(readings.get(PHASES_KEPT, report.keeps_phases))
        changed = report.model_copy(update={"draw": draw, "keeps_phases": keeps_phases})
        if changed == report:
            return False
        self._store(state, unit.vehicle.name, before, changed)
        if draw.verdict == "waking" and draw.woken_at != before.woken_at:
            return self._stop(target, state)
        return False

    def _sample(
        self,
        target: ControlTarget,
        unit: ChargerUnit,
        state: ControlState,
        *,
        command: CommandedDraw,
        readings: Mapping[str, float],
    ) -> DrawSample:
        """Return the moment at the charger, by the site's meters and the car's sensors."""
        now = self.clock.now()
        name = unit.vehicle.name
        with unit_of_work(self.engine) as connection:
            sensed = read_sensed(connection, target.site, now)
        car = sensed.get(name, SeenCharge())
        measured_kw = readings.get("car_w")
        if measured_kw is not None:
            measured_kw /= WATTS
        at = now
        flow = None if measured_kw is not None else self.read_flow(state.site)
        if flow is not None and abs(now - flow.at) <= LIVE_FOR:
            at = flow.at
            if is_alone(target.site, name, sensed):
                measured_kw = flow.submetered_kw.get(CHARGED)
        plugged = car.connected
        if plugged is None and "car_plugged" in readings:
            plugged = readings["car_plugged"] > 0
        override = state.override
        is_ordered = override is not None and override.mode == "charge" and override.until > now
        return DrawSample(
            at=at,
            commanded_kw=command.charge_kw,
            measured_kw=measured_kw,
            plugged=plugged,
            plugged_since=car.since,
            soc=car.soc,
            current_a=command.current_a,
            may_wake=unit.control.wakes,
            ordered_at=override.since if override is not None and is_ordered else None,
        )

    def _store(self, state: ControlState, name: str, before: CarDraw, report: DeviceReport) -> None:
        """Store the draw of a car, and request a plan if the draw changes it."""
        now = self.clock.now()
        draw = report.draw or CarDraw()
        reports = state.reports | {name: report}
        is_news = draw.find_most_kw(now) != before.find_most_kw(now)
        with unit_of_work(self.engine) as connection:
            control_rows.report(connection, state, reports)
            if is_news:
                key = sites.key_of(connection, state.site)
                plan_causes.note(connection, [key], "session")
        if draw.verdict != before.verdict:
            log.info(
                "what the car draws was judged",
                site_id=state.site,
                device=name,
                verdict=draw.verdict,
                commanded_kw=draw.commanded_kw,
                highest_kw=draw.highest_kw,
            )
        if is_news:
            self.ask_plan(state.site)

    def _stop(self, target: ControlTarget, state: ControlState) -> bool:
        """Stop the charge for a moment, so that its new start wakes the car."""
        try:
            # Steering stops a charge, and starts it again, by its next target.
            if not is_steered(target):
                stops = dict.fromkeys(state.decision.allowed if state.decision else (), STOP)
                target.device.apply(target.unit.render(stops))
        except DeviceError as error:
            log.warning("the car cannot be woken", site_id=state.site, error=str(error))
            return False
        self._stopped_at[state.site, state.device] = self.clock.now()
        return True

    def _restart(self, target: ControlTarget, state: ControlState, now: datetime) -> bool:
        """Send the decision again after the moment without a charge."""
        key = (state.site, state.device)
        if now - self._stopped_at[key] < WAKE_PAUSE:
            return True
        del self._stopped_at[key]
        if is_steered(target):
            return False
        with unit_of_work(self.engine) as connection:
            decision = control_rows.load(connection, state.site, state.device).decision
        if decision is None or decision.gave_up:
            return False
        try:
            target.device.apply(target.unit.render(decision.allowed))
        except DeviceError as error:
            # The next reading back finds the charger stopped, and the decision is sent again.
            log.warning("the woken car waits", site_id=state.site, error=str(error))
        return False


def is_steered(target: ControlTarget) -> bool:
    """Return whether steering commands the charger."""
    return isinstance(target.device, SteeredDevice) and not target.device.sends_itself


def find_command(
    target: ControlTarget, unit: ChargerUnit, decision: Decision | None
) -> CommandedDraw | None:
    """Return the charger's confirmed command, None without one."""
    if decision is None or decision.source == "released" or decision.gave_up:
        return None
    name = unit.vehicle.name
    setpoint = decision.allowed.get(name)
    is_confirmed = decision.settled and decision.confirmed_at is not None
    device = target.device
    if isinstance(device, SteeredDevice) and not device.sends_itself:
        unit_state = device.unit_state
        if unit_state is None:
            return None
        setpoint = unit_state.commands.get(name)
        is_confirmed = unit_state.confirmed and unit_state.followed
    if not is_confirmed:
        return None
    if not isinstance(setpoint, VehicleSetpoint) or setpoint.mode != "charge":
        return CommandedDraw(0.0)
    charger = unit.vehicle.charger
    if charger is None:
        return CommandedDraw(setpoint.charge_kw)
    phases = setpoint.phases or charger.phases_at(setpoint.charge_kw)
    return CommandedDraw(
        setpoint.charge_kw, setpoint.charge_kw * 1000 / (charger.voltage_v * phases)
    )


def read_charger(target: ControlTarget, unit: ChargerUnit) -> dict[str, float]:
    """Return what a charger with a profile measures of the car; nothing of another."""
    if unit.control.via is None:
        return {}
    place = f"{unit.control.place}{CAR_OF}"
    try:
        text = target.device.read([place]).get(place, "")
    except DeviceError as error:
        log.warning("what the car draws cannot be read", error=str(error))
        return {}
    pairs = [pair.partition("=") for pair in text.split()]
    return {name: float(value) for name, _, value in pairs}


def read_sensed(connection: Connection, site: Site, now: datetime) -> dict[str, SeenCharge]:
    """Return the states of charge of a site's vehicles."""
    key = sites.key_of(connection, site.name)
    return charging_sessions.read_charge_each(connection, {key: site}, until=now).get(key, {})


def is_alone(site: Site, name: str, sensed: dict[str, SeenCharge]) -> bool:
    """Return whether what the chargers draw goes into one vehicle: no other is plugged in."""
    for vehicle in site.vehicles:
        if vehicle.name != name and sensed.get(vehicle.name, SeenCharge()).connected is not False:
            return False
    return True
