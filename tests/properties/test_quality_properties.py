"""What holds of every repair and every verdict."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.site import SUBMETERED, parse_site
from luna.energy.timeline import FloatArray
from services.ingest.day_verdict import DayRecord, judge_day
from services.ingest.price_repair import PriceRecord, repair_prices
from services.ingest.quality_service import JUDGED
from tests.support.suite.depth import draws

PRICE = st.sampled_from([0.0, 0.0, 0.1, 0.3, -0.05, float("nan")])
SITE = parse_site(
    {
        "name": "home",
        "timezone": "Europe/Berlin",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    }
)


@st.composite
def records(draw: st.DrawFn, slots: int | None = None) -> PriceRecord:
    count = slots or draw(st.integers(1, 100))
    columns = [np.array(draw(st.lists(PRICE, min_size=count, max_size=count))) for _ in range(3)]
    return PriceRecord(*columns)


@given(records())
def test_repairing_twice_is_repairing_once(record: PriceRecord) -> None:
    once = repair_prices(record)
    again = repair_prices(PriceRecord(once.price, record.due, record.market))
    np.testing.assert_array_equal(again.price, once.price)
    assert again.slots == 0


@given(records())
def test_only_missing_zeros_change_and_they_become_prices_of_the_same_day(
    record: PriceRecord,
) -> None:
    repaired = repair_prices(record)
    filled = repaired.forward | repaired.backward
    assert not (filled & ~record.missing_zeros).any()
    np.testing.assert_array_equal(repaired.price[~filled], record.paid[~filled])
    assert set(repaired.price[filled]) <= set(record.paid[record.paid != 0])


@given(records())
def test_a_day_without_both_kinds_is_never_touched(record: PriceRecord) -> None:
    others = (np.isfinite(record.paid) & (record.paid != 0)).any()
    assert (repair_prices(record).slots > 0) == bool(others and record.missing_zeros.any())


@given(records())
def test_what_was_told_of_a_repair_leads_back_to_the_original(record: PriceRecord) -> None:
    repaired = repair_prices(record)
    told = {
        slot: record.paid[slot] for slot in np.flatnonzero(repaired.forward | repaired.backward)
    }
    back = repaired.price.copy()
    back[list(told)] = list(told.values())
    np.testing.assert_array_equal(back, record.paid)


def column(draw: st.DrawFn, slots: int) -> FloatArray:
    return np.array(
        draw(
            st.lists(
                st.sampled_from([0.0, 0.1, 0.5, 1.0, float("nan")]), min_size=slots, max_size=slots
            )
        )
    )


@st.composite
def days(draw: st.DrawFn) -> DayRecord:
    slots = draw(st.sampled_from([92, 96, 100]))
    series = {name: column(draw, slots) for name in JUDGED}
    expected = frozenset(draw(st.sets(st.sampled_from([*JUDGED[:7], "import_price"])))) | {
        "load_kwh"
    }
    return DayRecord(
        date(2024, 1, 1),
        series,
        np.zeros(slots, dtype=np.int64),
        {"import_price": draw(records(slots))},
        expected,
    )


@settings(max_examples=draws(50))
@given(days())
def test_every_verdict_has_its_reasons_and_those_of_a_clean_day_are_what_was_not_measured(
    day: DayRecord,
) -> None:
    judged = judge_day(day, SITE)
    assert judged.reasons or judged.verdict == "clean"
    assert judged.verdict != "clean" or all(
        reason.startswith("coverage") for reason in judged.reasons
    )
    assert set(SUBMETERED) <= set(day.series)
