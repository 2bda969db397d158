"""Chargers, appliances and PV that are told what plans say, behind Home Assistant's services and a
real broker.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, Override, PvSetpoints
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import VehicleFlow
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.drivers.control.mqtt import MqttDevice
from luna.energy.devices.appliance import LoadFlow
from luna.energy.devices.heat_pump import HeatPumpFlow
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT
from luna.platform.addresses import Broker, HomeAssistantAccess
from services.executor.delivery import RESEND, VERIFY
from tests.support.control.executor import START, Home
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    PV,
    TOKEN,
    BrokerDevice,
    Inverter,
    describe_devices,
    serve,
)
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.planning.plans import describe_plan
from tests.support.worker.workers import wait_for

CHARGER = "vehicle:car"
HEATER = "load:boiler"
HOLD = BatterySetpoint(mode="hold")


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6", BOILER: "off", PV: "100"})) as inverter:
        yield inverter


@pytest.fixture
def home(database: Engine, inverter: Inverter) -> Iterator[Home]:
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        describe_devices(),
        **DEVICES,
    )
    home.arm()
    yield home
    home.close()


def planned(
    home: Home,
    *,
    car_kw: Sequence[float] = (),
    boiler: Sequence[bool] = (),
    pv_kw: Sequence[float | None] = (),
) -> PlanReply:
    """A plan of the car's powers, of when the boiler is on, of what PV may produce.

    What is left out is not planned.
    """
    plan = describe_plan(
        f"{home.name}-{home.clock.now()}",
        home.clock.now(),
        [HOLD] * max(len(car_kw), len(boiler), len(pv_kw)),
    )
    slots = list(plan.slots)
    for place, power in enumerate(car_kw):
        slots[place] = slots[place].model_copy(
            update={"vehicles": {"car": VehicleFlow(charge_kwh=power / 4, soc_end=0.5)}}
        )
    for place, on in enumerate(boiler):
        slots[place] = slots[place].model_copy(
            update={"loads": {"boiler": LoadFlow(energy_kwh=0.75 * on, on=on)}}
        )
    held = (
        PvSetpoints(
            mode=["free" if limit is None else "limit" for limit in pv_kw], limit_kw=list(pv_kw)
        )
        if pv_kw
        else None
    )
    return plan.model_copy(update={"slots": slots, "pv": held})


def test_a_car_charges_with_what_its_plan_says_and_stops(home: Home, inverter: Inverter) -> None:
    home.store(planned(home, car_kw=[6.9, 2.3, 0]))
    seen = []
    for _ in range(3):
        home.turn(device=CHARGER)
        seen.append((inverter.states[CAR], inverter.states[CURRENT]))
        home.clock.instant += SLOT
    # 6.9 kW is 10 A on three phases, 2.3 kW is 10 A on one.
    assert seen == [("on", "10"), ("on", "10"), ("off", "10")]
    assert [(entry.device, entry.reason, entry.confirmed is not None) for entry in home.log] == [
        (CHARGER, "planned", True)
    ] * 3


def test_a_power_beyond_the_charger_is_bounded(home: Home) -> None:
    home.store(planned(home, car_kw=[50]))
    home.turn(device=CHARGER)
    assert home.log[0].allowed["car"]["charge_kw"] == 11


def test_without_a_plan_a_car_charges_at_its_least_and_pv_follows_the_price(
    home: Home, inverter: Inverter
) -> None:
    home.turn(device=CHARGER)
    home.turn(device="pv")
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "6")
    # Feeding in costs a cent, which the site's tariff says without any plan.
    assert [(entry.reason, entry.decided_by) for entry in home.log] == [("no_plan", "rule")] * 2
    assert home.log[1].allowed["pv"]["mode"] == "no_export"
    assert home.asked == [home.name]


def test_what_a_plan_does_not_speak_of_is_left_alone(home: Home, inverter: Inverter) -> None:
    home.store(planned(home, boiler=[False]))
    home.turn(device=CHARGER)
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "15")
    assert (home.log[0].reason, home.asked) == ("not_in_plan", [])


def test_a_charger_that_refuses_keeps_nobody_else_from_the_plan(
    home: Home, inverter: Inverter
) -> None:
    home.store(planned(home, car_kw=[0], boiler=[True]))
    inverter.states[CAR] = "on"
    inverter.faults.extend(["refuse"] * 3)
    for _ in range(4):
        home.turn(RESEND.first, CHARGER)
    home.turn(device=CHARGER)
    home.turn(device=HEATER)
    reasons = [(entry.device, entry.reason, entry.confirmed is not None) for entry in home.log]
    assert reasons == [
        (CHARGER, "planned", False),
        (CHARGER, "not_acknowledged", True),
        (HEATER, "planned", True),
    ]


def test_an_appliance_runs_for_its_least_time_whatever_is_planned_anew(
    home: Home, inverter: Inverter
) -> None:
    home.store(planned(home, boiler=[True, True]))
    home.turn(device=HEATER)
    home.clock.instant += SLOT
    home.store(planned(home, boiler=[False, False]))
    home.turn(device=HEATER)
    home.turn(SLOT, HEATER)
    assert [(entry.reason, entry.allowed["boiler"]["mode"]) for entry in home.log] == [
        ("planned", "on"),
        ("least_run", "on"),
        ("planned", "off"),
    ]
    assert inverter.states[BOILER] == "off"


def test_an_owner_switches_one_device_until_then_and_ends_a_run_at_once(
    home: Home, inverter: Inverter
) -> None:
    home.store(planned(home, car_kw=[0, 0], boiler=[True, True]))
    home.turn(device=HEATER)
    home.override(Override(mode="off", until=START + timedelta(minutes=10)), HEATER)
    home.turn(timedelta(minutes=1), HEATER)
    home.turn(device=CHARGER)
    home.turn(timedelta(minutes=10), HEATER)
    assert [(entry.device, entry.decided_by) for entry in home.log] == [
        (HEATER, "planner"),
        (HEATER, "owner"),
        (CHARGER, "planner"),
        (HEATER, "planner"),
    ]
    assert (inverter.states[BOILER], inverter.states[CAR]) == ("on", "off")


def test_a_heat_pump_is_told_as_an_appliance_is(database: Engine, inverter: Inverter) -> None:
    pump = {
        "name": "boiler",
        "power_kw": 3,
        "min_on_minutes": 15,
        "store": {"capacity_kwh_per_k": 1, "min_c": 30, "max_c": 50},
    }
    section = {name: part for name, part in describe_devices().items() if name in {"by", "loads"}}
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        section,
        heat_pumps=[pump],
    )
    home.arm()
    plan = planned(home, boiler=[False])
    flow = {"boiler": HeatPumpFlow(energy_kwh=0.5, heat_kwh=2, temperature_c=40, on=True)}
    home.store(
        plan.model_copy(
            update={
                "slots": [
                    slot.model_copy(update={"loads": {}, "heat_pumps": flow}) for slot in plan.slots
                ]
            }
        )
    )
    home.turn(device=HEATER)
    outcomes = [(entry.reason, entry.allowed["boiler"]["mode"]) for entry in home.log]
    home.close()
    assert (outcomes, inverter.states[BOILER]) == ([("planned", "on")], "on")


def test_pv_is_held_back_as_planned_and_set_free(home: Home, inverter: Inverter) -> None:
    home.store(planned(home, pv_kw=[2.0, None]))
    home.turn(device="pv")
    limited = inverter.states[PV]
    home.turn(SLOT, "pv")
    # Two of eight kilowatts.
    assert (limited, inverter.states[PV]) == ("25", "100")


def test_one_who_switches_a_charger_by_hand_is_overruled(home: Home, inverter: Inverter) -> None:
    home.store(planned(home, car_kw=[6.9]))
    home.turn(device=CHARGER)
    inverter.states[CAR] = "off"
    assert home.turn(VERIFY, CHARGER) is True
    assert home.turn(timedelta(seconds=1), CHARGER) is False
    assert (inverter.states[CAR], home.asked) == ("on", [home.name])


def test_disarming_gives_everything_back(home: Home, inverter: Inverter) -> None:
    home.store(planned(home, car_kw=[0], boiler=[False], pv_kw=[0.0]))
    devices = (CHARGER, HEATER, "pv")
    for device in devices:
        home.turn(device=device)
    home.disarm()
    for device in devices:
        home.turn(device=device)
    assert inverter.states == {CAR: "on", CURRENT: "15", BOILER: "on", PV: "100"}
    assert [entry.reason for entry in home.log[3:]] == ["disarmed"] * 3


def test_a_car_supplies_the_house_only_while_it_is_known_to_hold_enough(
    database: Engine, inverter: Inverter
) -> None:
    section = describe_devices()
    [car] = section["vehicles"]
    section["vehicles"] = [
        car
        | {
            "soc": "sensor.car",
            "modes": car["modes"] | {"give": "give"},
            "writes": [{"to": "select.car", "value": "{mode}"}],
        }
    ]
    vehicles = [DEVICES["vehicles"][0] | {"discharge_limit_kw": 4, "min_soc": 0.3}]
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        section,
        **DEVICES | {"vehicles": vehicles},
    )
    home.arm()
    plan = planned(home, car_kw=[0, 0])
    slots = [
        slot.model_copy(
            update={"vehicles": {"car": VehicleFlow(charge_kwh=0, discharge_kwh=0.75, soc_end=0.5)}}
        )
        for slot in plan.slots
    ]
    home.store(plan.model_copy(update={"slots": slots}))
    told = []
    for soc in ("60", "30"):
        inverter.states["sensor.car"] = soc
        home.turn(device=CHARGER)
        told.append(home.log[-1].allowed["car"])
        home.clock.instant += SLOT
    home.close()
    assert [(each["mode"], each["give_kw"]) for each in told] == [("give", 3.0), ("stop", 0.0)]


@needs_mosquitto
def test_a_charger_behind_a_broker_that_does_not_listen_is_told_again(
    database: Engine, tmp_path: Path
) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    charger = BrokerDevice(broker.port, {"inverter/car": "off", "inverter/current": "6"})

    def open_device(control: Control) -> MqttDevice:
        return MqttDevice(
            Broker("127.0.0.1", broker.port),
            [write.read_back or "" for write in control.writes],
            patience=timedelta(seconds=20),
        )

    home = Home(database, open_device, describe_devices("mqtt"), **DEVICES)
    home.arm()
    home.store(planned(home, car_kw=[6.9]))
    charger.deaf = True
    assert home.turn(device=CHARGER) is True
    charger.deaf = False
    home.turn(RESEND.first, CHARGER)
    wait_for(lambda: not home.turn(device=CHARGER))
    outcomes = [(entry.reason, entry.confirmed) for entry in home.log]
    home.close()
    charger.close()
    broker.kill()
    assert outcomes == [("planned", {"inverter/car": "on", "inverter/current": "10"})]
