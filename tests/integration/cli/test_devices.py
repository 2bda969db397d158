"""`luna devices` against a simulated inverter: what is read, watched and moved."""

import json
import math
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from luna.drivers.device_secrets import read_device_secret
from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import SimulatedChargePoint
from luna.drivers.simulator import SimulatedInverter
from luna.words.implausible import say_implausible
from tests.support.command_line.call import Luna
from tests.support.database.databases import remove_site


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(load_profile("sunspec_12x", Path("/nonexistent")))


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


def test_the_list_says_how_well_each_product_is_proven_and_what_is_only_read(luna: Luna) -> None:
    listed = {
        entry["profile"]: entry for entry in luna("devices", "list", "--json").document["profiles"]
    }
    assert (listed["goodwe_et"]["level"], listed["goodwe_et"]["needs_trial"]) == ("reported", True)
    assert (listed["sungrow_sh"]["level"], listed["sungrow_sh"]["needs_trial"]) == ("maker", False)
    assert listed["eastron_sdm630"]["needs_trial"] is False
    assert "only read until tried" in " ".join(luna("devices", "list").out.split())


def test_a_device_is_watched_line_by_line(
    luna: Luna, server: RegisterServer, inverter: SimulatedInverter
) -> None:
    said = luna(
        "devices",
        "watch",
        "127.0.0.1",
        "--profile",
        "sunspec_12x",
        "--port",
        str(server.port),
        "--every",
        "0.5",
        "--seconds",
        "0.9",
        "--json",
    )
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["readings"]["pv_w"] == second["readings"]["pv_w"] == 2000
    assert first["at"] < second["at"]
    assert inverter.written == []


def test_a_device_that_is_away_is_watched_until_it_is_back(
    luna: Luna, inverter: SimulatedInverter
) -> None:
    with serve_registers(inverter) as server:
        port = server.port
    said = luna(
        "devices",
        "watch",
        "127.0.0.1",
        "--profile",
        "sunspec_12x",
        "--port",
        str(port),
        "--seconds",
        "0",
        "--json",
    )
    assert said.code == 0
    assert json.loads(said.out)["error"]["reason"] == "device-silent"


def test_people_are_shown_a_table(luna: Luna, server: RegisterServer) -> None:
    said = luna(
        "devices",
        "watch",
        "127.0.0.1",
        "--profile",
        "sunspec_12x",
        "--port",
        str(server.port),
        "--seconds",
        "0",
    )
    assert "pv_w" in said.out


def test_a_reading_that_does_not_count_is_unknown_with_its_cause(
    luna: Luna, server: RegisterServer, inverter: SimulatedInverter
) -> None:
    inverter.stuck |= {"Charging": 900.0, "Discharging": 900.0, "String1": math.nan}
    command = (
        "devices",
        "test",
        "127.0.0.1",
        "--profile",
        "sunspec_12x",
        "--port",
        str(server.port),
    )
    document = luna(*command, "--json").document
    assert document["readings"] == {"soc": 50, "charge_w": None, "discharge_w": None, "pv_w": None}
    assert document["implausible"] == [
        {"reading": "pv_w", "cause": "invalid_value", "value": None},
        {"reading": "charge_w", "cause": "contradicts", "value": 900},
        {"reading": "discharge_w", "cause": "contradicts", "value": 900},
    ]
    said = say_implausible("charge_w", "contradicts", 900, unit="W", language="en")
    assert " ".join(said.split()) in " ".join(luna(*command).out.split())


def test_a_test_reads_and_writes_nothing(
    luna: Luna, server: RegisterServer, inverter: SimulatedInverter
) -> None:
    said = luna(
        "devices",
        "test",
        "127.0.0.1",
        "--profile",
        "sunspec_12x",
        "--port",
        str(server.port),
        "--json",
    )
    assert (said.document["readings"]["soc"], inverter.written) == (50, [])


