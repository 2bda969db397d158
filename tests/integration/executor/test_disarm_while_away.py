"""A battery disarmed while nothing of Luna's runs, or while it does not answer: what is said is
what it does, and it is handed back once somebody can.
"""

import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ControlState, Override
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.write_limits import uncounted
from luna.energy.devices.battery import BATTERIES
from luna.energy.policy import HANDED_BACK_WITHIN
from luna.energy.timeline import SLOT
from luna.house import control_service
from luna.house.findings import find
from luna.platform.database.engine import unit_of_work
from luna.platform.database.executor_locks import SiteLocks, site_locks
from luna.platform.settings import Settings
from services.executor.delivery import ASK_AGAIN, RESEND
from services.executor.release import RELEASE_SECONDS, release_units
from tests.support.command_line.call import Luna
from tests.support.control.executor import START, Home

PROFILE = "sungrow_sh"
# Forced charging by the registers of its maker: 13050 and 13051, counted from 1.
CHARGE_OF_PLAN = BatterySetpoint(mode="charge", power_kw=3)
CHARGES = {"mode": "charge", "power_kw": 2.0, "commanded": True}


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(load_profile(PROFILE, Path("/nonexistent")))


class Plug:
    """The device's connection to the network, which a test can pull."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self._server = ExitStack()
        self.port = 0
        self.put_in()

    def put_in(self) -> None:
        server = self._server.enter_context(serve_registers(self._inverter, port=self.port))
        self.port = server.port

    def pull(self) -> None:
        self._server.close()


@pytest.fixture
def plug(inverter: SimulatedInverter) -> Iterator[Plug]:
    plug = Plug(inverter)
    yield plug
    plug.pull()


@pytest.fixture
def charging(
    database: Engine, inverter: SimulatedInverter, plug: Plug, tmp_path: Path
) -> Iterator[Home]:
    """An armed home whose owner has its battery charge 2 kW."""
    settings = Settings(data_folder=tmp_path)
    via = {"profile": PROFILE, "host": "127.0.0.1", "port": plug.port}
    section = {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
    home = Home(database, lambda control: open_device(settings, control, uncounted), section)
    with closing(home):
        home.arm()
        home.override(Override(mode="charge", power_kw=2, until=START + timedelta(days=3)))
        assert home.turn() is False
        assert inverter.mode == "charge"
        yield home


@pytest.fixture
def executor(database: Engine, charging: Home) -> Iterator[SiteLocks]:
    """The locks of an executor that runs and drives the home."""
    with site_locks(database) as locks:
        locks.hold([charging.name])
        yield locks


def standing(home: Home) -> ControlState:
    with unit_of_work(home.database) as connection:
        return control_service.read_states(connection, home.name, now=home.clock.now())[0]


def disarm(home: Home) -> ControlState:
    with unit_of_work(home.database) as connection:
        return control_service.disarm(connection, home.name, now=home.clock.now())


def report(state: ControlState) -> dict[str, Any]:
    return state.reports["battery"].model_dump(include={"mode", "power_kw", "commanded"})


def findings(home: Home) -> list[str]:
    with unit_of_work(home.database) as connection:
        states = control_service.read_states(connection, home.name, now=home.clock.now())
        found = find(
            connection,
            home.site(None),
            plan=None,
            states=states,
            plan_max_age=timedelta(hours=3),
            now=home.clock.now(),
        )
    return [each.code for each in found]


def test_with_no_executor_the_command_says_that_it_charges_on_and_fails(
    charging: Home, luna_on_servers: Luna
) -> None:
    said = luna_on_servers("control", "disarm", "--site", charging.name, "--json")
    told = json.loads(said.out)
    assert said.code == 3
    assert (told["released"], told["armed_at"], told["standing"]["next"]) == (
        False,
        None,
        "released_when_luna_runs",
    )
    read = told["reports"]["battery"]
    assert (read["mode"], read["power_kw"], read["commanded"]) == ("charge", 2, True)
    assert (read["read_at"], read["since"]) == ("2024-02-01T12:00:00Z", "2024-02-01T12:00:00Z")
    status = json.loads(luna_on_servers("control", "status", "--site", charging.name, "--json").out)
    assert (status["state"]["standing"]["code"], status["executor"]) == ("not_released", None)
    assert findings(charging) == ["device_held"]


def test_once_an_executor_runs_it_is_handed_back_and_the_command_says_so(
    charging: Home, inverter: SimulatedInverter, luna_on_servers: Luna
) -> None:
    disarm(charging)
    charging.start()
    charging.turn(timedelta(hours=5))
    assert inverter.mode == "self_consumption"
    said = luna_on_servers("control", "disarm", "--site", charging.name, "--json")
    assert (said.code, json.loads(said.out)["released"]) == (0, True)
    state = standing(charging)
    assert state.standing is not None
    assert (state.standing.code, report(state)) == (
        "own",
        {"mode": "self_consumption", "power_kw": None, "commanded": True},
    )
    assert findings(charging) == []


def test_a_battery_that_closes_its_connections_is_said_to_charge_until_it_is_handed_back(
    charging: Home, inverter: SimulatedInverter, plug: Plug, executor: SiteLocks
) -> None:
    plug.pull()
    disarm(charging)
    for _ in range(2 * RESEND.tries):
        charging.turn(RESEND.first)
    state = standing(charging)
    assert state.standing is not None
    assert (state.standing.code, state.standing.next) == (
        "not_released",
        "released_when_it_answers",
    )
    assert report(state) == CHARGES
    assert state.reports["battery"].silent_since is not None
    assert findings(charging) == ["device_held"]
    plug.put_in()
    for _ in range(2):
        charging.turn(ASK_AGAIN)
    assert inverter.mode == "self_consumption"
    assert findings(charging) == []


@pytest.mark.parametrize("commanded_by_hand", [False, True])
def test_one_that_was_away_for_days_is_handed_back_unless_its_owner_commanded_it(
    charging: Home,
    inverter: SimulatedInverter,
    plug: Plug,
    executor: SiteLocks,
    *,
    commanded_by_hand: bool,
) -> None:
    plug.pull()
    disarm(charging)
    for _ in range(2 * RESEND.tries):
        charging.turn(RESEND.first)
    charging.turn(2 * HANDED_BACK_WITHIN)
    if commanded_by_hand:
        inverter.image.put("command", 0xBB)
    by_hand = inverter.mode
    plug.put_in()
    for _ in range(3):
        charging.turn(ASK_AGAIN)
    assert inverter.mode == (by_hand if commanded_by_hand else "self_consumption")


def test_an_armed_battery_without_an_executor_is_said_to_keep_its_last_command(
    charging: Home,
) -> None:
    state = standing(charging)
    assert state.standing is not None
    assert (state.standing.code, report(state)) == ("unattended", CHARGES)


def test_an_executor_that_stops_hands_back_and_the_next_goes_on(
    charging: Home, inverter: SimulatedInverter
) -> None:
    assert charging.hand_back() is True
    assert inverter.mode == "self_consumption"
    state = standing(charging)
    assert state.armed_at is not None
    charging.start()
    charging.turn(timedelta(seconds=5))
    assert inverter.mode == "charge"


@pytest.mark.parametrize(("answers", "left"), [(True, []), (False, [BATTERIES])])
def test_at_the_end_of_a_process_what_did_not_confirm_its_return_is_named(
    charging: Home, inverter: SimulatedInverter, plug: Plug, *, answers: bool, left: list[str]
) -> None:
    ended: Future[bool] = Future()
    ended.set_result(False)
    if not answers:
        plug.pull()
    named = release_units(
        charging.executor,
        {(charging.name, BATTERIES): ended},
        within_s=0.5 if left else RELEASE_SECONDS,
    )
    assert [key for _, key in named] == left
    assert inverter.mode == ("self_consumption" if answers else "charge")
    state = standing(charging)
    assert state.armed_at is not None


def test_a_paused_battery_is_handed_back_and_left_alone_until_it_is_resumed(
    charging: Home, inverter: SimulatedInverter, executor: SiteLocks
) -> None:
    with unit_of_work(charging.database) as connection:
        paused = control_service.pause(
            connection, charging.name, BATTERIES, now=charging.clock.now(), by="anna"
        )
    assert paused.standing is not None
    assert paused.standing.code == "not_released"
    charging.plan(*[CHARGE_OF_PLAN] * 4)
    charging.turn(timedelta(seconds=5))
    charging.turn(SLOT)
    assert inverter.mode == "self_consumption"
    state = standing(charging)
    assert state.standing is not None
    assert (state.standing.code, state.armed_at is not None) == ("paused", True)
    with unit_of_work(charging.database) as connection:
        control_service.resume(connection, charging.name)
    charging.turn(timedelta(seconds=5))
    assert inverter.mode == "charge"
