"""What devices are told while a grid operator limits their home."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ControlPause, Override
from luna.contracts.live_flow import LiveFlow
from luna.contracts.operator_limits import NewLimit
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import VehicleFlow
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.energy.devices.appliance import LoadFlow
from luna.energy.devices.battery import BATTERIES
from luna.energy.timeline import SLOT
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import control, operator_limits
from luna.platform.database.engine import unit_of_work
from services.executor.delivery import RESEND
from services.executor.watch import LOOK
from tests.support.control.executor import START, Home
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    MODE,
    POWER,
    PV,
    SOC,
    TOKEN,
    Inverter,
    describe,
    describe_devices,
    serve,
)
from tests.support.planning.plans import describe_plan

CHARGER = "vehicle:car"
HEATER = "load:boiler"
UNITS = (BATTERIES, CHARGER, HEATER, "pv")
METERS = {
    "vehicle_consumption": ["sensor.car"],
    "water_heater_consumption": ["sensor.boiler"],
}
# § 14a leaves a single device 4.2 kW, three of them 10.5 kW.
ONE_DEVICE_KW = 4.2
LATER = timedelta(minutes=5)


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    states = {SOC: "50", MODE: "Self Use", POWER: "0"}
    states |= {CAR: "off", CURRENT: "6", BOILER: "off", PV: "100"}
    with serve(Inverter(states)) as inverter:
        yield inverter


@pytest.fixture
def home(database: Engine, inverter: Inverter) -> Iterator[Home]:
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        describe_devices() | {"batteries": describe()["batteries"]},
        **DEVICES,
        input_sensors=METERS,
    )
    home.arm()
    yield home
    home.close()


def plan(home: Home, *, battery: str = "charge", car_kw: float = 11, boiler: bool = True) -> None:
    """Store a plan of two slots in which the battery buys, the car charges, the boiler heats."""
    name = f"{home.name}-{home.clock.now()}"
    setpoint = BatterySetpoint.model_validate({"mode": battery})
    stored: PlanReply = describe_plan(name, home.clock.now(), [setpoint] * 2)
    flows = {
        "vehicles": {"car": VehicleFlow(charge_kwh=car_kw / 4, soc_end=0.5)},
        "loads": {"boiler": LoadFlow(energy_kwh=0.75 * boiler, on=boiler)},
    }
    slots = [slot.model_copy(update=flows) for slot in stored.slots]
    home.store(stored.model_copy(update={"slots": slots}))


def limit(home: Home, **fields: Any) -> str:
    """Store a limit of the operator's that begins now; of the devices, if nothing else is said."""
    new = NewLimit.model_validate({"scope": "devices"} | fields)
    with unit_of_work(home.database) as connection:
        stored = operator_limits.store(
            connection, home.name, new, source="api", now=home.clock.now()
        )
    return stored.limit_id


def release(home: Home, limit_id: str) -> None:
    with unit_of_work(home.database) as connection:
        operator_limits.release(connection, home.name, limit_id, now=home.clock.now())


def look(home: Home, looks: int = 2) -> None:
    """Have every unit looked at as often as the watch does within ten seconds."""
    for _ in range(looks):
        home.clock.instant += LOOK
        for key in UNITS:
            home.turn(device=key)


def read_told(home: Home) -> dict[str, tuple[str, float | None]]:
    """Each device's mode and power by its last confirmed command."""
    told = {}
    for entry in home.log:
        for name, setpoint in entry.allowed.items():
            power_kw = setpoint.get("charge_kw", setpoint.get("limit_kw"))
            told[name] = (setpoint["mode"], power_kw or setpoint.get("power_kw"))
    return told


def read_reasons(home: Home) -> dict[str, str]:
    return {entry.device: entry.reason for entry in home.log}


def flow(home: Home, **powers: Any) -> LiveFlow:
    """What the meters say now: a house of 1 kW, unless something else is said."""
    fields: Mapping[str, Any] = {
        "at": home.clock.now(),
        "import_kw": 0.0,
        "export_kw": 0.0,
        "pv_kw": 0.0,
        "charge_kw": 0.0,
        "discharge_kw": 0.0,
        "load_kw": 1.0,
        "submetered_kw": {"vehicle_kwh": 0.0, "water_heater_kwh": 0.0},
    }
    return LiveFlow.model_validate(dict(fields) | powers)


