"""Units of files, and their conversion into Luna's: watt-hours, percent, prices per MWh.

A column's name may state its unit, and each reading may have its own. A comparison with the stored
values of a series shows a wrong unit even if the numbers look plausible.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sqlalchemy import Connection

from luna.energy.errors import LunaError
from luna.energy.observations import SERIES
from luna.energy.plausibility import UnitDoubt, doubt_energies, doubt_prices, find_usual
from luna.energy.refusals import refuse
from luna.energy.resolution import kind_of
from luna.energy.row_fault import RowFault
from luna.energy.site import OWN, SENSOR_ROLES, Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from luna.energy.units import read_measure
from luna.platform.database import observations, prices
from services.ingest.file_row_writer import find_market

# Divisors from each unit to Luna's.
ENERGY = {"kwh": 1.0, "wh": 1_000.0, "mwh": 0.001}
SHARE = {"%": 100.0}
CENTS = frozenset({"ct", "cent", "cents", "c", "p", "öre", "øre", "ore"})
PRICE = re.compile(r"(?P<money>[a-zöø]{1,5}|[€$£])\s*/\s*(?P<energy>kwh|mwh)")
POWER = frozenset({"w", "kw", "mw"})
SHARES = frozenset({"soc", "cloud_fraction"})
SIGNIFICANT_DIGITS = 14
BRACKETS = re.compile(r"[\[(]([^\])]+)[\])]")
LOOKED_BACK = timedelta(weeks=4)
PRICES = ("spot_price", "import_price", "export_price")
_SHARES = {0.5: "half", 0.1: "a tenth"}


def choose_units(matched: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """Return the file's unit by Luna's column.

    It is the named one, else the one at the end of the column's name or in brackets in it.

    Args:
        matched: the file's column → Luna's.
        named: Luna's column → a unit.

    Raises:
        InvalidInputError: the file has no such column, the unit is none of its column's, or it is a
            power where an energy per slot is needed.
    """
    strangers = sorted(set(named) - set(matched.values()))
    if strangers:
        raise refuse(
            "unknown-name",
            field=f"unit.{strangers[0]}",
            value=named[strangers[0]],
            names=tuple(matched.values()),
            thing="file-column",
        )
    by_name = {name: _unit_in_name(file_name, name) for file_name, name in matched.items()}
    units = {name: unit for name, unit in (by_name | dict(named)).items() if unit}
    for name, unit in units.items():
        if _is_power(name, unit):
            raise refuse("power-for-energy", field=f"unit.{name}", value=unit)
        if not _divisor(name, unit):
            raise refuse(
                "no-unit-of-column",
                field=f"unit.{name}",
                value=unit,
                column=name,
                units=_describe_choices(name) or "no other unit than its own",
            )
    return units


def _unit_in_name(file_name: str, name: str) -> str:
    last_word = re.split(r"[\s_]", file_name.strip())[-1]
    for unit in [*BRACKETS.findall(file_name), last_word]:
        if _divisor(name, unit) or _is_power(name, unit):
            return str(unit)
    return ""


def convert(rows: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows with numbers in Luna's units; other cells stay as they are."""
    converted = []
    for name, unit in units.items():
        divisor = _divisor(name, unit)
        if divisor in {None, 1.0}:
            continue
        cells = rows[name]
        is_typed = cells.dtype.is_numeric()
        number = (cells if is_typed else cells.str.strip_chars()).cast(pl.Float64, strict=False)
        # Polars multiplies a column by the inverse of a divisor: rounding removes the error.
        quotient = (number / divisor).round_sig_figs(SIGNIFICANT_DIGITS)
        if not is_typed:
            texts = pl.select(pl.coalesce(quotient.cast(pl.String), cells)).to_series()
            quotient = texts.alias(cells.name)
        converted.append(quotient)
    return rows.with_columns(converted)


def describe_units(units: Mapping[str, str]) -> list[str]:
    """Return a description of the conversions."""
    return [
        f"{name} was converted from {unit}."
        for name, unit in units.items()
        if _divisor(name, unit) != 1.0
    ]


def describe_unit(name: str) -> str:
    """Return the hint on a column's unit, empty if there is no choice."""
    choices = _describe_choices(name)
    if not choices:
        return ""
    return f"Is the file in another unit? Give it with --unit {name}=UNIT: {choices}. "


