"""The account of a period: sources equal uses, and the lines of the bill add up."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.account import FLOWS, AccountSlots, settle_account
from luna.energy.account_period import AccountPeriod, PeriodUnit
from luna.energy.account_statistics import Trade, explain_cost
from luna.energy.economics.charges import find_charges
from luna.energy.economics.prices import PricedSlots, price_slots
from luna.energy.economics.tariff_lines import price_lines, surcharge_line
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, parse_zone
from luna.words import Numbers
from luna.words.account import say_cost_line
from tests.support.words.wording import plain

ZONE = ZoneInfo("Europe/Berlin")
SPOT = {"kind": "spot", "market": "DE", "markup": 0.15, "vat": 0.19}
CLOCK = {
    "kind": "time_of_use",
    "default": 0.30,
    "bands": [{"from": "00:00", "to": "06:00", "price": 0.20}],
}
BLOCKS = {"kind": "blocks", "blocks": [{"up_to_kwh": 50, "price": 0.2}, {"price": 0.3}]}


def describe(import_rule: dict[str, Any], **tariff: Any) -> Site:
    return parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "tariff": {"import": import_rule, "export": {"kind": "fixed", "price": 0.08}, **tariff},
        }
    )


def keep_account(
    site: Site, timeline: Timeline, energy: dict[str, FloatArray], *, spot: FloatArray | None = None
) -> AccountSlots:
    unknown = np.full(timeline.count, np.nan)
    energies = {name: energy.get(name, unknown) for name in FLOWS}
    series = {"DE": unknown if spot is None else spot}
    bought, sold = (PricedSlots(timeline, ZONE, series, own) for own in (OWN_IMPORT, OWN_EXPORT))
    surcharges = [
        surcharge_line(charged, energies["import"], timeline, drawn_kwh=0.0, zone=ZONE)
        for charged in find_charges(site.tariff.import_)
    ]
    return AccountSlots(
        site=site,
        timeline=timeline,
        energy_kwh=energies,
        estimated={name: np.zeros(timeline.count, dtype=bool) for name in FLOWS},
        import_lines=[*price_lines(site.tariff.import_, bought), *surcharges],
        export_lines=price_lines(site.tariff.export, sold),
    )


FREE_HOURS = {
    "kind": "components",
    "components": [
        {"kind": "fixed", "name": "grid fee", "price": 0.1},
        {
            "kind": "allowance",
            "name": "cheap hours",
            "kwh_per_day": 10,
            "price": 0,
            "price_beyond": 0.2,
            "vat": 0.19,
            "from": "00:00",
            "to": "06:00",
        },
    ],
}


def test_what_lies_beyond_an_allowance_is_a_line_of_its_component() -> None:
    # 0.5 kWh in each of a day's quarter-hours: two of the twelve in the window lie beyond.
    timeline = AccountPeriod.of("day", date(2026, 11, 5)).timeline(ZONE)
    energy = {"import": np.full(timeline.count, 0.5)}
    account = settle_account(keep_account(describe(FREE_HOURS), timeline, energy))
    (line,) = [line for line in account.lines if line.code == "beyond"]
    assert (line.name, line.beyond_kwh) == ("cheap hours", 10)
    assert line.energy_kwh == pytest.approx(2.0)
    assert line.cost == pytest.approx(2.0 * 0.2 * 1.19)
    # 36 kWh outside the window at both prices, twelve in it at one.
    assert account.import_cost == pytest.approx(48 * 0.1 + (36 + 2) * 0.2 * 1.19)
    numbers = Numbers("en", ZONE, "EUR")
    assert plain(say_cost_line(line, numbers)) == "cheap hours, beyond 10 kWh"


def live_month(seed: int) -> tuple[Timeline, dict[str, FloatArray]]:
    """Return a November whose meters agree but for losses."""
    timeline = AccountPeriod.of("month", date(2026, 11, 5)).timeline(ZONE)
    rng = np.random.default_rng(seed)
    energy = {
        name: rng.gamma(2.0, 0.1, timeline.count)
        for name in ("pv", "discharge", "load", "vehicle", "charge", "export")
    }
    used = energy["load"] + energy["vehicle"] + energy["charge"] + energy["export"]
    energy["import"] = np.maximum(used - energy["pv"] - energy["discharge"], 0.0)
    return timeline, energy


@pytest.mark.parametrize(
    "rule", [SPOT, CLOCK, BLOCKS, {"kind": "fixed", "price": 0.31}], ids=lambda rule: rule["kind"]
)
def test_sources_equal_uses_and_the_lines_equal_what_each_slot_costs(rule: dict[str, Any]) -> None:
    timeline, energy = live_month(seed=3)
    energy["pv"][7:20] = np.nan
    energy["import"][40:50] = np.nan
    spot = np.random.default_rng(4).normal(0.08, 0.05, timeline.count)
    site = describe(rule)
    account = settle_account(keep_account(site, timeline, energy, spot=spot))
    supplied = sum(flow.energy_kwh for flow in account.sources)
    used = sum(flow.energy_kwh for flow in account.uses)
    assert supplied == pytest.approx(used + account.unexplained_kwh, abs=1e-9)
    imported, exported = price_slots(site.tariff, timeline, zone=ZONE, spot={"DE": spot})
    known = np.isfinite(energy["import"])
    surcharge = (
        0.1 * max(float(energy["import"][known].sum()) - 50.0, 0.0) if rule is BLOCKS else 0.0
    )
    paid = (
        float((energy["import"] * imported)[known].sum())
        + surcharge
        - float((energy["export"] * exported)[known].sum())
    )
    assert account.energy_cost == pytest.approx(paid, abs=1e-9)
    assert account.priced == pytest.approx(known.mean())


def test_what_was_paid_to_the_grid_is_shared_among_its_uses_to_the_cent() -> None:
    timeline, energy = live_month(seed=5)
    account = settle_account(keep_account(describe(CLOCK), timeline, energy))
    supplied = sum(
        values for name, values in energy.items() if name in ("pv", "import", "discharge")
    )
    used = sum(energy[name] for name in ("load", "vehicle", "charge", "export"))
    # What is not used by any meter's count keeps its share of the cost.
    unexplained = float(
        np.sum(
            (supplied - used) / supplied * energy["import"] * np.where(_night(timeline), 0.20, 0.30)
        )
    )
    assert sum(share.cost for share in account.use_shares) + unexplained == pytest.approx(
        account.import_cost
    )
    car = next(share for share in account.use_shares if share.name == "vehicle")
    assert car.solar_kwh + car.battery_kwh + car.grid_kwh == pytest.approx(car.energy_kwh)


def _night(timeline: Timeline) -> FloatArray:
    return np.array([start.astimezone(ZONE).hour < 6 for start in timeline])


def test_self_sufficiency_counts_the_car_and_the_boiler_as_used() -> None:
    timeline = Timeline(datetime(2026, 11, 3, tzinfo=UTC), SLOT, 4)
    energy = {
        "load": np.full(4, 1.0),
        "vehicle": np.full(4, 2.0),
        "import": np.full(4, 2.49),
        "pv": np.full(4, 0.51),
    }
    account = settle_account(keep_account(describe(CLOCK), timeline, energy))
    # 12 kWh used, 9.96 bought.
    assert account.self_sufficiency == pytest.approx(0.17)
    assert account.consumption_kwh == pytest.approx(12.0)


def test_what_was_never_recorded_is_no_zero() -> None:
    timeline = Timeline(datetime(2026, 11, 3, tzinfo=UTC), SLOT, 4)
    account = settle_account(
        keep_account(
            describe(CLOCK), timeline, {"load": np.full(4, 1.0), "import": np.full(4, 1.0)}
        )
    )
    assert account.flow("export") is None
    assert account.own_use is None
    assert account.energy_cost is not None
    without_meter = settle_account(
        keep_account(describe(CLOCK), timeline, {"load": np.full(4, 1.0)})
    )
    assert without_meter.energy_cost is None


def test_a_capacity_tariff_is_billed_by_whole_months() -> None:
    timeline, energy = live_month(seed=6)
    energy["import"] = np.full(timeline.count, 0.25)
    energy["import"][100] = 1.5
    site = describe(CLOCK, peak={"name": "peak", "price_per_kw_month": 4.0})
    slots = keep_account(site, timeline, energy)
    # 1.5 kWh in a quarter-hour are 6 kW.
    assert settle_account(slots).demand_cost == pytest.approx(24.0)
    assert settle_account(slots.window(96, 96)).demand_cost is None


@pytest.mark.parametrize(
    ("unit", "first", "last", "previous", "year_before", "parts"),
    [
        ("day", date(2026, 10, 25), date(2026, 10, 25), date(2026, 10, 24), date(2025, 10, 26), 25),
        ("week", date(2026, 10, 19), date(2026, 10, 25), date(2026, 10, 12), date(2025, 10, 20), 7),
        ("month", date(2026, 10, 1), date(2026, 10, 31), date(2026, 9, 1), date(2025, 10, 1), 31),
        ("year", date(2026, 1, 1), date(2026, 12, 31), date(2025, 1, 1), date(2025, 1, 1), 12),
    ],
)
def test_periods_follow_the_calendar_of_the_home(
    unit: PeriodUnit, first: date, last: date, previous: date, year_before: date, parts: int
) -> None:
    period = AccountPeriod.of(unit, date(2026, 10, 25))
    zone = parse_zone("Europe/Berlin")
    assert (period.first, period.last) == (first, last)
    assert period.previous().first == previous
    assert period.year_before().first == year_before
    starts = period.part_starts(zone)
    assert len(starts) == parts
    timeline = period.timeline(zone)
    assert starts[0] == timeline.start
    assert all(timeline.start <= start < timeline.end for start in starts)
    assert period.following().previous() == period
    assert timeline.count * SLOT % timedelta(days=1) in (timedelta(0), timedelta(hours=1))


FEE = {"kind": "fixed", "name": "grid fee", "unit": "cents_per_kwh"}


def test_a_component_whose_price_changes_in_a_month_is_two_lines_with_their_days() -> None:
    timeline, energy = live_month(seed=6)
    parts = [
        {"kind": "fixed", "name": "energy", "price": 0.12},
        FEE | {"price": 11.3, "valid_to": "2026-11-15"},
        FEE | {"price": 9.8, "valid_from": "2026-11-15"},
        FEE | {"name": "heat levy", "price": 0.4, "valid_from": "2026-01-01"},
    ]
    site = describe({"kind": "components", "components": parts})
    account = settle_account(keep_account(site, timeline, energy))
    bought = [line for line in account.lines if line.direction == "import"]
    days = [(line.name, line.price, line.first_day, line.last_day) for line in bought]
    assert days == [
        ("energy", 0.12, None, None),
        ("grid fee", pytest.approx(0.113), date(2026, 11, 1), date(2026, 11, 14)),
        ("grid fee", pytest.approx(0.098), date(2026, 11, 15), date(2026, 11, 30)),
        ("heat levy", pytest.approx(0.004), None, None),
    ]
    _, earlier, later, levy = bought
    assert earlier.energy_kwh + later.energy_kwh == pytest.approx(levy.energy_kwh)


_TRADES = st.builds(
    Trade,
    days=st.just(7.0),
    import_kwh=st.floats(0.1, 100),
    export_kwh=st.floats(0.1, 100),
    import_cost=st.floats(-20, 50),
    export_earning=st.floats(-20, 50),
)


@given(_TRADES, _TRADES)
def test_causes_of_a_cost_add_up_and_name_what_changed(one: Trade, usual: Trade) -> None:
    causes = {cause.name: cause for cause in explain_cost(one, usual)}
    total = sum(cause.cost for cause in causes.values())
    assert total == pytest.approx(one.cost - usual.cost, abs=1e-6)
    assert causes["bought"].change == one.import_kwh - usual.import_kwh
    # Where nothing was bought before, nothing got dearer.
    first = replace(usual, import_kwh=0.0, import_cost=0.0)
    assert next(iter(explain_cost(one, first))).cost == pytest.approx(one.import_cost)
