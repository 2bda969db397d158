"""Which version of a price is stored, by how its source publishes and when."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.market_publication import (
    PricePublication,
    find_publication,
    find_settled,
    less_certain,
)
from luna.energy.timeline import SLOT
from services.ingest.sources.prices.registry import list_markets

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEFORE = START - timedelta(hours=20)
AFTER = START + SLOT + timedelta(minutes=5)


def is_settled(
    publication: PricePublication, *, published_at: datetime | None, now: datetime
) -> bool:
    starts = np.array([START.replace(tzinfo=None)], dtype="datetime64[s]")
    published = np.array(
        ["NaT" if published_at is None else published_at.replace(tzinfo=None)],
        dtype="datetime64[us]",
    )
    return bool(find_settled(publication, starts, published, now)[0])


def test_a_day_ahead_price_is_settled_once_its_slot_is_over() -> None:
    last_second = START + SLOT - timedelta(seconds=1)
    assert not is_settled("day_ahead", published_at=BEFORE, now=last_second)
    assert is_settled("day_ahead", published_at=BEFORE, now=START + SLOT)


def test_a_forecast_is_settled_by_what_is_published_after_delivery_and_by_no_time() -> None:
    assert not is_settled("forecast", published_at=BEFORE, now=AFTER + timedelta(days=30))
    assert is_settled("forecast", published_at=AFTER, now=AFTER)


@pytest.mark.parametrize("publication", ["day_ahead", "forecast"])
def test_what_nobody_published_is_not_settled(publication: PricePublication) -> None:
    assert not is_settled(publication, published_at=None, now=AFTER)


def test_of_two_markets_the_less_certain_version_counts_and_a_missing_one_leaves_none() -> None:
    assert less_certain("settled", "forecast") == "forecast"
    assert less_certain("day_ahead", "settled") == "day_ahead"
    assert less_certain(None, "settled") is None


def test_the_market_s_name_tells_what_its_source_declares() -> None:
    declared = {name: market.publication for name, market in list_markets().items()}
    assert {name: find_publication(name) for name in declared} == declared
    assert {name for name, kind in declared.items() if kind != "day_ahead"} == {
        "US-COMED",
        "AU-AMBER",
        "AU-AMBER-FEEDIN",
        "AU-AMBER-CONTROLLED",
        "GB-INTELLIGENT",
    }
