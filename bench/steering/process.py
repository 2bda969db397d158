"""The steering process itself, over its socket, with devices that answer: lateness, CPU, memory.

Each home has a battery and a car that follows the sun second by second, behind one simulated Home
Assistant; its flows come as the recorder sends them.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.processes import ProcessTree
from bench.steering.profiles import HomeDay, draw_days
from luna.contracts.control import BatterySetpoint, VehicleSetpoint
from luna.contracts.live_flow import LiveFlow
from luna.contracts.steering import (
    DeviceTarget,
    MeasuredFlow,
    SteeredSlot,
    SteeringTarget,
)
from luna.energy.devices.battery import BATTERIES
from luna.energy.timeline import SLOT, floor_to
from luna.house.steering_channel import SteeringAwayError, SteeringClient
from luna.platform.clock import SystemClock
from tests.support.control.inverters import MODES, TOKEN, Inverter, serve
from tests.support.control.steering_process import CHARGER, count_cycles, read_car_kw
from tests.support.worker.processes import free_port

SECONDS = 60.0
LONG_SECONDS = 600.0
HOMES = 100
CYCLE_S = 2.0
# All devices have their first command by then.
SETTLE_SECONDS = 10.0
START_SECONDS = 60.0
PATIENCE_SECONDS = 5.0
SLOTS_AHEAD = 24
HOUSE_KW = 0.5
PEAK_KW = 10.0
# Clouds come to the first home half a minute later.
MORNING_S = 10 * 3600 + 190
SEED = 1


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What the process took for a number of homes.

    ``late_cycles`` came more than a second late; ``longest_answer_s`` is that of a flow.
    """

    homes: int
    seconds: float
    cycles: int
    late_cycles: int
    longest_answer_s: float
    core_share: float
    memory_mb: float
    own_memory_mb: float
    threads: int
    device_writes: int


def measure_process(homes: int, seconds: float = SECONDS) -> dict[str, Any]:
    """Return the figures of a steering process with so many homes."""
    days = draw_days(SEED, 4, peak_kw=PEAK_KW)
    entities: dict[str, str] = {}
    for number in range(homes):
        entities |= _list_entities(number)
    with ExitStack() as stack:
        inverter = stack.enter_context(serve(Inverter(entities)))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        health_port = free_port()
        process = stack.enter_context(_steering_process(folder, inverter.url, health_port))
        client = stack.enter_context(closing(SteeringClient(folder, patience_s=PATIENCE_SECONDS)))
        for number in range(homes):
            for target in _list_targets(number, SystemClock().now()):
                _hand_over(client, target)
        feed = _Feed(client, days, homes)
        feed.run(SETTLE_SECONDS)
        feed.longest_answer_s = 0.0
        tree = ProcessTree(process.pid, "steering")
        writes_before = len(inverter.calls)
        cycles_before, late_before = count_cycles(health_port)
        cpu_before = tree.cpu()
        feed.run(seconds)
        cpu = tree.cpu()
        cycles, late = count_cycles(health_port)
        memory = tree.holds()["steering"]
        writes = len(inverter.calls) - writes_before
    figures = ProcessFigures(
        homes=homes,
        seconds=round(cpu.at - cpu_before.at, 1),
        cycles=cycles - cycles_before,
        late_cycles=late - late_before,
        longest_answer_s=round(feed.longest_answer_s, 3),
        core_share=cpu.cores_since(cpu_before)[0]["steering"],
        memory_mb=memory.share_mb,
        own_memory_mb=memory.own_mb,
        threads=memory.threads,
        device_writes=writes,
    )
    return {name: getattr(figures, name) for name in ProcessFigures.__slots__}


