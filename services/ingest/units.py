"""What a file wrote into Luna's units: watt-hours, percent, prices per MWh. A column's own name may say so, and of readings each row. Pure."""

import re
from collections.abc import Mapping

import polars as pl

from luna.energy.refusals import refuse
from luna.energy.row_fault import RowFault
from luna.energy.site import SENSOR_ROLES, Site
from luna.energy.units import read_measure

# By what each unit is divided to become Luna's.
ENERGY = {"kwh": 1.0, "wh": 1_000.0, "mwh": 0.001}
SHARE = {"%": 100.0}
CENTS = frozenset({"ct", "cent", "cents", "c", "p", "öre", "øre", "ore"})
PRICE = re.compile(r"(?P<money>[a-zöø]{1,5}|[€$£])\s*/\s*(?P<energy>kwh|mwh)")
POWER = frozenset({"w", "kw", "mw"})
SHARES = frozenset({"soc", "cloud_fraction"})
SIGNIFICANT_DIGITS = 14
BRACKETS = re.compile(r"[\[(]([^\])]+)[\])]")


def choose_units(matched: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """Return by Luna's column the unit in which the file has it: the one that was named, else the one that the column's name ends with or has in brackets.

    Args:
        matched: the file's column → Luna's.
        named: Luna's column → a unit.

    Raises:
        InvalidInputError: the file has no such column, the unit is none of its column's, or it is a power where an energy per slot is needed.
    """
    strangers = sorted(set(named) - set(matched.values()))
    if strangers:
        raise refuse("unit-lacks-column", field=f"unit.{strangers[0]}", value=named[strangers[0]], matched=tuple(matched.values()))
    by_name = {}
    for theirs, ours in matched.items():
        endings = [*BRACKETS.findall(theirs), re.split(r"[\s_]", theirs.strip())[-1]]
        by_name[ours] = next((unit for unit in endings if _divisor(ours, unit) or _is_power(ours, unit)), "")
    units = {ours: unit for ours, unit in (by_name | dict(named)).items() if unit}
    for ours, unit in units.items():
        if _is_power(ours, unit):
            raise refuse("power-for-energy", field=f"unit.{ours}", value=unit)
        if not _divisor(ours, unit):
            raise refuse("no-unit-of-column", field=f"unit.{ours}", value=unit, column=ours, units=_describe_choices(ours) or "no other unit than its own")
    return units


def convert(rows: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows with numbers in Luna's units; what is no number stays as it is."""
    divisors = {ours: divisor for ours, unit in units.items() if (divisor := _divisor(ours, unit)) not in {None, 1.0}}
    converted = []
    for cells, divisor in ((rows[ours], divisor) for ours, divisor in divisors.items()):
        is_typed = cells.dtype.is_numeric()
        number = (cells if is_typed else cells.str.strip_chars()).cast(pl.Float64, strict=False)
        # Divided with what follows the last digit a file can mean taken off: a column divided by a number is multiplied by its inverse.
        quotient = (number / divisor).round_sig_figs(SIGNIFICANT_DIGITS)
        converted.append(quotient if is_typed else pl.select(pl.coalesce(quotient.cast(pl.String), cells)).to_series().alias(cells.name))
    return rows.with_columns(converted)


def describe_units(units: Mapping[str, str]) -> list[str]:
    """Return a description of the conversions."""
    return [f"{ours} was converted from {unit}." for ours, unit in units.items() if _divisor(ours, unit) != 1.0]


def say_unit(ours: str) -> str:
    """Return the hint on a column's unit, empty where there is no choice."""
    return f"Is the file in another unit? Say it with --unit {ours}=UNIT: {choices}. " if (choices := _describe_choices(ours)) else ""


def set_aside_unknown_units(rows: pl.DataFrame, site: Site) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return readings whose unit can be used, without blanks around it, and those of an energy or a power in a unit that there is not, with ``fault``."""
    if "unit" not in rows.columns:
        return rows, rows.clear().with_columns(pl.lit("").alias("fault"))
    stripped = pl.col("unit").str.strip_chars()
    rows = rows.with_columns(pl.when(stripped != "").then(stripped).alias("unit"))
    energies = {sensor.name: role for role, sensors in site.sensor_roles.items() for sensor in sensors if SENSOR_ROLES[role].kind == "energy"}
    pairs = rows.select("sensor", "unit").unique().drop_nulls().iter_rows()
    refused = [
        (sensor, unit, RowFault.of("wrong_unit_of", sensor=sensor, role=energies[sensor], unit=unit).text)
        for sensor, unit in pairs
        if sensor in energies and read_measure(unit) is None
    ]
    faults = pl.DataFrame(refused, schema={"sensor": pl.String, "unit": pl.String, "fault": pl.String}, orient="row")
    judged = rows.join(faults, on=["sensor", "unit"], how="left", maintain_order="left")
    return judged.filter(pl.col("fault").is_null()).drop("fault"), judged.filter(pl.col("fault").is_not_null())


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
    return (100.0 if price["money"] in CENTS else 1.0) * (1_000.0 if price["energy"] == "mwh" else 1.0)


def _is_energy(ours: str) -> bool:
    return ours.endswith("_kwh") and not ours.endswith("_per_kwh")


def _is_power(ours: str, unit: str) -> bool:
    return _is_energy(ours) and unit.strip().casefold() in POWER


def _describe_choices(ours: str) -> str:
    if ours.endswith("_price"):
        return "EUR/kWh, EUR/MWh or ct/kWh, with any currency"
    return "%, or a share without a unit" if ours in SHARES else "Wh, kWh or MWh" if _is_energy(ours) else ""