def test_a_device_is_added_to_a_site_once(
    luna_on_servers: Luna, tmp_path: Path, database: Engine
) -> None:
    luna = luna_on_servers
    command = (
        "devices",
        "add",
        "192.0.2.20",
        "--profile",
        "sunspec_12x",
        "--site",
        "joined",
        "--listen-port",
        "1502",
        "--json",
    )
    site = {
        "name": "joined",
        "timezone": "UTC",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    }
    (tmp_path / "site.yaml").write_text(
        yaml.safe_dump(site | {"input_sensors": {"total_pv_production": "sensor.roof"}})
    )
    luna("site", "add", "--file", str(tmp_path / "site.yaml"))
    try:
        assert luna(*command).code == 0
        stored = luna("site", "show", "--site", "joined", "--json").document
        assert stored["control"]["by"] == "profile"
        via = stored["control"]["batteries"][0]["via"]
        assert (via["host"], via["proxy"]) == (
            "192.0.2.20",
            {"port": 1502, "listen": "127.0.0.1", "writes": False},
        )
        assert stored["input_sensors"]["battery_soc"] == ["profile:sunspec_12x@192.0.2.20#soc"]
        # Something measures the roof already: it is not counted twice.
        assert stored["input_sensors"]["total_pv_production"] == ["sensor.roof"]
        assert luna(*command).document["differences"] == []
        assert luna(*command[:-1], "--name", "another").code == 2
    finally:
        remove_site(database, "joined")


def test_a_device_behind_a_broker_is_added_with_its_prefix_and_its_password(
    luna_on_servers: Luna, tmp_path: Path, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    luna = luna_on_servers
    command = (
        "devices",
        "add",
        "192.0.2.40",
        "--profile",
        "victron_mqtt",
        "--site",
        "behind-a-broker",
        "--json",
    )
    site = {
        "name": "behind-a-broker",
        "timezone": "UTC",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    }
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site))
    luna("site", "add", "--file", str(tmp_path / "site.yaml"))
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setattr("sys.stdin", StringIO("me:open sesame\n"))
    try:
        # How its topics begin nobody can guess; a port that nobody named is none.
        assert luna(*command).problem["reason"] == "device-prefix-missing"
        assert (
            luna(*command, "--prefix", "c0619ab12345", "--writes").problem["field"] == "proxy.port"
        )
        assert (
            luna(*command, "--prefix", "c0619ab12345", "--listen-port", "1502").problem["reason"]
            == "profile-not-shared"
        )
        added = luna(*command, "--prefix", "c0619ab12345", "--secret", "-")
        assert "sesame" not in added.out + added.err
        stored = luna("site", "show", "--site", "behind-a-broker", "--json").document
        via = stored["control"]["batteries"][0]["via"]
        assert (via["prefix"], via["secret"]) == ("c0619ab12345", "at-192-0-2-40")
        assert stored["input_sensors"]["battery_soc"] == [
            "profile:victron_mqtt@192.0.2.40?prefix=c0619ab12345&secret=at-192-0-2-40#soc"
        ]
        assert tuple(read_device_secret("at-192-0-2-40", tmp_path / "data")) == (
            "me",
            "open sesame",
        )
        assert (
            luna(*command, "--prefix", "c0619ab12345", "--secret", "-").problem["reason"]
            == "device-secret-missing"
        )
    finally:
        remove_site(database, "behind-a-broker")


def test_a_charger_is_tested_and_left_alone(luna: Luna) -> None:
    charger = SimulatedChargePoint(load_profile("keba_p30", Path("/nonexistent")), car=None)
    with serve_registers(charger) as server:
        command = ("devices", "test", "127.0.0.1", "--profile", "keba_p30")
        said = luna(*command, "--port", str(server.port), "--move", "--json")
    assert said.code == 0
    document = json.loads(said.out)
    assert document["readings"]["car_plugged"] == 0
    # Without a car nothing moves.
    assert [step["outcome"] for step in document["moved"]] == ["no_car", "right"]
    assert charger.mode == "own"
