"""Simulated devices as a plain HTTP client sees them, by the documents that their makers describe.

Shelly Pro 3EM, EM.GetStatus and EMData.GetStatus: above zero active power is taken from the grid;
energies count watt-hours, those that were fed in apart. sonnenBatterie, API v2: above zero
Pac_total_W discharges and GridFeedIn_W is fed in.
"""

import json
from pathlib import Path

import httpx
import pytest

from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_battery import BatteryModel
from luna.drivers.simulator import SimulatedInverter
from tests.support.gateway.certificates import NO_CERTIFICATES


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_meter_answers_with_the_documents_of_its_maker() -> None:
    clock = Seconds()
    # A battery of one kilowatt: of four kilowatts three are taken, of six and a half that are left
    # over five and a half are fed in.
    device = SimulatedInverter(
        load_profile("shelly_pro_3em", Path("/nonexistent")),
        now=clock,
        house=lambda seconds: (4.0, 0.0) if seconds <= 3600 else (0.5, 7.0),
        battery=BatteryModel(limit_kw=1.0),
    )
    with (
        serve_device(device) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", verify=NO_CERTIFICATES) as client,
    ):
        before = client.get("/rpc/EMData.GetStatus?id=0").json()
        clock.now = 3600.0
        assert client.get("/rpc/EM.GetStatus", params={"id": 0}).json()[
            "total_act_power"
        ] == pytest.approx(3000, abs=1)
        clock.now = 7200.0
        assert client.get("/rpc/EM.GetStatus", params={"id": 0}).json()[
            "total_act_power"
        ] == pytest.approx(-5500, abs=1)
        after = client.get("/rpc/EMData.GetStatus?id=0").json()
        assert client.get("/rpc/Switch.GetStatus?id=0").status_code == 404
    # The battery ramps up in the first seconds.
    assert after["total_act"] - before["total_act"] == pytest.approx(3000, abs=10)
    assert after["total_act_ret"] - before["total_act_ret"] == pytest.approx(5500, abs=10)


# Its operating mode is a text of digits: by hand, self-consumption.
BY_HAND = {"EM_OperatingMode": "1"}
BY_ITSELF = {"EM_OperatingMode": "2"}


def test_a_sonnen_battery_does_what_its_maker_says() -> None:
    clock = Seconds()
    # One kilowatt of roof for a house of one.
    device = SimulatedInverter(
        load_profile("sonnen", Path("/nonexistent")), now=clock, house=lambda _: (1.0, 1.0)
    )
    with (
        serve_device(device) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", verify=NO_CERTIFICATES) as client,
    ):

        def read_flows() -> list[float]:
            clock.now += 30.0
            status = client.get("/api/v2/status").json()
            return [status["Pac_total_W"], status["GridFeedIn_W"]]

        assert read_flows() == pytest.approx([0, 0], abs=1)
        # A set-point counts by hand alone.
        client.post("/api/v2/setpoint/charge/2000").raise_for_status()
        assert read_flows() == pytest.approx([0, 0], abs=1)
        for document, command, power_w in (
            (BY_HAND, "charge/2000", -2000),
            (BY_HAND, "discharge/1500", 1500),
            (BY_HAND, "charge/0", 0),
            (BY_HAND, "charge/1000", -1000),
            (BY_ITSELF, "charge/3000", 0),
        ):
            client.put("/api/v2/configurations", content=json.dumps(document)).raise_for_status()
            client.post(f"/api/v2/setpoint/{command}").raise_for_status()
            assert read_flows() == pytest.approx([power_w, power_w], abs=1)
        status = client.get("/api/v2/status").json()
        assert (status["Production_W"], status["Consumption_W"]) == (1000, 1000)
        assert 48 <= status["USOC"] <= 51
        assert client.get("/api/v2/configurations").json()["IC_InverterMaxPower_w"] == 5000
