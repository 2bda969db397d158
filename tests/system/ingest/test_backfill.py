"""The past of a site out of Home Assistant into the database: whole, once, and going on where it
was interrupted.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from luna.contracts.data import BackfillReply, BackfillRequest
from luna.energy.errors import InvalidInputError
from luna.energy.observations import Observations
from luna.energy.timeline import FloatArray, local_days, parse_zone
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import SystemClock
from luna.platform.database import observations, readings, source_cursors
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client, Progress, TaskContext
from luna.platform.settings import Settings
from services.ingest.backfill import BackfillRun, backfill_site
from services.ingest.quality_service import judge_days
from services.ingest.sources.home_assistant.connection import RETRY, RequestPolicy
from services.ingest.sources.home_assistant.entity_history import HomeAssistantHistory
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.tasks import backfill_history
from services.ingest.verification import verify_days
from tests.support.command_line.call import Luna
from tests.support.database.site import store_site
from tests.support.home_assistant.server import TOKEN, House, Sensor, counter, serve
from tests.support.worker.workers import wait_for

ZONE = parse_zone("Europe/Berlin")
# Three local days, the second of which has 23 hours.
DAYS = local_days(date(2024, 3, 30), date(2024, 4, 1), ZONE)
STEP = timedelta(minutes=5)
BEGIN = DAYS.start - timedelta(days=4)
STEPS = 8 * 288 + 1
# Per five minutes: the house takes 0.04 kWh from the grid, an hour in six the roof gives 0.02 more
# than that, which are exported.
SUNNY = (np.arange(STEPS) // 12) % 6 == 0
USED = np.full(STEPS, 0.04)
PRODUCED = np.where(SUNNY, 0.06, 0.0)
IMPORTED = np.where(SUNNY, 0.0, 0.04)
EXPORTED = np.where(SUNNY, 0.02, 0.0)
SENSORS = {
    "total_load_consumption": ("sensor.house", USED),
    "total_pv_production": ("sensor.roof", PRODUCED),
    "total_grid_import": ("sensor.import", IMPORTED),
    "total_grid_export": ("sensor.export", EXPORTED),
}
SITE = {
    "timezone": "Europe/Berlin",
    "pv": [{"name": "roof", "peak_kw": 5}],
    "input_sensors": {role: name for role, (name, _) in SENSORS.items()},
}


def meters() -> dict[str, Sensor]:
    return {
        name: counter(BEGIN, STEP, (100 + np.cumsum(energy)).tolist())
        for name, energy in SENSORS.values()
    }


@pytest.fixture
def house() -> Iterator[House]:
    with serve(House(meters())) as house:
        yield house


@pytest.fixture
def source(house: House) -> Iterator[HomeAssistantHistory]:
    patience = RequestPolicy(pause_s=0, sleep=lambda _: None, retry=replace(RETRY, tries=3))
    with HomeAssistantHistory.connect(
        HomeAssistantAccess(house.url, TOKEN), patience=patience
    ) as source:
        yield source


@pytest.fixture
def site(database: Engine) -> str:
    name = f"backfilled {uuid.uuid4().hex[:8]}"
    with unit_of_work(database) as connection:
        store_site(connection, **SITE | {"name": name})
    return name


# 96, 92 and 96 slots, and the hour that is read before them.
WRITTEN = 96 + 92 + 96 + 4
# Requests for one sensor: one about the recorder's reach, and four for the days of UTC that the
# window touches.
SECOND_SENSORS_LAST = 2 * (1 + 4)


def asked_history(house: House) -> int:
    return sum(path.startswith("/api/history") for path in list(house.asked))


@contextmanager
def at_home(house: House) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUNA_HOME_ASSISTANT_URL", house.url)
        patch.setenv("LUNA_HOME_ASSISTANT_TOKEN", TOKEN)
        yield


def ignore(_done: int, _total: int, _label: str) -> None:
    """Nobody looks."""


def request(site: str) -> BackfillRequest:
    return BackfillRequest(site_id=site, first=DAYS.start, end=DAYS.end)


def run(database: Engine, source: HomeAssistantHistory, site: str) -> BackfillReply:
    return backfill_site(database, source, request(site), clock=SystemClock(), progress=ignore)


def stored(database: Engine, site: str) -> Observations:
    with unit_of_work(database) as connection:
        return observations.read(connection, site, DAYS)


def quarter_hours(energy: FloatArray) -> FloatArray:
    """Return what a meter counted in each quarter-hour of the days: the increments up to each
    border.
    """
    begun = (DAYS.start - BEGIN) // STEP
    return np.asarray(energy[begun + 1 : begun + 1 + 3 * DAYS.count].reshape(-1, 3).sum(axis=1))


def assert_equal_to_the_meters(found: Observations, *, tolerance_kwh: float = 1e-6) -> None:
    np.testing.assert_allclose(found.load_kwh, quarter_hours(USED), atol=tolerance_kwh)
    np.testing.assert_allclose(found.pv_kwh, quarter_hours(PRODUCED), atol=tolerance_kwh)
    np.testing.assert_allclose(found.import_kwh, quarter_hours(IMPORTED), atol=tolerance_kwh)
    np.testing.assert_allclose(found.export_kwh, quarter_hours(EXPORTED), atol=tolerance_kwh)


def test_slots_hold_what_the_meters_counted_over_a_day_of_23_hours(
    database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    reply = run(database, source, site)
    assert_equal_to_the_meters(stored(database, site))
    assert [(sensor.role, sensor.unit, sensor.unknown) for sensor in reply.sensors] == [
        (role, "kWh", 0) for role in SENSORS
    ]
    assert reply.slots.slots_written == WRITTEN


def test_doing_it_twice_changes_nothing(
    database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    run(database, source, site)
    again = run(database, source, site)
    assert (again.slots.slots_written, sum(sensor.rows_written for sensor in again.sensors)) == (
        0,
        0,
    )


def test_where_the_recorder_was_purged_hours_are_spread_and_days_agree(
    house: House, database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    for sensor in house.sensors.values():
        sensor.kept_since = sensor.short_since = (DAYS.start + timedelta(hours=40.4)).timestamp()
    run(database, source, site)
    found = stored(database, site)
    np.testing.assert_allclose(np.nansum(found.load_kwh), quarter_hours(USED).sum(), atol=0.05)
    late = np.arange(DAYS.count) >= 4 * 42
    np.testing.assert_allclose(found.pv_kwh[late], quarter_hours(PRODUCED)[late], atol=1e-6)
    # What was counted hour by hour was measured: these days can be learned from.
    with unit_of_work(database) as connection:
        judged = judge_days(
            connection, site, date(2024, 3, 30), date(2024, 4, 1), now=SystemClock().now()
        )
    assert [day.verdict for day in judged] == ["clean"] * 3


def test_sensors_of_mqtt_have_no_past_and_are_named(
    database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    sensors = SITE["input_sensors"] | {
        "battery_soc": ["mqtt:battery/soc"],
        "heat_pump_consumption": "Heat pump energy",
    }
    with unit_of_work(database) as connection:
        store_site(connection, **SITE | {"name": site, "input_sensors": sensors})
    reply = run(database, source, site)
    assert (len(reply.sensors), reply.left_out) == (
        len(SENSORS),
        ["mqtt:battery/soc", "Heat pump energy"],
    )
    with unit_of_work(database) as connection:
        store_site(
            connection,
            **SITE | {"name": site, "input_sensors": {"battery_soc": "mqtt:battery/soc"}},
        )
    with pytest.raises(InvalidInputError) as refused:
        run(database, source, site)
    assert refused.value.reason == "site-without-home-assistant"


class _StopError(Exception):
    """Somebody ended the process."""


def test_killed_half_way_it_goes_on_where_it_was(
    house: House, database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    def stop_in_the_third_sensor(_done: int, _total: int, label: str) -> None:
        if label == "sensor.import":
            raise _StopError

    with pytest.raises(_StopError):
        backfill_site(
            database, source, request(site), clock=SystemClock(), progress=stop_in_the_third_sensor
        )
    house.asked.clear()
    run(database, source, site)
    begun = [path.rsplit("/", 1)[1] for path in house.asked if path.startswith("/api/history")]
    # The first two sensors are done; the third goes on after the last value of its first day of
    # UTC; only the fourth begins from the start.
    assert [
        begun.count(instant) for instant in ("2024-03-29T22:00:00Z", "2024-03-29T23:55:00Z")
    ] == [2, 2]
    assert_equal_to_the_meters(stored(database, site))
    with unit_of_work(database) as connection:
        errand = BackfillRun.of(request(site), "home_assistant", SystemClock().now())
        assert source_cursors.read(connection, site, errand.name) == {}


def test_a_process_that_is_killed_leaves_what_it_read_to_the_next(
    house: House, database: Engine, database_url: str, site: str, luna_on_servers: Luna
) -> None:
    command = [
        "data",
        "backfill",
        "--site",
        site,
        "--from",
        "2024-03-30",
        "--to",
        "2024-04-02",
        "--json",
    ]
    # The first answer for the third sensor is long in coming: the second has its days, and the
    # slots are not built.
    house.faults.plan(
        "/api/history",
        *[
            "slow" if number == SECOND_SENSORS_LAST else ""
            for number in range(SECOND_SENSORS_LAST + 1)
        ],
    )
    environment = os.environ | {
        "LUNA_HOME_ASSISTANT_URL": house.url,
        "LUNA_HOME_ASSISTANT_TOKEN": TOKEN,
        "LUNA_DATABASE_URL": database_url,
    }
    with subprocess.Popen(
        [str(Path(sys.executable).with_name("luna")), *command],
        env=environment,
        stdout=subprocess.DEVNULL,
    ) as process:
        wait_for(lambda: asked_history(house) > SECOND_SENSORS_LAST)
        process.kill()
    assert np.isnan(stored(database, site).load_kwh).all()
    house.asked.clear()
    with at_home(house):
        assert luna_on_servers(*command).document["slots"]["slots_written"] == WRITTEN
    # Two sensors remain, with one question about the recorder's reach and four days of UTC each.
    assert asked_history(house) == 2 * (1 + 4)
    assert_equal_to_the_meters(stored(database, site))


def test_a_source_that_goes_away_keeps_what_was_read(
    house: House, database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    def hang_up_later(done: int, _total: int, _label: str) -> None:
        house.faults.plan("/api/history", *["500"] * (3 if done == 2 else 0))

    with pytest.raises(SourceError, match="500"):
        backfill_site(database, source, request(site), clock=SystemClock(), progress=hang_up_later)
    with unit_of_work(database) as connection:
        instants, _ = readings.read(
            connection, site, "sensor.house", first=DAYS.start, end=DAYS.end
        )
    assert instants.size > 0
    run(database, source, site)
    assert_equal_to_the_meters(stored(database, site))


def test_a_renamed_sensor_is_refused_before_anything_is_written(
    house: House, database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    house.sensors["sensor.roof_2"] = house.sensors.pop("sensor.roof")
    with pytest.raises(SourceRefusedError, match=r"sensor\.roof_2") as refusal:
        run(database, source, site)
    assert refusal.value.field == "input_sensors.total_pv_production"
    assert np.isnan(stored(database, site).load_kwh).all()


def test_a_window_that_lies_ahead_is_refused(
    database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(InvalidInputError, match="in the future"):
        backfill_site(
            database,
            source,
            BackfillRequest(site_id=site, first=tomorrow, end=tomorrow + timedelta(days=1)),
            clock=SystemClock(),
            progress=ignore,
        )


def test_a_site_without_sensors_is_refused(database: Engine, source: HomeAssistantHistory) -> None:
    with unit_of_work(database) as connection:
        store_site(connection, name="senseless")
    with pytest.raises(InvalidInputError) as refused:
        run(database, source, "senseless")
    assert refused.value.reason == "site-without-sensors"


def test_days_agree_with_the_sources_own_statistics_until_a_slot_is_changed(
    database: Engine, source: HomeAssistantHistory, site: str
) -> None:
    run(database, source, site)
    days = verify_days(database, source, site, first=date(2024, 3, 30), last=date(2024, 4, 1))
    assert [day.day_hours for day in days if day.series == "load_kwh"] == [24, 23, 24]
    assert all(abs(day.difference_kwh) < 1e-6 and day.hours == day.day_hours for day in days)
    with unit_of_work(database) as connection:
        connection.execute(
            text(
                "UPDATE slot_observations SET pv_kwh = pv_kwh + 1 WHERE slot_start = :at "
                "AND site_key = (SELECT site_key FROM sites WHERE name = :site)"
            ),
            {"at": datetime(2024, 3, 31, 12, tzinfo=UTC), "site": site},
        )
    days = verify_days(database, source, site, first=date(2024, 3, 30), last=date(2024, 4, 1))
    assert [(day.day, day.series) for day in days if day.beyond] == [(date(2024, 3, 31), "pv_kwh")]


def test_the_commands_read_compare_and_speak_json(
    house: House, site: str, luna_on_servers: Luna
) -> None:
    begin = ("--site", site, "--from", "2024-03-30", "--json")
    with at_home(house):
        filled = luna_on_servers("data", "backfill", *begin, "--to", "2024-04-02").document
        days = luna_on_servers("data", "verify", *begin, "--to", "2024-04-01").document["days"]
    assert (
        filled["slots"]["slots_written"],
        [sensor["sensor"] for sensor in filled["sensors"]],
    ) == (WRITTEN, [name for name, _ in SENSORS.values()])
    assert {(day["day"], day["beyond_tolerance"]) for day in days} == {
        (day, False) for day in ("2024-03-30", "2024-03-31", "2024-04-01")
    }


def test_the_task_reads_from_where_the_settings_say_and_tells_how_far_it_is(
    house: House, database: Engine, site: str
) -> None:
    told: list[Progress] = []
    settings = Settings(home_assistant_url=house.url, home_assistant_token=TOKEN)
    with TaskContext(settings, lambda: database, report=told.append, queue=_no_queue) as work:
        assert backfill_history(request(site), work).slots.slots_written == WRITTEN
    done = [progress.done for progress in told]
    # Four sensors, four days begun each.
    assert (done == sorted(done), {progress.total for progress in told}) == (True, {16})
    assert {progress.label for progress in told} == {name for name, _ in SENSORS.values()}


def _no_queue() -> Client:
    raise AssertionError("Luna sends nothing")


def test_without_an_address_the_setting_is_named(site: str, luna_on_servers: Luna) -> None:
    said = luna_on_servers(
        "data", "backfill", "--site", site, "--from", "2024-03-30", "--to", "2024-04-02"
    )
    assert (said.code, said.problem["field"]) == (2, "LUNA_HOME_ASSISTANT_URL")
