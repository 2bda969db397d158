"""A second controller that changes what Luna commanded: said once with what was read, counted, and
told from a device's own doings.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, DeviceConflict, Override
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.write_limits import uncounted
from luna.energy.timeline import SLOT
from luna.house import control_service
from luna.house.control_standing import CONFLICTS_AT_LEAST
from luna.house.findings import SiteFinding, find
from luna.platform.database.engine import unit_of_work
from luna.platform.database.executor_locks import site_locks
from luna.platform.settings import Settings
from services.executor.delivery import RESEND, VERIFY
from tests.support.control.executor import START, Home
from tests.support.control.inverters import MODE, POWER, Inverter

# What another manager writes to a Sungrow: forced, discharge, 3 kW.
DISCHARGE = {"ems": 2.0, "command": float(0xBB), "power": 3000.0}
OWN = {"ems": 0.0, "command": float(0xCC)}


@pytest.fixture
def battery(request: pytest.FixtureRequest) -> SimulatedInverter:
    return SimulatedInverter(
        load_profile(getattr(request, "param", "sungrow_sh"), Path("/nonexistent"))
    )


@pytest.fixture
def charging(database: Engine, battery: SimulatedInverter, tmp_path: Path) -> Iterator[Home]:
    """An armed home whose owner has its battery charge 2 kW; its executor runs."""
    settings = Settings(data_folder=tmp_path)
    with serve_registers(battery) as server:
        via = {"profile": battery.profile.profile, "host": "127.0.0.1", "port": server.port}
        section: dict[str, Any] = {
            "by": "profile",
            "batteries": [{"battery": "battery", "via": via}],
        }
        home = Home(database, lambda control: open_device(settings, control, uncounted), section)
        with closing(home), site_locks(database) as locks:
            locks.hold([home.name])
            home.arm()
            home.override(Override(mode="charge", power_kw=2, until=START + 8 * SLOT))
            assert home.turn() is False
            yield home


def overwrite(battery: SimulatedInverter, values: dict[str, float]) -> None:
    for point, value in values.items():
        battery.image.put(point, value)


def look(home: Home) -> None:
    """Have the executor look a minute later, and send its command again where it is due."""
    home.turn(VERIFY)
    home.turn(RESEND.first)


def conflict(home: Home) -> DeviceConflict | None:
    with unit_of_work(home.database) as connection:
        return (
            control_service.read_states(connection, home.name, now=home.clock.now())[0]
            .reports["battery"]
            .conflict
        )


def standing(home: Home) -> str | None:
    with unit_of_work(home.database) as connection:
        state = control_service.read_states(connection, home.name, now=home.clock.now())[0]
    return None if state.standing is None else state.standing.code


def findings(home: Home) -> list[SiteFinding]:
    with unit_of_work(home.database) as connection:
        states = control_service.read_states(connection, home.name, now=home.clock.now())
        return find(
            connection,
            home.site(None),
            plan=None,
            states=states,
            plan_max_age=4 * SLOT,
            now=home.clock.now(),
        )


def test_what_somebody_else_set_is_counted_and_said_once(
    charging: Home, battery: SimulatedInverter
) -> None:
    for _ in range(CONFLICTS_AT_LEAST):
        overwrite(battery, DISCHARGE)
        look(charging)
    found = conflict(charging)
    assert found is not None
    assert (found.count, found.mode, found.power_kw, found.first_at) == (
        CONFLICTS_AT_LEAST,
        "export",
        3,
        START + VERIFY,
    )
    said = [each for each in findings(charging) if each.code.startswith("device")]
    assert [(each.code, each.figures["doing"], each.figures["count"]) for each in said] == [
        ("device_conflict", ("export", 3), CONFLICTS_AT_LEAST)
    ]
    keys = {each.key for each in said}
    # The same event goes on.
    charging.turn(SLOT)
    charging.turn(RESEND.first)
    overwrite(battery, DISCHARGE)
    look(charging)
    assert {each.key for each in findings(charging) if each.code == "device_conflict"} == keys


def test_a_device_that_was_found_changed_is_not_said_to_follow_until_it_does_again(
    charging: Home, battery: SimulatedInverter
) -> None:
    assert standing(charging) == "follows"
    overwrite(battery, DISCHARGE)
    charging.turn(VERIFY)
    assert standing(charging) == "sent"
    charging.turn(RESEND.first)
    assert standing(charging) == "follows"


def test_the_log_has_a_command_once_however_often_it_is_sent_again(
    charging: Home, battery: SimulatedInverter
) -> None:
    for _ in range(2):
        overwrite(battery, DISCHARGE)
        look(charging)
    assert charging.outcomes == [("override", "charge", True)]


def test_a_device_that_restarts_once_is_no_conflict_and_one_that_is_reset_again_and_again_is(
    charging: Home, battery: SimulatedInverter
) -> None:
    overwrite(battery, OWN)
    look(charging)
    assert conflict(charging) is None
    overwrite(battery, OWN)
    look(charging)
    again = conflict(charging)
    assert again is not None
    assert (again.count, again.mode) == (1, "self_consumption")


@pytest.mark.parametrize("battery", ["sunspec_12x"], indirect=True)
def test_a_device_that_falls_back_by_itself_is_no_conflict(
    charging: Home, battery: SimulatedInverter
) -> None:
    for _ in range(CONFLICTS_AT_LEAST):
        battery.reboot()
        look(charging)
    assert conflict(charging) is None


def test_a_power_that_the_device_rounds_is_no_conflict(
    charging: Home, battery: SimulatedInverter
) -> None:
    for _ in range(CONFLICTS_AT_LEAST):
        overwrite(battery, {"power": 1950.0})
        look(charging)
    assert conflict(charging) is None


def test_what_was_changed_while_no_executor_ran_is_no_conflict(
    charging: Home, battery: SimulatedInverter
) -> None:
    overwrite(battery, DISCHARGE)
    charging.start()
    look(charging)
    assert conflict(charging) is None
    assert battery.mode == "charge"


def test_a_home_automation_that_sets_another_mode_is_a_conflict(
    armed: Home, inverter: Inverter
) -> None:
    armed.override(Override(mode="charge", power_kw=2, until=START + 8 * SLOT))
    armed.turn()
    inverter.states |= {MODE: "Force Discharge", POWER: "3000"}
    look(armed)
    found = conflict(armed)
    assert found is not None
    assert (found.count, found.mode, found.power_kw) == (1, "export", 3)
    # Its own mode may be what it falls back to by itself.
    inverter.states[MODE] = "Self Use"
    look(armed)
    assert conflict(armed) == found


def test_a_setpoint_of_a_plan_in_a_new_slot_is_no_conflict(charging: Home) -> None:
    charging.override(None)
    charging.plan(*[BatterySetpoint(mode="hold"), BatterySetpoint(mode="export", power_kw=2)] * 2)
    charging.turn()
    charging.turn(SLOT)
    look(charging)
    assert conflict(charging) is None
