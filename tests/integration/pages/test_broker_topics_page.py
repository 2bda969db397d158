"""A car's topics at the broker, proposed on the page of a site's sensors."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from luna.energy.site import parse_site
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.home_assistant.broker import Mosquitto, Publisher, needs_mosquitto
from tests.support.pages.site_with_history import forget_furnished
from tests.support.words.wording import wording

pytestmark = needs_mosquitto
SITE = "bridged"
PAGE = f"/ui/sites/{SITE}/site/sensors"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def site(database: Engine) -> Iterator[None]:
    car = {"name": "car", "capacity_kwh": 60}
    sensors = {"vehicle_connected": "binary_sensor.car"}
    fields = {"name": SITE, "timezone": "UTC", "vehicles": [car], "input_sensors": sensors}
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(fields))
    yield
    with unit_of_work(database) as connection:
        forget_furnished(connection, SITE)


@pytest.fixture
def api(redis_url: str, database_url: str, broker: Mosquitto) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, mqtt_url=f"mqtt://127.0.0.1:{broker.port}") as client:
        yield client


@pytest.mark.usefixtures("site")
def test_topics_fill_empty_fields_and_nothing_is_stored(
    api: httpx.Client, broker: Mosquitto, database: Engine
) -> None:
    bridge = Publisher(broker.port)
    bridge.publish("evcc/loadpoints/1/vehicleSoc", "43", retain=True)
    bridge.publish("evcc/loadpoints/1/connected", "true", retain=True)
    bridge.close()
    form = {"go": "topics", "version": "1", "vehicle_connected": "binary_sensor.car"}
    page = unescape(api.post(PAGE, data=form).text)
    assert wording("setup", "topics_found") in page
    assert 'value="mqtt:evcc/loadpoints/1/vehicleSoc [%]"' in page
    # The owner's own sensor stays.
    assert "loadpoints/1/connected" not in page
    with unit_of_work(database) as connection:
        assert sites.load(connection, SITE).input_sensors.vehicle_soc == ()


@pytest.mark.usefixtures("site")
def test_a_broker_that_is_away_is_said(api: httpx.Client, broker: Mosquitto) -> None:
    broker.kill()
    page = unescape(api.post(PAGE, data={"go": "topics", "version": "1"}).text)
    assert wording("setup", "broker_away") in page