def test_within_ten_seconds_all_devices_together_stay_within_a_limit_and_are_released_at_once(
    home: Home, inverter: Inverter
) -> None:
    plan(home)
    look(home)
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "15")
    assert (inverter.states[BOILER], inverter.states[MODE]) == ("on", "Force Charge")
    home.clock.instant += LATER
    limit_id = limit(home, import_kw=ONE_DEVICE_KW)
    look(home)
    # Beside the car's least the boiler does not fit; the car gets the rest, 6 A on three phases.
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "6")
    assert (inverter.states[BOILER], inverter.states[MODE]) == ("off", "Self Use")
    assert read_told(home)["car"] == ("charge", ONE_DEVICE_KW)
    limited = {BATTERIES: "operator_limit", CHARGER: "operator_limit", HEATER: "operator_limit"}
    assert read_reasons(home) == limited | {"pv": "planned"}
    home.clock.instant += LATER
    release(home, limit_id)
    look(home, 1)
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "15")
    assert (inverter.states[BOILER], inverter.states[MODE]) == ("on", "Force Charge")
    assert {read_reasons(home)[key] for key in (BATTERIES, CHARGER, HEATER)} == {"planned"}


def test_three_devices_share_what_is_left_to_three(home: Home, inverter: Inverter) -> None:
    plan(home, car_kw=6.9)
    limit(home, import_kw=ONE_DEVICE_KW * 2.5)
    look(home)
    # 6.9 kW of the car, 3 kW of the boiler, and the rest of 10.5 kW for the battery.
    told = read_told(home)
    assert told["car"] == ("charge", 6.9)
    assert told["boiler"][0] == "on"
    assert told["battery"] == ("charge", pytest.approx(0.6))
    assert inverter.states[POWER] == "600"


def test_a_limit_that_ends_by_itself_gives_everything_back(home: Home, inverter: Inverter) -> None:
    plan(home)
    limit(home, import_kw=ONE_DEVICE_KW, end=START + LATER)
    look(home)
    assert inverter.states[CURRENT] == "6"
    home.clock.instant = START + LATER
    look(home, 1)
    assert inverter.states[CURRENT] == "15"
    with unit_of_work(home.database) as connection:
        [stored] = operator_limits.read_history(connection, home.name)
    assert stored.acknowledged_at == START + LOOK


def test_a_stricter_limit_counts_at_once_and_a_looser_one_too(
    home: Home, inverter: Inverter
) -> None:
    plan(home, battery="hold", boiler=False)
    powers = []
    for import_kw in (9.0, 5.0, 0.0, 7.0):
        limit(home, import_kw=import_kw, limit_id="operator")
        look(home, 1)
        powers.append(read_told(home)["car"])
    assert powers == [("charge", 9.0), ("charge", 5.0), ("stop", None), ("charge", 7.0)]
    assert inverter.states[CAR] == "on"


def test_an_owners_order_comes_first_and_exceeds_no_limit(home: Home, inverter: Inverter) -> None:
    plan(home, boiler=False)
    until = START + timedelta(hours=1)
    home.override(Override(mode="on", until=until), HEATER)
    look(home)
    limit(home, import_kw=ONE_DEVICE_KW)
    look(home)
    # The boiler's 3 kW leave 1.2 kW, less than a car's least.
    assert (inverter.states[BOILER], inverter.states[CAR]) == ("on", "off")
    home.override(Override(mode="charge", until=until), CHARGER)
    home.override(None, HEATER)
    look(home)
    assert (inverter.states[BOILER], inverter.states[CAR]) == ("off", "on")
    assert read_told(home)["car"] == ("charge", ONE_DEVICE_KW)
    assert [entry.decided_by for entry in home.log if entry.device == CHARGER][-1] == "owner"


def test_a_car_that_nobody_planned_takes_no_share_of_what_is_planned(
    home: Home, inverter: Inverter
) -> None:
    stored = describe_plan(f"{home.name}-boiler", START, [BatterySetpoint(mode="hold")])
    heating = {"loads": {"boiler": LoadFlow(energy_kwh=0.75, on=True)}}
    slots = [slot.model_copy(update=heating) for slot in stored.slots]
    home.store(stored.model_copy(update={"slots": slots}))
    limit(home, import_kw=ONE_DEVICE_KW)
    look(home)
    # It is not here, as far as the plan knows; what the boiler leaves is below its least.
    assert (inverter.states[BOILER], inverter.states[CAR]) == ("on", "off")


def test_a_device_that_is_left_to_itself_is_told_its_limit(home: Home, inverter: Inverter) -> None:
    # The plan says nothing of car and boiler: one charges, the other's thermostat decides.
    home.store(describe_plan(f"{home.name}-batteries", START, [BatterySetpoint(mode="hold")]))
    look(home)
    assert (inverter.states[CURRENT], inverter.states[BOILER]) == ("15", "on")
    limit(home, import_kw=2.0)
    look(home)
    assert inverter.states[BOILER] == "off"
    assert read_told(home)["car"] == ("charge", 2.0)


