"""`luna control`: off until armed, an override that says when it ends, and what stands in the
log.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text

from tests.support.command_line.call import Luna
from tests.support.control.inverters import DEVICES, describe, describe_devices

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SITE = {"name": "steered", "timezone": "Europe/Berlin", "batteries": [BATTERY]}


@pytest.fixture
def home(luna_on_servers: Luna, tmp_path: Path, database: Engine) -> Iterator[Luna]:
    add(luna_on_servers, tmp_path, SITE | {"control": describe("dry_run")})
    yield luna_on_servers
    with database.begin() as connection:
        connection.execute(text("DELETE FROM sites WHERE name = 'steered'"))


def add(luna: Luna, folder: Path, site: dict[str, object]) -> None:
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(site))
    assert luna("site", "add", "--file", str(file)).code == 0


def test_a_site_is_not_armed_until_somebody_does_so(home: Luna) -> None:
    before = json.loads(home("control", "status", "--site", "steered", "--json").out)
    armed = json.loads(home("control", "arm", "--site", "steered", "--json").out)
    disarmed = json.loads(home("control", "disarm", "--site", "steered", "--json").out)
    assert (before["state"]["armed_at"], before["log"]) == (None, [])
    assert armed["armed_at"] is not None
    assert disarmed["armed_at"] is None


def test_an_override_is_kept_until_it_is_resumed(home: Luna) -> None:
    command = (
        "control",
        "override",
        "--site",
        "steered",
        "--mode",
        "charge",
        "--power-kw",
        "2",
        "--until",
        "2099-07-01T18:00",
        "--json",
    )
    wanted = json.loads(home(*command).out)["override"]
    # Berlin is two hours ahead of UTC in July.
    assert (wanted["mode"], wanted["power_kw"], wanted["until"]) == (
        "charge",
        2,
        "2099-07-01T16:00:00Z",
    )
    assert (
        json.loads(home("control", "resume", "--site", "steered", "--json").out)["override"] is None
    )


def test_an_override_that_has_ended_is_refused(home: Luna) -> None:
    said = home(
        "control", "override", "--site", "steered", "--mode", "hold", "--until", "2020-01-01T00:00"
    )
    assert said.code == 2
    assert "--until" in said.err


def test_a_site_that_says_nothing_of_its_inverters_cannot_be_armed(
    home: Luna, tmp_path: Path
) -> None:
    add(home, tmp_path, SITE)
    said = home("control", "arm", "--site", "steered")
    assert said.code == 2
    assert "control" in said.err


def test_people_read_whether_a_site_is_armed(home: Luna) -> None:
    assert "Luna sends nothing" in home("control", "arm", "--site", "steered").out
    assert "steered is armed since" in home("control", "status", "--site", "steered").out


def test_one_device_is_overridden_for_itself(home: Luna, tmp_path: Path) -> None:
    add(home, tmp_path, SITE | DEVICES | {"control": describe_devices("dry_run")})
    command = (
        "control",
        "override-device",
        "--site",
        "steered",
        "--until",
        "2099-07-01T18:00",
        "--device",
    )
    wanted = json.loads(
        home(*command, "vehicle:car", "--mode", "charge", "--power-kw", "7", "--json").out
    )
    status = json.loads(home("control", "status", "--site", "steered", "--json").out)
    resumed = json.loads(
        home("control", "resume", "--site", "steered", "--device", "vehicle:car", "--json").out
    )
    assert (wanted["device"], wanted["override"]["power_kw"]) == ("vehicle:car", 7)
    assert [(state["device"], state["override"]["mode"]) for state in status["devices"]] == [
        ("vehicle:car", "charge")
    ]
    assert resumed["override"] is None
    assert "load:boiler has no such mode" in home(*command, "load:boiler", "--mode", "stop").err
    assert "vehicle:car, load:boiler, pv" in home(*command, "vehicle:van", "--mode", "stop").err
