"""The process that listens to Home Assistant, killed while the house goes on."""

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.energy.site import InputSensors, Site
from luna.platform.database import readings, sites
from luna.platform.database.engine import unit_of_work
from tests.support.database.databases import remove_site
from tests.support.home_assistant.server import TOKEN, House, Sensor, serve
from tests.support.suite.depth import LONG
from tests.support.worker.processes import luna_process
from tests.support.worker.workers import wait_for

METER = "sensor.meter"
# The recorder of a true Home Assistant writes after seconds, and is asked for what it missed after
# that.
LONGEST_WAIT_S = 90
KILLS = 2 if LONG else 1
# Values that the house says while nobody listens.
MISSED = 50


@pytest.fixture
def site_id(database: Engine) -> Iterator[str]:
    name = f"heard {uuid.uuid4().hex[:8]}"
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            Site(
                name=name,
                timezone="Europe/Berlin",
                input_sensors=InputSensors(total_grid_import=(METER,)),
            ),
        )
    yield name
    remove_site(database, name)


def stored(database: Engine, site_id: str) -> list[int]:
    """Return the numbers stored, each once."""
    now = datetime.now(UTC)
    with unit_of_work(database) as connection:
        readings.register(connection, site_id, {METER: None})
        _, values = readings.read(
            connection, site_id, METER, first=now - timedelta(hours=1), end=now + timedelta(hours=1)
        )
    return sorted({int(value) for value in values})


def test_a_process_that_is_killed_reads_what_it_missed_from_history(
    database: Engine, database_url: str, redis_url: str, tmp_path: Path, site_id: str
) -> None:
    said = [0]
    stop = threading.Event()
    with serve(House({METER: Sensor("kWh", counter=True)})) as house:
        settings = {
            "home_assistant_url": house.url,
            "home_assistant_token": TOKEN,
            "database_url": database_url,
            "redis_url": redis_url,
        }
        house.say(METER, 0)

        def go_on() -> None:
            while not stop.wait(0.01):
                said[0] += 1
                house.say(METER, said[0])

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            for _ in range(KILLS):
                seen = max(stored(database, site_id), default=0)
                with luna_process(
                    "services.ingest.live",
                    "--look-seconds",
                    "0.3",
                    **settings,
                    data_folder=str(tmp_path),
                ) as process:
                    wait_for(
                        lambda seen=seen: max(stored(database, site_id), default=0) > seen,
                        seconds=LONGEST_WAIT_S,
                    )
                    wait_for(lambda: is_noted(tmp_path))
                    process.kill()
                missed = said[0]
                wait_for(lambda missed=missed: said[0] > missed + MISSED)
        finally:
            stop.set()
            thread.join()
        with luna_process(
            "services.ingest.live", "--look-seconds", "0.3", **settings, data_folder=str(tmp_path)
        ):
            wait_for(lambda: stored(database, site_id)[-1:] == [said[0]], seconds=LONGEST_WAIT_S)
    numbers = stored(database, site_id)
    # What was said before the process first listened is not its business.
    assert numbers == list(range(numbers[0], said[0] + 1))
    assert said[0] - numbers[0] > KILLS * MISSED


def is_noted(folder: Path) -> bool:
    """Whether a process knows until when it has heard everything, once it is started anew."""
    return "heard_home_assistant" in json.loads((folder / "live" / "notes.json").read_text())
