"""The devices of the simulated home: time passes for them, they say what their meters show, and the inverter does what it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from luna.simulated_home import BATTERY_MODEL, TOPICS, Command, Faults, HomeState, RecordedYear, advance, measure
from luna.simulated_home.battery import SECONDS_PER_HOUR, WORDS
from luna.simulated_home.site import SETTINGS
from luna.timeline import SLOT

STEP_SECONDS = 5.0
# After an absence longer steps do.
MOST_STEPS = 5_000
# What an inverter takes from a command to its first reaction.
REACTION_SECONDS = 2.0
_OF_TOPIC = {f"{topic}/set": name for name, topic in SETTINGS.items()}
_FIELDS = {"target": "target_soc", "floor": "floor_soc", "ceiling": "ceiling_soc"}

Say = Callable[[str, str], None]


@dataclass(slots=True)
class Devices:
    """Meter, roof, battery and inverter.

    Args:
        year: what the house uses and the roof gives.
        state: where they are.
        seed: of what is random.
        say: publishes a topic's value.
        faults: what they do wrong.
    """

    year: RecordedYear
    state: HomeState
    seed: int
    say: Say
    faults: Faults = field(default_factory=Faults)
    _told: list[tuple[float, str, str]] = field(default_factory=list)
    _meter: dict[str, float] = field(default_factory=dict)

    def hear(self, topic: str, payload: bytes, *, at: datetime) -> None:
        """Take what a topic says, if it is one of the inverter's settings: it holds a moment later."""
        name = _OF_TOPIC.get(topic)
        if name is not None and not self.faults.deaf:
            due = max(at.timestamp(), self.state.at) + REACTION_SECONDS + self.faults.late_seconds
            self._told.append((due, name, payload.decode("utf-8", "replace").strip()))

    def live_until(self, now: datetime) -> None:
        """Let time pass; a clock that went back waits until it is there again."""
        until = now.timestamp()
        step = max(STEP_SECONDS, (until - self.state.at) / MOST_STEPS)
        while self.state.at < until:
            self._follow()
            seconds = min(step, until - self.state.at, *(due - self.state.at for due, _, _ in self._told))
            row = self.year.rows_of(np.array([int(self.state.at)], dtype="datetime64[s]"))[0]
            hours = SLOT.total_seconds() / SECONDS_PER_HOUR
            load, pv = self.year.load_kwh[row] / hours, self.year.pv_kwh[row] / hours
            self.state = advance(self.state, load_kw=float(load), pv_kw=float(pv), seconds=max(seconds, 0.05), seed=self.seed)
        self._follow()

    def say_measured(self) -> None:
        """Publish what the devices measure now."""
        measured = measure(self.state, seed=self.seed)
        if self.faults.frozen_meter:
            measured |= {name: value for name, value in self._meter.items() if name.startswith("grid_")}
        self._meter = measured
        for name, value in measured.items():
            self.say(TOPICS[name], f"{value:g}" if name.endswith("power") else str(value))

    def say_settings(self) -> None:
        """Publish what the inverter follows: what Luna reads back."""
        command = self.state.command
        percent = {name: getattr(command, attribute) for name, attribute in _FIELDS.items()}
        for name, share in percent.items():
            self.say(SETTINGS[name], f"{100.0 * (1.0 if share is None else share):.0f}")
        self.say(SETTINGS["power"], f"{command.power_kw * 1000.0:.0f}")
        self.say(SETTINGS["mode"], command.mode)

    @property
    def soc(self) -> float:
        """How full the battery truly is."""
        return self.state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh

    def _follow(self) -> None:
        due = [told for told in self._told if told[0] <= self.state.at + 1e-6]
        self._told = [told for told in self._told if told[0] > self.state.at + 1e-6]
        for _, name, text in due:
            self.state = replace(self.state, command=set_command(self.state.command, name, text))
        if due:
            self.say_settings()


def set_command(command: Command, name: str, text: str) -> Command:
    """Return the command with one setting changed; what the inverter does not understand it ignores, and goes on saying what holds."""
    if name == "mode":
        return replace(command, mode=text) if text in WORDS else command
    try:
        value = float(text)
    except ValueError:
        return command
    if name == "power":
        return replace(command, power_kw=min(max(value / 1000.0, 0.0), BATTERY_MODEL.limit_kw))
    changed: dict[str, Any] = {_FIELDS[name]: min(max(value / 100.0, 0.0), 1.0)}
    return replace(command, **changed)
