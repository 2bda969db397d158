"""Capacity tariffs: which intervals count, and what the highest of them cost, by numbers derived by
hand.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.economics.charges import Peak, PeakHistory, month_shares, peak_cost, read_history
from luna.energy.errors import InvalidInputError
from luna.energy.site import PeakPrice, parse_site
from luna.energy.timeline import SLOT, Timeline
from tests.support.suite.tables import each_row

BRUSSELS = ZoneInfo("Europe/Brussels")
HOUR = timedelta(hours=1)
# A Thursday; midnight in Brussels is 23:00 UTC the day before.
THURSDAY = datetime(2024, 1, 31, 23, tzinfo=UTC)


def price(**fields: Any) -> PeakPrice:
    return PeakPrice.model_validate({"price_per_kw_month": 4.0, "interval_minutes": 60} | fields)


def cost(
    import_kwh: Any,
    *peaks: Peak,
    start: datetime = THURSDAY,
    step: timedelta = HOUR,
    zone: ZoneInfo = BRUSSELS,
) -> float:
    energy = np.array(import_kwh, dtype=float)
    return peak_cost(energy, Timeline(start, step, energy.size), peaks, zone=zone)


@each_row(
    ("import_kwh", "seen", "billed"),
    [
        # Floor 2.5: nothing below it costs; 4 adds 1.5; 4 after a month's 3 adds 1; 2.9 after 3
        # nothing.
        ([2.0, 2.4], (), 0.0),
        ([2.0, 4.0], (), 1.5),
        ([4.0, 1.0], (3.0,), 1.0),
        ([2.9, 1.0], (3.0,), 0.0),
        ([2.4, 1.0], (1.0,), 0.0),
    ],
    ids=["below the floor", "above it", "above the month's", "below the month's", "all below"],
)
def test_a_floor_is_billed_whatever_is_drawn(
    import_kwh: list[float], seen: tuple[float, ...], billed: float
) -> None:
    assert cost(import_kwh, Peak(price(least_kw=2.5), PeakHistory(seen))) == pytest.approx(
        4.0 * billed
    )


def test_quarter_hours_of_the_clock_count_not_any_fifteen_minutes() -> None:
    # 5-minute slots from 00:10: 1 + 0 make the first quarter-hour's rest, 0.5 each the next: 1 kWh
    # / 0.25 h and 1.5 kWh / 0.25 h.
    five = timedelta(minutes=5)
    assert cost(
        [1.0, 0.5, 0.5, 0.5], Peak(price(interval_minutes=15)), start=THURSDAY + 2 * five, step=five
    ) == pytest.approx(4.0 * 6.0)


def test_an_interval_that_had_begun_counts_what_it_imported_before() -> None:
    # From 00:30 on: 1 kWh before, 1 kWh in the two quarter-hours that are left.
    begun = Peak(price(), PeakHistory(interval_kwh=1.0))
    assert cost([0.5, 0.5, 0.2], begun, start=THURSDAY + 2 * SLOT, step=SLOT) == pytest.approx(
        4.0 * 2.0
    )
    assert cost([0.5, 0.5, 0.2], begun, step=SLOT) == pytest.approx(4.0 * 1.2)


def test_only_one_interval_of_each_day_is_among_the_highest() -> None:
    # Two days with 5, 4 and 3, 1: the mean of the two highest is (5 + 3) / 2, of intervals it
    # would be (5 + 4) / 2.
    hours = [0.0] * 48
    hours[8] = 5.0
    hours[9] = 4.0
    hours[30] = 3.0
    hours[31] = 1.0
    assert cost(hours, Peak(price(highest=2, one_per_day=True))) == pytest.approx(4.0 * 4.0)
    assert cost(hours, Peak(price(highest=2))) == pytest.approx(4.0 * 4.5)


def test_todays_highest_so_far_is_the_same_days() -> None:
    # Days before: 6, 2. Today has reached 3: 4 adds (4 − 3) / 3, and 2.5 nothing.
    seen = PeakHistory((6.0, 2.0), today_kw=3.0)
    component = Peak(price(highest=3, one_per_day=True), seen)
    assert cost([0.0, 4.0], component) == pytest.approx(4.0 / 3)
    assert cost([0.0, 2.5], component) == 0.0


def test_todays_highest_stays_when_the_window_of_today_has_passed() -> None:
    # From Thursday 22:00 on, with a window until 21:00: Friday's 5 joins Thursday's 3, so the mean
    # of both rises from 1.5 to 4.
    component = Peak(price(highest=2, one_per_day=True, to="21:00"), PeakHistory((), today_kw=3.0))
    assert cost([9.0, 9.0, 5.0, 1.0], component, start=THURSDAY + 22 * HOUR) == pytest.approx(
        4.0 * 2.5
    )


def test_a_window_counts_its_hours_on_its_days_alone() -> None:
    # Friday to Saturday, 17:00 to 21:00 on weekdays: 3 at 18:00 counts, 9 at noon and 8 on Saturday
    # at 18:00 do not.
    hours = [0.0] * 48
    hours[18] = 3.0
    hours[12] = 9.0
    hours[42] = 8.0
    assert cost(
        hours,
        Peak(price(days="weekday", **{"from": "17:00", "to": "21:00"})),
        start=THURSDAY + 24 * HOUR,
    ) == pytest.approx(12.0)


def test_components_add_up() -> None:
    hours = [0.0] * 24
    hours[12] = 5.0
    hours[18] = 3.0
    evening = price(name="evening", price_per_kw_month=10.0, **{"from": "17:00", "to": "21:00"})
    assert cost(hours, Peak(price()), Peak(evening, PeakHistory((2.0,)))) == pytest.approx(
        4.0 * 5 + 10.0 * 1
    )


def test_each_month_has_peaks_of_its_own() -> None:
    # Until midnight of March 1 local, and beyond: what February has seen says nothing of March.
    last = datetime(2024, 2, 29, 22, tzinfo=UTC)
    assert cost([5.0, 6.0], Peak(price(), PeakHistory((4.5,))), start=last) == pytest.approx(
        4.0 * (0.5 + 6.0)
    )


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    # 2024-10-27 02:00 comes twice in Brussels: 2 kWh in each are 2 kW, not 4.
    assert cost(
        [1.0, 2.0, 2.0, 1.0], Peak(price()), start=datetime(2024, 10, 26, 23, tzinfo=UTC)
    ) == pytest.approx(8.0)


def test_hours_follow_a_clock_that_is_half_an_hour_off() -> None:
    # 00:30 UTC is 06:00 in Delhi: the first two half-hours are one hour there.
    start = datetime(2024, 2, 1, 0, 30, tzinfo=UTC)
    assert cost(
        [1.0, 2.0, 0.5], Peak(price()), start=start, step=2 * SLOT, zone=ZoneInfo("Asia/Kolkata")
    ) == pytest.approx(12.0)


def test_a_month_without_a_slot_in_the_window_has_no_share() -> None:
    weekend = price(days="weekend")
    assert month_shares(weekend, Timeline(THURSDAY, HOUR, 24), BRUSSELS) == ()


def test_slots_longer_than_an_interval_are_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        cost([1.0], Peak(price(interval_minutes=15)))
    assert (caught.value.field, caught.value.value) == ("tariff.peak.interval_minutes", 15)


TARIFF = {"import": {"kind": "fixed", "price": 0.3}}
COMPONENT = {"price_per_kw_month": 4.0}


def site(peak: Any) -> Any:
    return parse_site(
        {"name": "home", "timezone": "Europe/Brussels", "tariff": TARIFF | {"peak": peak}}
    )


def test_one_component_several_and_none_are_read_and_written_as_given() -> None:
    assert [
        each.name for each in site([COMPONENT, COMPONENT | {"name": "evening"}]).tariff.peaks
    ] == ["peak", "evening"]
    assert site(None).tariff.peaks == ()
    assert site(COMPONENT).model_dump()["tariff"]["peak"]["price_per_kw_month"] == 4.0
    assert len(site([COMPONENT]).model_dump()["tariff"]["peak"]) == 1


@each_row(
    ("peak", "field", "reason"),
    [
        (COMPONENT | {"highest": 0}, "site.tariff.peak.highest", "greater-than-equal"),
        (
            [COMPONENT, COMPONENT | {"name": "b", "highest": 0}],
            "site.tariff.peak.1.highest",
            "greater-than-equal",
        ),
        ([COMPONENT, COMPONENT], "site.tariff", "peak-names"),
        (COMPONENT | {"from": "17:10"}, "site.tariff.peak", "window-within-interval"),
        (COMPONENT | {"least_kw": -1}, "site.tariff.peak.least_kw", "greater-than-equal"),
    ],
    ids=["none of them", "in a list", "named twice", "within an interval", "below nothing"],
)
def test_a_wrong_component_is_refused_by_name(peak: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        site(peak)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def history(
    import_kwh: Any, component: PeakPrice, *, start: datetime = THURSDAY, step: timedelta = HOUR
) -> PeakHistory:
    energy = np.array(import_kwh, dtype=float)
    return read_history(energy, Timeline(start, step, energy.size), component, zone=BRUSSELS)


def test_a_months_highest_intervals_are_read_from_what_was_measured() -> None:
    # February begins on Thursday; what is unknown counts as nothing.
    assert history([2.0, 3.0, np.nan, 1.0], price(highest=2)) == PeakHistory((3.0, 2.0))


def test_an_interval_that_still_runs_is_read_apart() -> None:
    # An hour of 0.25 kWh quarters, then half an hour of 0.4: 0.8 kWh so far.
    assert history([0.25] * 4 + [0.4] * 2, price(), step=SLOT) == PeakHistory(
        (1.0,), interval_kwh=pytest.approx(0.8)
    )


def test_of_days_todays_highest_is_read_apart() -> None:
    hours = [0.0] * 30
    hours[5] = 4.0
    hours[7] = 6.0
    hours[26] = 3.0
    assert history(hours, price(highest=3, one_per_day=True)) == PeakHistory((6.0,), today_kw=3.0)
    # At midnight the day has not begun.
    assert history(hours[:24], price(highest=3, one_per_day=True)) == PeakHistory((6.0,))


def test_a_month_in_which_nothing_counted_has_no_history() -> None:
    assert history([5.0] * 12, price(days="weekend")) == PeakHistory()
