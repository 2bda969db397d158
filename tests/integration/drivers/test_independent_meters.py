"""Simulated meters as somebody else's client sees them: bare pymodbus and plain HTTP, and what
their makers' lists say.

Nothing of the drivers is shared but the server that is asked: an address, a scale, a sign or an
order of words that a profile has wrong is wrong here.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from luna.drivers.device_server import serve_documents, serve_registers
from luna.drivers.profile_points import JsonPoint
from luna.drivers.profiles import load_profile
from luna.drivers.sensor_name import ProfiledSensor, name_sensor
from luna.drivers.simulated_battery import BatteryModel
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.commands import Via
from tests.support.gateway.certificates import NO_CERTIFICATES

NO_FOLDER = Path("/nonexistent")
# The simulated house begins with 1000 kWh in either direction.
COUNTED_KWH = 1000


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Number(NamedTuple):
    """A number of a maker's list: its address, struct's notation, and one in its unit."""

    address: int
    kind: str
    factor: float
    swapped: bool = False
    inputs: bool = False


def gavazzi(address: int, *, inputs: bool = True) -> Number:
    """An INT32 in tenths, the less significant word first."""
    return Number(address, "i", 10, swapped=True, inputs=inputs)


# Power, those of the phases, and both counters: W, W, kWh.
REGISTERS: dict[str, tuple[Number, ...]] = {
    "gavazzi_em24": tuple(
        gavazzi(address, inputs=False) for address in (0x28, 0x12, 0x14, 0x16, 0x34, 0x4E)
    ),
    "gavazzi_em24_rtu": tuple(map(gavazzi, (0x28, 0x12, 0x14, 0x16, 0x42, 0x5C))),
    "gavazzi_em340": tuple(map(gavazzi, (0x28, 0x12, 0x14, 0x16, 0x34, 0x4E))),
    "janitza_umg": (
        *(Number(address, "f", 1) for address in (0x4A52, 0x4A4C, 0x4A4E, 0x4A50)),
        Number(0x4A7C, "f", 1000),
        Number(0x4A84, "f", 1000),
    ),
    "abb_b23": (
        *(Number(address, "i", 100) for address in (0x5B14, 0x5B16, 0x5B18, 0x5B1A)),
        Number(0x5000, "Q", 100),
        Number(0x5004, "Q", 100),
    ),
    "eastron_sdm630": tuple(
        Number(address, "f", 1, inputs=True) for address in (0x34, 0x0C, 0x0E, 0x10, 0x48, 0x4A)
    ),
}
OVER_SERIAL = {"gavazzi_em24_rtu", "gavazzi_em340", "abb_b23", "eastron_sdm630"}


@contextmanager
def ask(name: str, device: SimulatedInverter) -> Iterator[ModbusTcpClient]:
    with serve_registers(device) as server:
        framer = FramerType.RTU if name in OVER_SERIAL else FramerType.SOCKET
        client = ModbusTcpClient("127.0.0.1", port=server.port, framer=framer)
        assert client.connect()
        yield client
        client.close()


def read(client: ModbusTcpClient, number: Number) -> float:
    count = struct.calcsize(f">{number.kind}") // 2
    function = client.read_input_registers if number.inputs else client.read_holding_registers
    answer = function(number.address, count=count, device_id=1)
    assert not answer.isError(), answer
    words = answer.registers[::-1] if number.swapped else answer.registers
    [value] = struct.unpack(f">{number.kind}", struct.pack(f">{count}H", *words))
    return float(value) / number.factor


@pytest.mark.parametrize("name", REGISTERS)
def test_a_meter_answers_at_the_registers_of_its_maker(name: str) -> None:
    clock = Seconds()
    # A battery of one kilowatt: of four kilowatts three are taken, of six and a half that are left
    # over five and a half are fed in.
    device = SimulatedInverter(
        load_profile(name, NO_FOLDER),
        now=clock,
        house=lambda seconds: (4.0, 0.0) if seconds <= 3600 else (0.5, 7.0),
        battery=BatteryModel(limit_kw=1.0),
    )
    with ask(name, device) as client:
        clock.now = 3600.0
        power_w, *phases_w, _, _ = (read(client, number) for number in REGISTERS[name])
        assert power_w == pytest.approx(3000, abs=1)
        assert phases_w == pytest.approx([1000] * 3, abs=1)
        clock.now = 7200.0
        power_w, *phases_w, imported_kwh, exported_kwh = (
            read(client, number) for number in REGISTERS[name]
        )
    assert power_w == pytest.approx(-5500, abs=1)
    assert phases_w == pytest.approx([-5500 / 3] * 3, abs=1)
    # An hour of each; they are shown in tenths, and the battery ramps up.
    assert imported_kwh == pytest.approx(COUNTED_KWH + 3, abs=0.11)
    assert exported_kwh == pytest.approx(COUNTED_KWH + 5.5, abs=0.11)


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("shelly_em", ("/shelly", "type", "SHEM")),
        ("shelly_3em", ("/shelly", "type", "SHEM-3")),
        ("shelly_em_gen3", ("/rpc/Shelly.GetDeviceInfo", "model", "S3EM-002CXCEU")),
    ],
    ids=["EM", "3EM", "EM Gen3"],
)
def test_a_shelly_answers_with_the_documents_of_its_maker(
    name: str, identity: tuple[str, str, str]
) -> None:
    clock = Seconds()
    device = SimulatedInverter(
        load_profile(name, NO_FOLDER),
        now=clock,
        house=lambda _: (0.5, 7.0),
        battery=BatteryModel(limit_kw=1.0),
    )
    path, field, text = identity
    with (
        serve_documents(device) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", verify=NO_CERTIFICATES) as client,
    ):
        clock.now = 3600.0
        assert client.get(path).json()[field] == text
        powers_w, exported_wh = READ_SHELLY[name](client)
    assert sum(powers_w) == pytest.approx(-5500, abs=1)
    assert exported_wh in (None, pytest.approx(1000 * COUNTED_KWH + 5500, abs=10))


def read_first_generation(client: httpx.Client) -> tuple[list[float], float | None]:
    """GET /status: each clamp has power in W, total and total_returned in Wh."""
    clamps = client.get("/status").json()["emeters"]
    return [clamp["power"] for clamp in clamps], clamps[0].get("total_returned")


def read_em(client: httpx.Client) -> tuple[list[float], float | None]:
    """GET /emeter/0: power in W, total and total_returned in Wh of the first clamp."""
    clamp = client.get("/emeter/0").json()
    return [clamp["power"]], clamp["total_returned"]


def read_em1(client: httpx.Client) -> tuple[list[float], float | None]:
    """EM1.GetStatus and EM1Data.GetStatus of the first clamp."""
    power_w = client.get("/rpc/EM1.GetStatus", params={"id": 0}).json()["act_power"]
    counters = client.get("/rpc/EM1Data.GetStatus", params={"id": 0}).json()
    return [power_w], counters["total_act_ret_energy"]


READ_SHELLY = {
    "shelly_em": read_em,
    "shelly_3em": read_first_generation,
    "shelly_em_gen3": read_em1,
}


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("shelly_em", {"/emeter/1"}),
        ("shelly_em_gen3", {"/rpc/EM1.GetStatus?id=1", "/rpc/EM1Data.GetStatus?id=1"}),
    ],
)
def test_the_second_clamp_of_a_meter_is_its_unit_one(name: str, paths: set[str]) -> None:
    profile = load_profile(name, Path("/nonexistent"))
    points = [point for point in profile.points.values() if isinstance(point, JsonPoint)]
    assert {point.at_unit(1).at for point in points} == paths
    second = Via(profile=name, host="192.0.2.1", unit=1)
    sensor = ProfiledSensor.parse(name_sensor(second, "import_kwh"))
    assert sensor is not None
    assert sensor.via == second
