"""Recorded days lived again under other equipment, tariffs and rules."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline
from services.planner.problem.knowledge import PerfectForesight
from services.planner.problem.problem import Margin
from services.planner.variants.adapted_site import (
    AdaptedSite,
    DecidingPolicy,
    SevenDayMean,
    list_added,
    list_months,
    scale_pv,
    simulate_months,
)
from services.planner.variants.cash_flow import PeriodFlows, sum_months
from tests.support.billing.reference import Reading
from tests.support.planning.counted_month import CountedMonth
from tests.support.planning.recorded_days import TARIFF, describe_home, live_under, record_days


def bill(flows: PeriodFlows) -> float:
    return sum(day.import_cost + day.export_cost for day in flows.days)


FIRST = date(2024, 1, 31)
LAST = date(2024, 2, 1)
MPC = DecidingPolicy("mpc", 16)


def test_a_window_falls_into_local_months() -> None:
    assert list_months(date(2023, 12, 30), date(2024, 2, 3)) == [
        (date(2023, 12, 30), date(2023, 12, 31)),
        (date(2024, 1, 1), date(2024, 1, 31)),
        (date(2024, 2, 1), date(2024, 2, 3)),
    ]


def test_without_a_battery_all_that_the_sun_leaves_is_bought() -> None:
    flows = simulate_months(
        [live_under(record_days(FIRST, LAST), describe_home(batteries=[]))], MPC, outlook="known"
    )
    # 6 h at 0.10 and 17 h at 0.30, 1 kW each: 0.6 + 5.1 a day.
    assert [day.import_cost for day in flows.days] == pytest.approx([5.7, 5.7])
    assert (flows.cycles, flows.days[0].wear, flows.days[0].stored_gain) == (0.0, 0.0, 0.0)


def test_a_battery_moves_its_capacity_from_dear_to_cheap_hours() -> None:
    flows = simulate_months([record_days(FIRST, LAST)], MPC, outlook="known")
    # Each day 4 kWh are bought at 0.10 instead of 0.30; on the first only the 2 that are missing.
    assert flows.days[0].import_cost == pytest.approx(5.7 - 4 * 0.3 + 2 * 0.1)
    assert flows.days[1].import_cost == pytest.approx(5.7 - 4 * 0.2)
    assert flows.cycles == pytest.approx(2.0)


def test_what_is_stored_at_a_month_s_end_is_there_at_the_next_begin() -> None:
    whole = simulate_months([record_days(FIRST, LAST)], DecidingPolicy("rule", 4), outlook="known")
    parts = simulate_months(
        [record_days(FIRST, FIRST), record_days(LAST, LAST)],
        DecidingPolicy("rule", 4),
        outlook="known",
    )
    assert parts == whole


def test_arrays_yield_as_much_per_kwp_as_was_recorded() -> None:
    world = record_days(FIRST, FIRST)
    doubled = describe_home(
        batteries=[], pv=[{"name": "roof", "peak_kw": 4}, {"name": "shed", "peak_kw": 4}]
    )
    assert scale_pv(world.scene.site, doubled) == 2.0
    more = simulate_months([live_under(world, doubled)], MPC, outlook="known")
    assert more.days[0].export_kwh == pytest.approx(1.0)


def test_another_tariff_is_paid_by_its_own_prices() -> None:
    flat = describe_home(batteries=[], tariff={"import": {"kind": "fixed", "price": 0.2}})
    assert bill(
        simulate_months([live_under(record_days(FIRST, FIRST), flat)], MPC, outlook="known")
    ) == pytest.approx(23 * 0.2)


def test_a_capacity_tariff_is_billed_by_month() -> None:
    peak = describe_home(batteries=[], tariff=TARIFF | {"peak": {"price_per_kw_month": 5}})
    flows = simulate_months(
        [live_under(record_days(day, day), peak) for day in (FIRST, LAST)], MPC, outlook="known"
    )
    assert flows.peaks == pytest.approx({"2024-01": 5.0, "2024-02": 5.0})


def test_months_lived_one_after_the_other_cost_what_the_clerk_bills() -> None:
    noon = {
        "kind": "allowance",
        "name": "from noon",
        "kwh_per_day": 9.5,
        "price": 0.05,
        "price_beyond": 0.15,
        "day_begins": "12:00",
    }
    blocks = {
        "kind": "blocks",
        "name": "energy",
        "blocks": [{"up_to_kwh": 150, "price": 0.2}, {"price": 0.4}],
    }
    tariff = {"import": {"kind": "components", "components": [blocks, noon]}}
    months = [CountedMonth(tariff, month) for month in ((2026, 9), (2026, 10))]
    lived = []
    bills = {}
    before: Sequence[Reading] | None = None
    for month in months:
        scene = month.scene(batteries=[])
        lived.append(AdaptedSite(scene, scene.foresight))
        net_kwh = scene.actuals.load_kwh - scene.actuals.pv_kwh
        bought = np.maximum(net_kwh, 0.0)
        bills[f"{month.month[0]}-{month.month[1]:02}"] = float(
            month.bill(bought, 0 * bought, before)
        )
        # The allowance of the last day runs on into the next month.
        before = list(zip(month.starts, bought.tolist(), (0 * bought).tolist(), strict=True))[-96:]
    flows = simulate_months(lived, DecidingPolicy("idle", 4), outlook="known")
    paid = {month.month: month.bill for month in sum_months(flows)}
    assert paid == pytest.approx(bills, abs=1e-6)


def test_a_margin_in_favour_of_the_house_reaches_the_planner() -> None:
    plain, wary = (
        simulate_months(
            [record_days(FIRST, LAST)], DecidingPolicy("mpc", 16, Margin(margin)), outlook="known"
        )
        for margin in (0.0, 0.5)
    )
    # So wary a planner serves the house in cheap hours too, and buys back what that took: without
    # losses only the wear tells.
    assert sum(day.wear for day in plain.days) < sum(day.wear for day in wary.days)


def test_progress_counts_the_months() -> None:
    told: list[int] = []
    simulate_months(
        [record_days(FIRST, FIRST), record_days(LAST, LAST)],
        DecidingPolicy("idle", 4),
        outlook="known",
        progress=told.append,
    )
    assert told == [1, 2]


def test_the_usual_is_the_mean_of_the_days_before_and_knows_nothing_of_the_day() -> None:
    timeline = Timeline(datetime(2024, 1, 1, tzinfo=UTC), SLOT, 4 * 96)
    load = np.repeat([1.0, 2.0, np.nan, 99.0], 96)
    usual = SevenDayMean(PerfectForesight(timeline, load, np.zeros_like(load)))
    now = timeline.start + timedelta(days=3, hours=5)
    expected, _ = usual.ahead(now, Timeline(now, SLOT, 4))
    # Before five o'clock of the fourth day: three whole days from five to five, of which the hours
    # from five on were seen twice.
    assert expected.tolist() == [1.5] * 4


def test_the_usual_needs_a_day_before() -> None:
    timeline = Timeline(datetime(2024, 1, 1, tzinfo=UTC), SLOT, 96)
    usual = SevenDayMean(PerfectForesight(timeline, np.ones(96), np.zeros(96)))
    with pytest.raises(InvalidInputError) as refused:
        usual.ahead(
            timeline.start + timedelta(hours=5),
            Timeline(timeline.start + timedelta(hours=5), SLOT, 4),
        )
    assert refused.value.reason == "usual-unknown"


def test_arrays_where_none_were_recorded_cannot_be_scaled() -> None:
    with pytest.raises(InvalidInputError) as refused:
        scale_pv(describe_home(pv=[]), describe_home())
    assert refused.value.reason == "no-array-to-scale"


def test_what_a_device_used_cannot_be_told_from_the_recorded_load() -> None:
    tank = {"name": "tank", "power_kw": 2, "energy_kwh_per_day": 4}
    assert [
        each.name for each in list_added(describe_home(), describe_home(loads=[tank]))["loads"]
    ] == ["tank"]
    with pytest.raises(InvalidInputError) as refused:
        list_added(
            describe_home(loads=[tank]), describe_home(loads=[tank | {"energy_kwh_per_day": 8}])
        )
    assert (refused.value.field, refused.value.reason) == (
        "site.loads.tank",
        "part-of-recorded-load",
    )
