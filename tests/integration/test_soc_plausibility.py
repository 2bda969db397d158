"""How full batteries are said to be now: their sensors' last word, not that of a quarter-hour that
is over.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.energy.observations import SocReading
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.energy.units import StatedUnits
from luna.house.now import HouseFigure
from luna.house.now_reader import read_last_soc, read_soc
from luna.platform.database import observations, readings, sites

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(minutes=11)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}


@pytest.fixture
def site(connection: Connection) -> Site:
    """Two batteries, a small and a large one, half full at noon."""
    site = parse_site(
        {
            "name": "levelled",
            "timezone": "Europe/Berlin",
            "batteries": [
                BATTERY | {"name": "small"},
                BATTERY | {"name": "large", "capacity_kwh": 30},
            ],
            "input_sensors": {"battery_soc": ["sensor.small", "sensor.large"]},
        }
    )
    sites.save(connection, site)
    before = Timeline(NOON - 4 * SLOT, SLOT, 4)
    observations.write(connection, site.name, before.starts, {"soc": np.full(4, 0.5)})
    return site


def say(connection: Connection, said: dict[str, float], *, at: datetime) -> None:
    keys = readings.register(connection, "levelled", dict.fromkeys(said))
    instants = np.full(len(said), np.datetime64(at.replace(tzinfo=None), "us"))
    numbers = np.array([keys[name] for name in said], dtype=np.int32)
    readings.upsert(
        connection,
        numbers,
        instants,
        np.array(list(said.values())),
        units=StatedUnits.of(["%"] * len(said)),
    )


def test_batteries_are_as_full_as_they_said_last_each_by_its_capacity(
    connection: Connection, site: Site
) -> None:
    assert read_last_soc(connection, site, now=NOW) == SocReading(0.5, NOON)
    say(connection, {"sensor.small": 52.0, "sensor.large": 52.0}, at=NOON + timedelta(minutes=2))
    say(connection, {"sensor.small": 64.0, "sensor.large": 56.0}, at=NOON + timedelta(minutes=10))
    last = read_last_soc(connection, site, now=NOW)
    assert last is not None
    assert (last.soc, last.at) == (pytest.approx((64 + 3 * 56) / 400), NOON + timedelta(minutes=10))
    # As it was known then.
    assert read_last_soc(connection, site, now=NOON + timedelta(minutes=5)) == SocReading(
        0.52, NOON + timedelta(minutes=2)
    )


def test_a_level_from_which_a_fast_battery_may_be_off_by_now_is_told_with_its_time(
    connection: Connection, site: Site
) -> None:
    say(connection, {"sensor.small": 52.0, "sensor.large": 52.0}, at=NOON + timedelta(minutes=10))
    # Half of the small one an hour at most: a per cent takes it over a minute.
    assert read_soc(connection, site, None, now=NOW) == HouseFigure(0.52, "measured")
    assert read_soc(connection, site, None, now=NOON + timedelta(minutes=14)) == HouseFigure(
        0.52, "measured", NOON + timedelta(minutes=10)
    )


def test_what_power_cannot_have_done_is_not_told(connection: Connection, site: Site) -> None:
    say(connection, {"sensor.small": 0.0, "sensor.large": 0.0}, at=NOON + timedelta(minutes=10))
    assert read_last_soc(connection, site, now=NOW) == SocReading(0.5, NOON)


def test_before_a_quarter_hour_is_built_its_last_word_counts_and_after_long_silence_nothing(
    connection: Connection, site: Site
) -> None:
    say(connection, {"sensor.small": 60.0, "sensor.large": 60.0}, at=NOON + timedelta(minutes=14))
    assert read_last_soc(connection, site, now=NOON + SLOT + timedelta(seconds=5)) == SocReading(
        0.6, NOON + timedelta(minutes=14)
    )
    assert read_last_soc(connection, site, now=NOON + 3 * SLOT) is None
