"""What a steering process says of itself, and the messages that reach it."""

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from luna.contracts.control import VehicleSetpoint
from luna.contracts.live_flow import LiveFlow
from luna.contracts.steering import (
    DeviceTarget,
    MeasuredFlow,
    SteeredSlot,
    SteeringRequest,
    SteeringState,
    SteeringTarget,
)
from luna.energy.timeline import SLOT, floor_to
from luna.house.steering_channel import SteeringAwayError, SteeringClient
from luna.platform.clock import SystemClock
from tests.support.gateway.certificates import NO_CERTIFICATES

LATE_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
CHARGER = "vehicle:car"
LATENESS = "luna_steering_cycle_lateness_seconds"


def count_cycles(health_port: int) -> tuple[int, int]:
    """Return the cycles so far, and how many of them came more than a second late."""
    # A proxy of this machine's has no business between the two.
    with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS, verify=NO_CERTIFICATES) as client:
        text = client.get(f"http://127.0.0.1:{health_port}/metrics").text
    count = 0.0
    in_time = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{LATENESS}_count":
                count = sample.value
            is_bucket = sample.name == f"{LATENESS}_bucket"
            if is_bucket and float(sample.labels["le"]) == LATE_SECONDS:
                in_time = sample.value
    return int(count), int(count - in_time)


def ask(client: SteeringClient, request: SteeringRequest) -> SteeringState | None:
    """Return the answer, None while nobody listens."""
    try:
        return client.ask(request)
    except SteeringAwayError:
        return None


def compose_target(
    site: dict[str, Any], unit: str, device: str, target: DeviceTarget, *, name: str = "first"
) -> SteeringTarget:
    """Return a target that wants the same of a device for an hour."""
    begin = floor_to(SystemClock().now(), SLOT)
    slots = []
    for place in range(4):
        slots.append(SteeredSlot(start=begin + place * SLOT, devices={device: target}))
    return SteeringTarget(
        site_id=site["name"], unit=unit, target_id=name, site=site, released=False, slots=slots
    )


def read_car_kw(state: SteeringState | None) -> float:
    """Return the power that the car's charger was told."""
    if state is None or CHARGER not in state.units:
        return 0.0
    command = state.units[CHARGER].commands.get("car")
    return command.charge_kw if isinstance(command, VehicleSetpoint) else 0.0


def measure(
    client: SteeringClient, site_id: str, *, house_kw: float = 0.5, car_kw: float = 0.0
) -> SteeringState | None:
    """Have the process know what flows now, without sun."""
    flow = LiveFlow(
        at=SystemClock().now(),
        import_kw=house_kw + car_kw,
        export_kw=0.0,
        pv_kw=0.0,
        charge_kw=0.0,
        discharge_kw=0.0,
        load_kw=house_kw,
        submetered_kw={"vehicle_kwh": car_kw},
    )
    return ask(client, MeasuredFlow(site_id=site_id, flow=flow))
