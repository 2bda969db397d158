"""What a meter says over MQTT, through the recorder's container, into quarter-hours; what the
executor's tells a charger. The broker is a Mosquitto of this machine.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from luna.energy.timeline import SLOT, floor_to
from tests.compose.jobs import Jobs
from tests.compose.stack import Stack, run, wait_for
from tests.support.control.inverters import DEVICES, BrokerDevice, describe_devices
from tests.support.home_assistant.broker import Mosquitto, Publisher, needs_mosquitto

TOPIC = "compose/meter"
SENSOR = f"mqtt:{TOPIC} [kWh]"
SITE = {
    "name": "listened",
    "timezone": "Europe/Berlin",
    "input_sensors": {"total_load_consumption": SENSOR},
}
ADD_SITE = """
from datetime import UTC, datetime
from luna.platform.database import control, engine, sites
from luna.platform.settings import load_settings
from luna.energy.site import parse_site
database = engine.create(load_settings().database_url.get_secret_value())
with engine.unit_of_work(database) as connection:
    sites.save(connection, parse_site({site!r}))
    if {armed}:
        control.arm(connection, {site!r}["name"], at=datetime.now(UTC), by="owner")
"""
DRIVEN = {
    "name": "driven",
    "timezone": "Europe/Berlin",
    "control": describe_devices("mqtt"),
} | DEVICES
CHARGES = {"inverter/car": "on", "inverter/current": "6"}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def broker(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker where only this machine and the containers with a way out find it."""
    network = json.loads(run("docker", "network", "inspect", f"{stack.project}_egress"))[0]
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), host=network["IPAM"]["Config"][0]["Gateway"]
    )
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def meter(broker: Mosquitto) -> Iterator[Publisher]:
    meter = Publisher(broker.port, host=broker.host)
    yield meter
    meter.close()


@pytest.fixture
def charger(broker: Mosquitto) -> Iterator[BrokerDevice]:
    """A charger, a water heater and an inverter that do what they are told."""
    charger = BrokerDevice(
        broker.port, {"inverter/car": "off", "inverter/current": "16"}, host=broker.host
    )
    yield charger
    charger.close()


@pytest.fixture(scope="module")
def listening(stack: Stack, broker: Mosquitto) -> Iterator[Stack]:
    """The platform with a site whose meter speaks MQTT, and a recorder that knows the broker."""
    stack.python("api", ADD_SITE.format(site=SITE, armed=False))
    settings = stack.env_file.read_text(encoding="utf-8")
    stack.env_file.write_text(
        settings.replace("LUNA_MQTT_URL=\n", f"LUNA_MQTT_URL=mqtt://{broker.host}:{broker.port}\n"),
        encoding="utf-8",
    )
    stack.start("recorder", "executor")
    yield stack
    stack.env_file.write_text(settings, encoding="utf-8")
    stack.start("recorder", "executor")


@needs_mosquitto
def test_what_a_meter_says_over_mqtt_becomes_quarter_hours(
    listening: Stack, meter: Publisher, api: httpx.Client, jobs: Jobs
) -> None:
    begun = floor_to(datetime.now(UTC), SLOT) - HOUR
    # The meter stood at 100 kWh an hour ago; now it says 101.
    rows = f"instant,sensor,value,unit\n{begun.isoformat()},{SENSOR},100,kWh\n"
    loaded = api.post(
        "/data/load",
        data={"site": "listened", "kind": "readings"},
        files={"file": ("meter.csv", rows)},
    ).raise_for_status()
    jobs.wait(loaded.json()["job_id"], "done")

    def since() -> str:
        meter.publish(TOPIC, "101")
        return listening.sql(
            "SELECT extract(epoch FROM min(instant)) FROM sensor_readings JOIN sensors "
            f"USING (sensor_key) WHERE name = '{SENSOR}' AND value = 101"
        )

    wait_for(lambda: since() != "", seconds=180, what="the meter's reading is in the database")
    request = {"site_id": "listened", "first": begun.isoformat(), "end": (begun + HOUR).isoformat()}
    built = api.post(
        "/v1/jobs", json={"task": "ingest.slots.build", "request": request}
    ).raise_for_status()
    jobs.wait(built.json()["job_id"], "done")
    # The recorder builds the slots after that hour by itself as they end.
    count, kwh = listening.sql(
        "SELECT count(load_kwh), sum(load_kwh) FROM slot_observations JOIN sites USING (site_key)"
        f" WHERE name = 'listened' AND slot_start >= '{begun.isoformat()}' AND slot_start "
        f"< '{(begun + HOUR).isoformat()}'"
    ).split("|")
    # The kilowatt-hour is spread evenly from then until it was heard.
    assert (int(count), float(kwh)) == (
        4,
        pytest.approx(HOUR.total_seconds() / (float(since()) - begun.timestamp()), abs=1e-4),
    )


@needs_mosquitto
def test_the_executors_container_tells_devices_behind_a_broker_and_reads_back(
    listening: Stack, charger: BrokerDevice
) -> None:
    listening.python("api", ADD_SITE.format(site=DRIVEN, armed=True))

    def confirmed() -> str:
        return listening.sql(
            "SELECT confirmed FROM control_log JOIN sites USING (site_key) WHERE name = "
            "'driven' AND device = 'vehicle:car' LIMIT 1"
        )

    wait_for(lambda: confirmed() != "", seconds=180, what="the charger does what it was told")
    # Nobody has planned for it: the car charges at its least power, six amperes.
    assert json.loads(confirmed()) == CHARGES
    assert {
        ("inverter/car/set", "on"),
        ("inverter/boiler/set", "on"),
        ("inverter/pv/set", "100"),
    } <= set(charger.heard)
    wait_for(
        lambda: (
            [site["site"] for site in listening.services()["executor"]["instances"][0]["sites"]]
            == ["driven"]
        ),
        seconds=180,
        what="it is shown",
    )
    listening.sql("DELETE FROM sites WHERE name = 'driven'")
