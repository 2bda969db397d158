"""The step Tariff shows what a kWh costs by the hour, with usual prices where a market sets it."""

import re
from datetime import UTC, datetime
from typing import Any

from luna.energy.economics.typical_prices import NEAREST, read_typical_prices
from luna.words.pages import page_words
from services.api.pages.setup.tariff_preview import TariffPreview, preview_tariff

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
PARTS = {
    "import_kind": "parts",
    "energy_kind": "fixed",
    "energy_price": "10",
    "fee_kind": "windows",
    "fee_default_price": "5",
    "fee-0-fee_from": "15:00",
    "fee-0-fee_to": "20:00",
    "fee-0-fee_window_price": "15",
    "fee-0-fee_days": "weekday",
    "levies_kind": "fixed",
    "levies_price": "2",
    "parts_vat_percent": "0",
    "export_kind": "none",
}


def preview(**typed: str) -> TariffPreview | None:
    answers: dict[str, Any] = {"site": {"name": "Home", "place": "DE:Berlin"}, "tariff": typed}
    return preview_tariff(answers, page_words("setup", "en"), "en", NOW)


def said(shown: TariffPreview | None) -> list[str]:
    assert shown is not None
    return [day.said.replace("\u00a0", " ") for day in shown.days]


def test_a_weekday_and_a_saturday_are_drawn_by_part_and_said() -> None:
    shown = preview(**PARTS)
    assert shown is not None
    assert [name for _, name in shown.keys] == ["energy", "grid fee", "taxes and levies"]
    # 10 + 5 + 2 ct, and 10 + 15 + 2 ct on weekdays from 15:00 on.
    assert said(shown) == [
        "Weekday: from 17.0 ct at 00:00 to 27.0 ct at 15:00",
        "Saturday: 17.0 ct at any time",
    ]
    bars = [len(re.findall(r'<rect [^>]*class="bar"', day.chart)) for day in shown.days]
    assert bars == [72, 72]
    assert shown.month == ""


def test_a_market_s_price_is_the_usual_one_of_its_month() -> None:
    shown = preview(**PARTS | {"energy_kind": "spot"})
    assert shown is not None
    assert shown.month == "Nov\u00a02026"
    assert "27.0 ct" not in said(shown)[0]


def test_parts_of_a_later_day_are_shown_from_that_day_on() -> None:
    summer = {"fee-0-fee_months": "summer"}
    assert said(preview(**PARTS | summer))[0] == "Weekday: 17.0 ct at any time"
    later = said(preview(**PARTS | summer | {"parts_from": "2027-06-01"}))
    assert later[0] == "Weekday: from 17.0 ct at 00:00 to 27.0 ct at 15:00"


def test_what_is_not_whole_shows_nothing() -> None:
    assert preview(**PARTS | {"levies_price": ""}) is None


def test_a_supplier_s_own_price_is_estimated_with_usual_taxes_and_fees() -> None:
    answers = {
        "site": {"name": "Home", "place": "GB:Leeds"},
        "tariff": {
            "import_kind": "product",
            "product": "octopus-agile",
            "product_area": "M",
            "export_kind": "none",
        },
    }
    shown = preview_tariff(answers, page_words("setup", "en"), "en", NOW)
    assert shown is not None
    assert shown.is_estimate
    # 0.15 GBP of taxes, grid and supplier with 5 % VAT are 15.8 p before any energy.
    [lowest] = re.findall(r"from ([0-9.]+) p", said(shown)[0])
    assert 16.0 < float(lowest) < 30.0


def test_december_south_of_the_equator_is_like_june() -> None:
    amber = {"import_kind": "product", "product": "amber", "export_kind": "none"}
    answers = {"site": {"name": "Home", "place": "AU:Sydney"}, "tariff": amber}
    shown = preview_tariff(answers, page_words("setup", "en"), "en", NOW)
    # The weekday is the second of December. Two AUD for a euro, 0.18 AUD of taxes, network and
    # supplier, and 10 % tax.
    lowest = (2.0 * read_typical_prices()[NEAREST][5].min() + 0.18) * 1.1
    assert f"from {100 * lowest:.1f} c at" in said(shown)[0]
