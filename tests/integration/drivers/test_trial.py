"""A battery is moved by 200 W for a moment: what is right is said, what is turned round is found,
and it is always its own again.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.trial import TrialStep, bound_by, bound_unknown, move_battery
from luna.energy.devices.battery import Battery
from luna.energy.devices.commands import Via
from luna.energy.errors import ConflictError, LunaError, UnavailableError
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.house.control_service import allow_trial
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from tests.support.control.executor import START

PROFILE = load_profile("sunspec_12x", Path("/nonexistent"))
SITE = Site(
    name="tried",
    timezone="UTC",
    batteries=(Battery(capacity_kwh=10, min_soc=0.1, charge_limit_kw=5, discharge_limit_kw=5),),
)
LIMITS = bound_by(SITE, "battery")


class Moments:
    """A clock that only waiting moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def moments() -> Moments:
    return Moments()


@pytest.fixture
def inverter(moments: Moments) -> SimulatedInverter:
    return SimulatedInverter(PROFILE, house=lambda _: (0.5, 0.0), now=moments)


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


def move(
    server: RegisterServer, moments: Moments, *, profile: DeviceProfile = PROFILE, **given: Any
) -> dict[str, TrialStep]:
    """Return the steps of a trial by their modes."""
    with closing(
        reach(profile, Via(profile=profile.profile, host="127.0.0.1", port=server.port))
    ) as device:
        steps = move_battery(device, **{"bound": LIMITS} | given, now=moments, sleep=moments.sleep)
    return {step.mode: step for step in steps}


def outcomes(steps: Mapping[str, TrialStep]) -> dict[str, str]:
    return {mode: step.outcome for mode, step in steps.items()}


def test_a_battery_that_does_as_it_is_told_is_right_for_ten_seconds_each_way(
    server: RegisterServer, moments: Moments, inverter: SimulatedInverter
) -> None:
    # It has served the house for a while.
    moments.sleep(60)
    steps = move(server, moments)
    assert outcomes(steps) == {"hold": "right", "charge": "right", "export": "right"}
    assert steps["charge"].power_w == pytest.approx(200, abs=1)
    # The house takes half a kilowatt beside what is fed in.
    assert steps["export"].power_w == pytest.approx(-700, abs=1)
    assert [step.seconds for step in steps.values()] == [10, 10, 10]
    assert inverter.mode == "self_consumption"


def test_a_sign_that_is_turned_round_is_found(server: RegisterServer, moments: Moments) -> None:
    turned = PROFILE.model_copy(
        update={
            "reads": {
                **PROFILE.reads,
                "charge_w": PROFILE.reads["discharge_w"],
                "discharge_w": PROFILE.reads["charge_w"],
            }
        }
    )
    assert outcomes(move(server, moments, profile=turned)) == {
        "hold": "right",
        "charge": "turned_round",
        "export": "turned_round",
    }


def test_a_scale_that_is_wrong_is_found(server: RegisterServer, moments: Moments) -> None:
    points = {
        name: point.model_copy(update={"scale": 10.0}) if name == "Charging" else point
        for name, point in PROFILE.points.items()
    }
    assert (
        outcomes(move(server, moments, profile=PROFILE.model_copy(update={"points": points})))[
            "charge"
        ]
        == "too_much"
    )


def test_a_power_that_cannot_be_is_no_outcome_and_named(
    server: RegisterServer, moments: Moments, inverter: SimulatedInverter
) -> None:
    # Both directions at once.
    inverter.stuck |= {"Charging": 900.0, "Discharging": 900.0}
    steps = move(server, moments)
    assert outcomes(steps) == {"hold": "unknown", "charge": "unknown", "export": "unknown"}
    assert {(fault.name, fault.cause) for fault in steps["charge"].implausible} == {
        ("charge_w", "contradicts"),
        ("discharge_w", "contradicts"),
    }
    assert inverter.mode == "self_consumption"


def test_a_battery_that_does_not_move_is_waited_for(
    server: RegisterServer, moments: Moments, inverter: SimulatedInverter
) -> None:
    inverter.stuck |= {"Charging": 0.0, "Discharging": 0.0}
    steps = move(server, moments)
    assert outcomes(steps) == {"hold": "right", "charge": "did_not_move", "export": "did_not_move"}
    assert steps["charge"].seconds == 30


def test_what_its_limits_do_not_allow_is_not_tried(moments: Moments) -> None:
    full = SimulatedInverter(PROFILE, house=lambda _: (0.5, 0.0), soc=0.97, now=moments)
    with serve_registers(full) as server:
        steps = move(server, moments, bound=bound_unknown())
    # Nothing goes to the grid of a home of which nothing is known: the battery serves the house.
    assert outcomes(steps) == {"hold": "right", "charge": "not_allowed", "export": "right"}
    assert steps["export"].power_w == pytest.approx(-500, abs=1)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, ValueError])
def test_it_is_its_own_again_however_a_trial_ends(
    server: RegisterServer,
    moments: Moments,
    inverter: SimulatedInverter,
    ending: type[BaseException],
) -> None:
    def stop(step: TrialStep) -> None:
        assert inverter.mode == "hold"
        raise ending

    with pytest.raises(ending):
        move(server, moments, report=stop)
    assert inverter.mode == "self_consumption"


def test_a_battery_that_cannot_be_handed_back_is_said(
    server: RegisterServer, moments: Moments
) -> None:
    def lose(_: TrialStep) -> None:
        server.faults.writes_taken = 0

    with pytest.raises(UnavailableError) as caught:
        move(server, moments, report=lose)
    assert (caught.value.reason, caught.value.parameters) == (
        "device-reverts-alone",
        {"after_s": 180},
    )


def test_a_device_that_does_not_answer_was_told_nothing(
    moments: Moments, inverter: SimulatedInverter
) -> None:
    with serve_registers(inverter) as server:
        pass
    with pytest.raises(LunaError) as caught:
        move(server, moments)
    assert caught.value.reason == "device-silent"


def test_a_battery_of_unknown_charge_is_told_nothing(
    server: RegisterServer, moments: Moments, inverter: SimulatedInverter
) -> None:
    inverter.stuck["ChaState"] = float("nan")
    with pytest.raises(UnavailableError) as caught:
        move(server, moments)
    assert (caught.value.reason, inverter.written) == ("device-soc-unknown", [])


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ({"via": {"profile": "sunspec_12x", "host": "127.0.0.1"}}, True),
        ({"via": {"profile": "sunspec_12x", "host": "192.0.2.1"}}, False),
        (
            {
                "soc": "sensor.soc",
                "modes": {"self_consumption": "a", "hold": "b"},
                "writes": [{"to": "select.mode", "value": "{mode}"}],
            },
            True,
        ),
    ],
    ids=["the same", "another", "by Home Assistant"],
)
def test_nothing_is_moved_that_an_armed_site_commands(
    database: Engine, told: dict[str, Any], *, refused: bool
) -> None:
    by = "profile" if "via" in told else "home_assistant"
    section = Control.model_validate({"by": by, "batteries": [{"battery": "battery", **told}]})
    with unit_of_work(database) as connection:
        sites.save(connection, SITE.model_copy(update={"control": section}))
        via = Via(profile="sunspec_12x", host="localhost")
        allow_trial(connection, via)
        control.arm(connection, SITE.name, at=START, by="test")
        with pytest.raises(ConflictError) if refused else unit_of_work(database):
            allow_trial(connection, via)
        connection.rollback()
