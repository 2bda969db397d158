"""The picture of what what-if variants save."""

from datetime import date
from xml.etree import ElementTree as ET

from luna.contracts.variant import BASELINE, MonthFlow, VariantReply, WhatIfReply
from luna.words.charts.bill import draw_bills
from tests.support.recordings.drawings import hold_drawing
from tests.support.words.wording import plain_wording

SVG = "{http://www.w3.org/2000/svg}"


def account(name: str, *bills: float) -> VariantReply:
    flows = {
        "import_": 0.0,
        "export": 0.0,
        "peak": 0.0,
        "wear": 0.0,
        "import_kwh": 0.0,
        "export_kwh": 0.0,
    }
    months = [
        MonthFlow(month=f"2023-{place:02}", bill=bill, **flows)
        for place, bill in enumerate(bills, start=1)
    ]
    whole = {
        "bill": sum(bills),
        "wear": 0.0,
        "stored_gain": 0.0,
        "cost": sum(bills),
        "import_kwh": 0.0,
        "export_kwh": 0.0,
        "cycles": 0.0,
    }
    return VariantReply(name=name, months=months, **whole)


def reply(*names: str) -> WhatIfReply:
    days = {"from_day": date(2023, 1, 1), "to_day": date(2023, 2, 28), "days": 59}
    about = {
        "what_if_id": "q",
        "site": "home",
        "currency": "EUR",
        "policy": "mpc",
        "outlook": "usual",
    }
    variants = [account(name, 80.0, -15.0) for name in names]
    return WhatIfReply(**days, **about, baseline=account(BASELINE, 100.0, -20.0), variants=variants)


def draw(*names: str) -> ET.Element:
    return ET.fromstring(draw_bills(reply(*names), language="en"))  # noqa: S314 - our own


def test_every_month_has_a_bar_for_each_variant_and_losses_hang_below_the_line() -> None:
    picture = draw("15 kWh")
    bars = [each for each in picture.iter(f"{SVG}rect") if each.get("class") == "bar"]
    assert len(bars) == 2
    # The first month saves 20, the second costs 5 more.
    above, below = bars
    assert float(above.get("y", 0)) + float(above.get("height", 0)) == float(below.get("y", 0))
    days = {"first": "2023-01-01", "last": "2023-02-28"}
    title = plain_wording("charts", "bill", currency="EUR", site="home", **days)
    assert title in "".join(picture.itertext())


def test_names_that_are_markup_are_only_words_and_long_ones_take_more_rows() -> None:
    one = draw("<b>")
    many = draw(*(f"{'long ' * 12}{place}" for place in range(4)))
    assert "<b>" in "".join(one.itertext())
    assert float(many.get("height", 0)) > float(one.get("height", 0))


def test_the_picture_is_as_recorded() -> None:
    hold_drawing(
        "bill",
        draw_bills(reply("15 kWh", "a tariff with a very long name " * 4, "<b>"), language="de"),
    )
