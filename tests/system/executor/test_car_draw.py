"""A car that does not draw what its charger is commanded: noticed, left out, planned again."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.charging_sessions import NewSession
from luna.contracts.control import BatterySetpoint, Override
from luna.contracts.live_flow import LiveFlow
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.reply import VehicleFlow
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import SimulatedCar, SimulatedChargePoint
from luna.drivers.write_limits import uncounted
from luna.energy.car_draw import CarDraw
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline
from luna.house import findings
from luna.house.control_sentences import format_standing
from luna.house.control_service import read_states
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import FixedClock
from luna.platform.database import charging_sessions, control, forecasts, sites
from luna.platform.database import readings as stored_readings
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from luna.words import Numbers
from services.notifier.notification import KINDS
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store
from tests.support.control.executor import START, Home
from tests.support.control.inverters import (
    CAR,
    CURRENT,
    DEVICES,
    TOKEN,
    Inverter,
    describe_devices,
    serve,
)
from tests.support.gateway.server import serve as serve_pages
from tests.support.planning.plans import describe_plan
from tests.support.words.wording import wording

CHARGER = "vehicle:car"
SECONDS = timedelta(seconds=1)
PLUGGED = START - timedelta(hours=3)
# Words of the plan's note, by language.
NOTE = {"en": "out of the plan", "de": "gerade nicht", "nl": "nu niet"}
TITLE = {
    "en": "may leave too empty",
    "de": "wird nicht voll genug",
    "nl": "wordt niet vol genoeg",
}
SENSORS = {
    "total_load_consumption": "sensor.house",
    "vehicle_consumption": "sensor.wallbox",
    "vehicle_soc": "sensor.car",
    "vehicle_connected": "binary_sensor.car",
}


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6"})) as inverter:
        yield inverter


@pytest.fixture
def home(database: Engine, inverter: Inverter) -> Iterator[Home]:
    """A car at its charger since three hours, to leave full in five."""
    section = {"by": "home_assistant", "vehicles": describe_devices()["vehicles"]}
    parts = {"vehicles": DEVICES["vehicles"], "tariff": DEVICES["tariff"], "batteries": []}
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        section,
        input_sensors=SENSORS,
        **parts,
    )
    prepare(home)
    yield home
    home.close()


def prepare(home: Home) -> None:
    """Arm a home whose car stands at its charger, with a forecast of nights."""
    home.arm()
    horizon = Timeline(START - timedelta(hours=3), SLOT, 240)
    load = Quantiles.exact(np.full(240, 0.1))
    dark = Quantiles.exact(np.zeros(240))
    forecast = Forecast(horizon, horizon.start, DEFAULT_VERSION, load, dark)
    report(home, PLUGGED - timedelta(hours=6), soc=80, plugged=0)
    report(home, PLUGGED, soc=80, plugged=1)
    with unit_of_work(home.database) as connection:
        forecasts.upsert(connection, home.name, [forecast])


def leave(home: Home, target_soc: float) -> None:
    """Store the departure."""
    fields = {"vehicle": "car", "from": PLUGGED, "to": START + timedelta(hours=5)}
    session = NewSession.model_validate(fields | {"target_soc": target_soc})
    with unit_of_work(home.database) as connection:
        charging_sessions.add(connection, home.name, session, by="tests", now=PLUGGED)


def report(home: Home, at: datetime, *, soc: float, plugged: float) -> None:
    """Record what the car's sensors say."""
    with unit_of_work(home.database) as connection:
        units: dict[str, str | None] = {"sensor.car": "%", "binary_sensor.car": None}
        keys = stored_readings.register(connection, home.name, units)
        instants = np.array([at.replace(tzinfo=None)] * 2, dtype="M8[us]")
        sensors = np.array([keys[name] for name in units], dtype=np.int32)
        stored_readings.upsert(connection, sensors, instants, np.array([soc, plugged], dtype=float))


def plan(home: Home) -> PlanReply:
    with unit_of_work(home.database) as connection:
        request = PlanRequest(site_id=home.name)
        now = home.clock.now()
        return plan_and_store(request, lambda: connection, now=now, solver=Solver())


def charged_kwh(reply: PlanReply) -> float:
    return sum(slot.vehicles["car"].charge_kwh for slot in reply.slots if "car" in slot.vehicles)


def flow(at: datetime, car_kw: float) -> LiveFlow:
    return LiveFlow(
        at=at,
        import_kw=0.4 + car_kw,
        export_kw=0,
        pv_kw=0,
        charge_kw=0,
        discharge_kw=0,
        load_kw=0.4,
        submetered_kw={"vehicle_kwh": car_kw},
    )


def live(home: Home, seconds: int, car_kw: float) -> None:
    """Let time go on in steps of five seconds, as the watch's looks."""
    for _ in range(0, seconds, 5):
        home.flows[home.name] = flow(home.clock.now(), car_kw)
        home.turn(5 * SECONDS, CHARGER)


