"""Prices in blocks, and tariffs that are none, by numbers derived by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.economics.charges import Blocks
from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.site import BlockPrice, Tariff, parse_site
from luna.energy.tariffs.blocks import BlockComponent
from luna.energy.tariffs.components import COMPONENT
from luna.energy.timeline import Timeline
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
START = datetime(2024, 1, 31, 23, tzinfo=UTC)
THREE = {
    "kind": "blocks",
    "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"up_to_kwh": 300, "price": 0.3}, {"price": 0.5}],
}


def blocks(drawn: float = 0.0) -> Blocks:
    (component,) = BlockPrice.model_validate(THREE).components
    return Blocks.of(component, drawn)


def cost(import_kwh: list[float], drawn: float, *, start: datetime = START) -> list[float]:
    return (
        blocks(drawn)
        .slot_cost(np.array(import_kwh), Timeline(start, HOUR, len(import_kwh)), zone=BERLIN)
        .tolist()
    )


@each_row(
    ("drawn", "import_kwh", "beside"),
    [
        (0.0, [10.0, 20.0], [0.0, 0.0]),
        # 90 before: 10 at the first price, then 5 at 0.1 more, then all.
        (90.0, [15.0, 8.0], [0.5, 0.8]),
        (150.0, [10.0, 5.0], [1.0, 0.5]),
        # 290 before: 10 at 0.1 more, 20 at 0.3 more.
        (290.0, [30.0, 1.0], [7.0, 0.3]),
        (1000.0, [2.0, 1.0], [0.6, 0.3]),
    ],
    ids=[
        "within the first",
        "over an edge",
        "within the second",
        "over the next edge",
        "beyond all",
    ],
)
def test_each_kwh_costs_what_its_block_says(
    drawn: float, import_kwh: list[float], beside: list[float]
) -> None:
    assert cost(import_kwh, drawn) == pytest.approx(beside)


def test_a_slot_may_reach_over_several_blocks() -> None:
    assert cost([400.0], 0.0) == pytest.approx([200 * 0.1 + 100 * 0.3])


def test_a_month_begins_with_its_first_block() -> None:
    # February ends at 23:00 UTC: the second hour is March's.
    assert cost([10.0, 10.0], 500.0, start=datetime(2024, 2, 29, 22, tzinfo=UTC)) == pytest.approx(
        [3.0, 0.0]
    )


def test_what_a_month_has_drawn_goes_on_until_it_ends_and_no_longer() -> None:
    # An hour of January is left in Berlin at 22:00 UTC.
    end_of_january = Timeline(datetime(2024, 1, 31, 22, tzinfo=UTC), HOUR, 4)
    assert (
        blocks(90.0).after(np.array([15.0]), Timeline(START, HOUR, 4), zone=BERLIN).drawn_kwh
        == 105.0
    )
    assert (
        blocks(90.0).after(np.array([15.0, 4.0, 3.0]), end_of_january, zone=BERLIN).drawn_kwh == 7.0
    )


def test_the_price_of_a_slot_is_the_first_blocks() -> None:
    imported, _ = price_slots(
        Tariff.model_validate({"import": THREE}), Timeline(START, HOUR, 2), zone=BERLIN, spot={}
    )
    assert imported.tolist() == [0.2, 0.2]


def test_an_edge_belongs_to_the_block_that_it_begins() -> None:
    assert [blocks().block_of(energy, first=True) for energy in (0.0, 99.0, 100.0, 300.0)] == [
        0,
        0,
        1,
        2,
    ]
    assert blocks(120.0).block_of(0.0, first=True) == 1
    assert blocks(120.0).block_of(0.0, first=False) == 0


@each_row(
    ("parts", "reason", "figures"),
    [
        (
            [{"up_to_kwh": 100, "price": 0.2}, {"up_to_kwh": 100, "price": 0.3}, {"price": 0.4}],
            "blocks-fall",
            {"number": 2, "up_to_kwh": 100, "before": 100},
        ),
        (
            [{"up_to_kwh": 100, "price": 0.2}, {"up_to_kwh": 50, "price": 0.3}, {"price": 0.4}],
            "blocks-fall",
            {"number": 2, "up_to_kwh": 50, "before": 100},
        ),
        ([{"price": 0.2}, {"price": 0.3}], "blocks-open", {}),
        ([{"up_to_kwh": 100, "price": 0.2}], "blocks-open", {}),
        (
            [{"up_to_kwh": 100, "price": 0.3}, {"price": 0.2}],
            "blocks-cheaper",
            {"number": 2, "price": 0.2, "before": 0.3},
        ),
        ([], "too-short", {"field_type": "Tuple", "min_length": 1, "actual_length": 0}),
    ],
    ids=["equal", "falling", "no end", "an end to the last", "cheaper later", "none"],
)
def test_blocks_that_are_none_are_refused(
    parts: list[dict[str, Any]], reason: str, figures: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_site(
            {
                "name": "home",
                "timezone": "UTC",
                "tariff": {"import": {"kind": "blocks", "blocks": parts}},
            }
        )
    assert str(caught.value.field).startswith("site.tariff.import")
    assert (caught.value.reason, caught.value.parameters) == (reason, figures)


def test_taxes_lie_on_fees_and_on_negative_prices() -> None:
    # (−0.05 + 0.13) · 1.21 and (−0.3 + 0.13) · 1.21: what is added before tax is taxed, and a price
    # below nothing with it.
    tariff = Tariff.model_validate(
        {"import": {"kind": "spot", "market": "NL", "markup": 0.13, "vat": 0.21}}
    )
    imported, _ = price_slots(
        tariff, Timeline(START, HOUR, 2), zone=BERLIN, spot={"NL": np.array([-0.05, -0.3])}
    )
    assert imported == pytest.approx([0.0968, -0.2057])


def dated_blocks(**dates: str) -> Blocks:
    component = COMPONENT.validate_python(THREE | {"name": "energy"} | dates)
    assert isinstance(component, BlockComponent)
    return Blocks.of(component, 90.0)


# From 20:00 of 14 February on; the component changes at midnight, the fifth hour.
CHANGE = datetime(2024, 2, 14, 19, tzinfo=UTC)


@each_row(
    ("dates", "beside"),
    [
        ({"valid_to": "2024-02-15"}, [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
        ({"valid_from": "2024-02-15"}, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]),
        ({"valid_from": "2024-02-14", "valid_to": "2024-02-16"}, [0.0, *[1.0] * 5]),
        ({"valid_from": "2024-02-16"}, [0.0] * 6),
    ],
    ids=["until midnight", "from midnight", "both days", "later"],
)
def test_blocks_hold_between_dates_and_count_the_whole_month(
    dates: dict[str, str], beside: list[float]
) -> None:
    # 90 kWh before: the first hour fills the first block, the others cost 10 cents more.
    charge = dated_blocks(**dates)
    timeline = Timeline(CHANGE, HOUR, 6)
    bought = np.full(6, 10.0)
    assert charge.slot_cost(bought, timeline, zone=BERLIN).tolist() == pytest.approx(beside)
    for first in range(1, 6):
        rest = charge.after(bought[:first], timeline, zone=BERLIN)
        cost = rest.slot_cost(bought[first:], timeline.window(first, 6 - first), zone=BERLIN)
        assert cost.tolist() == pytest.approx(beside[first:])
