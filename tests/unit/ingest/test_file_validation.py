import json
import math
from typing import Any

import polars as pl

from luna.energy.row_fault import RowFault
from services.ingest.file_schema import KINDS
from services.ingest.instants import InstantReader
from services.ingest.validation import RowVerdict, judge
from tests.support.metering.row_faults import read_faults
from tests.support.suite.tables import each_row


def verdict(kind: str, **columns: list[Any]) -> RowVerdict:
    size = max(len(cells) for cells in columns.values())
    times = {
        KINDS[kind].time: [f"2024-01-01T00:{minute:02}:00Z" for minute in range(0, 15 * size, 15)]
    }
    rows = pl.DataFrame(times | columns).with_row_index("line", offset=2)
    return judge(rows, KINDS[kind].in_currency("EUR"), InstantReader(None))


@each_row(
    ("cell", "fault"),
    [
        ("abc", RowFault.of("no_number", series="load_kwh")),
        ("1,5", RowFault.of("decimal_comma", series="load_kwh")),
        ("NaN", RowFault.of("not_finite", series="load_kwh")),
        ("-inf", RowFault.of("not_finite", series="load_kwh")),
        ("-1", RowFault.of("below", series="load_kwh", limit=0, hint="direction")),
        ("", RowFault("no_value")),
    ],
)
def test_refuses_a_value_with_its_reason(cell: str, fault: RowFault) -> None:
    refused = verdict("observations", load_kwh=[cell]).rejected
    assert read_faults(refused["fault"]) == [fault]
    assert json.loads(refused["raw"][0])["load_kwh"] == cell


@each_row("word", ["unknown", "Unavailable", " n/a ", "null", "-"])
def test_a_word_for_unknown_is_unknown(word: str) -> None:
    judged = verdict("observations", load_kwh=[word, word], pv_kwh=["0.5", ""])
    assert judged.accepted.select("load_kwh", "pv_kwh").rows() == [(None, 0.5)]
    assert read_faults(judged.rejected["fault"]) == [RowFault("no_value")]


def test_a_switch_that_is_on_reads_one_and_off_zero() -> None:
    judged = verdict("readings", sensor=["a", "a", "a"], value=["on", "Off", "7"])
    assert judged.accepted["value"].to_list() == [1.0, 0.0, 7.0]
    assert verdict("observations", load_kwh=["on", "0.1"]).accepted["load_kwh"].to_list() == [0.1]


def test_a_sensor_that_knows_nothing_is_a_reading() -> None:
    # As the recorder keeps it: from here on nothing is known, while a cell without anything is no
    # reading.
    judged = verdict("readings", sensor=["a", "a"], value=["unavailable", ""])
    assert math.isnan(judged.accepted["value"].item())
    assert read_faults(judged.rejected["fault"]) == [RowFault.of("missing", series="value")]


def test_a_percentage_is_no_state_of_charge() -> None:
    refused = verdict("observations", soc=["55"]).rejected
    assert read_faults(refused["fault"]) == [
        RowFault.of("above", series="soc", limit=1, hint="fraction")
    ]


def test_a_price_per_mwh_is_no_price_per_kwh() -> None:
    refused = verdict("prices", spot_price=["95.2"]).rejected
    assert read_faults(refused["fault"]) == [
        RowFault.of("above", series="spot_price", limit=40, hint="per_kwh")
    ]


def test_an_empty_cell_is_unknown_beside_a_known_one() -> None:
    accepted = verdict("observations", load_kwh=["1"], pv_kwh=[""]).accepted
    assert accepted.select("load_kwh", "pv_kwh").row(0) == (1.0, None)


def test_a_price_that_is_missing_is_refused_and_the_one_beside_it_accepted() -> None:
    judged = verdict("prices", import_price=["0.3"], export_price=[""])
    assert judged.accepted.select("import_price", "export_price").rows() == [(0.3, None)]
    assert read_faults(judged.accepted["doubt"]) == [RowFault.of("missing", series="export_price")]
    refused = verdict("prices", spot_price=[""]).rejected
    assert read_faults(refused["fault"]) == [RowFault.of("missing", series="spot_price")]


def test_a_bad_value_is_refused_as_it_was_written_and_those_beside_it_are_accepted() -> None:
    judged = verdict(
        "observations",
        load_kwh=["abc", "1", "0,3"],
        pv_kwh=["0.5", "-2", "nonsense"],
        soc=["0.4", "", ""],
    )
    assert judged.accepted.select("line", "load_kwh", "pv_kwh", "soc").rows() == [
        (2, None, 0.5, 0.4),
        (3, 1.0, None, None),
    ]
    assert [json.loads(raw) for raw in judged.accepted["refused"]] == [
        {
            "slot_start": "2024-01-01T00:00:00Z",
            "instant": "2024-01-01 00:00:00.000000+00:00",
            "load_kwh": "abc",
        },
        {
            "slot_start": "2024-01-01T00:15:00Z",
            "instant": "2024-01-01 00:15:00.000000+00:00",
            "pv_kwh": "-2",
        },
    ]
    assert read_faults(judged.rejected["fault"]) == [
        RowFault.of("decimal_comma", series="load_kwh")
    ]


def test_a_value_just_beyond_its_bounds_is_rounded_and_counted() -> None:
    judged = verdict(
        "observations", load_kwh=["-0.0004", "-0.002", "0.1"], soc=["0.5", "1.004", "-0.01"]
    )
    assert judged.accepted.select("load_kwh", "soc").rows() == [(0.0, 0.5), (0.0, 1.0), (0.1, 0.0)]
    assert sum(judged.repaired.values()) == 3


def test_a_value_further_beyond_its_bounds_is_refused() -> None:
    judged = verdict("observations", load_kwh=["-0.006", "0.1"], soc=["0.5", "1.03"])
    assert read_faults(judged.accepted["doubt"]) == [
        RowFault.of("below", series="load_kwh", limit=0, hint="direction"),
        RowFault.of("above", series="soc", limit=1, hint="fraction"),
    ]


def test_a_reading_needs_its_sensor() -> None:
    refused = verdict("readings", sensor=[" "], value=["1"]).rejected
    assert read_faults(refused["fault"]) == [RowFault.of("missing", series="sensor")]


def test_lines_are_those_of_the_file() -> None:
    judged = verdict("observations", load_kwh=["1", "x", "2"])
    assert judged.accepted["line"].to_list() == [2, 4]
    assert judged.rejected["line"].to_list() == [3]
