"""Registers with a maker's no-value, a wrong sign or scale, asleep or in contradiction: never a
wrong number that looks valid.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_server import serve_registers
from luna.drivers.obedience import OBEYS_WITHIN_S
from luna.drivers.plausibility import DeviceReadings
from luna.drivers.point_image import RegisterImage
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_part import NumberType
from luna.drivers.profile_points import RegisterPoint
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import list_profiles
from luna.drivers.readings import split_sign
from luna.drivers.registers import width_of
from luna.drivers.session import InverterSession
from luna.drivers.simulated_battery import BatteryModel
from luna.drivers.simulated_charge_point import SimulatedChargePoint, SimulatedLoad
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.transports import ModbusTransport
from luna.energy.devices.commands import Via

PROFILES = {
    profile.profile: profile
    for profile in list_profiles()
    if isinstance(profile.transport, ModbusTransport)
    # What measures a house: the others have simulators of their own.
    and profile.kind in {"battery_inverter", "meter"}
}
LARGEST: dict[NumberType, int] = {
    "int16": 0x7FFF,
    "uint16": 0xFFFF,
    "int32": 0x7FFFFFFF,
    "uint32": 0xFFFFFFFF,
    "uint64": 0xFFFFFFFFFFFFFFFF,
}
# Lowest number, infinity, and a number that is none.
FLOATS = (0xFF7FFFFF, 0x7F7FFFFF, 0x7F800000, 0x7FC00000)
DOUBLES = (0xFFEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF8000000000000)
SUNSPEC: dict[NumberType, Sequence[int]] = {
    "int16": [0x8000],
    "uint16": [0xFFFF],
    "int32": [0x80000000],
    "uint32": [0xFFFFFFFF],
    "acc32": [0, 0x80000000, 0xFFFFFFFF],
    "float32": FLOATS,
    "float64": DOUBLES,
}
# Letters that are no state.
STRANGE_TEXT = 0x58585858


class HeldInverter(SimulatedInverter):
    """A simulated device whose registers stay as a test sets them."""

    is_held = False

    def _show(self) -> None:
        if not self.is_held:
            super()._show()


class HeldChargePoint(SimulatedChargePoint):
    """The same of a charge point."""

    is_held = False

    def _show(self) -> None:
        if not self.is_held:
            super()._show()


class HeldLoad(SimulatedLoad):
    """The same of a switched load."""

    is_held = False

    def _show(self) -> None:
        if not self.is_held:
            super()._show()


def hold_device(profile: DeviceProfile) -> HeldInverter | HeldChargePoint | HeldLoad:
    """Return the simulated device of a profile, a minute after it began."""
    instants = iter([0.0])

    def now() -> float:
        return next(instants, 60.0)

    if profile.kind == "charge_point":
        return HeldChargePoint(profile, now=now)
    if profile.kind == "switched_load":
        return HeldLoad(profile, now=now)
    return HeldInverter(profile, battery=BatteryModel(limit_kw=1.0), now=now)


@contextmanager
def held(profile: DeviceProfile) -> Iterator[tuple[RegisterImage, ProfiledDevice]]:
    """Serve a device in a house with 500 W of load and 2 kW of PV: it charges with 1 kW and feeds
    in 500 W.
    """
    device = hold_device(profile)
    device.look()
    device.is_held = True
    # Nor does it fall back.
    device._commanded_at = math.inf
    assert isinstance(device.image, RegisterImage)
    with (
        serve_registers(device) as server,
        closing(
            reach(profile, Via(profile=profile.profile, host="127.0.0.1", port=server.port))
        ) as reached,
    ):
        yield device.image, reached


def put_bits(image: RegisterImage, name: str, bits: int) -> None:
    """Set the registers of a point, of every port of it, to these bits."""
    point = image.profile.points[name]
    assert isinstance(point, RegisterPoint)
    count = width_of(point)
    words = [bits >> 16 * place & 0xFFFF for place in reversed(range(count))]
    for places in image._port_places(point):
        image.registers |= dict(
            zip(places, words if point.word_order == "big" else words[::-1], strict=True)
        )


def list_codes(profile: DeviceProfile, point: RegisterPoint) -> Sequence[int]:
    """Return the bits with which the maker means no value."""
    if point.type == "text":
        return [STRANGE_TEXT]
    if profile.sunspec is not None or point.type in {"float32", "float64"}:
        return SUNSPEC[point.type]
    return [*(SUNSPEC[point.type] if profile.profile == "sma_hybrid" else []), LARGEST[point.type]]


def read_points(profile: DeviceProfile) -> dict[str, RegisterPoint]:
    names = {split_sign(entry)[1] for entries in profile.reads.values() for entry in entries}
    return {
        name: point
        for name, point in profile.points.items()
        if name in names and isinstance(point, RegisterPoint)
    }


def resting_on(profile: DeviceProfile, *points: str) -> set[str]:
    return {
        name
        for name, entries in profile.reads.items()
        if {split_sign(entry)[1] for entry in entries} & set(points)
    }


def unknown_in(readings: DeviceReadings) -> set[str]:
    unknown = {name for name, value in readings.values.items() if math.isnan(value)}
    assert unknown == {fault.name for fault in readings.implausible}
    return unknown


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_no_register_of_a_profile_becomes_a_wrong_number(
    profile: DeviceProfile, subtests: pytest.Subtests
) -> None:
    with held(profile) as (image, reached):
        usual = dict(image.registers)
        before = reached.read()
        for name, point in read_points(profile).items():
            for bits in list_codes(profile, point):
                with subtests.test(point=name, bits=hex(bits)):
                    put_bits(image, name, bits)
                    readings = reached.measure()
                    resting = resting_on(profile, name)
                    # A string that this model lacks leaves the others to count.
                    assert unknown_in(readings) == (set() if point.absent == 0 else resting)
                    others = {
                        reading: value
                        for reading, value in readings.values.items()
                        if reading not in resting and not math.isnan(value)
                    }
                    assert others == {reading: before[reading] for reading in others}
                image.registers = dict(usual)
            if point.exponent_register is not None:
                with subtests.test(point=name, exponent="unknown"):
                    image.registers[image._exponent_address(point) or 0] = 0x8000
                    assert resting_on(profile, name) <= unknown_in(reached.measure())
                image.registers = dict(usual)
            # What a counter rises by is judged where it is recorded.
            if image.value(name) and point.unit in {"W", "%"}:
                with subtests.test(point=name, off="scale"):
                    put_scaled(image, name, 1000)
                    assert resting_on(profile, name) <= unknown_in(reached.measure())
                image.registers = dict(usual)


def put_scaled(image: RegisterImage, name: str, factor: int) -> None:
    """Set a point to a multiple of its value, by its exponent where its type holds no such
    number.
    """
    point = image.profile.points[name]
    assert isinstance(point, RegisterPoint)
    address = image._exponent_address(point)
    if address is not None:
        image.registers[address] = image.registers[address] + 5 & 0xFFFF
    elif point.type in {"int16", "uint16"}:
        # As much as the type holds: 65 kW by itself is a power that a home can have.
        put_bits(image, name, LARGEST[point.type])
    elif point.type == "uint32":
        most = (LARGEST["uint32"] - 1) * point.scale
        image.put(name, min(image.value(name) * factor, most))
    else:
        image.put(name, image.value(name) * factor)


@pytest.mark.parametrize("name", ["fronius_gen24", "sunspec_12x", "sma_hybrid"])
def test_strings_that_are_asleep_are_unknown_and_nothing_else(name: str) -> None:
    profile = PROFILES[name]
    strings = [split_sign(entry)[1] for entry in profile.reads["pv_w"]]
    with held(profile) as (image, reached):
        before = reached.read()
        for string in strings:
            put_bits(image, string, 0xFFFF if profile.sunspec else 0x80000000)
        readings = reached.measure()
    assert unknown_in(readings) == {"pv_w"}
    assert {fault.cause for fault in readings.implausible} == {"invalid_value"}
    assert {key: value for key, value in readings.values.items() if key != "pv_w"} == {
        key: value for key, value in before.items() if key != "pv_w"
    }


def test_a_meter_a_battery_and_a_roof_that_are_away_are_unknown() -> None:
    with held(PROFILES["huawei_sun2000"]) as (image, reached):
        for name in ("grid_power", "battery_power", "pv_power"):
            put_bits(image, name, 0x7FFFFFFF)
        put_bits(image, "soc", 0xFFFF)
        assert unknown_in(reached.measure()) == set(PROFILES["huawei_sun2000"].reads)


# State, power as bits with a sign, PV, load, export; what is right: into the battery.
SUNGROW = [
    (0x0002, 1500, 3000, 500, 1000, 1500),
    (0x0004, 500, 0, 500, 0, -500),
    (0, -1500, 3000, 500, 1000, 1500),
    (0x0002, -1500, 3000, 500, 1000, 1500),
    (0, 500, 0, 500, 0, -500),
    (0x0004, 500, 0, 500, 0, -500),
    # A state that lags behind, and one that is lost, of firmware that reports no sign: nobody
    # knows.
    (0x0002, 500, 0, 500, 0, math.nan),
    (0, 1500, 3000, 500, 1000, math.nan),
    (0x0004, 1500, 3000, 500, 1000, math.nan),
    # Contradictory in themselves.
    (0x0004, -1500, 3000, 500, 1000, math.nan),
    (0x0006, 1500, 3000, 500, 1000, math.nan),
    (0, 0, 1500, 500, 1000, 0),
]


def test_a_battery_power_means_one_thing_for_all_firmware(subtests: pytest.Subtests) -> None:
    with held(PROFILES["sungrow_sh"]) as (image, reached):
        for state, power, pv, load, export, right_w in SUNGROW:
            image.put("pv_power", pv)
            image.put("load_power", load)
            image.put("export_power", export)
            image.registers |= {13000: state, 13021: power & 0xFFFF}
            with subtests.test(state=hex(state), power=power, pv=pv):
                readings = reached.measure()
                flow_w = readings.values["charge_w"] - readings.values["discharge_w"]
                assert flow_w == pytest.approx(right_w, nan_ok=True)
                # As the session reads it, without the rest.
                assert reached.read_battery().flow_kw == pytest.approx(right_w / 1000, nan_ok=True)
                assert (unknown_in(readings) >= {"charge_w", "discharge_w"}) == math.isnan(right_w)
                assert readings.values["pv_w"] == pv


# The bits of a state that say which of two points one power is; what it is without a bit, or
# against it.
BY_BITS = [
    (0x0002, 1500, {"charge_w": 1500, "discharge_w": 0}),
    (0x0004, 500, {"charge_w": 0, "discharge_w": 500}),
    (0, 0, {"charge_w": 0, "discharge_w": 0}),
    (0, -1500, {"charge_w": math.nan, "discharge_w": math.nan}),
    (0, 500, {"charge_w": math.nan, "discharge_w": math.nan}),
    (0x0002, -1500, {"charge_w": math.nan, "discharge_w": 0}),
]


def test_a_power_that_no_bit_claims_is_unknown_in_a_profile_of_an_owner(
    subtests: pytest.Subtests,
) -> None:
    points = {
        "charging": {
            "register": 13021,
            "type": "int16",
            "unit": "W",
            "while_bit": {"register": 13000, "bit": 1},
        },
        "discharging": {
            "register": 13021,
            "type": "int16",
            "unit": "W",
            "while_bit": {"register": 13000, "bit": 2},
        },
    }
    document = PROFILES["sungrow_sh"].model_dump(mode="json", by_alias=True)
    document["points"] |= points
    document["reads"] = {"soc": ["soc"], "charge_w": ["charging"], "discharge_w": ["discharging"]}
    with held(DeviceProfile.model_validate(document)) as (image, reached):
        for state, power, right in BY_BITS:
            with subtests.test(state=hex(state), power=power):
                image.registers |= {13000: state, 13021: power & 0xFFFF}
                assert reached.read("charge_w", "discharge_w") == pytest.approx(right, nan_ok=True)


def test_ports_of_one_kind_that_flow_against_each_other_are_unknown() -> None:
    with held(PROFILES["sunspec_7xx"]) as (image, reached):
        [first, *_, last] = image._port_places(image._points["Solar"])
        image.registers |= {first.start: -1000 & 0xFFFF, last.start: 3000}
        assert unknown_in(reached.measure()) == {"pv_w"}


class SignedInverter(SimulatedInverter):
    """Sungrow after an update: the power has a sign, below zero it charges.

    The running state stays 0.
    """

    def _show(self) -> None:
        super()._show()
        assert isinstance(self.image, RegisterImage)
        self.image.registers |= {13000: 0, 13021: round(-1000 * self.power_kw) & 0xFFFF}


def test_a_command_that_is_followed_with_a_sign_is_not_given_back() -> None:
    clock = [0.0]
    device = SignedInverter(PROFILES["sungrow_sh"], now=lambda: clock[0])
    via = Via(profile="sungrow_sh", host="127.0.0.1")
    with serve_registers(device) as server:
        reached = reach(PROFILES["sungrow_sh"], via.model_copy(update={"port": server.port}))
        with closing(InverterSession(reached, now=lambda: clock[0], look_seconds=1e6)) as session:
            setpoint = BatterySetpoint(mode="charge", power_kw=2)
            session.command(setpoint)
            while clock[0] < 2 * OBEYS_WITHIN_S:
                clock[0] += 60
                assert session.read_back() == setpoint
                session.look()
            assert not session.disobeys
            assert reached.read()["charge_w"] == pytest.approx(3500, abs=1)


def test_limits_that_were_lower_when_they_were_read_are_read_again() -> None:
    with held(PROFILES["huawei_sun2000"]) as (image, reached):
        image.put("most_charging", 500)
        image.put("most_discharging", 500)
        assert reached.read()["charge_w"] == pytest.approx(1000)
        image.put("battery_power", 4000)
        assert unknown_in(reached.measure()) == {"charge_w", "discharge_w"}
        image.put("most_charging", 5000)
        assert reached.read()["charge_w"] == pytest.approx(4000)
