"""The recorder sends the flows of steered sites to steering, and reads their devices often."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from luna.contracts.steering import MeasuredFlow, SteeringAnswer, SteeringRequest
from luna.energy.site import Site, parse_site
from luna.house.steering_channel import serve_steering
from services.ingest.listening.live_powers import LivePowers
from services.ingest.listening.steering_feed import SteeringFeed
from services.ingest.source_readings import Reading
from tests.support.control.executor import START, Clock
from tests.support.control.inverters import describe_devices

METERS = {
    "total_grid_import": ["sensor.import"],
    "total_grid_export": ["sensor.export"],
    "total_pv_production": ["sensor.pv"],
}


def make_site(name: str, **control: Any) -> Site:
    section = describe_devices() | control
    del section["vehicles"], section["loads"]
    return parse_site(
        {
            "name": name,
            "timezone": "UTC",
            "pv": [{"peak_kw": 8}],
            "control": section,
            "input_sensors": METERS,
        }
    )


@pytest.fixture
def powers() -> LivePowers:
    powers = LivePowers()
    readings = [
        Reading("sensor.import", START, 0.0, "kW"),
        Reading("sensor.export", START, 2.0, "kW"),
        Reading("sensor.pv", START, 3.0, "kW"),
    ]
    powers.note("mqtt", readings, changes_only=False)
    return powers


def test_flows_of_steered_sites_alone_are_sent(tmp_path: Path, powers: LivePowers) -> None:
    received: list[SteeringRequest] = []

    def answer(request: SteeringRequest) -> SteeringAnswer:
        received.append(request)
        return SteeringAnswer()

    feed = SteeringFeed(powers, tmp_path, clock=Clock())
    with serve_steering(tmp_path, answer):
        asyncio.run(feed.turn([make_site("plain"), make_site("steered", steering=True)]))
    feed.close()
    [message] = [request for request in received if isinstance(request, MeasuredFlow)]
    assert (message.site_id, message.flow.export_kw, message.flow.load_kw) == ("steered", 2.0, 1.0)


def test_sensors_of_steered_sites_are_known_also_while_steering_is_away(
    tmp_path: Path, powers: LivePowers
) -> None:
    feed = SteeringFeed(powers, tmp_path, clock=Clock())
    assert not feed.is_steered(["sensor.import"])
    asyncio.run(feed.turn([make_site("steered", steering=True)]))
    assert feed.is_steered(["sensor.import", "sensor.other"])
    assert not feed.is_steered(["sensor.other"])
    feed.close()
