"""The tariffs that the guide shows cost what it says."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site, parse_site
from luna.energy.timeline import local_day
from tests.support.documentation.guide import guide_page

NIGHT = 4 * 3
AFTERNOON = 4 * 16
SIDES = ("import", "export")
KINDS = {"fixed", "calendar", "spot", "series", "blocks", "allowance", "plant_size"}


def list_tariffs() -> list[dict[str, Any]]:
    """Return the blocks of the guide's page about tariffs that hold one."""
    blocks = [span.text for span in guide_page("en", "tariffs.md").spans if span.block]
    return [yaml.safe_load(block) for block in blocks if "tariff:" in block]


def read_site(timezone: str) -> Site:
    """Return the whole example of a time zone."""
    (document,) = (found for found in list_tariffs() if found.get("timezone") == timezone)
    return Site.model_validate(document)


def price_day(site: Site, day: date, spot_price: float) -> tuple[Any, Any]:
    """Return import and export price of a local day on which every market costs the same."""
    zone = ZoneInfo(site.timezone)
    timeline = local_day(day, zone)
    spot = {market: np.full(timeline.count, spot_price) for market in site.tariff.markets}
    return price_slots(site.tariff, timeline, zone=zone, spot=spot)


def test_the_german_example_costs_what_the_guide_says() -> None:
    bought, _ = price_day(read_site("Europe/Berlin"), date(2026, 11, 2), 0.10)
    assert bought[NIGHT] == pytest.approx(0.2255, abs=5e-5)
    assert bought[AFTERNOON] == pytest.approx(0.4336, abs=5e-5)


def test_dutch_feed_in_earns_the_market_s_price_from_2027() -> None:
    site = read_site("Europe/Amsterdam")
    _, before = price_day(site, date(2026, 12, 31), 0.10)
    _, after = price_day(site, date(2027, 1, 1), 0.10)
    # (0.10 + 0.09161) · 1.21; 0.10 - 0.01.
    np.testing.assert_allclose(before, 0.2318481)
    np.testing.assert_allclose(after, 0.09)


def test_the_norwegian_example_is_billed_by_the_hour_and_cheap_on_holidays() -> None:
    site = read_site("Europe/Oslo")
    assert site.tariff.billed_intervals == {("NO1", 60)}
    ordinary, _ = price_day(site, date(2026, 12, 14), 0.8)
    # 25 December 2026 is a Friday.
    christmas, _ = price_day(site, date(2026, 12, 25), 0.8)
    # (0.2899 - 0.1699) · 1.25.
    assert ordinary[AFTERNOON] - christmas[AFTERNOON] == pytest.approx(0.15)


def test_the_british_example_is_cheap_at_night() -> None:
    bought, _ = price_day(read_site("Europe/London"), date(2026, 11, 2), 0.0)
    assert (bought[NIGHT], bought[AFTERNOON]) == (pytest.approx(0.07), pytest.approx(0.265))


def test_the_guide_quotes_the_refusal_of_another_name() -> None:
    spot = {"name": "energy", "kind": "spot", "market": "NL", "billing_interval": 60}
    tariff = {"import": {"kind": "components", "components": [spot]}}
    with pytest.raises(InvalidInputError) as caught:
        parse_site({"name": "home", "timezone": "Europe/Amsterdam", "tariff": tariff})
    blocks = [span.text.strip() for span in guide_page("en", "tariffs.md").spans if span.block]
    assert f"{caught.value.title}: {caught.value}" in blocks


def test_the_guide_shows_every_kind_of_component() -> None:
    rules = [document["tariff"].get(side, {}) for document in list_tariffs() for side in SIDES]
    shown = {part["kind"] for rule in rules for part in rule.get("components", ())}
    assert shown == KINDS
