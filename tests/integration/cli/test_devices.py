"""`luna devices` against a simulated inverter: what is read, watched and moved."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.platform.drivers.modbus_server import RegisterServer, serve_registers
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.simulator import SimulatedInverter
from tests.command_line import Luna


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(load_profile("sunspec_12x", Path("/nonexistent")))


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


def test_a_device_is_watched_line_by_line(luna: Luna, server: RegisterServer, inverter: SimulatedInverter) -> None:
    said = luna("devices", "watch", "127.0.0.1", "--profile", "sunspec_12x", "--port", str(server.port), "--every", "0.5", "--seconds", "0.9", "--json")
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["readings"]["pv_w"] == second["readings"]["pv_w"] == 2000
    assert first["at"] < second["at"]
    assert inverter.written == []


def test_a_device_that_is_away_is_watched_until_it_is_back(luna: Luna, inverter: SimulatedInverter) -> None:
    with serve_registers(inverter) as server:
        port = server.port
    said = luna("devices", "watch", "127.0.0.1", "--profile", "sunspec_12x", "--port", str(port), "--seconds", "0", "--json")
    assert said.code == 0
    assert json.loads(said.out)["error"]["reason"] == "device-silent"


def test_people_are_shown_a_table(luna: Luna, server: RegisterServer) -> None:
    said = luna("devices", "watch", "127.0.0.1", "--profile", "sunspec_12x", "--port", str(server.port), "--seconds", "0")
    assert "pv_w" in said.out


def test_a_test_reads_and_writes_nothing(luna: Luna, server: RegisterServer, inverter: SimulatedInverter) -> None:
    said = luna("devices", "test", "127.0.0.1", "--profile", "sunspec_12x", "--port", str(server.port), "--json")
    assert (said.document["readings"]["soc"], inverter.written) == (50, [])
