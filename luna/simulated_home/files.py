"""Keep the simulated home's folder: its set-up, its state, and the truth.

No part of Luna reads the truth.
"""

import csv
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from luna.contracts.simulated_home import SETUP_FILE
from luna.drivers.simulated_battery import BatteryCharge, Command
from luna.energy.errors import MachineError
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings
from luna.platform.settings.stored import store_settings
from luna.simulated_home.car import CarState, ChargerCommand
from luna.simulated_home.heater import HeaterState
from luna.simulated_home.house import HomeState

TRUTH_COLUMNS = (
    "at",
    "load_kw",
    "pv_kw",
    "grid_kw",
    "battery_kw",
    "soc",
    "mode",
    "import_kwh",
    "export_kwh",
    "lost_kwh",
)
# Empty in a home without car or heater.
CAR_COLUMNS = (
    "car_kw",
    "car_soc",
    "car_is_home",
    "car_mode",
    "car_kwh",
    "car_driven_kwh",
    "car_lost_kwh",
)
HEATER_COLUMNS = (
    "heater_kw",
    "heater_c",
    "heater_mode",
    "heater_kwh",
    "heater_drawn_kwh",
    "heater_lost_kwh",
    "heater_short_kwh",
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of a device: it follows a command after ``late_seconds``, or not at all (``deaf``).

    Its meter repeats one value for ever.
    """

    late_seconds: float = 0.0
    deaf: bool = False
    frozen_meter: bool = False


@dataclass(frozen=True, slots=True)
class HomeSetup:
    """The constants of a home's life: the broker's port, and the random seed.

    ``faults`` are those of the inverter and the grid's meter, the others those of charger and
    heater with their meters.
    """

    port: int
    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    car_faults: Faults = field(default_factory=Faults)
    heater_faults: Faults = field(default_factory=Faults)


class HomeFiles:
    """The files below ``data_folder``."""

    def __init__(self, data_folder: Path) -> None:
        self._setup = data_folder / SETUP_FILE
        self.folder = self._setup.parent
        self.year = self.folder / "year.npz"
        self._state = self.folder / "state.json"

    @property
    def is_there(self) -> bool:
        """Whether there is a simulated home."""
        return self._setup.exists()

    def make(self) -> None:
        make_private(self.folder)

    def remove(self) -> None:
        """Remove everything, the truth with it.

        The set-up first, so that the home is not started any more.
        """
        self._setup.unlink(missing_ok=True)
        # Away from where the home's process writes: a file that it makes meanwhile would keep the
        # folder.
        with (
            suppress(FileNotFoundError),
            tempfile.TemporaryDirectory(
                dir=self.folder.parent, prefix=f".{self.folder.name}-", ignore_cleanup_errors=True
            ) as aside,
        ):
            self.folder.replace(aside)

    def write_setup(self, setup: HomeSetup) -> None:
        """Say that there is a home: everything else is written before."""
        _replace(self._setup, asdict(setup))

    def read_setup(self) -> HomeSetup:
        """Return how it was set up.

        Raises:
            MachineError: there is none, or the file is damaged.
        """
        document = self._read(self._setup)
        # One that was made before there was a car says nothing of it.
        names = ("faults", "car_faults", "heater_faults")
        faults = {name: Faults(**document.get(name, {})) for name in names}
        return HomeSetup(int(document["port"]), int(document["seed"]), **faults)

    def write_state(self, state: HomeState) -> None:
        """Keep where the home is; of a home that was removed nothing is written."""
        # It may be removed in between.
        with suppress(FileNotFoundError):
            if self.is_there or not self._state.exists():
                _replace(self._state, asdict(state))

    def read_state(self) -> HomeState:
        """Return where the home was when it was last kept.

        Raises:
            MachineError: as ``read_setup``.
        """
        document = self._read(self._state)
        car = document.get("car")
        heater = document.get("heater")
        parts: dict[str, Any] = {
            "battery": BatteryCharge(**document["battery"]),
            "command": Command(**document["command"]),
            "car": None,
            "heater": HeaterState(**heater) if heater else None,
        }
        if car:
            command = ChargerCommand(**car["command"])
            parts["car"] = CarState(**car | {"command": command})
        names = [field.name for field in fields(HomeState) if field.name not in parts]
        return HomeState(**{name: document[name] for name in names}, **parts)

    def note_truth(self, state: HomeState, *, soc: float) -> None:
        """Add a row to the truth of the day.

        Nothing is written of a removed home.
        """
        at = datetime.fromtimestamp(state.at, UTC)
        path = self.folder / f"truth-{at:%Y-%m-%d}.csv"
        is_new = not path.exists()
        powers = (state.load_kw, state.pv_kw, state.grid_kw, state.battery.power_kw, soc)
        counts = (state.import_kwh, state.export_kwh, state.lost_kwh)
        with suppress(FileNotFoundError), path.open("a", encoding="ascii", newline="") as file:
            rows = csv.writer(file)
            if is_new:
                rows.writerow((*TRUTH_COLUMNS, *CAR_COLUMNS, *HEATER_COLUMNS))
            rows.writerow(
                [
                    at.isoformat(timespec="seconds"),
                    *(round(power, 4) for power in powers),
                    state.command.mode,
                    *(round(count, 4) for count in counts),
                    *_car_row(state.car),
                    *_heater_row(state.heater),
                ]
            )

    def read_truth(self) -> list[dict[str, str]]:
        """Return every row of the truth, the oldest first.

        For tests of Luna's figures.
        """
        rows: list[dict[str, str]] = []
        for path in sorted(self.folder.glob("truth-*.csv")):
            with path.open(encoding="ascii", newline="") as file:
                rows += csv.DictReader(file)
        return rows

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise MachineError(
                "the simulated home cannot be read",
                value=str(path),
                remedy="Remove the simulated home and try it anew.",
            ) from exc


def _car_row(car: CarState | None) -> list[object]:
    if car is None:
        return [""] * len(CAR_COLUMNS)
    counts = [round(count, 4) for count in (car.charge_kwh, car.driven_kwh, car.lost_kwh)]
    return [round(car.power_kw, 4), round(car.soc, 5), int(car.is_home), car.command.mode, *counts]


def _heater_row(heater: HeaterState | None) -> list[object]:
    if heater is None:
        return [""] * len(HEATER_COLUMNS)
    energies = (heater.used_kwh, heater.drawn_kwh, heater.lost_kwh, heater.short_kwh)
    counts = [round(energy, 4) for energy in energies]
    return [round(heater.power_kw, 4), round(heater.water_c, 3), heater.mode, *counts]


def _replace(path: Path, document: dict[str, Any]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    Path(temporary).replace(path)


def let_go(settings: Settings, files: HomeFiles) -> None:
    """Have Luna listen to the home's broker no more, and remove its files.

    The truth goes with them: nobody starts the home any more.
    """
    store_settings(settings, {"mqtt_url": None})
    files.remove()
