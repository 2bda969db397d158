"""Months billed by the account and by a clerk of their own, to the cent."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from luna.energy.account import FLOWS, AccountSlots, settle_account
from luna.energy.economics.charges import find_charges
from luna.energy.economics.tariff_lines import price_lines, surcharge_line
from luna.energy.site import OWN, OWN_EXPORT, OWN_IMPORT, Site, parse_site
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import SLOT, FloatArray, Timeline, parse_zone
from tests.support.billing.cases import MONTHS, BillCase, PriceSeries
from tests.support.billing.reference import bill_month
from tests.support.billing.tariffs import MID_MONTH, TARIFFS, TariffCase
from tests.support.suite.depth import LONG

# Half a cent would be another amount on the bill; rounding in the last bits is far below.
SAME = 1e-6


def as_array(starts: Sequence[datetime], series: PriceSeries) -> FloatArray:
    return np.array([series[start] for start in starts])


def keep_account(site: Site, case: BillCase) -> AccountSlots:
    starts = [start for start, _, _ in case.readings]
    timeline = Timeline(starts[0].astimezone(UTC), SLOT, len(starts))
    zone = parse_zone(case.timezone)
    spot = {name: as_array(starts, series) for name, series in case.market_prices.items()}
    spot |= {f"{OWN}{name}": as_array(starts, series) for name, series in case.own_prices.items()}
    unknown = np.full(timeline.count, np.nan)
    energy = dict.fromkeys(FLOWS, unknown)
    energy["import"] = np.array([bought for _, bought, _ in case.readings])
    energy["export"] = np.array([sold for _, _, sold in case.readings])
    bought = PricedSlots(timeline, zone, spot, OWN_IMPORT)
    sold = PricedSlots(timeline, zone, spot, OWN_EXPORT)
    rule = site.tariff.import_
    surcharges = [
        surcharge_line(charged, energy["import"], timeline, drawn_kwh=0.0, zone=zone)
        for charged in find_charges(rule)
    ]
    return AccountSlots(
        site=site,
        timeline=timeline,
        energy_kwh=energy,
        estimated={name: np.zeros(timeline.count, dtype=bool) for name in FLOWS},
        import_lines=[*price_lines(rule, bought), *surcharges],
        export_lines=price_lines(site.tariff.export, sold),
    )


def bill_by_clerk(case: BillCase) -> Mapping[str, float]:
    bill = bill_month(
        case.tariff, case.timezone, case.readings, case.market_prices, case.own_prices
    )
    bought = sum(line.cost for line in bill.lines if line.direction == "import")
    sold = sum(line.cost for line in bill.lines if line.direction == "export")
    return {
        "import": float(bought),
        "export": float(sold),
        "base": float(bill.base),
        "demand": float(bill.demand),
        "total": float(bill.total),
    }


def choose_months(tariff: TariffCase) -> list[str]:
    """Return the months to bill: in a short run those that can differ from each other."""
    if LONG:
        return list(MONTHS)
    others = ["clock back", "clock forward", "negative prices" if tariff.markets else "leap day"]
    return ["fees change on the 15th", others[TARIFFS.index(tariff) % len(others)]]


@pytest.mark.parametrize("tariff", TARIFFS, ids=lambda tariff: tariff.name)
def test_a_month_is_billed_to_the_cent(subtests: pytest.Subtests, tariff: TariffCase) -> None:
    for month in choose_months(tariff):
        with subtests.test(month=month):
            compare_with_clerk(BillCase(tariff, MONTHS[month]))


def compare_with_clerk(case: BillCase) -> None:
    site = parse_site(
        {
            "name": "home",
            "timezone": case.timezone,
            "currency": case.currency,
            "tariff": case.tariff,
        }
    )
    account = settle_account(keep_account(site, case))
    billed = {
        "import": account.import_cost,
        "export": account.export_cost,
        "base": account.base_cost,
        "demand": account.demand_cost or 0.0,
        "total": account.cost,
    }
    assert billed == pytest.approx(bill_by_clerk(case), abs=SAME)


def test_what_later_blocks_add_is_a_line_of_its_own_before_and_after_a_change() -> None:
    (tariff,) = (case for case in TARIFFS if case.name == "new blocks")
    year, month, day = (int(part) for part in MID_MONTH.split("-"))
    case = BillCase(tariff, (year, month))
    site = parse_site({"name": "home", "timezone": case.timezone, "tariff": case.tariff})
    lines = settle_account(keep_account(site, case)).lines
    days = [(line.first_day, line.last_day) for line in lines if line.code == "blocks"]
    change = date(year, month, day)
    assert days == [
        (date(year, month, 1), change - timedelta(days=1)),
        (change, date(year, month, 31)),
    ]
