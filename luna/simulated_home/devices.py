"""Simulated devices: meter, PV, battery, charger and heater.

They advance in time, publish measurements, follow commands after a delay, and have faults.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from luna.drivers.simulated_battery import SECONDS_PER_HOUR, WORDS, Command, read_setting
from luna.energy.timeline import SLOT
from luna.simulated_home.car import set_charger
from luna.simulated_home.files import Faults, HomeSetup
from luna.simulated_home.heater import HEATER_WORDS
from luna.simulated_home.house import BATTERY_MODEL, HomeState, advance, measure
from luna.simulated_home.product import HomeProduct
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import CHARGER_SETTINGS, HEATER_SETTINGS, SETTINGS, TOPICS

STEP_SECONDS = 5.0
# Longer steps after a long downtime.
MOST_STEPS = 5_000
# Delay from a command to the device's reaction.
REACTION_SECONDS = 2.0
_SETTINGS = {"inverter": SETTINGS, "charger": CHARGER_SETTINGS, "heater": HEATER_SETTINGS}


def _list_topics() -> dict[str, tuple[str, str]]:
    settings_by_topic = {}
    for device, settings in _SETTINGS.items():
        for name, topic in settings.items():
            settings_by_topic[f"{topic}/set"] = (device, name)
    return settings_by_topic


# Device and setting by topic.
_OF_TOPIC = _list_topics()
# Prefixes of each device's measurements from ``measure``.
_METERS = {
    "inverter": ("grid_",),
    "charger": ("car_energy", "car_power"),
    "heater": ("heater_energy", "heater_power"),
}
_FRACTIONS = ("energy", "import", "export", "charge", "soc", "temperature")
_FIELDS = {"target": "target_soc", "floor": "floor_soc", "ceiling": "ceiling_soc"}

Say = Callable[[str, str], None]


@dataclass(slots=True)
class Devices:
    """Meter, roof, battery and inverter, the car with its charger, and the heater.

    Args:
        year: recorded load and PV.
        state: of all devices.
        setup: random seed, and simulated faults.
        say: publishes a topic's value.
        product: commands battery, car or heater instead of topics; None: topics do.
    """

    year: RecordedYear
    state: HomeState
    setup: HomeSetup
    say: Say
    product: HomeProduct | None = None
    _commands: list[tuple[float, str, str, str]] = field(default_factory=list)
    _measured: dict[str, float] = field(default_factory=dict)

    @property
    def faults(self) -> dict[str, Faults]:
        """Simulated faults by device."""
        return {
            "inverter": self.setup.faults,
            "charger": self.setup.car_faults,
            "heater": self.setup.heater_faults,
        }

    def hear(self, topic: str, payload: bytes, *, at: datetime) -> None:
        """Queue a command if the topic is a setting of a device.

        It takes effect after the device's delay.
        """
        device, name = _OF_TOPIC.get(topic, ("", ""))
        if device and not self.faults[device].deaf:
            text = payload.decode("utf-8", "replace").strip()
            received_at = max(at.timestamp(), self.state.at)
            due = received_at + REACTION_SECONDS + self.faults[device].late_seconds
            self._commands.append((due, device, name, text))

    def live_until(self, now: datetime) -> None:
        """Advance the devices to ``now``.

        After a clock was set back they wait until it has caught up.
        """
        until = now.timestamp()
        step = max(STEP_SECONDS, (until - self.state.at) / MOST_STEPS)
        while self.state.at < until:
            self._follow()
            if self.product is not None:
                self.state = self.product.follow(self.state)
            next_command = min((due for due, *_ in self._commands), default=until)
            # A step ends with its quarter-hour.
            left = SLOT.total_seconds() - self.state.at % SLOT.total_seconds()
            seconds = min(step, until - self.state.at, next_command - self.state.at, left)
            row = self.year.rows_of(np.array([int(self.state.at)], dtype="datetime64[s]"))[0]
            hours = SLOT.total_seconds() / SECONDS_PER_HOUR
            load = self.year.load_kwh[row] / hours
            pv = self.year.pv_kwh[row] / hours
            self.state = advance(
                self.state,
                load_kw=float(load),
                pv_kw=float(pv),
                seconds=max(seconds, 0.05),
                seed=self.setup.seed,
            )
        self._follow()

    def publish_measurements(self) -> None:
        """Publish the current measurements; a frozen meter repeats its last ones."""
        measured = measure(self.state, seed=self.setup.seed)
        frozen: tuple[str, ...] = ()
        for device, faults in self.faults.items():
            if faults.frozen_meter:
                frozen += _METERS[device]
        for name, value in self._measured.items():
            if name.startswith(frozen):
                measured[name] = value
        self._measured = measured
        for name, value in measured.items():
            self.say(TOPICS[name], str(value) if name.endswith(_FRACTIONS) else f"{value:g}")

    def publish_settings(self) -> None:
        """Publish the settings in force, which Luna reads back."""
        command = self.state.command
        car = self.state.car
        heater = self.state.heater
        for name, attribute in _FIELDS.items():
            share = getattr(command, attribute)
            self.say(SETTINGS[name], f"{100.0 * (1.0 if share is None else share):.0f}")
        self.say(SETTINGS["power"], f"{command.power_kw * 1000.0:.0f}")
        self.say(SETTINGS["mode"], command.mode)
        if car is not None:
            self.say(CHARGER_SETTINGS["current"], f"{car.command.current_a:g}")
            self.say(CHARGER_SETTINGS["phases"], f"{car.command.phases}")
            self.say(CHARGER_SETTINGS["mode"], car.command.mode)
        if heater is not None:
            self.say(HEATER_SETTINGS["mode"], heater.mode)

    @property
    def soc(self) -> float:
        """The battery's true state of charge, 0 to 1."""
        return self.state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh

    def _follow(self) -> None:
        now = self.state.at + 1e-6
        due = [command for command in self._commands if command[0] <= now]
        self._commands = [command for command in self._commands if command[0] > now]
        for _, device, name, text in due:
            self.state = set_device(self.state, device, name, text=text)
        if due:
            self.publish_settings()


def set_device(state: HomeState, device: str, name: str, *, text: str) -> HomeState:
    """Return the home with one setting of a device changed; devices ignore invalid values."""
    if device == "inverter":
        return replace(state, command=set_command(state.command, name, text))
    if device == "charger" and state.car is not None:
        command = set_charger(state.car.command, name, text)
        return replace(state, car=replace(state.car, command=command))
    if device == "heater" and state.heater is not None and text in HEATER_WORDS:
        return replace(state, heater=replace(state.heater, mode=text))
    return state


def set_command(command: Command, name: str, text: str) -> Command:
    """Return the inverter's command with one setting changed, clipped to its range.

    Unchanged for an invalid value.
    """
    if name == "mode":
        return replace(command, mode=text) if text in WORDS else command
    value = read_setting(text)
    if value is None:
        return command
    if name == "power":
        return replace(command, power_kw=min(max(value / 1000.0, 0.0), BATTERY_MODEL.limit_kw))
    changed: dict[str, Any] = {_FIELDS[name]: min(max(value / 100.0, 0.0), 1.0)}
    return replace(command, **changed)
