"""A simulated Shelly Pro 3EM as a plain HTTP client sees it, by the documents that its maker
describes: EM.GetStatus and EMData.GetStatus.

Above zero active power is taken from the grid; energies count watt-hours, those that were fed in
apart.
"""

from pathlib import Path

import httpx
import pytest

from luna.platform.drivers.device_server import serve_device
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.simulator import SimulatedInverter
from luna.platform.simulated_home.battery import BatteryModel


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
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client,
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
