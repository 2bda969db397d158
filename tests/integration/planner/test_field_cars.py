"""Cars of homes that their owners reported, replayed from their recorded readings.

``LUNA_FIELD_CASES`` names the folder with the cases, which lies outside the repository. What is
right stands in each case's README, and comes from arithmetic.
"""

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from sqlalchemy import Connection

from luna.contracts.charging_sessions import NewSession
from luna.contracts.control import DeviceReport
from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.car_draw import LEFT_OUT, CarDraw, DrawSample, judge_draw
from luna.energy.charge_sensors import SeenCharge, judge_charge
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import charging_sessions, control, forecasts, observations, sites
from luna.platform.database import readings as stored_readings
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store

FOLDER = Path(os.environ.get("LUNA_FIELD_CASES", ""))
STANDS_STILL = FOLDER / "car-charge-stands-still"
COMES_HOME = FOLDER / "car-comes-home-empty"
there = pytest.mark.skipif(
    not (STANDS_STILL / "readings.csv").is_file() or not (COMES_HOME / "make.py").is_file(),
    reason="LUNA_FIELD_CASES names no folder with the cases of cars",
)
STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
COMMANDED_KW = 11.0
SOC = "sensor.car_soc"
PLUG = "binary_sensor.car"
WALLBOX = "sensor.wallbox"
# The least that the charger can be set to for a quarter-hour.
LEAST_KWH = 4.1 / 4


@dataclass(frozen=True, slots=True)
class Series:
    """A sensor's recorded readings; a plug's are 1 and 0, a level's of 0 to 1."""

    instants: list[datetime]
    values: list[float]

    def until(self, at: datetime) -> tuple[np.ndarray, np.ndarray]:
        count = sum(instant <= at for instant in self.instants)
        plain = [instant.replace(tzinfo=None) for instant in self.instants[:count]]
        return np.array(plain, dtype="M8[us]"), np.array(self.values[:count], dtype=float)

    def at(self, instant: datetime) -> float:
        return self.values[self.instants.index(instant)]


def read_series(file: Path) -> dict[str, Series]:
    """Return the readings of a case by sensor."""
    series: dict[str, Series] = {}
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            value = float({"on": "1", "off": "0"}.get(row["value"], row["value"]))
            if row["unit"] == "%":
                value /= 100
            found = series.setdefault(row["sensor"], Series([], []))
            found.instants.append(datetime.fromisoformat(row["instant"]))
            found.values.append(value)
    return series


def read_site(case: Path) -> Site:
    return parse_site(yaml.safe_load((case / "site.yaml").read_text(encoding="utf-8")))


def store(connection: Connection, site: Site, series: dict[str, Series], now: datetime) -> None:
    """Store a case's site with its readings, and what its wallbox counted in each quarter-hour."""
    sites.save(connection, site)
    cars = {name: found for name, found in series.items() if name in (SOC, PLUG)}
    units = {name: "%" if name == SOC else None for name in cars}
    keys = stored_readings.register(connection, site.name, units)
    for name, found in cars.items():
        instants, values = found.until(now)
        shown = values * 100 if name == SOC else values
        repeated = np.full(len(values), keys[name], dtype=np.int32)
        stored_readings.upsert(connection, repeated, instants, shown)
    if WALLBOX in series:
        counter = series[WALLBOX]
        starts = [instant for instant in counter.instants if instant == floor_to(instant, SLOT)]
        counts = [counter.at(instant) for instant in starts]
        timeline = Timeline(starts[0], SLOT, len(starts) - 1)
        observations.write(connection, site.name, timeline.starts, {"vehicle_kwh": np.diff(counts)})
    begin = floor_to(now, SLOT) - 3 * HOUR
    horizon = Timeline(begin, SLOT, 240)
    load = Quantiles.exact(np.full(240, 0.1))
    dark = Quantiles.exact(np.zeros(240))
    forecast = Forecast(horizon, begin, DEFAULT_VERSION, load, dark)
    forecasts.upsert(connection, site.name, [forecast])


def add_session(connection: Connection, site: Site, now: datetime, **fields: object) -> None:
    session = NewSession.model_validate({"vehicle": "car"} | fields)
    charging_sessions.add(connection, site.name, session, by="tests", now=now)


def plan(connection: Connection, site: Site, at: datetime, *, now: datetime) -> PlanReply:
    request = PlanRequest(site_id=site.name, start=at)
    return plan_and_store(request, lambda: connection, now=now, solver=Solver())


def charged_kwh(reply: PlanReply) -> float:
    return sum(slot.vehicles["car"].charge_kwh for slot in reply.slots if "car" in slot.vehicles)


def sense(site: Site, series: dict[str, Series], at: datetime) -> SeenCharge:
    """Return what the car's sensors said at an instant."""
    return judge_charge(site.vehicles[0], series[SOC].until(at), series[PLUG].until(at), until=at)


