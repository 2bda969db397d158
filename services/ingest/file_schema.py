"""Schemas of data files: columns and plausible bounds per kind of file.

Also the matching of column names, and the export layout of Electricity Maps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import polars as pl

from luna.energy.observations import SERIES
from luna.energy.part import SOC_ROUNDING
from luna.energy.plausibility import ENERGY_ROUNDING_KWH, absurd_price
from luna.energy.refusals import refuse
from luna.energy.resolution import kind_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest plausible value.

    Args:
        hint: key of ``HINTS`` for a value outside.
        rounding: an excess up to this is rounded to the bound.
    """

    lowest: float = -inf
    highest: float = inf
    hint: str = "unit"
    rounding: float = 0.0


@dataclass(frozen=True, slots=True)
class FileSchema:
    """A kind of file.

    ``series``: numeric columns. ``complete``: a row needs a value in each of them. ``keys``:
    further columns that identify a row (name → text or instant). ``sampled``: rows are instants,
    not slots. ``shares``: columns of Luna's own exports beside the values: a row with an
    ``estimated`` share is no measurement; ``known`` is accepted and unused.
    """

    name: str
    time: str
    series: Mapping[str, Bounds]
    keys: Mapping[str, str]
    notes: tuple[str, ...] = ()
    complete: bool = False
    sampled: bool = False
    shares: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """All columns of the kind."""
        return [self.time, *self.keys, *self.series, *self.notes, *self.shares]

    def in_currency(self, currency: str) -> "FileSchema":
        """Return the schema with the price bounds of a currency."""
        farthest = absurd_price(currency)
        series = dict(self.series)
        for name, bounds in self.series.items():
            if bounds is PRICE:
                series[name] = replace(bounds, lowest=-farthest, highest=farthest)
        return replace(self, series=series)


ENERGY = Bounds(0.0, hint="direction", rounding=ENERGY_ROUNDING_KWH)
# Unbounded: ``in_currency`` sets the bounds of a site's currency.
PRICE = Bounds(hint="per_kwh")
FRACTION = Bounds(0.0, 1.0, "fraction")
SOC = replace(FRACTION, rounding=SOC_ROUNDING)
IRRADIANCE = Bounds(0.0, 2_000.0, "w_per_m2")

_KINDS = (
    FileSchema(
        "observations",
        "slot_start",
        {name: ENERGY if kind_of(name) == "energy" else SOC for name in SERIES},
        keys={},
        shares=("known", "estimated"),
    ),
    FileSchema(
        "prices",
        "slot_start",
        dict.fromkeys(("import_price", "export_price", "spot_price"), PRICE),
        keys={"published_at": "instant"},
        complete=True,
    ),
    FileSchema(
        "weather",
        "slot_start",
        {
            "temperature_c": Bounds(-90.0, 60.0, "celsius"),
            "ghi_w_m2": IRRADIANCE,
            "dhi_w_m2": IRRADIANCE,
            "dni_w_m2": IRRADIANCE,
            "wind_m_s": Bounds(0.0, 120.0, "m_per_s"),
            "cloud_fraction": FRACTION,
        },
        keys={"issued_at": "instant"},
    ),
    FileSchema(
        "carbon",
        "slot_start",
        {"carbon_g_per_kwh": Bounds(0.0, 5_000.0, "g_per_kwh")},
        keys={"issued_at": "instant"},
        complete=True,
    ),
    FileSchema(
        "readings",
        "instant",
        {"value": Bounds()},
        keys={"sensor": "text"},
        notes=("unit",),
        complete=True,
        sampled=True,
    ),
)
KINDS = {kind.name: kind for kind in _KINDS}


def kind_named(name: str) -> FileSchema:
    """Return the schema of a kind.

    Raises:
        InvalidInputError: no such kind.
    """
    if name not in KINDS:
        raise refuse(
            "unknown-name", field="kind", value=name, names=tuple(KINDS), thing="file-kind"
        )
    return KINDS[name]