class _Feed:
    """Sends each home's flow every two seconds, spread over them as many recorders do."""

    def __init__(self, client: SteeringClient, days: list[HomeDay], homes: int) -> None:
        self._client = client
        self._days = days
        self._homes = homes
        self._begun_s = time.monotonic()
        self._car_kw = dict.fromkeys(range(homes), 0.0)
        self.longest_answer_s = 0.0

    def run(self, seconds: float) -> None:
        """Send flows for so long."""
        rounds = round(seconds / CYCLE_S)
        begin_s = time.monotonic()
        for place in range(rounds * self._homes):
            due_s = begin_s + CYCLE_S * place / self._homes
            time.sleep(max(due_s - time.monotonic(), 0.0))
            self._send(place % self._homes)
        time.sleep(max(begin_s + seconds - time.monotonic(), 0.0))

    def _send(self, number: int) -> None:
        # The first home has broken clouds.
        day = self._days[(number + 1) % len(self._days)]
        # Homes live at different times of the morning, so that not all have the same cloud.
        second = MORNING_S + 60 * number + int(time.monotonic() - self._begun_s)
        pv_kw = float(day.pv_kw[second])
        bought_kw = HOUSE_KW + self._car_kw[number] - pv_kw
        flow = LiveFlow(
            at=SystemClock().now(),
            import_kw=max(bought_kw, 0.0),
            export_kw=max(-bought_kw, 0.0),
            pv_kw=pv_kw,
            charge_kw=0.0,
            discharge_kw=0.0,
            load_kw=HOUSE_KW,
            submetered_kw={"vehicle_kwh": self._car_kw[number]},
            soc=0.5,
        )
        begun_s = time.monotonic()
        state = self._client.ask(MeasuredFlow(site_id=_name(number), flow=flow))
        self.longest_answer_s = max(self.longest_answer_s, time.monotonic() - begun_s)
        self._car_kw[number] = read_car_kw(state)


@contextmanager
def _steering_process(
    folder: Path, home_assistant_url: str, health_port: int
) -> Iterator[subprocess.Popen[bytes]]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
    environment = plain | {
        "LUNA_DATA_FOLDER": str(folder),
        "LUNA_HOME_ASSISTANT_URL": home_assistant_url,
        "LUNA_HOME_ASSISTANT_TOKEN": TOKEN,
        "LUNA_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "services.steering", "--health-port", str(health_port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _hand_over(client: SteeringClient, target: SteeringTarget) -> None:
    """Hand a target over, and wait for a process that is starting."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.ask(target)
        except SteeringAwayError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _name(number: int) -> str:
    return f"home {number}"


def _list_entities(number: int) -> dict[str, str]:
    return {
        f"sensor.soc_{number}": "50",
        f"select.mode_{number}": "Self Use",
        f"number.power_{number}": "0",
        f"switch.car_{number}": "off",
        f"number.car_current_{number}": "6",
    }


def _describe_site(number: int) -> dict[str, Any]:
    battery = {
        "battery": "battery",
        "soc": f"sensor.soc_{number}",
        "modes": MODES,
        "writes": [
            {"to": f"number.power_{number}", "value": "{power_w}", "when": ["charge", "export"]},
            {"to": f"select.mode_{number}", "value": "{mode}"},
        ],
    }
    car = {
        "vehicle": "car",
        "modes": {"charge": "on", "stop": "off"},
        "writes": [
            {"to": f"number.car_current_{number}", "value": "{current_a}", "when": ["charge"]},
            {"to": f"switch.car_{number}", "value": "{mode}"},
        ],
    }
    return {
        "name": _name(number),
        "timezone": "Europe/Berlin",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
        "vehicles": [
            {
                "name": "car",
                "capacity_kwh": 60,
                "charge_limit_kw": 11,
                "charger": {"phases": [1, 3]},
            }
        ],
        "pv": [{"peak_kw": PEAK_KW}],
        "control": {
            "by": "home_assistant",
            "steering": True,
            "batteries": [battery],
            "vehicles": [car],
        },
    }


def _list_targets(number: int, now: datetime) -> list[SteeringTarget]:
    battery = DeviceTarget(setpoint=BatterySetpoint(mode="self_consumption"), worth_price=0.1)
    car = DeviceTarget(
        setpoint=VehicleSetpoint(mode="charge", charge_kw=7.0),
        follow="surplus_floor",
        # So much lets it begin at once.
        floor_kw=1.4,
        worth_price=0.2,
    )
    site = _describe_site(number)
    begin = floor_to(now, SLOT)
    targets = []
    for unit, devices in ((BATTERIES, {"battery": battery}), (CHARGER, {"car": car})):
        slots = []
        for place in range(SLOTS_AHEAD):
            slots.append(SteeredSlot(start=begin + place * SLOT, devices=devices))
        targets.append(
            SteeringTarget(
                site_id=_name(number),
                unit=unit,
                target_id="first",
                site=site,
                released=False,
                slots=slots,
            )
        )
    return targets
