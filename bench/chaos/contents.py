"""What callers send: each thing has a number of its own, and says nothing that another one says. The same seed says the same."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

Document = dict[str, Any]

HOME, OFFICE, SHED = "chaos-home", "chaos-office", "chaos-shed"
FILE_SENSOR = "sensor.file"
METER = "chaos/meter"
METER_SENSOR = f"mqtt:{METER} [kWh]"
# What the inverter of the home can do; what it is asked for is ten times as much.
LIMIT_KW, ASKED_KW = 5.0, 50.0
FILE_ROWS = 20
# Where what is numbered lies in time: before anything that Luna makes by itself and younger than what it deletes, and behind it.
PAST, FUTURE = timedelta(days=-300), timedelta(days=90)
_BATTERY = {"name": "battery", "capacity_kwh": 10, "min_soc": 0.1, "charge_limit_kw": LIMIT_KW, "discharge_limit_kw": LIMIT_KW}
_POWER = {"to": "inverter/power/set", "read_back": "inverter/power", "value": "{power_w}", "when": ["charge", "export"]}
_MODE = {"to": "inverter/mode/set", "read_back": "inverter/mode", "value": "{mode}"}
_MODES = {"self_consumption": "own", "hold": "hold", "charge": "charge", "export": "export"}


def describe_sites() -> Iterator[Document]:
    """Yield the sites: one whose inverter is told what to do, one whose settings change, one whose batteries are pinned."""
    control = {"by": "mqtt", "batteries": [{"battery": "battery", "soc": "inverter/soc", "modes": _MODES, "writes": [_POWER, _MODE]}]}
    yield _site(HOME) | {"control": control, "input_sensors": {"total_grid_import": METER_SENSOR}}
    yield describe_office(0)
    yield _site(SHED)


def describe_office(number: int) -> Document:
    """Return the site whose settings change, as change ``number`` leaves it."""
    return _site(OFFICE) | {"grid": {"import_limit_kw": 10 + number, "export_limit_kw": 8}}


def _site(name: str) -> Document:
    return {"name": name, "timezone": "Europe/Berlin", "batteries": [_BATTERY]}


class Contents:
    """What one run sends. ``seed`` decides values, ``day`` where they lie in time."""

    def __init__(self, seed: int, day: date) -> None:
        self._seed = seed
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._past, self._future = midnight + PAST, midnight + FUTURE
        example = Path(__file__).parents[2] / "examples" / "plan_request.json"
        self._plan: Document = json.loads(example.read_text(encoding="utf-8"))

    def plan(self, number: int) -> Document:
        """Return a request for a plan that begins with a state of charge of its own."""
        return self._plan | {"state": {"batteries": {"battery": {"soc": self.soc(number)}}}}

    def soc(self, number: int) -> float:
        return round(0.2 + number * 1e-7, 7)

    def rows(self, number: int) -> list[tuple[str, float]]:
        """Return the readings of a file, no instant in two of them."""
        chance = np.random.default_rng((self._seed, number))
        first = self._past + timedelta(minutes=number * FILE_ROWS)
        return [((first + timedelta(minutes=row)).isoformat(), round(float(chance.uniform(0, 1000)), 6)) for row in range(FILE_ROWS)]

    def file(self, number: int) -> bytes:
        lines = [f"{FILE_SENSOR},{instant},{value!r},kWh" for instant, value in self.rows(number)]
        return "\n".join(["sensor,instant,value,unit", *lines, ""]).encode()

    def text(self, number: int) -> bytes:
        day, energy = np.random.default_rng((self._seed, number)).integers(1000, size=2)
        return f"Note {number}: on its day {day} the battery took {energy} kWh.\n".encode()

    def block(self, number: int) -> Document:
        begin = self._future + timedelta(minutes=15 * number)
        return {"device": "battery", "action": "hold", "from": begin.isoformat(), "to": (begin + timedelta(minutes=15)).isoformat()}

    def issued_at(self, number: int) -> str:
        """Return the instant of which job ``number`` makes a forecast."""
        return (self._past + timedelta(minutes=15 * number)).isoformat()