def join_columns(rows: pl.DataFrame, renamed: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows with the columns that ``renamed`` joins, such as ``Datum+Uhrzeit``.

    A joined column replaces its parts.
    """
    for name in renamed.values():
        parts = [part.strip() for part in name.split("+")]
        has_parts = set(parts) <= set(rows.columns)
        if len(parts) > 1 and name not in rows.columns and has_parts:
            joined = pl.concat_str(parts, separator=" ").alias(name)
            rows = rows.with_columns(joined).drop(parts)
    return rows


def match_columns(
    file_columns: list[str],
    kind: FileSchema,
    *,
    renamed: Mapping[str, str],
    ignored: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """Return Luna's name for each of the file's columns that is used.

    Args:
        file_columns: the file's columns.
        renamed: Luna's name → the file's.
        ignored: the file's columns to leave out.

    Raises:
        InvalidInputError: a column that is unknown, missing or named twice.
    """
    for name, file_name in renamed.items():
        if name not in kind.columns:
            raise refuse(
                "unknown-name",
                field=f"column.{name}",
                value=name,
                names=tuple(kind.columns),
                thing="column",
            )
        if file_name not in file_columns:
            raise refuse(
                "unknown-name",
                field=f"column.{name}",
                value=file_name,
                names=tuple(file_columns),
                thing="file-column",
            )
    name_of = {file_name: name for name, file_name in renamed.items()}
    used = [file_name for file_name in file_columns if file_name not in ignored]
    matched = {file_name: name_of.get(file_name, file_name) for file_name in used}
    strangers = [file_name for file_name, name in matched.items() if name not in kind.columns]
    if strangers:
        raise refuse(
            "column-unknown",
            field=strangers[0],
            value=", ".join(strangers),
            kind=kind.name,
            columns=tuple(kind.columns),
            column=strangers[0],
        )
    used = list(matched.values())
    doubled = [name for name in used if used.count(name) > 1]
    if doubled:
        raise refuse("column-twice", field=doubled[0], column=doubled[0])
    text_keys = [key for key, form in kind.keys.items() if form == "text"]
    missing = [name for name in (kind.time, *text_keys) if name not in used]
    if missing:
        raise refuse("column-missing", field=missing[0], column=missing[0])
    if not set(used) & set(kind.series):
        raise refuse(
            "file-without-values", field=next(iter(kind.series)), series=tuple(kind.series)
        )
    if "spot_price" in used and {"import_price", "export_price"} & {*used}:
        raise refuse("prices-of-both", field="spot_price")
    return matched


# Source: Electricity Maps, Datasets: a file per zone and year, hourly or five-minutely, times in
# UTC. Capitals, and "LCA" or "Life cycle", vary by year.
TIME = "datetime (utc)"
INTENSITY = "carbon intensity gco₂eq/kwh"
# Life-cycle emissions, construction of the plants included, before direct ones.
FACTORS = ("life cycle", "lca", "direct")
OURS = "carbon_g_per_kwh"


@dataclass(frozen=True, slots=True)
class ExportLayout:
    """Layout of a known export.

    Args:
        renamed: Luna's column name → the file's.
        ignored: columns to leave out.
        note: for the report.
    """

    renamed: Mapping[str, str]
    ignored: frozenset[str]
    note: str


def recognise_export(columns: Sequence[str], renamed: Mapping[str, str]) -> ExportLayout | None:
    """Return the layout of an Electricity Maps export, None for another file.

    Args:
        columns: of the file.
        renamed: the caller's column names, which take precedence: they can choose another factor
            than life-cycle emissions.
    """
    by_name = {column.strip().casefold(): column for column in columns}
    factor_names = [f"{INTENSITY} ({factor})" for factor in FACTORS]
    factors = [by_name[name] for name in factor_names if name in by_name]
    if TIME not in by_name or not factors:
        return None
    ours = {"slot_start": by_name[TIME], OURS: factors[0], **renamed}
    note = f"The file is of Electricity Maps; {OURS} is its {ours[OURS]!r}."
    return ExportLayout(ours, frozenset(columns) - {"line", *ours.values()}, note)
