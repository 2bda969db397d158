"""The steering process itself: without database and queue, killed, started anew and ended."""

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from luna.contracts.control import VehicleSetpoint
from luna.contracts.live_flow import LiveFlow
from luna.contracts.steering import (
    DeviceTarget,
    MeasuredFlow,
    StateQuestion,
    SteeredSlot,
    SteeringRequest,
    SteeringState,
    SteeringTarget,
)
from luna.drivers.folder_lock import FolderLock
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.timeline import SLOT, floor_to
from luna.house.steering_channel import (
    PROCESS_LOCK,
    SteeringAwayError,
    SteeringClient,
)
from luna.platform.clock import SystemClock
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    PV,
    TOKEN,
    Inverter,
    describe_devices,
    serve,
)
from tests.support.worker.processes import luna_process
from tests.support.worker.workers import Worker, kill, wait_for

SITE = "steered"
HEATER = "load:boiler"
CHARGER = "vehicle:car"
BACK_SECONDS = 10.0


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6", BOILER: "off", PV: "100"})) as inverter:
        yield inverter


@pytest.fixture
def client(tmp_path: Path) -> Iterator[SteeringClient]:
    with closing(SteeringClient(tmp_path, patience_s=5.0)) as client:
        yield client


def start(data_folder: Path, inverter: Inverter) -> AbstractContextManager[Worker]:
    return luna_process(
        "services.steering",
        data_folder=str(data_folder),
        home_assistant_url=inverter.url,
        home_assistant_token=TOKEN,
    )


def ask(client: SteeringClient, request: SteeringRequest) -> SteeringState | None:
    """Return the answer, None while nobody listens."""
    try:
        return client.ask(request)
    except SteeringAwayError:
        return None


def target_of(unit: str, device: str, target: DeviceTarget) -> SteeringTarget:
    section = describe_devices() | {"steering": True}
    document = {"name": SITE, "timezone": "Europe/Berlin", "control": section} | DEVICES
    begin = floor_to(SystemClock().now(), SLOT)
    return SteeringTarget(
        site_id=SITE,
        unit=unit,
        target_id="first",
        site=document,
        released=False,
        slots=[
            SteeredSlot(start=begin + place * SLOT, devices={device: target}) for place in range(4)
        ],
    )


def measure(client: SteeringClient) -> SteeringState | None:
    """Have the process know what flows now."""
    flow = LiveFlow(
        at=SystemClock().now() - timedelta(milliseconds=100),
        import_kw=0.5,
        export_kw=0.0,
        pv_kw=0.0,
        charge_kw=0.0,
        discharge_kw=0.0,
        load_kw=0.5,
    )
    return ask(client, MeasuredFlow(site_id=SITE, flow=flow))


def test_killed_it_is_back_in_control_within_ten_seconds_and_ended_it_hands_back(
    tmp_path: Path, inverter: Inverter, client: SteeringClient
) -> None:
    heats = target_of(HEATER, "boiler", DeviceTarget(setpoint=LoadSetpoint(mode="off")))
    charges = target_of(
        CHARGER, "car", DeviceTarget(setpoint=VehicleSetpoint(mode="charge", charge_kw=4.6))
    )
    with start(tmp_path, inverter) as process:
        wait_for(lambda: ask(client, heats) is not None)
        assert ask(client, charges) is not None
        wait_for(lambda: measure(client) is not None and inverter.states[CAR] == "on")
        kill(process)
        process.wait(timeout=60)
    assert FolderLock(tmp_path, PROCESS_LOCK).is_free()
    # A car that somebody stops meanwhile charges again by what is on the process's disk.
    inverter.states[CAR] = "off"
    began = time.monotonic()
    with start(tmp_path, inverter) as process:
        wait_for(lambda: measure(client) is not None and inverter.states[CAR] == "on")
        assert time.monotonic() - began < BACK_SECONDS
        wait_for(lambda: all_confirmed(ask(client, StateQuestion(site_id=SITE))))
        process.send_signal(signal.SIGTERM)
        # A water heater without a rule of its own is switched on.
        wait_for(lambda: inverter.states[BOILER] == "on")
        assert process.wait(60) == 0
    with start(tmp_path, inverter):
        wait_for(lambda: measure(client) is not None and inverter.states[BOILER] == "off")


def all_confirmed(state: SteeringState | None) -> bool:
    return state is not None and all(unit.confirmed for unit in state.units.values())
