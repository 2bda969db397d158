"""Discovery messages as Home Assistant reads them: against the fields its documentation names and,
where one is installed, through its own code.

``LUNA_HOME_ASSISTANT`` names an environment with Home Assistant in it:
``uv venv --python 3.11 ha``, then into it
``uv pip install homeassistant==2024.3.3 paho-mqtt==1.6.1 'setuptools<80'``, the newest for Python
3.11: from 2024.4 on it asks for 3.12, later for more.
"""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import Connection

from luna.house.now import HouseNow
from luna.house.now_reader import read_house, read_planned
from services.home_assistant.discovery import describe_site
from tests.support.control.inverters import DEVICES, describe_devices
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site

VARIABLE = "LUNA_HOME_ASSISTANT"
INSTALLED = os.environ.get(VARIABLE)
START = datetime(2024, 2, 1, 12, tzinfo=UTC)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
# Source: home-assistant.io/integrations: mqtt (common fields), sensor.mqtt, binary_sensor.mqtt,
# select.mqtt, switch.mqtt, number.mqtt, button.mqtt.
COMMON = {
    "name",
    "unique_id",
    "default_entity_id",
    "availability",
    "availability_mode",
    "device",
    "origin",
    "qos",
    "icon",
    "entity_category",
}
READ = {"state_topic", "value_template", "json_attributes_topic", "device_class"}
FIELDS = {
    "sensor": COMMON
    | READ
    | {"unit_of_measurement", "state_class", "options", "suggested_display_precision"},
    "binary_sensor": COMMON | READ,
    "select": COMMON | READ | {"command_topic", "options"},
    "switch": COMMON | READ | {"command_topic"},
    "number": COMMON
    | READ
    | {"command_topic", "min", "max", "step", "mode", "unit_of_measurement", "retain"},
    "button": COMMON | {"command_topic", "device_class"},
}
READ_BY_HOME_ASSISTANT = """
import importlib, json, sys
from homeassistant.const import __version__
for component, config in json.load(sys.stdin):
    schema = importlib.import_module(f"homeassistant.components.mqtt.{component}").DISCOVERY_SCHEMA
    kept = schema(config)
    # Fields that are younger than this version, which leaves them out.
    younger = {"default_entity_id"}
    if component == "sensor":
        younger.add("options")
    lost = set(config) - set(kept) - younger
    assert not lost, f"{config['unique_id']}: {lost} is not known"
print(__version__)
"""


@pytest.fixture(params=["en", "de"])
def configs(
    connection: Connection, request: pytest.FixtureRequest
) -> list[tuple[str, dict[str, Any]]]:
    """Every discovery message of a site with every kind of device, by component."""
    language: Literal["en", "de"] = request.param
    site = store_site(connection, batteries=[BATTERY], control=describe_devices(), **DEVICES)
    issue_half_a_kilowatt(connection, "home", START)
    plan_stored(connection, "home", START)
    planned = read_planned(connection, site, now=START)
    view: HouseNow = read_house(
        connection, site, planned, plan_max_age=timedelta(hours=3), now=START
    )
    messages = describe_site(view, language=language, prefix="homeassistant", commands=True)
    return [
        (topic.split("/")[1], json.loads(payload))
        for topic, payload in messages.items()
        if topic.endswith("/config")
    ]


def test_every_field_is_one_that_the_documentation_names(
    configs: list[tuple[str, dict[str, Any]]],
) -> None:
    assert {component for component, _ in configs} == set(FIELDS)
    assert {
        (component, name)
        for component, config in configs
        for name in config
        if name not in FIELDS[component]
    } == set()
    # Source: developers.home-assistant.io, sensor entity: money has no class measurement, energy
    # none at all where it is a forecast.
    monetary = [
        config for _, config in configs if config.get("device_class") in {"monetary", "energy"}
    ]
    assert [config.get("state_class") for config in monetary] == [None] * 10


@pytest.mark.skipif(
    INSTALLED is None, reason=f"{VARIABLE} names no environment with Home Assistant"
)
def test_home_assistant_reads_every_message(configs: list[tuple[str, dict[str, Any]]]) -> None:
    python = Path(str(INSTALLED)) / "bin" / "python"
    read = subprocess.run(
        [python, "-c", READ_BY_HOME_ASSISTANT],
        input=json.dumps(configs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
