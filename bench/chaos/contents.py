"""Contents of the callers' requests: numbered, unique, and reproducible by seed."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

Document = dict[str, Any]

HOME = "chaos-home"
OFFICE = "chaos-office"
SHED = "chaos-shed"
FILE_SENSOR = "sensor.file"
METER = "chaos/meter"
METER_SENSOR = f"mqtt:{METER} [kWh]"
# The inverter's power, and ten times of it for overrides.
LIMIT_KW = 5.0
ASKED_KW = 50.0
FILE_ROWS = 20
# Offsets of numbered contents: before any data that Luna makes itself but within retention, and
# after them.
PAST = timedelta(days=-300)
FUTURE = timedelta(days=90)
_BATTERY = {
    "name": "battery",
    "capacity_kwh": 10,
    "min_soc": 0.1,
    "charge_limit_kw": LIMIT_KW,
    "discharge_limit_kw": LIMIT_KW,
}
_POWER = {
    "to": "inverter/power/set",
    "read_back": "inverter/power",
    "value": "{power_w}",
    "when": ["charge", "export"],
}
_MODE = {"to": "inverter/mode/set", "read_back": "inverter/mode", "value": "{mode}"}
_MODES = {"self_consumption": "own", "hold": "hold", "charge": "charge", "export": "export"}


def describe_sites() -> Iterator[Document]:
    """Yield the sites: one with a controlled inverter, one whose settings change, one with
    blocks.
    """
    control = {
        "by": "mqtt",
        "batteries": [
            {
                "battery": "battery",
                "soc": "inverter/soc",
                "modes": _MODES,
                "writes": [_POWER, _MODE],
            }
        ],
    }
    yield _site(HOME) | {"control": control, "input_sensors": {"total_grid_import": METER_SENSOR}}
    yield describe_office(0)
    yield _site(SHED)


def describe_office(number: int) -> Document:
    """Return the site whose settings change, after change ``number``."""
    return _site(OFFICE) | {"grid": {"import_limit_kw": 10 + number, "export_limit_kw": 8}}


def _site(name: str) -> Document:
    return {"name": name, "timezone": "Europe/Berlin", "batteries": [_BATTERY]}


class Contents:
    """The contents of one run: ``seed`` determines the values, ``day`` their times."""

    def __init__(self, seed: int, day: date) -> None:
        self._seed = seed
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._past = midnight + PAST
        self._future = midnight + FUTURE
        example = Path(__file__).parents[2] / "examples" / "plan_request.json"
        self._plan: Document = json.loads(example.read_text(encoding="utf-8"))

    def plan(self, number: int) -> Document:
        """Return a plan request with a unique state of charge."""
        return self._plan | {"state": {"batteries": {"battery": {"soc": self.soc(number)}}}}

    def soc(self, number: int) -> float:
        return round(0.2 + number * 1e-7, 7)

    def rows(self, number: int) -> list[tuple[str, float]]:
        """Return the readings of a file; no two files share an instant."""
        chance = np.random.default_rng((self._seed, number))
        first = self._past + timedelta(minutes=number * FILE_ROWS)
        return [
            ((first + timedelta(minutes=row)).isoformat(), round(float(chance.uniform(0, 1000)), 6))
            for row in range(FILE_ROWS)
        ]

    def file(self, number: int) -> bytes:
        lines = [f"{FILE_SENSOR},{instant},{value!r},kWh" for instant, value in self.rows(number)]
        return "\n".join(["sensor,instant,value,unit", *lines, ""]).encode()

    def text(self, number: int) -> bytes:
        day, energy = np.random.default_rng((self._seed, number)).integers(1000, size=2)
        return f"Note {number}: on its day {day} the battery took {energy} kWh.\n".encode()

    def block(self, number: int) -> Document:
        begin = self._future + timedelta(minutes=15 * number)
        return {
            "device": "battery",
            "action": "hold",
            "from": begin.isoformat(),
            "to": (begin + timedelta(minutes=15)).isoformat(),
        }

    def issued_at(self, number: int) -> str:
        """Return the issue time of the forecast of job ``number``."""
        return (self._past + timedelta(minutes=15 * number)).isoformat()
