"""The trial of a charger, a switch and a roof: 6 A, on or half for a minute, then left alone."""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_trial import move_commanded, own_command
from luna.drivers.device_server import DeviceServer, serve_device
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import (
    SimulatedChargePoint,
    SimulatedLoad,
    SimulatedPvInverter,
)
from luna.drivers.trial import shows_control
from luna.energy.devices.commands import Via
from luna.energy.site import parse_site
from luna.words.catalogue import CATALOGUE
from luna.words.command_trial import format_command_trial

KEBA = load_profile("keba_p30", Path("/nonexistent"))
PLUG = load_profile("shelly_plug", Path("/nonexistent"))


class Moments:
    """A clock that sleeping moves."""

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
def charger(moments: Moments) -> SimulatedChargePoint:
    return SimulatedChargePoint(KEBA, now=moments)


@pytest.fixture
def server(charger: SimulatedChargePoint) -> Iterator[DeviceServer]:
    with serve_device(charger) as server:
        yield server


def reach_charger(server: DeviceServer) -> ProfiledDevice:
    return reach(KEBA, Via(profile="keba_p30", host="127.0.0.1", port=server.port))


def test_a_charger_charges_with_six_amperes_stops_and_is_left_alone(
    charger: SimulatedChargePoint, server: DeviceServer, moments: Moments
) -> None:
    own = own_command(KEBA, None, None)
    steps = move_commanded(reach_charger(server), own, now=moments, sleep=moments.sleep)
    assert [(step.mode, step.outcome) for step in steps] == [("charge", "right"), ("stop", "right")]
    assert steps[0].power_w == pytest.approx(6 * 3 * 230)
    assert shows_control(steps)
    assert (charger.mode, charger.offered_a) == ("own", 6)


def test_without_a_car_nothing_is_shown_and_a_deaf_charger_fails(
    charger: SimulatedChargePoint, server: DeviceServer, moments: Moments
) -> None:
    own = own_command(KEBA, None, None)
    car = charger.car
    charger.plug(None)
    steps = move_commanded(reach_charger(server), own, now=moments, sleep=moments.sleep)
    assert steps[0].outcome == "no_car"
    assert not shows_control(steps)
    charger.plug(car)
    charger.deaf = True
    steps = move_commanded(reach_charger(server), own, now=moments, sleep=moments.sleep)
    assert [step.outcome for step in steps] == ["too_much", "does_not_stop"]
    for language in CATALOGUE.languages:
        for step in steps:
            said = format_command_trial(
                step.mode, step.outcome, power_w=step.power_w, language=language
            )
            assert f"{step.power_w:.0f}" in said


def test_a_switch_is_on_then_off_and_left_as_its_load_needs_it(moments: Moments) -> None:
    plug = SimulatedLoad(PLUG, now=moments)
    heater = {"name": "boiler", "kind": "water_heater", "power_kw": 2}
    site = parse_site({"name": "home", "timezone": "Europe/Berlin", "loads": [heater]})
    with serve_device(plug) as server:
        via = Via(profile="shelly_plug", host="127.0.0.1", port=server.port)
        own = own_command(PLUG, site, "boiler")
        with closing(reach(PLUG, via)) as device:
            steps = move_commanded(device, own, now=moments, sleep=moments.sleep)
    assert [(step.mode, step.outcome) for step in steps] == [("on", "right"), ("off", "right")]
    # Its thermostat ends what it heats.
    assert plug.mode == "on"
    assert own_command(PLUG, None, None).stand_in == "off"


def test_a_heat_pump_passes_that_takes_what_it_is_offered_and_heats_as_it_likes(
    moments: Moments,
) -> None:
    profile = load_profile("lambda_eu_l", Path("/nonexistent"))
    for reads_back, outcome in ((True, "right"), (False, "did_not_move")):
        pump = SimulatedLoad(profile, now=moments)
        # It runs for its hot water whatever it is offered.
        pump.stuck = {"drawn": 2400.0} if reads_back else {"drawn": 2400.0, "power": 77.0}
        with serve_device(pump) as server:
            via = Via(profile="lambda_eu_l", host="127.0.0.1", port=server.port)
            own = own_command(profile, None, None)
            with closing(reach(profile, via)) as device:
                steps = move_commanded(device, own, now=moments, sleep=moments.sleep)
        assert [(step.mode, step.outcome) for step in steps] == [("on", outcome), ("off", outcome)]
        assert shows_control(steps) == reads_back


@pytest.mark.parametrize(
    ("roof_kw", "deaf", "outcomes", "counts"),
    [
        (2.0, False, ["right", "right"], True),
        (2.0, True, ["too_much", "right"], False),
        (0.2, False, ["no_sun"], False),
        # A cloud hides what the limit did.
        (math.nan, False, ["right", "did_not_move"], False),
    ],
    ids=["obeys", "deaf", "dusk", "cloud"],
)
def test_a_roof_gives_half_for_a_moment_and_then_everything(
    roof_kw: float, deaf: bool, outcomes: list[str], counts: bool, moments: Moments
) -> None:
    profile = load_profile("sunspec_inverter", Path("/nonexistent"))

    def clouding(seconds: float) -> float:
        return 2.0 if seconds < 10 else 0.4

    roof = clouding if math.isnan(roof_kw) else lambda _: roof_kw
    inverter = SimulatedPvInverter(profile, now=moments, roof=roof)
    inverter.deaf = deaf
    with serve_device(inverter) as server:
        via = Via(profile="sunspec_inverter", host="127.0.0.1", port=server.port)
        own = own_command(profile, None, None)
        with closing(reach(profile, via)) as device:
            steps = move_commanded(device, own, now=moments, sleep=moments.sleep)
    assert [step.outcome for step in steps] == outcomes
    assert [step.mode for step in steps] == ["limit", "free"][: len(outcomes)]
    assert shows_control(steps) == counts
    assert inverter.mode == "free"
    for step in steps:
        for language in CATALOGUE.languages:
            assert format_command_trial(
                step.mode, step.outcome, power_w=step.power_w, language=language
            )


def test_a_charger_is_left_with_what_its_car_may_draw() -> None:
    car = {"name": "car", "capacity_kwh": 60, "charger": {"phases": [3], "max_current_a": 13}}
    site = parse_site({"name": "home", "timezone": "Europe/Berlin", "vehicles": [car]})
    own = own_command(KEBA, site, "car")
    assert own == DeviceCommand(
        "own", stand_in="charge", current_a=13, fixed_phases=3, power_w=13 * 690
    )
    one_phase = car | {"charger": {"phases": [1], "max_current_a": 13}}
    site = parse_site({"name": "home", "timezone": "Europe/Berlin", "vehicles": [one_phase]})
    own = own_command(KEBA, site, "car")
    assert (own.fixed_phases, own.power_w) == (1, 13 * 230)
