"""Stored readings into stored quarter-hours: written once, refused with a reason, taken back where
a meter was stuck.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, text

from luna.contracts.data import BuildSlotsReply, BuildSlotsRequest, ResolveRequest
from luna.energy.day_fault import DayFault
from luna.energy.errors import ConflictError, InvalidInputError
from luna.energy.row_fault import RowFault
from luna.energy.series_query import SeriesQuery, as_rows
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline
from luna.house.findings import find_silent_beside_others
from luna.house.silent_sensors import read_silent
from luna.platform.database import observations, quality, quarantine, readings, sites
from luna.platform.database.history import query_series
from luna.platform.database.savings import read_savings
from luna.words.quarantine import say_row_fault
from services.ingest.loading import FileForm, LoadReport, load_file
from services.ingest.metering.build import STUCK
from services.ingest.quality_service import judge_days
from services.ingest.quarantine_release import resolve_row
from services.ingest.recorder import ReadingKind
from services.ingest.slot_builder import build_site_slots
from services.ingest.source_readings import Reading
from tests.support.database.changed_history import read_changes
from tests.support.metering.samples import NOON, describe_metered, every, minutes

pytestmark = pytest.mark.every_database

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def put(
    connection: Connection, sensor: str, unit: str | None, instants: InstantArray, values: object
) -> None:
    key = readings.register(connection, "metered", {sensor: unit})[sensor]
    readings.upsert(
        connection,
        np.full(instants.size, key, dtype=np.int32),
        instants,
        np.asarray(values, dtype=np.float64),
    )


def load(
    connection: Connection, folder: Path, first: int, values: list[float], *units: str
) -> LoadReport:
    """Load a file with a reading each quarter-hour from the ``first``-th after noon on.

    The last unit is that of all that follow.
    """
    path = folder / "readings.csv"
    at = [
        np.datetime_as_string(instant, unit="s")
        for instant in minutes(*(15 * (first + place) for place in range(len(values))))
    ]
    rows = [
        f"{instant}Z,load,{value},{unit}"
        for instant, value, unit in zip(
            at, values, [*units, *units[-1:] * len(values)], strict=False
        )
    ]
    path.write_text("\n".join(["instant,sensor,value,unit", *rows]), encoding="utf-8")
    return load_file(connection, "metered", path, FileForm("readings"))


def build(
    connection: Connection, *, slots: int, first: datetime = NOON, now: datetime = NOW
) -> BuildSlotsReply:
    return build_site_slots(
        connection,
        BuildSlotsRequest(site_id="metered", first=first, end=first + slots * SLOT),
        now=now,
    )


def stored(connection: Connection, name: str, slots: int) -> FloatArray:
    return observations.read_series(connection, "metered", Timeline(NOON, SLOT, slots), (name,))[
        name
    ]


# A counter that rises by 0.5 kWh in each quarter-hour, before and after an update that lets it
# speak in Wh.
BEFORE = [812.0, 812.5, 813.0, 813.5]
AFTER = [814_000.0, 814_500.0, 815_000.0]


@pytest.mark.parametrize(
    "order",
    [(0, 1), (1, 0), (0, 1, 0)],
    ids=["in turn", "the later file first", "the earlier file again"],
)
def test_each_day_is_built_in_the_unit_in_which_it_was_said(
    connection: Connection, add_site: Callable[..., None], tmp_path: Path, order: tuple[int, ...]
) -> None:
    add_site(total_load_consumption="load")
    for turn in order:
        load(connection, tmp_path, *((0, BEFORE, "kWh"), (4, AFTER, "Wh"))[turn])
        build(connection, slots=8)
    np.testing.assert_allclose(stored(connection, "load_kwh", 6), [0.5] * 6)
    units = connection.execute(text("SELECT since, unit FROM sensor_units")).all()
    before = fingerprint(connection)
    assert len(units) == 1 + (order == (1, 0))
    assert load(connection, tmp_path, 4, AFTER, "Wh").written.unchanged == 3
    assert build(connection, slots=8).slots_written == 0
    assert (
        connection.execute(text("SELECT since, unit FROM sensor_units")).all(),
        fingerprint(connection),
    ) == (units, before)


def test_a_file_loaded_again_with_the_right_unit_is_counted_as_changed_and_built_anew(
    connection: Connection, add_site: Callable[..., None], tmp_path: Path
) -> None:
    add_site(total_load_consumption="load")
    load(connection, tmp_path, 0, BEFORE, "kWh")
    load(connection, tmp_path, 4, AFTER, "kWh")
    written = load(connection, tmp_path, 4, AFTER, "Wh").written
    assert (written.inserted, written.updated, written.unchanged) == (0, 3, 0)
    build(connection, slots=6)
    np.testing.assert_allclose(stored(connection, "load_kwh", 6), [0.5] * 6)


# Three local days of Berlin: 0.25 kWh and, from six to six, 0.75 kWh in each quarter-hour.
FIRST_MIDNIGHT = datetime(2024, 5, 31, 22, tzinfo=UTC)
USED = np.tile(np.where(np.arange(96) // 24 % 3 == 0, 0.25, 0.75), 3)
COUNTED = 5_000 + np.concatenate([[0.0], np.cumsum(USED)])
HEARD = np.datetime64(FIRST_MIDNIGHT.replace(tzinfo=None), "us") + np.arange(289) * np.timedelta64(
    SLOT
)


def put_counter(connection: Connection, *silent: slice) -> None:
    kept = np.ones(289, dtype=np.bool_)
    for gap in silent:
        kept[gap] = False
    put(connection, "load", "kWh", HEARD[kept], COUNTED[kept])


def ask_days(connection: Connection) -> list[tuple[float, float, float]]:
    answer = query_series(
        connection,
        "metered",
        SeriesQuery("load_kwh", FIRST_MIDNIGHT, FIRST_MIDNIGHT + timedelta(days=3), "1d"),
    )
    return [(row["value"], row["known"], row["estimated"]) for row in as_rows(answer)]


def test_the_total_of_a_silence_is_the_counters_and_its_quarter_hours_are_no_measurement(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    # From 21:30 on the second day to 02:00 on the third, and from 12:00 to 14:00: 10 and 8
    # quarter-hours, and 8 more.
    put_counter(connection, slice(96 + 87, 192 + 8), slice(192 + 49, 192 + 57))
    reply = build(connection, slots=288, first=FIRST_MIDNIGHT)
    assert (reply.series["load_kwh"].known, reply.series["load_kwh"].filled) == (288, 18 + 9)
    assert ask_days(connection) == [
        (pytest.approx(48, abs=1e-6), 1.0, share / 96) for share in (0, 10, 17)
    ]
    whole = Timeline(FIRST_MIDNIGHT, SLOT, 288)
    measured = observations.read(connection, "metered", whole).load_kwh
    assert np.isfinite(measured).sum() == 288 - 27
    days = judge_days(connection, "metered", date(2024, 6, 1), date(2024, 6, 3), now=NOW)
    assert [day.verdict for day in days] == ["clean", "exclude", "exclude"]
    assert days[1].faults[0] == DayFault.of("estimated", series="load_kwh", known=10, slots=96)
    assert [
        left.code
        for left in read_savings(
            connection, sites.load(connection, "metered"), first=days[0].day, last=days[1].day
        ).left_out
    ][1] == "excluded"
    before = fingerprint(connection)
    assert build(connection, slots=288, first=FIRST_MIDNIGHT).slots_written == 0
    assert build(connection, slots=96, first=FIRST_MIDNIGHT + timedelta(days=2)).slots_written == 0
    assert fingerprint(connection) == before


def ask_intervals(connection: Connection) -> list[tuple[datetime, datetime, float, str]]:
    answer = query_series(
        connection,
        "metered",
        SeriesQuery("load_kwh", FIRST_MIDNIGHT, FIRST_MIDNIGHT + timedelta(days=3), "1d"),
    )
    return [(each.first, each.end, each.energy_kwh, each.certainty) for each in answer.intervals]


def after_slots(slots: int) -> datetime:
    return FIRST_MIDNIGHT + slots * SLOT


def test_what_a_counter_counted_through_each_silence_is_kept_as_its_own_fact(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    # Two silences side by side, told apart by the one reading between them, and one that is longer
    # than a day, which no quarter-hour is filled from.
    put_counter(connection, slice(11, 30), slice(31, 50), slice(101, 221))
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    spans = [(10, 30), (30, 50), (100, 221)]
    expected = [
        (
            after_slots(first),
            after_slots(end),
            pytest.approx(COUNTED[end] - COUNTED[first]),
            "counted",
        )
        for first, end in spans
    ]
    assert ask_intervals(connection) == expected
    assert np.isnan(
        observations.read_series(
            connection, "metered", Timeline(after_slots(101), SLOT, 119), ("load_kwh",)
        )["load_kwh"]
    ).all()
    # Built again, in a part that sees none of the ends, and once the readings are deleted, it stays
    # as it is.
    kept = connection.execute(
        text("SELECT xmin::text, * FROM energy_intervals ORDER BY starts_at")
    ).all()
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    build(connection, slots=8, first=after_slots(150))
    assert (
        connection.execute(
            text("SELECT xmin::text, * FROM energy_intervals ORDER BY starts_at")
        ).all()
        == kept
    )
    connection.execute(
        text("DELETE FROM sensor_readings WHERE instant < :before"), {"before": after_slots(60)}
    )
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    assert ask_intervals(connection) == expected


def test_an_interval_gives_way_to_later_readings_and_is_a_lower_bound_after_a_reset(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put_counter(connection, slice(11, 50), slice(101, 140))
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    put(connection, "load", "kWh", HEARD[30:31], COUNTED[30:31])
    put(connection, "load", "kWh", HEARD[140:289], COUNTED[140:289] - COUNTED[120])
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    found = ask_intervals(connection)
    assert [(first, end, certainty) for first, end, _, certainty in found] == [
        (after_slots(first), after_slots(end), certainty)
        for first, end, certainty in (
            (10, 30, "counted"),
            (30, 50, "counted"),
            (100, 140, "at_least"),
        )
    ]
    assert found[2][2] == pytest.approx(COUNTED[140] - COUNTED[120])


def test_savings_leave_out_a_day_that_is_partly_estimated_and_say_so(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    # Two hours and a quarter: less than a tenth of a day, which stays clean.
    put_counter(connection, slice(96 + 40, 96 + 48))
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    observations.write(
        connection, "metered", Timeline(FIRST_MIDNIGHT, SLOT, 288).starts, {"pv_kwh": np.zeros(288)}
    )
    days = judge_days(connection, "metered", date(2024, 6, 1), date(2024, 6, 3), now=NOW)
    savings = read_savings(
        connection, sites.load(connection, "metered"), first=days[0].day, last=days[2].day
    )
    assert [left.code for left in savings.left_out] == ["no_forecast", "estimated", "no_forecast"]


def test_readings_that_come_later_take_the_place_of_what_was_filled(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put_counter(connection, slice(97, 181))
    # Nobody is asked, although a day that looked known becomes another one: only its sum was.
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    put_counter(connection)
    build(connection, slots=192, first=FIRST_MIDNIGHT)
    np.testing.assert_allclose(
        observations.read(connection, "metered", Timeline(FIRST_MIDNIGHT, SLOT, 288)).load_kwh,
        USED,
        atol=1e-6,
    )
    assert not quality.read_estimated(
        connection, "metered", Timeline(FIRST_MIDNIGHT, SLOT, 288)
    ).any()
    assert (
        judge_days(connection, "metered", date(2024, 6, 2), date(2024, 6, 2), now=NOW)[0].reasons
        == []
    )


def test_what_was_loaded_as_measured_is_never_replaced_by_an_estimate(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    gap = np.arange(120, 140)
    observations.write(
        connection,
        "metered",
        HEARD[gap].astype("datetime64[s]"),
        {"load_kwh": np.full(gap.size, 0.5)},
    )
    put_counter(connection, slice(121, 140))
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    timeline = Timeline(FIRST_MIDNIGHT, SLOT, 288)
    np.testing.assert_array_equal(
        observations.read(connection, "metered", timeline).load_kwh[gap], 0.5
    )


def test_what_is_loaded_after_a_silence_was_filled_counts_as_measured(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put_counter(connection, slice(121, 140))
    build(connection, slots=288, first=FIRST_MIDNIGHT)
    timeline = Timeline(FIRST_MIDNIGHT, SLOT, 288)
    gap = np.arange(120, 140)
    filled = observations.read_series(connection, "metered", timeline, ("load_kwh",))["load_kwh"]
    # The second half with the very values that were estimated.
    observations.write(
        connection,
        "metered",
        HEARD[gap].astype("datetime64[s]"),
        {"load_kwh": np.where(gap < 130, 0.5, filled[gap])},
    )
    assert np.isfinite(observations.read(connection, "metered", timeline).load_kwh).all()


def test_a_unit_that_changes_within_a_file_and_live_is_that_of_each_reading(
    connection: Connection, add_site: Callable[..., None], tmp_path: Path
) -> None:
    add_site(total_load_consumption="load")
    load(
        connection, tmp_path, 0, BEFORE[:2] + [1000 * kwh for kwh in BEFORE[2:]], "kWh", "kWh", "Wh"
    )
    said = [
        Reading("load", NOON + (4 + place) * SLOT, wh / kwh, unit)
        for place, (wh, kwh, unit) in enumerate(
            zip(AFTER, (1, 1000, 1), ("Wh", "kWh", "Wh"), strict=True)
        )
    ]
    for reading in said:
        ReadingKind().store(connection, "metered", [ReadingKind().encode(reading)])
    build(connection, slots=6)
    np.testing.assert_allclose(stored(connection, "load_kwh", 6), [0.5] * 6)


def test_readings_in_a_unit_that_there_is_not_are_refused_by_name_and_the_others_are_built(
    connection: Connection, add_site: Callable[..., None], tmp_path: Path
) -> None:
    add_site(total_load_consumption="load")
    report = load(
        connection, tmp_path, 0, [*BEFORE, 814.0, 814.5], "kWh", "kWh", "kWh", "kWh", "kkWh"
    )
    role = "total_load_consumption"
    reason = RowFault.of("wrong_unit_of", sensor="load", role=role, unit="kkWh")
    assert (report.accepted, dict(report.reasons)) == (4, {say_row_fault(reason): 2})
    last, first = quarantine.list_rows(connection, "metered")
    with pytest.raises(InvalidInputError, match="kkWh"):
        resolve_row(
            connection,
            ResolveRequest(quarantine_id=last.quarantine_id, resolution="released"),
            now=NOW,
        )
    resolve_row(
        connection,
        ResolveRequest(
            quarantine_id=first.quarantine_id, resolution="corrected", values={"unit": "kWh"}
        ),
        now=NOW,
    )
    # What a live source says is kept as it is said, and refused where quarter-hours are built.
    ReadingKind().store(
        connection,
        "metered",
        [ReadingKind().encode(Reading("load", NOON + 6 * SLOT, 815.0, "kkWh"))],
    )
    build(connection, slots=8)
    np.testing.assert_allclose(stored(connection, "load_kwh", 5), [0.5, 0.5, 0.5, 0.5, np.nan])
    live = quarantine.list_rows(connection, "metered")[0]
    assert (live.source, live.raw["value"], live.raw["unit"], live.reason) == (
        "sensor load",
        815.0,
        "kkWh",
        say_row_fault(RowFault.of("wrong_unit", unit="kkWh")),
    )


OWN_SLOTS = text(
    "SELECT repaired, source FROM slot_observations JOIN sites USING (site_key) WHERE name "
    "= 'metered' ORDER BY slot_start"
)


def fingerprint(connection: Connection) -> list[tuple[object, ...]]:
    tables = ("slot_observations", "quarantine", "history_changes", "data_quality_daily")
    return [
        tuple(
            connection.execute(
                text(
                    "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM "  # noqa: S608
                    f"{table} t"
                )
            ).one()
        )
        for table in tables
    ]


@pytest.fixture
def add_site(connection: Connection) -> Callable[..., None]:
    return lambda **sensors: sites.save(connection, describe_metered(**sensors))


def test_slots_are_built_and_building_again_changes_nothing(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load", battery_soc="soc", total_pv_production="roof")
    put(connection, "load", "Wh", minutes(0, 15, 75, 76, 90), [1e6, 1.001e6, 1.005e6, 0, 1.006e6])
    put(connection, "soc", "%", minutes(10, 80), [40, 50])
    first = build(connection, slots=6)
    before = fingerprint(connection)
    second = build(connection, slots=6)
    np.testing.assert_allclose(stored(connection, "load_kwh", 6), [1.0] * 6)
    # From 40 to 50 % in 70 minutes.
    np.testing.assert_allclose(
        stored(connection, "soc", 6),
        [*(0.4 + 0.1 * (15 * place - 10) / 70 for place in range(1, 6)), 0.5],
        atol=1e-6,
    )
    marks = connection.execute(OWN_SLOTS).all()
    # Bit 0 is the load, bit 6 the state of charge.
    assert marks == [(64, "readings"), *[(65, "readings")] * 4, (0, "readings")]
    assert (first.slots_written, first.quarantined, first.missing_sensors) == (6, 1, ["roof"])
    assert first.series["load_kwh"].interpolated == 4
    assert sum(first.series["load_kwh"].rejected.values()) == 1
    assert second.slots_written == 0
    assert fingerprint(connection) == before


def test_a_meter_that_was_exchanged_is_built_from_the_old_one_and_then_from_the_new_one(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    # NOON is 14:00 on the site's clock. The old name goes on with something else, the new one
    # begins at another level.
    add_site(
        total_load_consumption=[
            {"sensor": "old", "until": "2024-06-01 14:30"},
            {"sensor": "new", "from": "2024-06-01 14:30"},
        ]
    )
    put(connection, "old", "kWh", every(15, 5), [100.0, 100.5, 101.0, 900.0, 901.0])
    put(connection, "new", "Wh", every(15, 5), [0.0, 0.0, 7e6, 7.00025e6, 7.0005e6])
    assert build(connection, slots=4).slots_written == 4
    np.testing.assert_allclose(stored(connection, "load_kwh", 4), [0.5, 0.5, 0.25, 0.25])
    assert (
        list(quarantine.list_open(connection, "metered", source="sensor old", lines=(0, 2**62)))
        == []
    )


def test_a_sum_is_known_without_a_sensor_that_never_was_and_not_without_one_that_fell_silent(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption=["house", "mistyped"], total_pv_production=["roof", "garage"])
    begun = NOON - timedelta(days=20)
    now = NOON + timedelta(hours=10)
    hours = np.datetime64(begun.replace(tzinfo=None), "us") + np.arange(
        20 * 24 + 11
    ) * np.timedelta64(1, "h")
    for sensor, count in (("house", hours.size), ("roof", hours.size), ("garage", 24)):
        put(connection, sensor, "kWh", hours[:count], np.arange(count, dtype=np.float64))

    def known() -> list[int]:
        build(connection, slots=4, now=now)
        return [
            int(np.isfinite(stored(connection, name, 4)).sum()) for name in ("load_kwh", "pv_kwh")
        ]

    # As long as it may be on its way, the name that was just written is waited for.
    assert known() == [0, 0]
    connection.execute(text("UPDATE site_versions SET saved_at = :begun"), {"begun": begun})
    assert known() == [4, 0]
    site = sites.load(connection, "metered")
    assert [
        (each.role, each.sensor.name, each.since) for each in read_silent(connection, site, now=now)
    ] == [
        ("total_load_consumption", "mistyped", None),
        ("total_pv_production", "garage", begun + timedelta(hours=23)),
    ]
    assert [found.code for found in find_silent_beside_others(connection, site, now=now)] == [
        "sensor_unheard",
        "sensor_silent",
    ]
    (day,) = judge_days(
        connection,
        "metered",
        NOON.date() - timedelta(days=1),
        NOON.date() - timedelta(days=1),
        now=now,
    )
    silent = DayFault.of("silent", series="pv_kwh", sensor="garage", since="2024-05-13")
    assert silent in day.faults


def test_what_is_refused_is_in_quarantine_until_the_reading_is_right(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put(connection, "load", "W", minutes(0, 5, 6, 15), [400, 400, 400_000, 400])
    build(connection, slots=1)
    (row,) = quarantine.list_rows(connection, "metered")
    assert (row.kind, row.raw["sensor"], row.raw["value"], row.raw["instant"]) == (
        "readings",
        "load",
        400_000,
        "2024-06-01T12:06:00.000000Z",
    )
    put(connection, "load", "W", minutes(6), [400])
    build(connection, slots=1)
    assert not quarantine.list_rows(connection, "metered")


def test_a_released_reading_counts(connection: Connection, add_site: Callable[..., None]) -> None:
    add_site(total_load_consumption="load")
    put(connection, "load", "W", minutes(0, 6, 12, 15), [400, 60_000, 400, 400])
    build(connection, slots=1)
    (row,) = quarantine.list_rows(connection, "metered")
    reply = resolve_row(
        connection, ResolveRequest(quarantine_id=row.quarantine_id, resolution="released"), now=NOW
    )
    assert reply.slots_changed == 1
    # 0.4 kW for nine minutes, 60 kW for six.
    np.testing.assert_allclose(stored(connection, "load_kwh", 1), [0.06 + 6.0])
    assert not quarantine.list_rows(connection, "metered")


def test_a_corrected_reading_counts(connection: Connection, add_site: Callable[..., None]) -> None:
    add_site(total_load_consumption="load")
    put(connection, "load", "W", minutes(0, 6, 12, 15), [400, 60_000, 400, 400])
    build(connection, slots=1)
    (row,) = quarantine.list_rows(connection, "metered")
    resolve_row(
        connection,
        ResolveRequest(
            quarantine_id=row.quarantine_id, resolution="corrected", values={"value": 600}
        ),
        now=NOW,
    )
    # 0.4 kW for nine minutes, 0.6 kW for six.
    np.testing.assert_allclose(stored(connection, "load_kwh", 1), [0.06 + 0.06])


def test_what_is_unknown_erases_nothing_that_came_from_elsewhere(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    observations.write(
        connection,
        "metered",
        Timeline(NOON, SLOT, 4).starts,
        {"load_kwh": np.full(4, 7.0), "repaired": np.full(4, 1, dtype=np.int16)},
    )
    put(connection, "load", "kWh", minutes(0, 15), [10, 11])
    build(connection, slots=4)
    assert stored(connection, "load_kwh", 4).tolist() == [1, 7, 7, 7]
    # What the file brought keeps its marks; what was built has its own.
    assert connection.execute(OWN_SLOTS).scalars().all() == [0, 1, 1, 1]
    (change,) = read_changes(connection, "metered", first=NOON, end=NOON + 4 * SLOT)
    assert (change.series, change.before, change.after) == ("load_kwh", 7.0, 1.0)


def test_what_a_stuck_meter_gave_is_taken_back_when_it_is_found_out(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    roles = {"total_load_consumption": "load", "total_grid_import": "import"}
    add_site(**roles)
    put(connection, "import", "kWh", every(15, 289), np.arange(289) * 0.5)
    put(connection, "load", "kWh", every(15, 97), np.full(97, 5.0))
    # After one day nobody can tell.
    assert build(connection, slots=96).slots_withdrawn == 0
    assert stored(connection, "load_kwh", 96).tolist() == [0.0] * 96
    put(connection, "load", "kWh", every(15, 289), np.full(289, 5.0))
    later = build(connection, slots=96, first=NOON + timedelta(days=2))
    assert later.slots_withdrawn == 96
    assert np.isnan(stored(connection, "load_kwh", 288)).all()
    assert {
        change.rule
        for change in read_changes(connection, "metered", first=NOON, end=NOON + timedelta(days=3))
    } == {"withdrawn: the sensor was stuck"}
    assert [row.fault for row in quarantine.list_rows(connection, "metered")] == [STUCK]


def test_a_silent_night_is_known_in_the_morning(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_pv_production="roof")
    put(connection, "roof", "kWh", minutes(0, 15), [10, 11])
    build(connection, slots=40, now=NOON + timedelta(hours=10))
    assert np.isnan(stored(connection, "pv_kwh", 40)[1:]).all()
    put(connection, "roof", "kWh", minutes(600, 615), [11, 11.5])
    build(connection, slots=1, first=NOON + timedelta(hours=10), now=NOON + timedelta(hours=11))
    assert stored(connection, "pv_kwh", 41).tolist() == [1.0, *[0.0] * 39, 0.5]


def test_before_the_slots_asked_for_nothing_that_is_stored_changes(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    observations.write(
        connection, "metered", Timeline(NOON, SLOT, 1).starts, {"load_kwh": np.array([7.0])}
    )
    put(connection, "load", "kWh", every(15, 5), [0, 1, 2, 3, 4])
    build(connection, slots=2, first=NOON + 2 * SLOT)
    assert stored(connection, "load_kwh", 4).tolist() == [7.0, 1.0, 1.0, 1.0]


def test_what_is_still_coming_in_is_completed_without_a_change_of_history(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put(connection, "load", "W", minutes(0, 14), [400, 800])
    build(connection, slots=1, now=NOON + SLOT)
    put(connection, "load", "W", minutes(16), [800])
    build(connection, slots=1, now=NOON + 2 * SLOT)
    # 0.4 kW for 14 minutes, 0.8 kW for one.
    np.testing.assert_allclose(stored(connection, "load_kwh", 1), [6.4 / 60], atol=1e-6)
    assert not read_changes(connection, "metered", first=NOON, end=NOON + SLOT)


def test_a_slot_that_has_not_ended_is_not_built(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put(connection, "load", "W", every(1, 29), np.full(29, 400.0))
    assert build(connection, slots=2, now=NOON + timedelta(minutes=28)).slots_written == 1


def test_a_sensor_that_is_refused_for_good_is_told_once_a_day(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    put(connection, "load", "°C", every(15, 10 * 96), np.full(10 * 96, 20.0))
    for slot in range(0, 96, 8):
        build(connection, slots=1, first=NOON + timedelta(days=5) + slot * SLOT)
    # A day from noon to noon touches two.
    assert len(quarantine.list_rows(connection, "metered")) == 2


def test_a_long_window_is_built_in_parts_without_seams(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    slots = 40 * 96
    put(connection, "load", "kWh", every(10, 6 * 24 * 40 + 1), np.arange(6 * 24 * 40 + 1) * 0.1)
    seen: list[int] = []
    request = BuildSlotsRequest(site_id="metered", first=NOON, end=NOON + slots * SLOT)
    build_site_slots(connection, request, now=NOW, progress=lambda *told: seen.append(told[0]))
    # From 14:00 of Berlin on: 30 days and ten hours are over at the midnight before the
    # thirty-first is.
    assert seen == [0, 30 * 96 + 40]
    np.testing.assert_allclose(stored(connection, "load_kwh", slots), 0.15)


def test_a_window_that_ends_before_it_begins_is_refused(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site(total_load_consumption="load")
    with pytest.raises(InvalidInputError, match="not after the start"):
        build(connection, slots=-1)


def test_a_site_without_sensors_is_told_how_to_name_them(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    add_site()
    with pytest.raises(InvalidInputError) as refused:
        build(connection, slots=1)
    assert refused.value.reason == "site-without-sensors"


MIDNIGHT = datetime(2024, 6, 1, 22, tzinfo=UTC)


@pytest.fixture
def mistaken_unit(connection: Connection, add_site: Callable[..., None]) -> FloatArray:
    """A whole local day of half a kilowatt that was built, and after it readings that say a
    thousandth; returns the stored day.
    """
    add_site(total_load_consumption="load")
    instants = minutes(*(600 + np.arange(97) * 15))
    put(connection, "load", "kWh", instants, 1000 + np.arange(97) / 8)
    build(connection, slots=96, first=MIDNIGHT)
    put(connection, "load", "kWh", instants, 1 + np.arange(97) / 8000)
    return stored(connection, "load_kwh", 136)[40:]


@pytest.mark.usefixtures("mistaken_unit")
def test_a_day_that_would_become_another_one_stops_the_build_until_it_is_accepted(
    connection: Connection,
) -> None:
    with pytest.raises(ConflictError) as refused:
        build(connection, slots=96, first=MIDNIGHT)
    assert refused.value.reason == "days-would-change"
    why = RowFault.of("built_again", series="load_kwh", before_kwh=12.0, after_kwh=0.012)
    assert refused.value.parameters == {
        "day": "2024-06-02",
        "count": 1,
        "why": why.document(),
        "reason": say_row_fault(why),
    }
    assert "--accept" in str(refused.value.remedy)
    request = BuildSlotsRequest(
        site_id="metered", first=MIDNIGHT, end=MIDNIGHT + 96 * SLOT, accept=True
    )
    assert build_site_slots(connection, request, now=NOW).slots_written == 96
    np.testing.assert_allclose(stored(connection, "load_kwh", 136)[40:], 1 / 8000)
    # From then on it is the same day.
    assert build(connection, slots=96, first=MIDNIGHT).kept == []


def test_a_build_that_nobody_asked_for_leaves_such_a_day_and_says_so(
    connection: Connection, mistaken_unit: FloatArray
) -> None:
    request = BuildSlotsRequest(site_id="metered", first=MIDNIGHT, end=MIDNIGHT + 96 * SLOT)
    kept = build_site_slots(connection, request, now=NOW, automatic=True).kept
    assert [
        (str(day.day), day.series, day.before_kwh, round(day.after_kwh, 6)) for day in kept
    ] == [("2024-06-02", "load_kwh", 12.0, 0.012)]
    assert stored(connection, "load_kwh", 136)[40:].tolist() == mistaken_unit.tolist()
    (day,) = judge_days(connection, "metered", kept[0].day, kept[0].day, now=NOW)
    rebuild = DayFault.of("rebuild", series="load_kwh", before=12.0, after=0.012)
    assert rebuild in day.faults
    (row,) = quarantine.list_rows(connection, "metered")
    resolve_row(
        connection, ResolveRequest(quarantine_id=row.quarantine_id, resolution="released"), now=NOW
    )
    np.testing.assert_allclose(stored(connection, "load_kwh", 136)[40:], 1 / 8000)
    (judged,) = judge_days(connection, "metered", kept[0].day, kept[0].day, now=NOW)
    assert rebuild not in judged.faults


def test_what_flowed_past_a_frozen_meter_is_unknown_until_it_goes_on_and_then_filled_to_its_total(
    connection: Connection, add_site: Callable[..., None]
) -> None:
    # 0.4 kW of the roof's 2.4 are used and the rest is sold, but for tenths of a watt-hour; at
    # 42:00 the meter at the grid freezes for five hours.
    sensors = {
        "total_pv_production": "pv",
        "total_battery_charge": "charge",
        "total_battery_discharge": "discharge",
    }
    add_site(**sensors, total_grid_import="import", total_grid_export="export")
    count = 48 * 12
    frozen = 42 * 12
    thawed = 47 * 12
    instants = every(5, count)
    place = np.arange(count)
    flicker = 0.0001 * (np.arange(count) % 2)
    kwh = {
        "pv": np.full(count, 0.2),
        "import": flicker,
        "export": np.full(count, 0.2 - 0.4 / 12) + flicker,
        "charge": 0 * flicker,
        "discharge": 0 * flicker,
    }
    counters = {name: np.round(100 + np.cumsum(each), 4) for name, each in kwh.items()}
    for name in ("import", "export"):
        counters[name] = np.where(
            (place > frozen) & (place < thawed), counters[name][frozen], counters[name]
        )
    known = []
    begin = 0
    # As in life: what has ended is built, and the two hours before it with it; while the meter is
    # frozen once an hour, then each quarter-hour.
    for end in (frozen, *range(frozen + 12, thawed, 12), *range(thawed, thawed + 12, 3)):
        for late, (name, values) in enumerate(counters.items()):
            put(
                connection,
                name,
                "kWh",
                instants[begin : end + 1] + np.timedelta64(late, "us"),
                values[begin : end + 1],
            )
        slots = end // 3
        begin = end + 1
        first = NOON + (slots - 8) * SLOT if known else NOON
        build_site_slots(
            connection,
            BuildSlotsRequest(site_id="metered", first=first, end=NOON + slots * SLOT),
            now=NOON + slots * SLOT,
            automatic=True,
        )
        known.append(int(np.isfinite(stored(connection, "load_kwh", 192)).sum()))
    assert known == [*[168] * 5, 188, 189, 190, 191]
    np.testing.assert_allclose(stored(connection, "export_kwh", 188)[168:], 0.5, atol=0.01)
    np.testing.assert_allclose(stored(connection, "load_kwh", 188)[168:], 0.1, atol=0.01)
