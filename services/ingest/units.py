"""What a file wrote into Luna's units: watt-hours, percent, prices per MWh.

A column's own name may say so, and of readings each row.

Beside what is stored of a series a wrong unit shows, also on a day whose numbers look like any
other's.
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
from services.ingest.row_store import find_market

# By what each unit is divided to become Luna's.
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
    """Return by Luna's column the unit in which the file has it: the one that was named, else the
    one that the column's name ends with or has in brackets.

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
            "unit-lacks-column",
            field=f"unit.{strangers[0]}",
            value=named[strangers[0]],
            matched=tuple(matched.values()),
        )
    by_name = {}
    for theirs, ours in matched.items():
        endings = [*BRACKETS.findall(theirs), re.split(r"[\s_]", theirs.strip())[-1]]
        by_name[ours] = next(
            (unit for unit in endings if _divisor(ours, unit) or _is_power(ours, unit)), ""
        )
    units = {ours: unit for ours, unit in (by_name | dict(named)).items() if unit}
    for ours, unit in units.items():
        if _is_power(ours, unit):
            raise refuse("power-for-energy", field=f"unit.{ours}", value=unit)
        if not _divisor(ours, unit):
            raise refuse(
                "no-unit-of-column",
                field=f"unit.{ours}",
                value=unit,
                column=ours,
                units=_describe_choices(ours) or "no other unit than its own",
            )
    return units


def convert(rows: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows with numbers in Luna's units; what is no number stays as it is."""
    divisors = {
        ours: divisor
        for ours, unit in units.items()
        if (divisor := _divisor(ours, unit)) not in {None, 1.0}
    }
    converted = []
    for cells, divisor in ((rows[ours], divisor) for ours, divisor in divisors.items()):
        is_typed = cells.dtype.is_numeric()
        number = (cells if is_typed else cells.str.strip_chars()).cast(pl.Float64, strict=False)
        # Divided with what follows the last digit a file can mean taken off: a column divided by a
        # number is multiplied by its inverse.
        quotient = (number / divisor).round_sig_figs(SIGNIFICANT_DIGITS)
        converted.append(
            quotient
            if is_typed
            else pl.select(pl.coalesce(quotient.cast(pl.String), cells))
            .to_series()
            .alias(cells.name)
        )
    return rows.with_columns(converted)


def describe_units(units: Mapping[str, str]) -> list[str]:
    """Return a description of the conversions."""
    return [
        f"{ours} was converted from {unit}."
        for ours, unit in units.items()
        if _divisor(ours, unit) != 1.0
    ]


def say_unit(ours: str) -> str:
    """Return the hint on a column's unit, empty where there is no choice."""
    return (
        f"Is the file in another unit? Say it with --unit {ours}=UNIT: {choices}. "
        if (choices := _describe_choices(ours))
        else ""
    )


def set_aside_unknown_units(rows: pl.DataFrame, site: Site) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return readings whose unit can be used, without blanks around it, and those of an energy or a
    power in a unit that there is not, with ``fault``.
    """
    if "unit" not in rows.columns:
        return rows, rows.clear().with_columns(pl.lit("").alias("fault"))
    stripped = pl.col("unit").str.strip_chars()
    rows = rows.with_columns(pl.when(stripped != "").then(stripped).alias("unit"))
    energies = {
        sensor.name: role
        for role, sensors in site.sensor_roles.items()
        for sensor in sensors
        if SENSOR_ROLES[role].kind == "energy"
    }
    pairs = rows.select("sensor", "unit").unique().drop_nulls().iter_rows()
    refused = [
        (
            sensor,
            unit,
            RowFault.of("wrong_unit_of", sensor=sensor, role=energies[sensor], unit=unit).text,
        )
        for sensor, unit in pairs
        if sensor in energies and read_measure(unit) is None
    ]
    faults = pl.DataFrame(
        refused, schema={"sensor": pl.String, "unit": pl.String, "fault": pl.String}, orient="row"
    )
    judged = rows.join(faults, on=["sensor", "unit"], how="left", maintain_order="left")
    return judged.filter(pl.col("fault").is_null()).drop("fault"), judged.filter(
        pl.col("fault").is_not_null()
    )


def _divisor(ours: str, unit: str) -> float | None:
    """Return by what a number in ``unit`` is divided, None where it is no unit of ``ours``."""
    unit = unit.strip().casefold()
    if _is_energy(ours):
        return ENERGY.get(unit)
    if ours in SHARES:
        return SHARE.get(unit)
    price = PRICE.fullmatch(unit) if ours.endswith("_price") else None
    if price is None:
        return None
    return (100.0 if price["money"] in CENTS else 1.0) * (
        1_000.0 if price["energy"] == "mwh" else 1.0
    )


def _is_energy(ours: str) -> bool:
    return ours.endswith("_kwh") and not ours.endswith("_per_kwh")


def _is_power(ours: str, unit: str) -> bool:
    return _is_energy(ours) and unit.strip().casefold() in POWER


def _describe_choices(ours: str) -> str:
    if ours.endswith("_price"):
        return "EUR/kWh, EUR/MWh or ct/kWh, with any currency"
    return (
        "%, or a share without a unit"
        if ours in SHARES
        else "Wh, kWh or MWh"
        if _is_energy(ours)
        else ""
    )


def require_familiar(
    connection: Connection, site: Site, rows: pl.DataFrame, step: timedelta
) -> None:
    """Refuse rows whose values are hardly in the unit in which they were read.

    Args:
        connection: to what is stored.
        site: whose rows they are.
        rows: ``instant`` and the series to judge, not those whose unit a person said.
        step: how long a slot of the rows is.

    Raises:
        InvalidInputError: they are far from anything known; names both numbers, the units
            suspected, and how to say which is right.
    """
    if not rows.height:
        return
    for name in (
        name
        for name in rows.columns
        if name in PRICES or (name in SERIES and kind_of(name) == "energy")
    ):
        values = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        # The weeks before the instants; those after them where too little is stored, as when older
        # files follow.
        instants = rows["instant"]
        first, last = (
            floor_to(instant, SLOT)
            for instant in (instants.min(), instants.max())
            if isinstance(instant, datetime)
        )
        before = _read(connection, site, name, first.astimezone(UTC) - LOOKED_BACK)
        stored = (
            before
            if find_usual(before) is not None
            else _read(connection, site, name, last.astimezone(UTC) + SLOT)
        )
        is_price = name in PRICES
        # What is stored is by the quarter-hour: an hour of the same power is four times as much.
        doubt = (
            doubt_prices(values, stored, site.currency)
            if is_price
            else doubt_energies(values, stored * (step / SLOT), hours=step / timedelta(hours=1))
        )
        if doubt is not None:
            raise describe_doubt(name, doubt, f"{site.currency}/kWh" if is_price else "kWh")


def _read(connection: Connection, site: Site, name: str, start: datetime) -> FloatArray:
    weeks = Timeline(start, SLOT, LOOKED_BACK // SLOT)
    if name not in PRICES:
        return observations.read_series(connection, site.name, weeks, (name,))[name]
    stored = (
        find_market(site) if name == "spot_price" else prices.stored_name(site.name, f"{OWN}{name}")
    )
    return prices.read(connection, stored, weeks, currency=site.currency)


def describe_doubt(name: str, doubt: UnitDoubt, unit: str) -> LunaError:
    """Return the refusal of a series that is hardly in ``unit``."""
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
