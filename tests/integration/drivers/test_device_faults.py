"""What a device does wrong: no number of it is taken for another, and all else that it says
counts.
"""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain, repeat

import pytest

from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.modbus_points import ModbusPoints
from luna.drivers.point_image import RegisterImage, make_image
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import list_profiles
from luna.drivers.readings import split_sign
from luna.drivers.simulated_charge_point import simulate
from luna.drivers.simulated_product import SimulatedProduct
from luna.drivers.transports import ModbusTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError

PROFILES = {
    profile.profile: profile
    for profile in list_profiles()
    # Of a device with one reading nothing is left.
    if isinstance(profile.transport, ModbusTransport) and len(profile.reads) > 1
}


@contextmanager
def served(
    profile: DeviceProfile,
) -> Iterator[tuple[SimulatedProduct, RegisterServer, ProfiledDevice]]:
    """Serve a profile's device while the block runs, and reach it."""
    instants = chain([0.0], repeat(60.0))
    # A minute after it began, at which its clock stands still.
    device = simulate(profile, now=lambda: next(instants))
    with (
        serve_registers(device) as server,
        closing(
            reach(profile, Via(profile=profile.profile, host="127.0.0.1", port=server.port))
        ) as reached,
    ):
        yield device, server, reached


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_a_register_that_a_device_lacks_makes_what_rests_on_it_unknown_and_nothing_else(
    profile: DeviceProfile,
) -> None:
    with served(profile) as (_, server, reached):
        before = reached.read()
        reading, point = [
            (reading, split_sign(entry)[1])
            for reading, entries in profile.reads.items()
            for entry in entries
        ][-1]
        assert isinstance(reached.points, ModbusPoints)
        [span, *_] = reached.points.number_spans(point)
        server.faults.lacks = set(range(span.first, span.first + span.length))
        after = reached.read()
    resting = {
        name
        for name, entries in profile.reads.items()
        if point in {split_sign(entry)[1] for entry in entries}
    }
    assert reading in resting
    assert {name for name in after if math.isnan(after[name])} == resting
    assert {name: value for name, value in after.items() if name not in resting} == pytest.approx(
        {name: value for name, value in before.items() if name not in resting}, rel=1e-3
    )


@pytest.mark.parametrize(
    ("name", "string"), [("sma_hybrid", "string_3"), ("goodwe_et", "string_4")]
)
def test_a_string_whose_register_a_smaller_model_lacks_gives_nothing(
    name: str, string: str
) -> None:
    with served(PROFILES[name]) as (_, server, reached):
        assert isinstance(reached.points, ModbusPoints)
        before = reached.points.read([string])[string]
        pv_w = reached.read()["pv_w"]
        [span] = reached.points.number_spans(string)
        server.faults.lacks = set(range(span.first, span.first + span.length))
        assert reached.read()["pv_w"] == pytest.approx(pv_w - before)


def test_a_missing_register_is_asked_for_seldom_and_found_when_it_comes_back() -> None:
    with served(PROFILES["sungrow_sh"]) as (_, server, reached):
        assert isinstance(reached.points, ModbusPoints)
        [span, *_] = reached.points.number_spans(
            split_sign(PROFILES["sungrow_sh"].reads["pv_w"][0])[1]
        )
        server.faults.lacks = set(range(span.first, span.first + span.length))
        reached.read()
        # As after a night, in which some devices say less.
        server.faults.lacks = set()
        powers = [reached.read()["pv_w"] for _ in range(40)]
    assert math.isnan(powers[0])
    assert not any(map(math.isnan, powers[-5:]))


def test_a_device_that_refuses_everything_is_named() -> None:
    with served(PROFILES["sungrow_sh"]) as (_, server, reached):
        server.faults.lacks = set(range(65536))
        with pytest.raises(UnavailableError) as refused:
            reached.read()
    assert refused.value.reason == "device-refuses"


def test_models_that_move_behind_an_open_connection_are_looked_up_again() -> None:
    profile = PROFILES["sunspec_12x"]
    assert profile.sunspec is not None
    # As after an update of its firmware, behind a dongle that went on answering: the model of the
    # battery is the last.
    lengths = {model: profile.sunspec.lengths[model] for model in (1, 103, 120, 160, 124)}
    moved = profile.model_copy(
        update={"sunspec": profile.sunspec.model_copy(update={"lengths": lengths})}
    )
    with served(profile) as (device, _, reached):
        before = reached.read()
        device.image = make_image(moved)
        with pytest.raises(UnavailableError) as refused:
            reached.read()
        assert refused.value.reason == "device-model-missing"
        assert reached.read() == pytest.approx(before, rel=1e-3)


def test_a_chain_of_models_that_leads_beyond_the_last_register_is_none() -> None:
    with served(PROFILES["sunspec_12x"]) as (device, _, reached):
        assert isinstance(device.image, RegisterImage)
        # The length of model 1.
        device.image.registers[40003] = 65535
        with pytest.raises(UnavailableError) as refused:
            reached.read()
    assert refused.value.reason == "device-answer-short"