def read_draw(home: Home) -> CarDraw:
    with unit_of_work(home.database) as connection:
        state = control.load(connection, home.name, CHARGER)
    return state.reports["car"].draw or CarDraw()


def find_codes(home: Home) -> set[str]:
    """Return the codes of what the owner should know of the car."""
    now = home.clock.now()
    with unit_of_work(home.database) as connection:
        found = findings.find(
            connection,
            sites.load(connection, home.name),
            plan=None,
            states=read_states(connection, home.name, now=now),
            plan_max_age=timedelta(hours=3),
            now=now,
        )
    codes = {str(finding.code) for finding in found}
    return {code for code in codes if code.startswith("car_")}


def read_page(api: httpx.Client, address: str, language: str) -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    text = unescape(re.sub(r"<[^>]+>", " ", answer.text))
    return re.sub(r"\s+", " ", text)


def car_reasons(reply: PlanReply) -> set[str]:
    codes = set[str]()
    for slot in reply.slots:
        reason: Any = slot.vehicles["car"].reason if "car" in slot.vehicles else None
        if reason is not None:
            codes.add(reason.code)
    return codes


def test_a_car_that_is_full_at_its_own_limit_is_noticed_left_out_and_planned_again(
    home: Home, inverter: Inverter, redis_url: str, database_url: str
) -> None:
    leave(home, 1.0)
    # 20 % of 60 kWh at nine tenths.
    assert charged_kwh(plan(home)) == pytest.approx(13.33, abs=0.3)
    live(home, 60, 10.8)
    assert (inverter.states[CAR], read_draw(home).verdict) == ("on", "as_commanded")
    # It takes the charge up to its own limit, and then nothing.
    live(home, 115, 0.0)
    assert (read_draw(home).verdict, home.asked) == ("full", [home.name])
    left_out = plan(home)
    assert charged_kwh(left_out) == 0
    assert "vehicle_left_out" in {note.code for note in left_out.notes}
    assert car_reasons(left_out) == {"ev_left_out"}
    servers = Addresses(database_url=database_url, redis_url=redis_url)
    with serve_pages(servers, FixedClock(home.clock.now())) as api:
        for language in ("en", "de", "nl"):
            page = read_page(api, f"/ui/sites/{home.name}/home", language)
            assert TITLE[language] in page
            assert "11" in page
            schedule = read_page(api, f"/ui/sites/{home.name}/planning", language)
            assert NOTE[language] in schedule
    home.turn(SLOT, CHARGER)
    assert inverter.states[CAR] == "off"
    # It drives, and is plugged in anew.
    report(home, home.clock.now() - 60 * SECONDS, soc=70, plugged=0)
    report(home, home.clock.now() - 30 * SECONDS, soc=70, plugged=1)
    live(home, 15, 0.0)
    assert read_draw(home).verdict == "unknown"
    assert "car_departure_at_risk" not in find_codes(home)
    assert charged_kwh(plan(home)) == pytest.approx(20.0, abs=0.3)


def test_a_car_with_a_small_charger_is_planned_with_its_own_maximum(home: Home) -> None:
    leave(home, 1.0)
    plan(home)
    live(home, 120, 3.6)
    assert read_draw(home).verdict == "draws_less"
    assert find_codes(home) == {"car_draws_less"}
    slower = plan(home)
    powers = [slot.vehicles["car"].charge_kwh * 4 for slot in slower.slots]
    assert max(powers) == pytest.approx(3.6, abs=0.01)
    assert charged_kwh(slower) == pytest.approx(13.33, abs=0.3)


def test_a_car_that_sleeps_is_woken_once_by_a_stop_and_a_start(
    home: Home, inverter: Inverter
) -> None:
    leave(home, 1.0)
    plan(home)
    live(home, 95, 0.0)
    assert (read_draw(home).verdict, inverter.states[CAR]) == ("waking", "off")
    assert find_codes(home) == {"car_draws_nothing"}
    live(home, 15, 0.0)
    assert (read_draw(home).verdict, inverter.states[CAR], home.asked) == ("waking", "on", [])
    live(home, 100, 0.0)
    assert (read_draw(home).verdict, inverter.states[CAR]) == ("asleep", "on")
    assert home.asked == [home.name]
    assert charged_kwh(plan(home)) == 0
    # Its owner wants it charged: it is tried again, and not woken a second time.
    until = home.clock.now() + timedelta(hours=1)
    since = home.clock.now()
    home.override(Override(mode="charge", until=until, since=since), CHARGER)
    live(home, 5, 0.0)
    assert charged_kwh(plan(home)) > 10
    switched = []
    for _ in range(24):
        live(home, 5, 0.0)
        switched.append(inverter.states[CAR])
    assert (set(switched), read_draw(home).verdict) == ({"on"}, "asleep")


