"""What series are called, and which questions make no sense."""

from datetime import UTC, datetime, timedelta

import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.series_query import SeriesName, SeriesQuery
from tests.support.suite.tables import each_row

START = datetime(2024, 3, 30, tzinfo=UTC)


@each_row(
    ("text", "source", "parts", "kind"),
    [
        ("load_kwh", "slot_observations", ("load_kwh",), "energy"),
        ("soc", "slot_observations", ("soc",), "state"),
        ("market_prices:NL", "market_prices", ("NL",), "price"),
        (
            "slot_forecasts:aurora_v1.0:load_p10_kwh",
            "slot_forecasts",
            ("aurora_v1.0", "load_p10_kwh"),
            "energy",
        ),
        ("plans:import_kwh", "plans", ("import_kwh",), "energy"),
        ("sensor_readings:zigbee:meter", "sensor_readings", ("zigbee:meter",), "price"),
        (
            "smart_meter_readings:1EMH00:1-0:1.8.0",
            "smart_meter_readings",
            ("1EMH00", "1-0:1.8.0"),
            "price",
        ),
    ],
)
def test_a_name_says_where_a_series_lies(
    text: str, source: str, parts: tuple[str, ...], kind: str
) -> None:
    name = SeriesName.parse(text)
    assert (name.source, name.parts, name.kind) == (source, parts, kind)


@each_row(
    "text",
    [
        "gas_kwh",
        "market_prices",
        "market_prices:",
        "prices:NL",
        "slot_forecasts:load_kwh",
        "slot_forecasts:v:soc",
        "plans:soc",
        "",
    ],
)
def test_a_name_that_is_none_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        SeriesName.parse(text)
    assert caught.value.field == "series"
    assert caught.value.remedy


@each_row(
    ("options", "field"),
    [
        ({"series": "sensor_readings:meter"}, "series"),
        ({"known_at": START}, "known_at"),
        ({"series": "market_prices:NL", "issued_at": START}, "issued_at"),
        ({"resolution": "2h"}, "resolution"),
        ({"aggregate": "median"}, "aggregate"),
        ({"end": START}, "to"),
        ({"first": START.replace(year=1)}, "from"),
        ({"end": START.replace(year=9999)}, "to"),
    ],
)
def test_a_question_that_makes_no_sense_names_its_field(
    options: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        SeriesQuery(
            **{"series": "load_kwh", "first": START, "end": START + timedelta(hours=1)} | options
        )  # type: ignore[arg-type]
    assert caught.value.field == field