def set_aside_unknown_units(rows: pl.DataFrame, site: Site) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate readings with usable units from energies and powers in unknown ones.

    The usable ones have no blanks around their unit, the others have ``fault``.
    """
    if "unit" not in rows.columns:
        return rows, rows.clear().with_columns(pl.lit("").alias("fault"))
    stripped = pl.col("unit").str.strip_chars()
    rows = rows.with_columns(pl.when(stripped != "").then(stripped).alias("unit"))
    energies = {}
    for role, sensors in site.sensor_roles.items():
        if SENSOR_ROLES[role].kind == "energy":
            energies.update({sensor.name: role for sensor in sensors})
    refused = []
    for sensor, unit in rows.select("sensor", "unit").unique().drop_nulls().iter_rows():
        if sensor in energies and read_measure(unit) is None:
            fault = RowFault.of("wrong_unit_of", sensor=sensor, role=energies[sensor], unit=unit)
            refused.append((sensor, unit, fault.text))
    schema = {"sensor": pl.String, "unit": pl.String, "fault": pl.String}
    faults = pl.DataFrame(refused, schema=schema, orient="row")
    judged = rows.join(faults, on=["sensor", "unit"], how="left", maintain_order="left")
    usable = judged.filter(pl.col("fault").is_null()).drop("fault")
    return usable, judged.filter(pl.col("fault").is_not_null())


def _divisor(name: str, unit: str) -> float | None:
    """Return the divisor from ``unit`` to Luna's, or None if it is no unit of ``name``."""
    unit = unit.strip().casefold()
    if _is_energy(name):
        return ENERGY.get(unit)
    if name in SHARES:
        return SHARE.get(unit)
    price = PRICE.fullmatch(unit) if name.endswith("_price") else None
    if price is None:
        return None
    cents = 100.0 if price["money"] in CENTS else 1.0
    return cents * (1_000.0 if price["energy"] == "mwh" else 1.0)


def _is_energy(name: str) -> bool:
    return name.endswith("_kwh") and not name.endswith("_per_kwh")


def _is_power(name: str, unit: str) -> bool:
    return _is_energy(name) and unit.strip().casefold() in POWER


def _describe_choices(name: str) -> str:
    if name.endswith("_price"):
        return "EUR/kWh, EUR/MWh or ct/kWh, with any currency"
    if name in SHARES:
        return "%, or a share without a unit"
    return "Wh, kWh or MWh" if _is_energy(name) else ""


def require_familiar(
    connection: Connection, site: Site, rows: pl.DataFrame, step: timedelta
) -> None:
    """Refuse rows with values that do not fit their unit.

    Args:
        connection: to the stored values.
        site: whose rows they are.
        rows: ``instant`` and the series to judge, without those whose unit a person stated.
        step: length of the rows' slots.

    Raises:
        InvalidInputError: they are far from anything known; names both numbers, the units
            suspected, and how to state the right one.
    """
    if not rows.height:
        return
    energies = {name for name in SERIES if kind_of(name) == "energy"}
    for name in rows.columns:
        is_price = name in PRICES
        if not is_price and name not in energies:
            continue
        first = rows["instant"].min()
        last = rows["instant"].max()
        assert isinstance(first, datetime)  # noqa: S101 - there is a row
        assert isinstance(last, datetime)  # noqa: S101
        values = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        start = floor_to(first, SLOT).astimezone(UTC) - LOOKED_BACK
        stored = _read(connection, site, name, start)
        if find_usual(stored) is None:
            # Too little is stored before, as when older files follow: compare with the weeks after.
            start = floor_to(last, SLOT).astimezone(UTC) + SLOT
            stored = _read(connection, site, name, start)
        if is_price:
            doubt = doubt_prices(values, stored, site.currency)
        else:
            # Stored are quarter-hours: an hour of the same power has four times the energy.
            hours = step / timedelta(hours=1)
            doubt = doubt_energies(values, stored * (step / SLOT), hours=hours)
        if doubt is not None:
            raise describe_doubt(name, doubt, f"{site.currency}/kWh" if is_price else "kWh")


def _read(connection: Connection, site: Site, name: str, start: datetime) -> FloatArray:
    weeks = Timeline(start, SLOT, LOOKED_BACK // SLOT)
    if name not in PRICES:
        return observations.read_series(connection, site.name, weeks, (name,))[name]
    if name == "spot_price":
        stored = find_market(site)
    else:
        stored = prices.stored_name(site.name, f"{OWN}{name}")
    return prices.read(connection, stored, weeks, currency=site.currency)


def describe_doubt(name: str, doubt: UnitDoubt, unit: str) -> LunaError:
    """Return the error for a series that is hardly in ``unit``."""
    figures = {
        "share": _SHARES[doubt.share],
        "reached": _short(doubt.value),
        "times": round(doubt.times),
        "known": _short(doubt.known),
        "name": name,
        "unit": unit,
    }
    reason = "unit-unlike-before" if doubt.basis == "stored" else "unit-unlike-markets"
    suspected = " or ".join(doubt.units)
    return refuse(
        reason,
        field=name,
        value=f"{doubt.value:.4g}",
        **figures,
        suspected=suspected,
        other=doubt.units[0],
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")
