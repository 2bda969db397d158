"""`luna demo --live`: a stranger's Luna lives an hour by the injected clock; what Luna says is held against the simulated home's own truth."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from luna.settings import load_settings
from luna.simulated_home import BATTERY_MODEL, CAR, HEATER, SITE_NAME, HomeFiles
from luna.timeline import CLOCK_VARIABLE
from services.ingest.demo_data import load_demo
from tests.processes import free_port

# All of Luna starts in it also on a machine that is busy with much else.
PATIENCE_SECONDS = 300
LOOK_SECONDS = 0.2
SITE = f"/v1/sites/{SITE_NAME}"
HOME = f"/ui/sites/{SITE_NAME}/home"
STEP = timedelta(minutes=5)


class LiveDemo:
    """A Luna of its own with a simulated home, and the clock that all of its processes follow."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.port, self._clock, self.moved = folder, free_port(), folder / "clock", timedelta()
        self._write_clock()
        own = {"LUNA_DATA_FOLDER": str(folder), "LUNA_CACHE_FOLDER": str(cache), "LUNA_API_PORT": str(self.port), CLOCK_VARIABLE: str(self._clock)}
        own |= {"LUNA_WORKER_PROCESSES": "1", "LUNA_OUTSIDE_SERVICES": "false"}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")} | own
        self.files = HomeFiles(folder)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=PATIENCE_SECONDS)

    def start(self) -> subprocess.Popen[bytes]:
        program = "from services.cli.main import main; main()"
        with (self.folder / "demo.log").open("wb") as log:
            return subprocess.Popen([sys.executable, "-c", program, "demo", "--live"], env=self.environment, stdout=log, stderr=log)

    def sign_in(self) -> None:
        token = (self.folder / "identity" / "owner_token").read_text(encoding="ascii").strip()
        self.client.headers["Authorization"] = f"Bearer {token}"

    def read(self, address: str) -> Any:
        answer = self.client.get(address)
        return answer.json() if answer.status_code == httpx.codes.OK else {}

    def move_clock(self, by: timedelta) -> None:
        """Let time pass for every process, and return when the home has lived it."""
        lived = self.files.read_state().at
        self.moved += by
        self._write_clock()
        wait_until(lambda: self.files.read_state().at >= lived + by.total_seconds() / 2)

    def last_measured(self) -> datetime:
        timeline = self.read(f"{SITE}/timeline")
        known = [place for place, value in enumerate(timeline["measured"]["load_kw"]) if value is not None]
        return datetime.fromisoformat(timeline["start"]) + known[-1] * timedelta(minutes=timeline["slot_minutes"])

    def list_confirmed(self) -> set[str]:
        """Return the devices that were read back to do what their owner wants."""
        decisions = self.read(f"{SITE}/control/decisions")["decisions"]
        return {each["device"] for each in decisions if each["confirmed"] and each["decided_by"] == "owner"}

    def read_measured(self, name: str) -> list[float]:
        return [value for value in self.read(f"{SITE}/timeline")["measured"][name] if value is not None]

    def _write_clock(self) -> None:
        beside = self._clock.with_suffix(".next")
        beside.write_text(str(self.moved.total_seconds()), encoding="ascii")
        beside.replace(self._clock)


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(LOOK_SECONDS)


@pytest.fixture(scope="module")
def demo(kept_folder: Path) -> Iterator[LiveDemo]:
    cache = load_settings().cache
    load_demo(cache)
    demo = LiveDemo(kept_folder.parent, cache.resolve())
    process = demo.start()
    try:
        wait_until(lambda: demo.files.is_there or process.poll() is not None)
        assert process.poll() is None, (demo.folder / "demo.log").read_text(errors="replace")[-3000:]
        demo.sign_in()
        yield demo
    finally:
        demo.client.close()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_SECONDS)


def test_in_its_first_minutes_it_shows_flow_forecast_plan_and_says_that_it_is_simulated(demo: LiveDemo) -> None:
    wait_until(lambda: demo.read(f"{SITE}/plans/latest").get("plan_id"))
    page = demo.client.get(HOME).text
    assert "This home is simulated." in page
    assert "Dieses Zuhause ist simuliert." in demo.client.get(HOME, headers={"Accept-Language": "de"}).text
    assert 'id="flow-title"' in page
    assert demo.read(f"{SITE}/forecasts")
    wait_until(lambda: len({score["day"] for score in demo.read(f"{SITE}/scores").get("scores", [])}) >= 3)


def test_what_luna_tells_its_devices_is_what_the_truth_shows(demo: LiveDemo) -> None:
    assert demo.client.post(f"{SITE}/control/arm").is_success
    now = datetime.now(UTC) + demo.moved
    before, measured = demo.files.read_state(), demo.last_measured()
    wanted = {"mode": "charge", "power_kw": 2.0, "until": (now + timedelta(hours=3)).isoformat()}
    told = {"batteries": wanted, f"vehicle:{CAR}": {"mode": "stop", "until": wanted["until"]}, f"load:{HEATER}": {"mode": "on", "until": wanted["until"]}}
    for device, override in told.items():
        assert demo.client.put(f"{SITE}/control/overrides/{device}", json=override).is_success
    # Read back by the executor, not only sent.
    wait_until(lambda: [demo.files.read_truth()[-1][each] for each in ("mode", "car_mode", "heater_mode")] == ["force_charge", "off", "on"])
    wait_until(lambda: demo.list_confirmed() == set(told))
    stopped = demo.files.read_state().car

    for _ in range(12):
        demo.move_clock(STEP)

    wait_until(lambda: demo.last_measured() >= measured + timedelta(minutes=45))
    after = demo.files.read_state()
    room_kwh = BATTERY_MODEL.capacity_kwh - before.battery.stored_kwh
    # Wherever the car is, nothing flows into it.
    assert stopped is not None
    assert after.car is not None
    assert after.car.charge_kwh == pytest.approx(stopped.charge_kwh, abs=0.1)
    # What the sun leaves over comes on top; near the top it takes less.
    assert after.charge_kwh - before.charge_kwh >= 0.8 * min(2.0 * (after.at - before.at) / 3600, room_kwh)
    end, soc = demo.last_measured() + timedelta(minutes=15), demo.read_measured("soc")[-1]
    truth = [float(row["soc"]) for row in demo.files.read_truth() if datetime.fromisoformat(row["at"]) <= end]
    # Time goes in steps of five minutes, in which 5 kW move 4 % of it.
    assert soc == pytest.approx(truth[-1], abs=0.05)


def test_one_button_removes_it_and_leaves_nothing(demo: LiveDemo) -> None:
    answer = demo.client.post("/ui/setup/remove-simulated-home")
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    assert SITE_NAME not in demo.client.get("/v1/sites").text
    assert not demo.files.folder.exists()
    assert demo.client.get(f"{SITE}/timeline").status_code == httpx.codes.NOT_FOUND
    offered = demo.client.get("/ui/setup").text
    assert "Try it with a simulated home" in offered
