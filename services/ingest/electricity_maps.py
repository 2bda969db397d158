"""Files of Electricity Maps: which of their columns are Luna's.

Source: Electricity Maps, Datasets: a file per zone and year by the hour or by five minutes, times in UTC. The names' capitals, and "LCA" for "Life cycle",
have changed over the years.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TIME = "datetime (utc)"
INTENSITY = "carbon intensity gco₂eq/kwh"
# What a kWh causes from the building of the plant on; else what leaves the chimney.
FACTORS = ("life cycle", "lca", "direct")
OURS = "carbon_g_per_kwh"


@dataclass(frozen=True, slots=True)
class ExportLayout:
    """How to read such a file: Luna's name → the file's, the columns to leave out, and what to say of it."""

    renamed: Mapping[str, str]
    ignored: frozenset[str]
    note: str


def recognise(columns: Sequence[str], renamed: Mapping[str, str]) -> ExportLayout | None:
    """Return the layout of a file of Electricity Maps, None where it is none.

    Args:
        columns: the file's.
        renamed: what the caller named; another factor than life-cycle emissions is chosen so.
    """
    by_name = {column.strip().casefold(): column for column in columns}
    factors = [by_name[name] for name in (f"{INTENSITY} ({factor})" for factor in FACTORS) if name in by_name]
    if TIME not in by_name or not factors:
        return None
    ours = {"slot_start": by_name[TIME], OURS: factors[0], **renamed}
    note = f"The file is of Electricity Maps; {OURS} is its {ours[OURS]!r}."
    return ExportLayout(ours, frozenset(columns) - {"line", *ours.values()}, note)
