from typing import Any

import pytest

from luna.energy.errors import InvalidInputError
from services.ingest.file_schema import KINDS, kind_named, match_columns
from tests.support.suite.tables import each_row


def match(there: list[str], kind: str = "observations", **options: Any) -> dict[str, str]:
    return match_columns(
        there,
        KINDS[kind],
        renamed=options.get("renamed", {}),
        ignored=frozenset(options.get("ignored", ())),
    )


def test_columns_of_another_name_are_taken_under_ours() -> None:
    assert match(
        ["zeit", "verbrauch"], renamed={"slot_start": "zeit", "load_kwh": "verbrauch"}
    ) == {"zeit": "slot_start", "verbrauch": "load_kwh"}


@each_row(
    ("there", "options", "field"),
    [
        (["slot_start", "laod_kwh"], {}, "laod_kwh"),
        (["load_kwh"], {}, "slot_start"),
        (["slot_start"], {}, "load_kwh"),
        (["slot_start", "load_kwh"], {"renamed": {"load_kwh": "verbrauch"}}, "column.load_kwh"),
        (["slot_start", "load_kwh"], {"renamed": {"gas": "load_kwh"}}, "column.gas"),
        (["slot_start", "load_kwh", "v"], {"renamed": {"load_kwh": "v"}}, "load_kwh"),
        (["slot_start", "spot_price", "export_price"], {"kind": "prices"}, "spot_price"),
        (["slot_start", "import_price", "spot_price"], {"kind": "prices"}, "spot_price"),
    ],
    ids=[
        "typing error",
        "no time",
        "no values",
        "file lacks it",
        "Luna lacks it",
        "named twice",
        "the market's and the site's",
        "both kinds of price",
    ],
)
def test_names_the_wrong_column_and_the_remedy(
    there: list[str], options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        match(there, **options)
    assert caught.value.field == field
    assert caught.value.remedy


def test_columns_can_be_left_out() -> None:
    assert match(["slot_start", "load_kwh", "note"], ignored=["note"]) == {
        "slot_start": "slot_start",
        "load_kwh": "load_kwh",
    }


def test_refuses_an_unknown_kind() -> None:
    with pytest.raises(InvalidInputError, match="observations"):
        kind_named("gas")