def test_a_charger_that_did_not_follow_is_told_the_limit_all_the_same(
    home: Home, inverter: Inverter
) -> None:
    plan(home, battery="hold", boiler=False)
    inverter.faults.extend(["refuse"] * 3)
    for _ in range(4):
        home.turn(RESEND.first, CHARGER)
    home.turn(device=CHARGER)
    assert (home.log[-1].reason, inverter.states[CAR]) == ("not_acknowledged", "on")
    # Left alone, it charges at its least, 1.4 kW.
    limit(home, import_kw=1.0)
    look(home)
    assert inverter.states[CAR] == "off"


def test_measured_own_production_may_be_used_on_top_and_an_old_value_may_not(
    home: Home,
) -> None:
    plan(home, battery="hold", boiler=False)
    home.flows[home.name] = flow(home, pv_kw=4.2, submetered_kw={"vehicle_kwh": 11.0})
    # The boiler's meter is silent: its draw would look like the house's.
    limit(home, import_kw=ONE_DEVICE_KW)
    look(home, 1)
    assert read_told(home)["car"] == ("charge", ONE_DEVICE_KW)
    home.clock.instant = START + SLOT
    home.flows[home.name] = flow(home, pv_kw=4.2)
    home.turn(device=CHARGER)
    # Of 4.2 kW the house leaves 3.2 kW, granted in steps of half a kilowatt.
    assert read_told(home)["car"] == ("charge", ONE_DEVICE_KW + 3.0)
    home.clock.instant += timedelta(seconds=16)
    home.turn(device=CHARGER)
    assert read_told(home)["car"] == ("charge", ONE_DEVICE_KW)
    # More sun alone is no new command within the slot.
    home.flows[home.name] = flow(home, pv_kw=8.0)
    home.turn(device=CHARGER)
    assert read_told(home)["car"] == ("charge", ONE_DEVICE_KW)


def test_a_limit_of_the_meter_leaves_the_house_its_load(home: Home) -> None:
    plan(home, battery="hold", boiler=False)
    home.flows[home.name] = flow(home, load_kw=2.0)
    limit(home, import_kw=8.0, scope="connection")
    look(home, 1)
    assert read_told(home)["car"] == ("charge", 6.0)
    # Without a measurement the planned load counts, 0.4 kW.
    home.flows.clear()
    home.clock.instant = START + SLOT
    home.turn(device=CHARGER)
    assert read_told(home)["car"] == ("charge", pytest.approx(7.6))


def test_pv_is_held_back_in_watts_and_a_battery_exports_what_it_leaves(
    home: Home, inverter: Inverter
) -> None:
    plan(home, battery="export", car_kw=0, boiler=False)
    look(home)
    assert (inverter.states[PV], inverter.states[MODE]) == ("100", "Force Discharge")
    limit_id = limit(home, export_kw=2.0)
    look(home)
    # Two of eight kilowatts; nobody says what the house takes, nor what the roof feeds in.
    assert (inverter.states[PV], inverter.states[MODE]) == ("25", "Self Use")
    home.clock.instant = START + SLOT
    home.flows[home.name] = flow(home, pv_kw=2.0)
    for key in UNITS:
        home.turn(device=key)
    # The house takes 1 kW: 3 kW may be produced, and 1 kW is fed in of the battery.
    assert inverter.states[PV] == "37"
    assert read_told(home)["battery"] == ("export", 1.0)
    release(home, limit_id)
    look(home, 1)
    assert (inverter.states[PV], inverter.states[MODE]) == ("100", "Force Discharge")


def test_what_is_paused_or_disarmed_is_told_nothing_of_a_limit(
    home: Home, inverter: Inverter
) -> None:
    plan(home, battery="hold")
    look(home)
    with unit_of_work(home.database) as connection:
        control.pause(connection, home.name, ControlPause(since=START), device=CHARGER)
    limit(home, import_kw=ONE_DEVICE_KW)
    look(home)
    # The car is in its owner's hands, and the boiler has the limit to itself.
    assert (inverter.states[CURRENT], inverter.states[BOILER]) == ("15", "on")
    home.disarm()
    limit(home, import_kw=0.0)
    look(home)
    assert (inverter.states[CURRENT], inverter.states[BOILER]) == ("15", "on")


def test_an_executor_that_ends_hands_a_car_back_within_the_limit(
    home: Home, inverter: Inverter
) -> None:
    plan(home, battery="hold", boiler=False)
    limit(home, import_kw=ONE_DEVICE_KW)
    look(home)
    assert home.hand_back(CHARGER) is True
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "6")
