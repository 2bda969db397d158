"""Grid operators by postcode: one file per country, each row with its source.

The files stand in ``postcodes/<country>.yaml``; CONTRIBUTING.md says how to add a row. What no
source tells is left out: then set-up leaves the choice to the owner.
"""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from luna.energy.part import Part
from luna.platform.grid_fees.published import (
    CountryCode,
    FigureSource,
    PublishedTariffError,
    Text,
)

TABLES = Path(__file__).parent / "postcodes"

Beginning = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$", description="first characters")]


class PostcodeRow(Part):
    """Postcodes and who runs the grid there; several operators where a postcode is shared."""

    begins: Annotated[tuple[Beginning, ...], Field(min_length=1)]
    operators: Annotated[tuple[Text, ...], Field(min_length=1)]
    fees_of: Annotated[
        Text | None, Field(description="operator whose published fees are charged; null: its own")
    ] = None
    source: FigureSource

    @property
    def operator(self) -> str | None:
        """The operator, or None where it may be one of several."""
        return self.operators[0] if len(self.operators) == 1 else None


class PostcodeTable(Part):
    """The rows of a country: the content of a file."""

    country: CountryCode
    rows: Annotated[tuple[PostcodeRow, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        counts = Counter(begin for row in self.rows for begin in row.begins)
        repeated = sorted(begin for begin, count in counts.items() if count > 1)
        if repeated:
            raise ValueError(f"stands in two rows: {', '.join(repeated)}")
        return self

    def find_row(self, postcode: str) -> PostcodeRow | None:
        """Return the row with the longest beginning of a postcode, or None."""
        compact = "".join(postcode.upper().split())
        for length in range(len(compact), 0, -1):
            for row in self.rows:
                if compact[:length] in row.begins:
                    return row
        return None


def read_table(path: Path) -> PostcodeTable:
    """Return the table of a file.

    Raises:
        PublishedTariffError: the file is not valid, or not named after its country.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        table = PostcodeTable.model_validate(document)
    except (ValidationError, yaml.YAMLError) as exc:
        raise PublishedTariffError(path, str(exc)) from exc
    if path.stem != table.country.lower():
        raise PublishedTariffError(path, f"is not named after {table.country}")
    return table


def list_tables(folder: Path = TABLES) -> list[Path]:
    """Return the files of tables by country."""
    return sorted(folder.glob("*.yaml"))


@cache
def _read_packaged() -> dict[str, PostcodeTable]:
    tables = [read_table(path) for path in list_tables()]
    return {table.country: table for table in tables}


def has_table(country: str) -> bool:
    """Return whether any postcode of a country, ISO 3166, is known."""
    return country in _read_packaged()


def find_row(country: str, postcode: str) -> PostcodeRow | None:
    """Return who runs the grid at a postcode of a country, None where it is not known."""
    table = _read_packaged().get(country)
    return None if table is None else table.find_row(postcode)
