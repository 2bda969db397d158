"""The packaged tables of grid operators by postcode, and the reader that refuses others."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from luna.platform.grid_fees.postcode_table import (
    PostcodeRow,
    find_row,
    has_table,
    list_tables,
    read_table,
)
from luna.platform.grid_fees.published import PublishedTariffError, find_published

SOURCE = {
    "title": "List of municipalities",
    "publisher": "Regulator",
    "published": date(2026, 1, 1),
    "read": date(2026, 12, 1),
}
ROW = {"begins": ["10"], "operators": ["Netz"], "source": SOURCE}


def write(folder: Path, *rows: dict[str, Any], name: str = "de.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"country": "DE", "rows": [*rows]}), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", list_tables(), ids=lambda path: path.stem)
def test_every_packaged_row_has_a_source_and_its_date(path: Path) -> None:
    table = read_table(path)
    for row in table.rows:
        assert row.source.title
        assert date(2020, 1, 1) < row.source.published <= row.source.read
        if row.fees_of is not None:
            assert find_published(table.country, row.fees_of) is not None


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([{**ROW, "source": None}], "source"),
        ([{name: ROW[name] for name in ("begins", "operators")}], "source"),
        ([{**ROW, "source": {**SOURCE, "published": None}}], "published"),
        ([{**ROW, "source": {**SOURCE, "read": date(2025, 1, 1)}}], "read on"),
        ([{**ROW, "operators": []}], "operators"),
        ([{**ROW, "begins": ["1 0"]}], "begins"),
        ([ROW, {**ROW, "operators": ["Other"]}], "stands in two rows: 10"),
    ],
    ids=["empty", "none", "no date", "read too early", "nobody", "a blank", "twice"],
)
def test_a_row_without_source_date_or_operator_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], place: str
) -> None:
    path = write(tmp_path, *rows)
    with pytest.raises(PublishedTariffError, match=place):
        read_table(path)


def test_a_file_of_another_country_s_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublishedTariffError, match="named after DE"):
        read_table(write(tmp_path, ROW, name="at.yaml"))


def test_the_longest_beginning_decides_whatever_blanks_and_case(tmp_path: Path) -> None:
    longer = {**ROW, "begins": ["101AB"], "operators": ["Town", "Land"]}
    table = read_table(write(tmp_path, ROW, longer))
    found = [table.find_row(postcode) for postcode in ("1099", "101 ab", "20", "")]
    assert [isinstance(row, PostcodeRow) and row.operators for row in found] == [
        ("Netz",),
        ("Town", "Land"),
        False,
        False,
    ]
    assert found[1] is not None
    assert found[1].operator is None


def test_a_country_without_a_table_knows_nobody() -> None:
    assert not has_table("NL")
    assert find_row("NL", "1011") is None
