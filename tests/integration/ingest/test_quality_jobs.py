"""Days judged and prices repaired on the real database."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from luna.contracts.data import DayQuality, JudgeQualityRequest
from luna.energy.day_fault import DayFault
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.quality_verdict import may_use
from luna.energy.series_query import SeriesQuery
from luna.energy.timeline import SLOT, FloatArray, local_day, local_days
from luna.platform.database import copy, observations, prices, quality, sites
from luna.platform.database.history import query_series
from luna.platform.database.savings import read_savings
from luna.platform.database.schema.series import slot_observations
from services.agent.evaluation.record import read_record
from services.agent.night import UnscoredDayError, score_day
from services.ingest.quality_service import judge_days, judge_later, judge_quality, judge_slots
from services.ingest.repair import Repair, find_gaps, repair_days
from tests.support.database.changed_history import read_changes
from tests.support.database.site import store_site

pytestmark = pytest.mark.every_database

BERLIN = ZoneInfo("Europe/Berlin")
# The clock goes forward on 31 March 2024: 92 slots; back on 27 October: 100.
FIRST = date(2024, 3, 30)
SPRING = date(2024, 3, 31)
LAST = date(2024, 4, 1)
DAYS = local_days(FIRST, LAST, BERLIN)
LATER = datetime(2024, 5, 1, tzinfo=UTC)
SPOT = {
    "import": {"kind": "spot", "market": "NL", "markup": 0.1},
    "export": {"kind": "fixed", "price": 0.0},
}


@pytest.fixture(autouse=True)
def _home(connection: Connection) -> None:
    store_site(connection, pv=[{"peak_kw": 5}], tariff=SPOT)


def measure(connection: Connection, **series: FloatArray) -> None:
    plain = {
        "load_kwh": 0.2,
        "pv_kwh": 0.1,
        "import_kwh": 0.1,
        "export_kwh": 0.0,
        "import_price": 0.3,
    }
    observations.write(
        connection,
        "home",
        DAYS.starts,
        {name: np.full(DAYS.count, value) for name, value in plain.items()} | series,
    )


def place(day: date) -> slice:
    slots = local_day(day, BERLIN)
    begin = DAYS.index_of(slots.start)
    return slice(begin, begin + slots.count)


def hurt(value: float, where: slice, hole: float = np.nan) -> FloatArray:
    series = np.full(DAYS.count, value)
    series[where] = hole
    return series


def verdicts(connection: Connection) -> list[str]:
    return [day.verdict for day in judge_days(connection, "home", FIRST, LAST, now=LATER)]


def test_days_are_judged_by_their_own_slots_and_stored(connection: Connection) -> None:
    # Ten slots are more than a tenth of the 92 of the short day, and of 96.
    short = place(SPRING)
    measure(connection, load_kwh=hurt(0.2, slice(short.start, short.start + 10)))
    judged = judge_days(connection, "home", FIRST, LAST, now=LATER)
    assert [(day.day, day.verdict) for day in judged] == [
        (FIRST, "clean"),
        (SPRING, "exclude"),
        (LAST, "clean"),
    ]
    assert judged[1].faults == [DayFault.of("coverage", series="load_kwh", known=82, slots=92)]
    assert quality.read(connection, "home", FIRST, LAST) == judged


def test_slots_of_a_day_that_has_not_ended_have_the_days_before_judged_alone(
    connection: Connection,
) -> None:
    measure(connection)
    before, spring, last = (local_day(day, BERLIN) for day in (FIRST, SPRING, LAST))
    site = sites.load(connection, "home")
    assert judge_slots(connection, site, last.start, last.end, now=last.end - SLOT) == []
    assert [
        day.day
        for day in judge_slots(connection, site, spring.start, last.end, now=last.end - SLOT)
    ] == [SPRING]
    assert [
        day.day for day in judge_slots(connection, site, before.start, last.end, now=last.end)
    ] == [FIRST, SPRING, LAST]


def test_quality_queries_training_scores_and_savings_agree_on_what_may_be_used(
    connection: Connection,
) -> None:
    store_site(
        connection,
        pv=[{"peak_kw": 5}],
        tariff={
            "import": {"kind": "fixed", "price": 0.3},
            "export": {"kind": "fixed", "price": 0.0},
        },
    )
    site = sites.load(connection, "home")
    days = (FIRST, SPRING, LAST)
    short = place(SPRING)
    measure(
        connection,
        load_kwh=hurt(0.2, slice(short.start, short.start + 10)),
        soc=np.full(DAYS.count, 0.5),
    )
    judge_days(connection, "home", FIRST, LAST, now=LATER)
    quality.save(
        connection,
        "home",
        [DayQuality(day=LAST, verdict="mask_battery", faults=[DayFault.of("soc_stuck", flow=2.4)])],
    )
    for series, expected in {"load_kwh": [True, False, True], "soc": [True, False, False]}.items():
        judged = [
            may_use(day.verdict, series) for day in quality.read(connection, "home", FIRST, LAST)
        ]
        unusable = {
            each.first
            for each in query_series(
                connection, "home", SeriesQuery(series, DAYS.start, DAYS.end)
            ).unusable
        }
        learned = getattr(quality.read_trusted(connection, site, DAYS), series)
        told = (
            judged,
            [local_day(day, BERLIN).start not in unusable for day in days],
            [bool(np.isfinite(learned[place(day)]).any()) for day in days],
        )
        assert told == (expected, expected, expected), series
    # Scored and counted is what load and sun did.
    left = {
        day.day: day.code for day in read_savings(connection, site, first=FIRST, last=LAST).left_out
    }
    assert (
        [left[day] != "excluded" for day in days]
        == [day not in read_record(connection, site).unusable for day in days]
        == [True, False, True]
    )
    with pytest.raises(UnscoredDayError, match="excluded"):
        score_day(connection, site, SPRING, policy="any")


def test_judging_again_changes_what_differs_and_nothing_else(connection: Connection) -> None:
    measure(connection, load_kwh=hurt(0.2, place(SPRING)))
    before = judge_days(connection, "home", FIRST, LAST, now=LATER)
    assert quality.save(connection, "home", before) == 0
    measure(connection)
    slots = local_day(SPRING, BERLIN)
    assert [
        day.verdict
        for day in judge_slots(
            connection, sites.load(connection, "home"), slots.start, slots.end, now=LATER
        )
    ] == ["clean"]
    assert [day.verdict for day in quality.read(connection, "home", FIRST, LAST)] == ["clean"] * 3


def test_a_day_that_has_not_ended_is_open_and_not_stored(connection: Connection) -> None:
    measure(connection)
    judged = judge_days(
        connection, "home", FIRST, LAST, now=local_day(LAST, BERLIN).end - timedelta(seconds=1)
    )
    assert judged[-1].faults == [DayFault("open")]
    assert [day.day for day in quality.read(connection, "home", FIRST, LAST)] == [FIRST, SPRING]


def test_repaired_values_count_by_their_bits(connection: Connection) -> None:
    measure(connection)
    short = place(SPRING)
    marks = np.zeros(DAYS.count, dtype=np.int16)
    # Bit 2 stands for the grid import.
    marks[short.start : short.start + 30] = 4
    mark(connection, marks)
    [judged] = judge_days(connection, "home", SPRING, SPRING, now=LATER)
    assert judged.faults == [DayFault.of("repaired", series="import_kwh", known=30, slots=92)]


def mark(connection: Connection, marks: NDArray[np.int16]) -> None:
    copy.upsert(
        connection,
        slot_observations,
        {
            "site_key": sites.key_of(connection, "home"),
            "slot_start": DAYS.starts,
            "repaired": marks,
        },
    )


def test_a_day_without_prices_is_excluded_where_there_are_prices_around_it(
    connection: Connection,
) -> None:
    measure(connection, import_price=hurt(0.3, place(SPRING)))
    assert verdicts(connection) == ["clean", "exclude", "clean"]
    slots = local_day(SPRING, BERLIN)
    prices.upsert(
        connection,
        "NL",
        starts=slots.starts,
        price=np.full(slots.count, 0.05),
        currency="EUR",
        published_at=slots.start - timedelta(hours=11),
    )
    assert verdicts(connection) == ["clean", "clean", "clean"]


def test_history_from_before_there_were_prices_may_train(connection: Connection) -> None:
    measure(connection, import_price=np.full(DAYS.count, np.nan))
    assert verdicts(connection) == ["clean"] * 3


def test_a_window_upside_down_and_a_site_nobody_knows_are_refused(connection: Connection) -> None:
    with pytest.raises(InvalidInputError) as refused:
        judge_days(connection, "home", LAST, FIRST, now=LATER)
    assert refused.value.reason == "ends-before-start"
    with pytest.raises(NotFoundError, match="no such site"):
        judge_days(connection, "elsewhere", FIRST, LAST, now=LATER)


def mend(connection: Connection, *, dry_run: bool = False) -> list[Repair]:
    return repair_days(connection, "home", (FIRST, LAST), now=LATER, dry_run=dry_run)


def mixed_prices() -> FloatArray:
    """All zero on the first day.

    On the short day four zeros in the morning that the market had, and four at noon that it had
    not.
    """
    paid = hurt(0.3, place(FIRST), 0.0)
    short = place(SPRING).start
    paid[short + 20 : short + 24] = 0.0
    paid[short + 40 : short + 44] = 0.0
    return paid


def publish(connection: Connection) -> None:
    """A market that was at −0.1 that morning, which with a markup of 0.1 comes to nothing, and at
    0.2 otherwise.
    """
    short = place(SPRING).start
    price = np.full(DAYS.count, 0.2)
    price[short + 20 : short + 24] = -0.1
    prices.upsert(
        connection,
        "NL",
        starts=DAYS.starts,
        price=price,
        currency="EUR",
        published_at=DAYS.start - timedelta(hours=11),
    )


def test_zeros_the_market_never_had_are_repaired_and_every_change_leads_back(
    connection: Connection,
) -> None:
    measure(connection, import_price=mixed_prices())
    publish(connection)
    assert verdicts(connection) == ["exclude", "exclude", "clean"]
    (repair,) = mend(connection)
    assert (repair.series, repair.day, repair.rule, repair.starts.size) == (
        "import_price",
        SPRING,
        "zero price filled forward",
        4,
    )
    # The day of zeros stays as it is, and is still told; the other was judged again.
    assert [day.verdict for day in quality.read(connection, "home", FIRST, LAST)] == [
        "exclude",
        "clean",
        "clean",
    ]
    paid, _ = observations.read_prices(connection, "home", DAYS)
    assert paid[place(SPRING)].tolist().count(0.0) == 4
    changes = read_changes(connection, "home", first=DAYS.start, end=DAYS.end)
    assert {(change.series, change.before, change.after, change.rule) for change in changes} == {
        ("import_price", 0.0, 0.3, "zero price filled forward")
    }
    for change in reversed(changes):
        paid[DAYS.index_of(change.slot_start)] = change.before
    np.testing.assert_array_equal(paid, mixed_prices())


def test_a_trial_says_what_it_would_do_and_a_second_repair_finds_nothing(
    connection: Connection,
) -> None:
    measure(connection, import_price=mixed_prices())
    publish(connection)
    assert [repair.starts.size for repair in mend(connection, dry_run=True)] == [4]
    assert not read_changes(connection, "home", first=DAYS.start, end=DAYS.end)
    assert [repair.starts.size for repair in mend(connection)] == [4]
    assert mend(connection) == []


def test_short_gaps_in_energies_are_filled_marked_and_told_across_midnight(
    connection: Connection,
) -> None:
    middle = place(SPRING).start
    measure(
        connection,
        load_kwh=hurt(0.2, slice(middle - 2, middle + 2)),
        pv_kwh=hurt(0.1, slice(middle, middle + 8)),
    )
    assert [
        (repair.series, repair.day, repair.rule, repair.starts.size) for repair in mend(connection)
    ] == [
        ("load_kwh", FIRST, "short gap filled", 2),
        ("load_kwh", SPRING, "short gap filled", 2),
    ]
    np.testing.assert_allclose(observations.read(connection, "home", DAYS).load_kwh, 0.2)
    marks = quality.read_repaired(connection, "home", DAYS)
    assert np.flatnonzero(marks).tolist() == list(range(middle - 2, middle + 2))
    changes = read_changes(connection, "home", first=DAYS.start, end=DAYS.end)
    assert [(change.series, change.before, change.rule) for change in changes] == [
        ("load_kwh", None, "short gap filled")
    ] * 4
    assert mend(connection) == []


def test_a_gap_at_the_edge_of_the_window_is_filled_from_beyond_it(connection: Connection) -> None:
    first = place(SPRING).start
    measure(connection, load_kwh=hurt(0.2, slice(first, first + 2)))
    assert [
        repair.starts.size
        for repair in repair_days(connection, "home", (SPRING, SPRING), now=LATER)
    ] == [2]


def test_a_series_that_the_sites_sensors_give_is_left_to_its_readings(
    connection: Connection,
) -> None:
    sensors = {"total_load_consumption": "sensor.load"}
    store_site(connection, tariff=SPOT, input_sensors=sensors)
    measure(connection, load_kwh=hurt(0.2, slice(4, 6)))
    assert mend(connection) == []


def test_gaps_are_told_with_first_last_and_length(connection: Connection) -> None:
    store_site(connection)
    measure(
        connection, load_kwh=hurt(0.2, slice(4, 7)), pv_kwh=hurt(0.1, slice(DAYS.count - 1, None))
    )
    gaps = [
        (gap.series, DAYS.index_of(gap.first), DAYS.index_of(gap.last), gap.slots)
        for gap in find_gaps(connection, "home", DAYS.start, DAYS.end)
    ]
    assert gaps == [("load_kwh", 4, 6, 3), ("pv_kwh", DAYS.count - 1, DAYS.count - 1, 1)]


def test_gaps_of_a_sites_market_are_told_by_its_name(connection: Connection) -> None:
    starts = np.delete(DAYS.starts, [8, 9])
    prices.upsert(
        connection,
        "NL",
        starts=starts,
        price=np.full(starts.size, 0.1),
        currency="EUR",
        published_at=DAYS.start - timedelta(hours=11),
    )
    (gap,) = find_gaps(connection, "home", DAYS.start, DAYS.end)
    assert (gap.series, DAYS.index_of(gap.first), gap.slots) == ("market_prices:NL", 8, 2)


def test_series_that_a_site_never_had_are_no_gaps(connection: Connection) -> None:
    store_site(connection)
    assert find_gaps(connection, "home", DAYS.start, DAYS.end) == []


def test_what_a_sensor_or_the_tariff_names_and_nobody_loaded_yet_is_one_gap(
    connection: Connection,
) -> None:
    sensors = {
        "total_load_consumption": "sensor.load",
        "battery_soc": "sensor.soc",
        "heat_pump_consumption": "sensor.heat_pump",
    }
    store_site(connection, tariff=SPOT, input_sensors=sensors)
    gaps = [(gap.series, gap.slots) for gap in find_gaps(connection, "home", DAYS.start, DAYS.end)]
    assert gaps == [
        ("load_kwh", DAYS.count),
        ("soc", DAYS.count),
        ("heat_pump_kwh", DAYS.count),
        ("market_prices:NL", DAYS.count),
    ]


def test_what_is_trusted_leaves_out_excluded_days_and_keeps_days_never_judged(
    connection: Connection,
) -> None:
    measure(connection, load_kwh=hurt(0.2, slice(place(SPRING).start, place(SPRING).start + 20)))
    site = sites.load(connection, "home")
    assert (
        np.isfinite(quality.read_trusted(connection, site, DAYS).load_kwh).sum() == DAYS.count - 20
    )
    judge_days(connection, "home", SPRING, SPRING, now=LATER)
    trusted = quality.read_trusted(connection, site, DAYS)
    assert np.isnan(trusted.load_kwh[place(SPRING)]).all()
    assert np.isfinite(trusted.load_kwh).sum() == DAYS.count - 92


def test_without_a_site_every_site_is_judged_for_the_week_that_ended_from_when_it_is_there(
    connection: Connection,
) -> None:
    measure(connection)
    for name in ("away", "later"):
        store_site(connection, name=name, timezone="Pacific/Auckland")
    connection.execute(
        text("UPDATE sites SET created_at = '2024-03-30T12:00Z' WHERE name = 'away'")
    )
    # In Berlin it is still 2 April, in Auckland already the 3rd.
    reply = judge_quality(
        connection, JudgeQualityRequest(), now=datetime(2024, 4, 2, 21, tzinfo=UTC)
    )
    judged = {
        site.site_id: [(day.day, day.verdict) for day in site.days]
        for site in reply.sites
        if site.site_id in {"home", "away", "later"}
    }
    # Against days from before anything was measured nothing is said, nor against those before a
    # site that never measured was added.
    assert judged["home"] == [(day, "clean") for day in (FIRST, SPRING, LAST)]
    assert judged["away"] == [
        (date(2024, 3, 31) + timedelta(days=number), "exclude") for number in range(3)
    ]
    assert judged["later"] == []
    assert [day.day for day in quality.read(connection, "home", date(2024, 3, 1), LAST)] == [
        FIRST,
        SPRING,
        LAST,
    ]


def test_a_window_far_outside_is_refused(connection: Connection) -> None:
    with pytest.raises(InvalidInputError) as refused:
        judge_days(connection, "home", FIRST, date(9999, 12, 31), now=LATER)
    assert (refused.value.reason, refused.value.parameters) == (
        "years-outside",
        {"first": 1970, "last": 2199},
    )


def test_history_that_was_loaded_is_judged_when_beat_next_asks_and_only_once(
    connection: Connection,
) -> None:
    measure(connection)
    request = JudgeQualityRequest(site_id="home")
    much_later = datetime(2025, 1, 1, 12, tzinfo=UTC)
    first, second = (
        judge_quality(connection, request, now=much_later).sites[0].days for _ in range(2)
    )
    assert [day.day for day in first[:3]] == [FIRST, SPRING, LAST]
    assert (len(first), len(second)) == (3 + 7, 7)
    judge_later(
        connection, sites.load(connection, "home"), DAYS.start + timedelta(days=1), DAYS.end
    )
    assert [
        day.day for day in judge_quality(connection, request, now=much_later).sites[0].days[:-7]
    ] == [SPRING, LAST]


def test_overdue_days_are_judged_a_year_at_a_time(connection: Connection) -> None:
    starts = np.array(["2022-01-01", "2023-06-01"], dtype="datetime64[s]")
    observations.write(connection, "home", starts, {"load_kwh": np.array([0.1, 0.1])})
    request = JudgeQualityRequest(site_id="home")
    first, second = (
        judge_quality(connection, request, now=datetime(2025, 1, 1, 12, tzinfo=UTC)).sites[0].days
        for _ in range(2)
    )
    assert (first[0].day, len(first)) == (date(2022, 1, 1), 366 + 7)
    assert (second[0].day, second[-8].day) == (date(2023, 1, 2), date(2023, 6, 1))


def test_a_window_of_years_is_judged_part_by_part(connection: Connection) -> None:
    measure(connection)
    judged = judge_days(connection, "home", date(2023, 1, 1), LAST, now=LATER)
    assert len(judged) == (LAST - date(2023, 1, 1)).days + 1
    assert [day.verdict for day in judged[-4:]] == ["exclude", "clean", "clean", "clean"]
    assert len(quality.read(connection, "home", date(2023, 1, 1), LAST)) == len(judged)
