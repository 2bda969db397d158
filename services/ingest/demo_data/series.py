"""The demo's series, read from the packages once, then from a compact copy.

The copy has a few hundred kilobytes.
"""

import hashlib
import os
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.timeline import FloatArray, InstantArray, Timeline, local_days
from luna.platform.packages import Progress, fetch_package
from services.ingest.demo_data.sources import EV2GYM, SIMBENCH, read_prices, read_profiles

YEAR = 2023
ZONE = ZoneInfo("Europe/Amsterdam")
SLOTS: Timeline = local_days(date(YEAR, 1, 1), date(YEAR, 12, 31), ZONE)
HOURS: Timeline = Timeline(SLOTS.start, timedelta(hours=1), SLOTS.count // 4)
LOADS = ("H0-A", "H0-C")
PLANTS = ("PV3", "PV8")
# To be raised when the reading of the packages changes.
READING = 1


@dataclass(frozen=True, slots=True)
class DemoSeries:
    """The packages' series for the demo, neither shifted nor scaled.

    ``price``: EUR/kWh per hour of 2023, shape ``(hours,)``.
    ``profiles``: normalised power by name, one value per quarter-hour of 2016 in
    ``profile_starts``.
    """

    price: FloatArray
    filled_hours: int
    profile_starts: InstantArray
    profiles: dict[str, FloatArray]


def load_series(folder: Path, *, progress: Progress | None = None) -> DemoSeries:
    """Return the series from ``folder``, making what is missing there.

    Raises:
        MachineError: a package is neither cached nor downloadable.
    """
    parts = (READING, YEAR, EV2GYM.sha256, SIMBENCH.sha256, *LOADS, *PLANTS)
    path = folder / f"demo-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}.npz"
    # Without a cached file, or with a damaged one, the packages are read.
    with (
        suppress(OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile),
        path.open("rb") as opened,
        np.load(opened) as file,
    ):
        profiles = {name: file[name] for name in (*LOADS, *PLANTS)}
        return DemoSeries(
            file["price"], int(file["filled_hours"]), file["profile_starts"], profiles
        )
    price_wheel = fetch_package(EV2GYM, folder, progress=progress)
    profile_wheel = fetch_package(SIMBENCH, folder, progress=progress)
    price, filled_hours = read_prices(price_wheel, HOURS)
    profile_starts, profiles = read_profiles(profile_wheel, LOADS, PLANTS)
    series = DemoSeries(price, filled_hours, profile_starts, profiles)
    _save(series, path)
    return series


def _save(series: DemoSeries, path: Path) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".demo-", suffix=".npz")
    os.close(handle)
    arrays = {
        "price": series.price,
        "filled_hours": np.array(series.filled_hours),
        "profile_starts": series.profile_starts,
    }
    try:
        np.savez_compressed(temporary, allow_pickle=False, **arrays, **series.profiles)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
