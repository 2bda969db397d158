"""The second calculation of bills, by numbers derived by hand, and the cases it is used for."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.billing import reference
from tests.support.billing.cases import MONTHS, BillCase, list_cases, list_quarters
from tests.support.billing.reference import Reading, bill_month, price_at
from tests.support.billing.tariffs import TARIFFS
from tests.support.suite.tables import each_row

BERLIN = "Europe/Berlin"
QUARTER = timedelta(minutes=15)
# 02:00 on a Friday in Berlin.
FRIDAY_NIGHT = datetime(2026, 7, 3, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def one(kind: str, **fields: Any) -> dict[str, Any]:
    """Describe a tariff of one component."""
    return several({"name": "energy", "kind": kind, **fields})


def several(*components: dict[str, Any]) -> dict[str, Any]:
    return {"import": {"kind": "components", "components": list(components)}}


def draw(*import_kwh: float, begin: datetime = FRIDAY_NIGHT) -> list[Reading]:
    """Return readings of one quarter-hour after the other."""
    return [(begin + number * QUARTER, kwh, 0.0) for number, kwh in enumerate(import_kwh)]


# --- prices ---------------------------------------------------------------------------------------

NIGHT = {
    "price": 0.3,
    "windows": [{"from": "22:00", "to": "06:00", "days": ["fri"], "price": 0.2}],
}
SUNDAY = {"price": 0.3, "windows": [{"from": "00:00", "to": "24:00", "days": ["sun"], "price": 1}]}
SUMMER = {
    "price": 7,
    "windows": [
        {"from": "10:00", "to": "16:00", "months": [4, 5, 6, 7, 8, 9], "price": 5},
        {"from": "00:00", "to": "24:00", "months": [7], "price": 6},
    ],
}
BLOCKS = {"blocks": [{"up_to_kwh": 1, "price": 10}, {"price": 30}], "unit": "cents_per_kwh"}
# Corpus Christi 2026, 60 days after Easter on 5 April: a Thursday, free in NW and not in BE.
CORPUS_CHRISTI = datetime(2026, 6, 4, 12, tzinfo=UTC)
STEPS = [{"up_to_kw": 10, "price": 8}, {"up_to_kw": 40, "price": 6.5}]
LIMITED = {"price": 0.1, "valid_from": "2026-07-03", "valid_to": "2026-07-04"}


@each_row(
    ("tariff", "instant", "price"),
    [
        # 12 cents × 1.2; 50 per MWh.
        (one("fixed", price=12, unit="cents_per_kwh", vat=0.2), FRIDAY_NIGHT, "0.144"),
        (one("fixed", price=50, unit="per_mwh"), FRIDAY_NIGHT, "0.05"),
        # Thursday 22:00, Friday 02:00 and 05:45, Friday 06:00, Friday 22:00, Saturday 02:00.
        (one("calendar", **NIGHT), FRIDAY_NIGHT - 4 * HOUR, "0.3"),
        (one("calendar", **NIGHT), FRIDAY_NIGHT, "0.2"),
        (one("calendar", **NIGHT), FRIDAY_NIGHT + 4 * HOUR - QUARTER, "0.2"),
        (one("calendar", **NIGHT), FRIDAY_NIGHT + 4 * HOUR, "0.3"),
        (one("calendar", **NIGHT), FRIDAY_NIGHT + 20 * HOUR, "0.2"),
        (one("calendar", **NIGHT), FRIDAY_NIGHT + DAY, "0.3"),
        (one("calendar", holidays="DE-NW", **SUNDAY), CORPUS_CHRISTI, "1"),
        (one("calendar", holidays="DE-BE", **SUNDAY), CORPUS_CHRISTI, "0.3"),
        (one("calendar", **SUNDAY), CORPUS_CHRISTI, "0.3"),
        # July at 12:00 and at 02:00, June at 12:00 and at 02:00, October at 12:00.
        (one("calendar", **SUMMER), FRIDAY_NIGHT + 10 * HOUR, "5"),
        (one("calendar", **SUMMER), FRIDAY_NIGHT, "6"),
        (one("calendar", **SUMMER), FRIDAY_NIGHT + 10 * HOUR - 5 * DAY, "5"),
        (one("calendar", **SUMMER), FRIDAY_NIGHT - 5 * DAY, "7"),
        (one("calendar", **SUMMER), FRIDAY_NIGHT + 10 * HOUR + 100 * DAY, "7"),
        # 10 of 12 kW at 8 cents and 2 at 6.5: 93 / 12 = 7.75 cents; all of 5 kW at 8.
        (
            one("plant_size", plant_kw=12, steps=STEPS, unit="cents_per_kwh"),
            FRIDAY_NIGHT,
            "0.0775",
        ),
        (one("plant_size", plant_kw=5, steps=STEPS, unit="cents_per_kwh"), FRIDAY_NIGHT, "0.08"),
    ],
)
def test_a_price_by_unit_calendar_and_size(
    tariff: dict[str, Any], instant: datetime, price: str
) -> None:
    assert price_at(tariff, BERLIN, instant) == {"energy": Decimal(price)}


@each_row(
    ("after_midnight", "names"),
    [
        (-QUARTER, []),
        (timedelta(0), ["energy"]),
        (DAY - QUARTER, ["energy"]),
        (DAY, []),
    ],
)
def test_a_component_holds_from_local_midnight_to_local_midnight(
    after_midnight: timedelta, names: list[str]
) -> None:
    midnight = FRIDAY_NIGHT - 2 * HOUR
    assert list(price_at(one("fixed", **LIMITED), BERLIN, midnight + after_midnight)) == names


# From 11:00 on in Adelaide (UTC + 9:30).
ELEVEN = datetime(2026, 7, 3, 1, 30, tzinfo=UTC)
SPOT = {ELEVEN + number * QUARTER: price for number, price in enumerate([0.4, 0.2, -0.1, 0.1])}


@each_row(
    ("component", "quarter", "price"),
    [
        ({"kind": "spot"}, 0, "0.4"),
        # (0.4 + 0.2) / 2, (−0.1 + 0.1) / 2, (0.4 + 0.2 − 0.1 + 0.1) / 4 × 0.5 × 1.1.
        ({"kind": "spot", "billing_minutes": 30}, 1, "0.3"),
        ({"kind": "spot", "billing_minutes": 30}, 2, "0"),
        ({"kind": "spot", "billing_minutes": 60, "factor": 0.5, "vat": 0.1}, 3, "0.0825"),
        # It is the quarter-hour's price that is below 0, not its hour's.
        ({"kind": "spot", "billing_minutes": 60, "zero_below_spot": "SA1"}, 2, "0"),
        ({"kind": "spot", "billing_minutes": 60, "zero_below_spot": "SA1"}, 3, "0.15"),
    ],
)
def test_a_market_is_billed_by_intervals_of_the_local_clock(
    component: dict[str, Any], quarter: int, price: str
) -> None:
    assert price_at(
        several({"name": "energy", "market": "SA1", **component}),
        "Australia/Adelaide",
        ELEVEN + quarter * QUARTER,
        market_prices={"SA1": SPOT},
    ) == {"energy": Decimal(price)}


@each_row(
    ("rule", "price"),
    [
        # (0.4 + 0.05) × 1.2.
        ({"kind": "spot", "market": "SA1", "markup": 0.05, "vat": 0.2}, "0.54"),
        ({"kind": "series"}, "0.27"),
        (
            {
                "kind": "time_of_use",
                "default": 0.3,
                "bands": [
                    {"from": "10:00", "to": "11:00", "price": 0.1},
                    {"from": "11:00", "to": "12:00", "days": "weekday", "price": 0.2},
                    {"from": "00:00", "to": "24:00", "price": 0.4},
                ],
            },
            "0.2",
        ),
    ],
    ids=["spot", "series", "time of use"],
)
def test_a_rule_without_components_is_one_named_energy(rule: dict[str, Any], price: str) -> None:
    assert price_at(
        {"import": rule},
        "Australia/Adelaide",
        ELEVEN,
        market_prices={"SA1": SPOT},
        own_prices={"import_price": {ELEVEN: 0.27}},
    ) == {"energy": Decimal(price)}


@each_row(("drawn_kwh", "price"), [(0, "0.1"), (0.999, "0.1"), (1, "0.3"), (5, "0.3")])
def test_the_next_kwh_is_of_the_block_that_is_reached(drawn_kwh: float, price: str) -> None:
    prices = price_at(one("blocks", **BLOCKS), BERLIN, FRIDAY_NIGHT, drawn_kwh=drawn_kwh)
    assert prices == {"energy": Decimal(price)}


# --- bills ----------------------------------------------------------------------------------------


def test_a_quarter_hour_pays_the_blocks_that_its_own_energy_falls_into() -> None:
    # 0.6 × 0.1, then 0.4 × 0.1 + 0.2 × 0.3, then 0.6 × 0.3.
    bill = bill_month(one("blocks", **BLOCKS), BERLIN, draw(0.6, 0.6, 0.6), {}, {})
    assert bill.line("import", "energy").cost == Decimal("0.34")


def test_blocks_of_a_later_day_count_what_the_month_has_drawn_before() -> None:
    # 0.8 kWh are drawn before 4 July, so 0.2 are left at 0.1, and 0.4 pay 0.3.
    tariff = one("blocks", valid_from="2026-07-04", **BLOCKS)
    readings = [*draw(0.8), *draw(0.6, begin=FRIDAY_NIGHT + DAY)]
    line = bill_month(tariff, BERLIN, readings, {}, {}).line("import", "energy")
    assert (line.kwh, line.cost) == (Decimal("0.6"), Decimal("0.14"))


def test_lines_are_by_name_and_sold_energy_takes_from_the_bill() -> None:
    # 1 kWh at 0.1, 2 at 0.3 from Saturday on; 3 kWh × 0.02 tax × 1.5; 4 kWh sold at 0.05.
    tariff = several(
        {"name": "energy", "kind": "fixed", "price": 0.1, "valid_to": "2026-07-04"},
        {"name": "tax", "kind": "fixed", "price": 0.02, "vat": 0.5},
        {"name": "energy", "kind": "fixed", "price": 0.3, "valid_from": "2026-07-04"},
        {"name": "later", "kind": "fixed", "price": 9, "valid_from": "2026-08-01"},
    )
    readings = [(FRIDAY_NIGHT, 1.0, 0.0), (FRIDAY_NIGHT + DAY, 2.0, 4.0)]
    bill = bill_month(
        tariff | {"export": {"kind": "fixed", "price": 0.05}}, BERLIN, readings, {}, {}
    )
    assert [(line.direction, line.name, line.kwh, line.cost) for line in bill.lines] == [
        ("import", "energy", Decimal(3), Decimal("0.7")),
        ("import", "tax", Decimal(3), Decimal("0.09")),
        ("export", "energy", Decimal(4), Decimal("-0.2")),
    ]
    assert bill.total == Decimal("0.59")


@each_row(
    ("charge", "begin", "cost"),
    [
        # 17 of July's 31 days, × 1.2; 14 days; all of 29 days; all of a month; none of it.
        (
            {"price": 31, "per": "month", "valid_from": "2026-07-15", "vat": 0.2},
            FRIDAY_NIGHT,
            "20.4",
        ),
        ({"price": 0.5, "per": "day", "valid_to": "2026-07-15"}, FRIDAY_NIGHT, "7"),
        ({"price": 1, "per": "day"}, datetime(2028, 2, 5, tzinfo=UTC), "29"),
        ({"price": 5.5, "per": "month"}, datetime(2028, 2, 5, tzinfo=UTC), "5.5"),
        ({"price": 9, "per": "day", "valid_to": "2026-07-01"}, FRIDAY_NIGHT, "0"),
    ],
)
def test_a_base_charge_counts_the_local_days_it_is_in_force(
    charge: dict[str, Any], begin: datetime, cost: str
) -> None:
    tariff = {"import": {"kind": "fixed", "price": 1}, "base": [{"name": "base", **charge}]}
    bill = bill_month(tariff, BERLIN, draw(0, begin=begin), {}, {})
    assert float(bill.base) == pytest.approx(float(cost), abs=1e-12)
    assert bill.total == bill.base


# 02:00 comes twice on 25 October 2026 in Berlin: at 00:00 UTC and at 01:00 UTC.
TWICE = datetime(2026, 10, 25, tzinfo=UTC)
# Friday from 02:00 on: 4 kW in the first quarter-hour, then 8, 6 and 2; on Saturday 3.
PEAKS = [*draw(1, 2, 1.5, 0.5), *draw(0.75, begin=FRIDAY_NIGHT + DAY)]


@each_row(
    ("peak", "readings", "billed_kw"),
    [
        ({}, PEAKS, 8),
        # (4 + 8) / 2 within half an hour; 1 + 2 + 1.5 + 0.5 within the hour.
        ({"interval_minutes": 30}, PEAKS, 6),
        ({"interval_minutes": 60}, PEAKS, 5),
        # (8 + 6) / 2; of each day (8 + 3) / 2; a third day is missing: (8 + 3 + 0) / 3.
        ({"highest": 2}, PEAKS, 7),
        ({"highest": 2, "one_per_day": True}, PEAKS, 5.5),
        ({"highest": 3, "one_per_day": True}, PEAKS, 11 / 3),
        ({"least_kw": 9}, PEAKS, 9),
        ({"days": "weekend"}, PEAKS, 3),
        ({"from": "02:30", "to": "02:00"}, PEAKS, 6),
        # Nothing counts: the floor is due, or nothing.
        ({"from": "12:00", "to": "13:00", "least_kw": 2.5}, PEAKS, 2.5),
        ({"from": "12:00", "to": "13:00"}, PEAKS, 0),
        # 4 kWh in the first 02:00 to 03:00 and 3 in the second.
        ({"interval_minutes": 60}, draw(1, 1, 1, 1, 0.5, 0.5, 1, 1, begin=TWICE), 4),
    ],
)
def test_a_months_highest_import_is_billed(
    peak: dict[str, Any], readings: list[Reading], billed_kw: float
) -> None:
    tariff = {
        "import": {"kind": "fixed", "price": 0},
        "peak": {"price_per_kw_month": 4, **peak},
    }
    bill = bill_month(tariff, BERLIN, readings, {}, {})
    assert float(bill.demand) == pytest.approx(4 * billed_kw)


def test_several_peaks_add_up() -> None:
    # 8 kW × 4 + 3 kW at the weekend × 2.
    peaks = [
        {"name": "all", "price_per_kw_month": 4},
        {"name": "weekend", "price_per_kw_month": 2, "days": "weekend"},
    ]
    tariff = {"import": {"kind": "fixed", "price": 0}, "peak": peaks}
    assert bill_month(tariff, BERLIN, PEAKS, {}, {}).total == 38


def test_readings_of_two_months_are_refused() -> None:
    last = datetime(2026, 7, 31, 21, 45, tzinfo=UTC)
    bill_month(one("fixed", price=1), BERLIN, draw(1, begin=last), {}, {})
    with pytest.raises(ValueError, match="one local month"):
        bill_month(one("fixed", price=1), BERLIN, draw(1, 1, begin=last), {}, {})


def test_the_calculation_shares_no_code_with_the_product() -> None:
    source = Path(reference.__file__).read_text(encoding="utf-8")
    libraries = set(re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE))
    assert "decimal" in libraries
    assert libraries.isdisjoint({"luna", "services", "tests", "numpy"})


# --- cases ----------------------------------------------------------------------------------------


def test_each_tariff_has_each_month() -> None:
    names = [case.name for case in list_cases()]
    assert len(set(names)) == len(names) == len(TARIFFS) * len(MONTHS) >= 60


@each_row(
    ("timezone", "month", "hours"),
    [
        (BERLIN, (2026, 3), 31 * 24 - 1),
        (BERLIN, (2026, 10), 31 * 24 + 1),
        ("Australia/Adelaide", (2026, 10), 31 * 24 - 1),
        (BERLIN, (2028, 2), 29 * 24),
    ],
)
def test_a_month_has_the_hours_of_its_clock(
    timezone: str, month: tuple[int, int], hours: int
) -> None:
    assert len(list_quarters(timezone, month)) == 4 * hours


def test_readings_and_prices_hold_what_is_rare() -> None:
    case = BillCase(next(tariff for tariff in TARIFFS if tariff.name == "Germany"), (2026, 5))
    (prices,) = case.market_prices.values()
    signs_by_hour: dict[datetime, set[bool]] = {}
    for begin, price in prices.items():
        signs_by_hour.setdefault(begin.replace(minute=0), set()).add(price < 0)
    mixed_hours = [hour for hour, signs in signs_by_hour.items() if len(signs) == 2]
    days = {begin.date() for begin, _, _ in case.readings}
    selling_days = {begin.date() for begin, _, export_kwh in case.readings if export_kwh > 0}
    assert len(mixed_hours) > 30
    assert len(days - selling_days) >= 9
    assert max(import_kwh for _, import_kwh, _ in case.readings) > 2.75
    assert any(import_kwh > 0 and export_kwh > 0 for _, import_kwh, export_kwh in case.readings)
    assert [begin for begin, _, _ in case.readings] == list(prices)