def replay(
    site: Site, series: dict[str, Series], instants: Sequence[datetime], power_kw: Sequence[float]
) -> list[CarDraw]:
    """Return what is found of a car that is commanded to charge while its sensor has it plugged."""
    draw = CarDraw()
    found = []
    for at, measured_kw in zip(instants, power_kw, strict=True):
        seen = sense(site, series, at)
        sample = DrawSample(
            at,
            COMMANDED_KW if seen.connected else 0.0,
            measured_kw,
            plugged=seen.connected,
            plugged_since=seen.since,
            soc=seen.soc,
            current_a=16.0,
        )
        draw = judge_draw(draw, sample)
        found.append(draw)
    return found


@there
def test_a_car_whose_cloud_stands_still_is_planned_by_what_its_wallbox_counted(
    connection: Connection,
) -> None:
    site = read_site(STANDS_STILL)
    series = read_series(STANDS_STILL / "readings.csv")
    now = datetime(2026, 11, 29, 8, tzinfo=UTC)
    store(connection, site, series, now)
    begin = {"from": now - 3 * HOUR, "to": now + 5 * HOUR, "target_soc": 0.8}
    add_session(connection, site, now - 3 * HOUR, **begin)
    reply = plan(connection, site, now, now=now)
    # 0.3 kWh, or the least that the charger can.
    assert 0 < charged_kwh(reply) <= LEAST_KWH + 0.01
    [note] = [note for note in reply.notes if note.code == "vehicle_soc_stands_still"]
    assert note.figures["sensor_soc"] == 0.3
    assert note.figures["soc"] == pytest.approx(0.795, abs=0.001)


@there
def test_a_car_whose_cloud_stands_still_draws_as_commanded() -> None:
    site = read_site(STANDS_STILL)
    series = read_series(STANDS_STILL / "readings.csv")
    now = datetime(2026, 11, 29, 8, tzinfo=UTC)
    counter = series[WALLBOX]
    instants = [now - 3 * HOUR + number * STEP for number in range(1, 37)]
    power_kw = [(counter.at(at) - counter.at(at - STEP)) / (STEP / HOUR) for at in instants]
    assert sum(power_kw) * (STEP / HOUR) == pytest.approx(33, abs=0.5)
    found = replay(site, series, instants, power_kw)
    assert {draw.verdict for draw in found} == {"as_commanded"}
    # The other way round: plugged in and planned for hours, and the wallbox counts nothing.
    idle = replay(site, series, instants, [0.0] * len(instants))
    assert idle[1].verdict in LEFT_OUT
    assert idle[-1].find_most_kw(now) == 0


@dataclass(frozen=True, slots=True)
class ComesHome:
    """The case car-comes-home-empty, made for this moment."""

    site: Site
    series: dict[str, Series]
    now: datetime

    @property
    def until(self) -> datetime:
        """When the present stay ends and the next one begins."""
        return floor_to(self.now + timedelta(minutes=2) - timedelta(seconds=1), SLOT) + SLOT


@pytest.fixture
def comes_home(tmp_path: Path) -> ComesHome:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, str(COMES_HOME / "make.py")],
        check=True,
        capture_output=True,
        env=environment,
    )
    [file] = tmp_path.glob("*/readings.csv")
    series = read_series(file)
    return ComesHome(read_site(COMES_HOME), series, series[PLUG].instants[-1])


@there
def test_a_car_that_comes_home_empty_is_charged_by_its_own_sensor(
    connection: Connection, comes_home: ComesHome
) -> None:
    site, now, until = comes_home.site, comes_home.now, comes_home.until
    store(connection, site, comes_home.series, now)
    came = now - 26 * HOUR
    present = {"from": came, "to": until, "target_soc": 0.8, "arrival_soc": 0.79}
    add_session(connection, site, came, **present)
    plan(connection, site, floor_to(now, SLOT), now=now)
    # It was full before it drove, and drew nothing more: that says nothing of now.
    full = CarDraw(verdict="full", since=came + 2 * HOUR, plugged_since=came)
    state = control.load(connection, site.name, "vehicle:car")
    control.report(connection, state, {"car": DeviceReport(draw=full)})
    following = {"from": until, "to": until + 12 * HOUR, "target_soc": 0.8}
    add_session(connection, site, now, **following)
    reply = plan(connection, site, until, now=now)
    # (0.80 - 0.25) x 60 kWh / 0.9
    assert charged_kwh(reply) == pytest.approx(36.7, abs=0.3)


@there
def test_a_car_that_comes_home_is_judged_anew(comes_home: ComesHome) -> None:
    series = comes_home.series
    instants = series[PLUG].instants
    back = comes_home.now - 2 * HOUR
    # Before it left it was full, and drew nothing; since it is back it takes all.
    power_kw = [COMMANDED_KW if instant >= back else 0.0 for instant in instants]
    found = replay(comes_home.site, series, instants, power_kw)
    before = [draw for draw, instant in zip(found, instants, strict=True) if instant < back]
    assert any(draw.verdict in LEFT_OUT for draw in before)
    assert found[-1].verdict == "as_commanded"
    assert found[-1].plugged_since is not None
    assert abs(found[-1].plugged_since - back) <= STEP
    assert found[-1].find_most_kw(comes_home.now) is None
