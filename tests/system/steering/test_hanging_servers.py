"""Meters, recorder and steering while database and queue accept connections but hang."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from luna.house.steering_targets import TargetFolder
from tests.integration.ingest.conftest import broker, device
from tests.support.control.inverters import CAR, CURRENT, TOKEN, Inverter, serve
from tests.support.control.steering_process import CHARGER, compose_target, count_cycles
from tests.support.database.site import stored_site
from tests.support.home_assistant.broker import Mosquitto, Publisher, Relay, needs_mosquitto
from tests.support.worker.processes import free_port, luna_process, says
from tests.support.worker.workers import wait_for
from tests.system.steering.test_steering_faults import (
    CHARGE,
    REACTION_SECONDS,
    describe_site,
)

__all__ = ["broker", "device"]

GRID = "meter/grid"
ROOF = "meter/roof"
ROLES = {
    "total_grid_import": [f"mqtt:{GRID} [W]"],
    "total_grid_export": [f"mqtt:{ROOF} [W]"],
    "total_pv_production": [f"mqtt:{ROOF} [W]"],
}
# The recorder has then asked a database that hangs for everything that it asks for.
HANGING_SECONDS = 3.0
HOUSE_W = 500.0
OVEN_W = 11_000.0


class Meter:
    """A meter of a home without sun: the house's power and the car's, every second."""

    def __init__(self, device: Publisher, inverter: Inverter) -> None:
        self._device = device
        self._inverter = inverter
        self._ending = threading.Event()
        self.house_w = HOUSE_W
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def import_w(self) -> float:
        states = self._inverter.states
        car_w = 3 * 230 * float(states[CURRENT]) if states[CAR] == "on" else 0.0
        return self.house_w + car_w

    def _run(self) -> None:
        while not self._ending.wait(1.0):
            self._device.publish(GRID, str(self.import_w))
            self._device.publish(ROOF, "0")

    def close(self) -> None:
        self._ending.set()
        self._thread.join()


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6"})) as inverter:
        yield inverter


@needs_mosquitto
def test_a_fuse_is_kept_while_database_and_queue_hang_and_after_a_restart_without_them(
    tmp_path: Path,
    inverter: Inverter,
    broker: Mosquitto,
    device: Publisher,
    database: Engine,
    database_url: str,
    redis_url: str,
) -> None:
    folder = tmp_path / "data"
    document = describe_site(grid={"import_limit_kw": 17.0}, input_sensors=ROLES)
    relays = []
    settings = {"data_folder": str(folder), "home_assistant_token": TOKEN}
    for name, address in (("database_url", database_url), ("redis_url", redis_url)):
        url = make_url(address)
        relays.append(Relay(url.port or 0))
        own = url.set(host="127.0.0.1", port=relays[-1].port)
        settings[name] = own.render_as_string(hide_password=False)
    settings |= {
        "home_assistant_url": inverter.url,
        "mqtt_url": f"mqtt://127.0.0.1:{broker.port}",
    }
    TargetFolder(folder).store(compose_target(document, CHARGER, "car", CHARGE))
    with ExitStack() as stack:
        stack.enter_context(stored_site(database, **document))
        meter = Meter(device, inverter)
        stack.callback(meter.close)
        with steering_and_recorder(settings) as port:
            wait_for(lambda: inverter.states[CURRENT] == "15")
            for relay in relays:
                stack.callback(relay.close)
                relay.hang()
            begun, late = count_cycles(port)
            hung_s = time.monotonic()
            wait_for(lambda: time.monotonic() - hung_s > HANGING_SECONDS)
            meter.house_w = OVEN_W
            wait_for(lambda: meter.import_w <= 17_000, seconds=REACTION_SECONDS)
            assert inverter.states[CAR] == "on"
            cycles, late_after = count_cycles(port)
            assert cycles > begun
            assert late_after == late
        for relay in relays:
            relay.close()
        meter.house_w = HOUSE_W
        with steering_and_recorder(settings):
            wait_for(lambda: inverter.states[CURRENT] == "15")


@contextmanager
def steering_and_recorder(settings: Mapping[str, str]) -> Iterator[int]:
    """Run both until they are killed; yield the health port of steering."""
    port = free_port()
    recorder_port = free_port()
    without_servers = {
        name: value for name, value in settings.items() if name not in {"database_url", "redis_url"}
    }
    recorder = ("services.ingest.live", "--health-port", str(recorder_port), "--look-seconds", "1")
    with (
        luna_process("services.steering", "--health-port", str(port), **without_servers),
        luna_process(*recorder, **settings),
    ):
        wait_for(lambda: says(recorder_port, "live", 200))
        yield port