def test_a_charger_that_may_not_wake_is_left_on(home: Home, inverter: Inverter) -> None:
    vehicle = describe_devices()["vehicles"][0] | {"wakes": False}
    home.configure({"by": "home_assistant", "vehicles": [vehicle]})
    leave(home, 1.0)
    plan(home)
    live(home, 110, 0.0)
    assert (read_draw(home).verdict, inverter.states[CAR]) == ("asleep", "on")


def test_an_owner_gets_no_message_of_a_car_that_is_full_enough(home: Home) -> None:
    leave(home, 0.81)
    plan(home)
    live(home, 60, 10.8)
    live(home, 115, 0.0)
    assert read_draw(home).verdict == "full"
    assert find_codes(home) == {"car_draws_nothing"}
    assert "car_draws_nothing" not in KINDS


def test_a_charger_with_a_profile_measures_the_car_itself(database: Engine, tmp_path: Path) -> None:
    car = SimulatedCar(phases=1, stored_kwh=30)
    device = SimulatedChargePoint(load_profile("evcc", tmp_path), car=car)
    # It has no contactor.
    device.stuck["phases"] = 3
    settings = Settings(data_folder=tmp_path)
    with serve_device(device) as server:
        via = {"profile": "evcc", "host": "127.0.0.1", "port": server.port}
        home = Home(
            database,
            lambda control: open_device(settings, control, uncounted),
            {"by": "profile", "vehicles": [{"vehicle": "car", "via": via}]},
            batteries=[],
            vehicles=[DEVICES["vehicles"][0] | {"charger": {"phases": [1]}}],
        )
        with closing(home):
            home.arm()
            flow = VehicleFlow(charge_kwh=11 / 4, soc_end=0.5)
            plan = describe_plan(home.name, START, [BatterySetpoint(mode="hold")] * 2)
            slots = [slot.model_copy(update={"vehicles": {"car": flow}}) for slot in plan.slots]
            home.store(plan.model_copy(update={"slots": slots}))
            look(home, 30)
            assert read_draw(home).verdict == "as_commanded"
            assert wording("standing", "keeps_phases", device="Car") in read_standing(home)
            # Its own limit is reached.
            car.stored_kwh = car.capacity_kwh
            look(home, 110)
            assert (read_draw(home).verdict, home.asked) == ("full", [home.name])
            device.plug(None)
            look(home, 15)
            device.plug(SimulatedCar(phases=1, stored_kwh=10))
            look(home, 30)
            assert read_draw(home).verdict == "as_commanded"


def read_standing(home: Home) -> str:
    """Return how the car's charger stands, in sentences."""
    with unit_of_work(home.database) as connection:
        states = read_states(connection, home.name, now=home.clock.now())
    (state,) = [state for state in states if state.device == CHARGER]
    numbers = Numbers("en", ZoneInfo("UTC"), "EUR")
    return " ".join(format_standing(state, numbers, str))


def look(home: Home, seconds: int) -> None:
    for _ in range(0, seconds, 5):
        home.turn(5 * SECONDS, CHARGER)


def test_a_car_with_one_phase_is_planned_with_what_it_draws_of_three(
    database: Engine, tmp_path: Path
) -> None:
    car = SimulatedCar(phases=1, stored_kwh=48)

    homes: list[Home] = []

    def seconds() -> float:
        return (homes[0].clock.instant - START).total_seconds() if homes else 0.0

    device = SimulatedChargePoint(load_profile("go_e_charger", tmp_path), now=seconds, car=car)
    settings = Settings(data_folder=tmp_path)
    with serve_device(device) as server:
        via = {"profile": "go_e_charger", "host": "127.0.0.1", "port": server.port}
        three_phases = DEVICES["vehicles"][0] | {"charger": {"phases": [3]}}
        home = Home(
            database,
            lambda control: open_device(settings, control, uncounted),
            {"by": "profile", "vehicles": [{"vehicle": "car", "via": via}]},
            input_sensors=SENSORS,
            batteries=[],
            vehicles=[three_phases],
            tariff=DEVICES["tariff"],
        )
        homes.append(home)
        with closing(home):
            prepare(home)
            leave(home, 1.0)
            plan(home)
            look(home, 130)
            # 15 A, of which the car uses one phase; the charger's least setting is 4.14 kW.
            assert read_draw(home).verdict == "draws_less"
            planned = plan(home)
            assert charged_kwh(planned) == pytest.approx(13.33, abs=0.5)
            home.turn(START + SLOT - home.clock.instant, CHARGER)
            device.look()
            before_kwh = car.stored_kwh
            look(home, 15 * 60 - 5)
            home.clock.instant = START + 2 * SLOT
            device.look()
            [slot] = [slot for slot in planned.slots if slot.start == START + SLOT]
            assert 0 < slot.vehicles["car"].charge_kwh <= 3.45 / 4
            taken_kwh = car.stored_kwh - before_kwh
            assert taken_kwh == pytest.approx(slot.vehicles["car"].charge_kwh, rel=0.01)
