"""Simulated devices with registers of their own as somebody else's client sees them: bare pymodbus,
and what their makers' lists say.

Nothing of the drivers is shared but the server that is asked: an address, a scale, a sign or an
order of words that a profile has wrong is wrong here.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import load_profile
from luna.drivers.session import InverterSession
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.commands import Via
from tests.support.suite.tables import each_row

# What the house uses and its roof gives, kW.
SURPLUS = (0.5, 2.0)
SHORTAGE = (2.0, 0.5)
EVEN = (1.0, 1.0)
HALF_A_MINUTE = 30.0
# Beyond the time after which any of them ends what a dead master wrote.
FAR = 900.0


@dataclass(frozen=True)
class Client:
    """Registers of one device by number on the bus.

    A number of two has its more significant register first, or last.
    """

    modbus: ModbusTcpClient
    unit: int

    def read(
        self, address: int, kind: str, *, swapped: bool = False, inputs: bool = False
    ) -> float:
        """Return a number in struct's notation of its kind."""
        count = struct.calcsize(f">{kind}") // 2
        ask = self.modbus.read_input_registers if inputs else self.modbus.read_holding_registers
        answer = ask(address, count=count, device_id=self.unit)
        assert not answer.isError(), answer
        words = answer.registers[::-1] if swapped else answer.registers
        number: float = struct.unpack(f">{kind}", struct.pack(f">{count}H", *words))[0]
        return number

    def write(self, address: int, kind: str, number: int) -> None:
        """Write a number; after a ~ its less significant register comes first."""
        packed = struct.pack(f">{kind.removeprefix('~')}", number)
        words = list(struct.unpack(f">{len(packed) // 2}H", packed))
        if kind.startswith("~"):
            words.reverse()
        assert not self.modbus.write_registers(address, words, device_id=self.unit).isError()


def read_sma(client: Client) -> dict[str, float]:
    """30845; 31393 and 31395."""
    return {
        "soc": client.read(30845, "I"),
        "charge": client.read(31393, "I"),
        "discharge": client.read(31395, "I"),
    }


def read_huawei(client: Client) -> dict[str, float]:
    """37760 in tenths; 37765, which is above zero while it charges."""
    power = client.read(37765, "i")
    return {
        "soc": client.read(37760, "H") / 10,
        "charge": max(power, 0),
        "discharge": max(-power, 0),
    }


def read_sungrow(client: Client) -> dict[str, float]:
    """13022 in tenths; 13021, of which 13000 says the direction; all in the input registers."""
    running = int(client.read(13000, "H", inputs=True))
    power = client.read(13021, "H", inputs=True)
    return {
        "soc": client.read(13022, "H", inputs=True) / 10,
        "charge": power if running & 0b010 else 0,
        "discharge": power if running & 0b100 else 0,
    }


def read_alpha(client: Client) -> dict[str, float]:
    """258 in tenths; 294, which is above zero while it discharges."""
    power = client.read(294, "h")
    return {
        "soc": client.read(258, "H") / 10,
        "charge": max(-power, 0),
        "discharge": max(power, 0),
    }


def read_solax(client: Client) -> dict[str, float]:
    """28; 22, which is above zero while it charges; both in the input registers."""
    power = client.read(22, "h", inputs=True)
    return {
        "soc": client.read(28, "H", inputs=True),
        "charge": max(power, 0),
        "discharge": max(-power, 0),
    }


def read_victron(client: Client) -> dict[str, float]:
    """843; 842, which is above zero while it charges."""
    power = client.read(842, "h")
    return {"soc": client.read(843, "H"), "charge": max(power, 0), "discharge": max(-power, 0)}


def read_goodwe(client: Client) -> dict[str, float]:
    """37007; 35182, which is above zero while it discharges."""
    power = client.read(35182, "i")
    return {"soc": client.read(37007, "H"), "charge": max(-power, 0), "discharge": max(power, 0)}


def read_solaredge(client: Client) -> dict[str, float]:
    """0xE184; 0xE174, which is above zero while it charges; the last register first."""
    power = client.read(0xE174, "f", swapped=True)
    return {
        "soc": client.read(0xE184, "f", swapped=True),
        "charge": max(power, 0),
        "discharge": max(-power, 0),
    }


def read_solis(client: Client) -> dict[str, float]:
    """33139; 33149, of which 33135 says the direction: 1 it discharges."""
    power = abs(client.read(33149, "i", inputs=True))
    discharges = client.read(33135, "H", inputs=True) == 1
    return {
        "soc": client.read(33139, "H", inputs=True),
        "charge": 0 if discharges else power,
        "discharge": power if discharges else 0,
    }


def read_growatt(client: Client) -> dict[str, float]:
    """1014; 1009 and 1011 in tenths of a watt; all in the input registers."""
    return {
        "soc": client.read(1014, "H", inputs=True),
        "charge": client.read(1011, "I", inputs=True) / 10,
        "discharge": client.read(1009, "I", inputs=True) / 10,
    }


def read_growatt_vpp(client: Client) -> dict[str, float]:
    """31217; 31200 in tenths of a watt, above zero while it charges."""
    power = client.read(31200, "i", inputs=True) / 10
    return {
        "soc": client.read(31217, "H", inputs=True),
        "charge": max(power, 0),
        "discharge": max(-power, 0),
    }


def read_kostal(client: Client) -> dict[str, float]:
    """514; 582, which is above zero while it discharges."""
    power = client.read(582, "h")
    return {"soc": client.read(514, "H"), "charge": max(-power, 0), "discharge": max(power, 0)}


def read_deye(client: Client) -> dict[str, float]:
    """588; 590, which is above zero while it discharges."""
    power = client.read(590, "h")
    return {"soc": client.read(588, "H"), "charge": max(-power, 0), "discharge": max(power, 0)}


def read_foxess(client: Client) -> dict[str, float]:
    """31038; 31036, which is above zero while it discharges."""
    power = client.read(31036, "h")
    return {"soc": client.read(31038, "H"), "charge": max(-power, 0), "discharge": max(power, 0)}


Writes = tuple[tuple[int, str, int], ...]


def solis(charge_limit: int, discharge_limit: int, command: int) -> Writes:
    """Limits in tens of watts, the command."""
    return ((43130, "H", charge_limit), (43131, "H", discharge_limit), (43135, "H", command))


def growatt(battery_first: int, grid_charging: int, charge_rate: int, grid_first: int) -> Writes:
    """The first time slot of both from 0:00 to 23:59, which is 0x173B."""
    return (
        *((1082, "H", grid_first), (1080, "H", 0), (1081, "H", 0x173B)),
        *((1092, "H", grid_charging), (1090, "H", charge_rate)),
        *((1100, "H", 0), (1101, "H", 0x173B), (1102, "H", battery_first)),
    )


def growatt_vpp(enabled: int, percent: int) -> Writes:
    """The authority, for any time, a share of the rated power, the switch."""
    return ((30100, "H", 1), (30408, "H", 0), (30409, "h", percent), (30407, "H", enabled))


def foxess(enabled: int, watts: int) -> Writes:
    """Three minutes, a power of the AC side, the switch."""
    return ((44001, "H", 180), (44002, "i", watts), (44000, "H", enabled))


def sma(mode: int, charge: tuple[int, int], discharge: tuple[int, int]) -> Writes:
    """The six of SMA, which count together."""
    return (
        *((40236, "I", mode), (40793, "I", charge[0]), (40795, "I", charge[1])),
        *((40797, "I", discharge[0]), (40799, "I", discharge[1]), (40801, "i", 0)),
    )


def huawei(charge_limit: int, discharge_limit: int) -> Writes:
    """Limits alone, nothing forced."""
    return ((47075, "I", charge_limit), (47077, "I", discharge_limit), (47100, "H", 0))


def sungrow(charge_limit: int, discharge_limit: int, command: int, mode: int) -> Writes:
    """Limits in tens of watts, the command, the mode."""
    return (
        (33046, "H", charge_limit),
        (33047, "H", discharge_limit),
        (13050, "H", command),
        (13049, "H", mode),
    )


def victron(discharging: int, charging: int, setpoint: int) -> Writes:
    """Percent, amperes, and what is taken from the grid."""
    return ((2702, "H", discharging), (2705, "h", charging), (2716, "i", setpoint))


def goodwe(mode: int, power: int) -> Writes:
    """The power, then the mode."""
    return ((47512, "H", power), (47511, "H", mode))


def alpha(start: int, power: int, mode: int, until_soc: int) -> Writes:
    """The block of its dispatch: 32000 is 0 W, above it discharges, 250 is full; 180 s."""
    return (
        *((0x0880, "H", start), (0x0881, "i", 32_000 + power), (0x0883, "i", 32_000)),
        *((0x0885, "H", mode), (0x0886, "H", until_soc), (0x0887, "I", 180)),
    )


def solax(control: int, active_power: int) -> Writes:
    """The block of its remote control for 120 s, what it does not need as zeros."""
    return (
        *((0x7C, "H", control), (0x7D, "H", 1), (0x7E, "~i", active_power), (0x80, "~i", 0)),
        *((0x82, "H", 120), (0x83, "H", 0), (0x84, "~I", 0), (0x86, "~i", 0), (0x88, "H", 0)),
    )


def solaredge(command: int, charge_limit: int, discharge_limit: int) -> Writes:
    """Remote control, self-consumption after 180 s, limits in watts, the command."""
    return (
        *((0xE004, "H", 4), (0xE00A, "H", 7), (0xE005, "H", 1), (0xE00B, "~I", 180)),
        *((0xE00E, "~f", charge_limit), (0xE010, "~f", discharge_limit)),
        (0xE00D, "H", command),
    )


def kostal(charge_limit: int, discharge_limit: int) -> Writes:
    """Limits in watts."""
    return ((1038, "~f", charge_limit), (1040, "~f", discharge_limit))


def deye(charge_limit: int, discharge_limit: int) -> Writes:
    """No programmes, zero export, nothing from the grid, limits in amperes."""
    return (
        *((146, "H", 0), (142, "H", 2), (130, "H", 0)),
        *((108, "H", charge_limit), (109, "H", discharge_limit)),
    )


@dataclass(frozen=True)
class Maker:
    """What a maker's document says of a product: its number on the bus, what is read where, what
    has it do what.
    """

    unit: int
    read: Callable[[Client], dict[str, float]]
    usual: Writes
    # Does neither, charges from the grid, feeds out.
    rest: Writes
    charge_2000: Writes
    discharge_2000: Writes
    # Never discharges, never charges; empty where the product knows no such thing.
    no_discharge: Writes = ()
    no_charge: Writes = ()
    # Where further readings lie, and what they say while the battery charges with 2 kW beside an
    # even house: W.
    also: Mapping[str, tuple[tuple[int, str, bool, bool], float]] = field(default_factory=dict)
    # After how long a dead master's forced charging ends, seconds; None: it does not.
    ends_after: float | None = None
    # Whether what keeps it from discharging ends as well.
    rest_ends: bool = True


MAKERS = {
    "sma_hybrid": Maker(
        unit=3,
        read=read_sma,
        usual=sma(2424, (0, 5000), (0, 5000)),
        no_discharge=sma(2424, (0, 5000), (0, 0)),
        no_charge=sma(2424, (0, 0), (0, 5000)),
        rest=sma(2424, (0, 0), (0, 0)),
        charge_2000=sma(2289, (2000, 2000), (0, 0)),
        discharge_2000=sma(2290, (0, 0), (2000, 2000)),
        also={
            "taken": ((30865, "i", False, False), 2000),
            "fed in": ((30867, "i", False, False), 0),
        },
        ends_after=60,
    ),
    "huawei_sun2000": Maker(
        unit=1,
        read=read_huawei,
        usual=huawei(5000, 5000),
        no_discharge=huawei(5000, 0),
        no_charge=huawei(0, 5000),
        rest=huawei(0, 0),
        charge_2000=(
            *huawei(5000, 5000),
            (47087, "H", 1),
            (47083, "H", 5),
            (47246, "H", 0),
            (47247, "I", 2000),
            (47100, "H", 1),
        ),
        discharge_2000=(
            *huawei(5000, 5000),
            (47083, "H", 5),
            (47246, "H", 0),
            (47249, "I", 2000),
            (47100, "H", 2),
        ),
        also={
            "roof": ((32064, "i", False, False), 1000),
            "fed in": ((37113, "i", False, False), -2000),
        },
        # Five minutes were written.
        ends_after=300,
        rest_ends=False,
    ),
    "sungrow_sh": Maker(
        unit=1,
        read=read_sungrow,
        usual=sungrow(500, 500, 0xCC, 0),
        no_discharge=sungrow(500, 1, 0xCC, 0),
        no_charge=sungrow(1, 500, 0xCC, 0),
        rest=sungrow(500, 500, 0xCC, 2),
        charge_2000=((13051, "H", 2000), *sungrow(500, 500, 0xAA, 2)),
        discharge_2000=((13051, "H", 2000), *sungrow(500, 500, 0xBB, 2)),
        also={
            "roof": ((5016, "I", True, True), 1000),
            "house": ((13007, "i", True, True), 1000),
            "fed in": ((13009, "i", True, True), -2000),
        },
        rest_ends=False,
    ),
    "victron_gx": Maker(
        unit=100,
        read=read_victron,
        usual=victron(100, -1, 0),
        no_discharge=victron(0, -1, 0),
        no_charge=victron(100, 0, 0),
        rest=victron(0, 0, 0),
        charge_2000=victron(100, -1, 2000),
        discharge_2000=victron(100, -1, -2000),
        also={
            "roof, of seven": ((850, "H", False, False), 143),
            "taken on phase 2": ((821, "h", False, False), 667),
        },
        ends_after=60,
        rest_ends=False,
    ),
    "goodwe_et": Maker(
        unit=247,
        read=read_goodwe,
        usual=goodwe(1, 0),
        rest=goodwe(8, 0),
        charge_2000=goodwe(11, 2000),
        discharge_2000=goodwe(12, 2000),
        also={
            "roof, of four": ((35105, "I", False, False), 250),
            "fed in": ((36025, "i", False, False), -2000),
        },
        rest_ends=False,
    ),
    "solaredge_storedge": Maker(
        unit=1,
        read=read_solaredge,
        usual=solaredge(7, 5000, 5000),
        no_discharge=solaredge(7, 5000, 0),
        no_charge=solaredge(7, 0, 5000),
        rest=solaredge(0, 0, 0),
        charge_2000=solaredge(3, 2000, 5000),
        discharge_2000=solaredge(4, 5000, 2000),
        also={
            "direct current": ((40100, "h", False, False), -1000),
            "fed in": ((40139, "h", False, False), -2000),
        },
        ends_after=180,
    ),
    "kostal_plenticore": Maker(
        unit=71,
        read=read_kostal,
        usual=(*kostal(5000, 5000), (1034, "~f", 0)),
        no_discharge=kostal(5000, 0),
        no_charge=kostal(0, 5000),
        rest=kostal(0, 0),
        charge_2000=(*kostal(5000, 5000), (1034, "~f", -2000)),
        discharge_2000=(*kostal(5000, 5000), (1034, "~f", 2000)),
        also={
            "roof": ((1066, "f", True, False), 1000),
            "taken": ((252, "f", True, False), 2000),
        },
        ends_after=60,
    ),
    "deye_sg04lp3": Maker(
        unit=1,
        read=read_deye,
        usual=deye(100, 100),
        no_discharge=deye(100, 0),
        no_charge=deye(0, 100),
        rest=deye(0, 0),
        charge_2000=(*deye(100, 0), (127, "H", 100), (128, "H", 40), (130, "H", 1)),
        discharge_2000=(
            *((130, "H", 0), (108, "H", 100), (109, "H", 100)),
            *((166, "H", 10), (167, "H", 10), (168, "H", 10)),
            *((169, "H", 10), (170, "H", 10), (171, "H", 10)),
            *((154, "H", 2000), (155, "H", 2000), (156, "H", 2000)),
            *((157, "H", 2000), (158, "H", 2000), (159, "H", 2000)),
            *((142, "H", 0), (146, "H", 255)),
        ),
        also={
            "roof, of two": ((672, "H", False, False), 500),
            "taken": ((625, "h", False, False), 2000),
            "house": ((653, "h", False, False), 1000),
        },
        rest_ends=False,
    ),
    "solis_hybrid": Maker(
        unit=1,
        read=read_solis,
        usual=solis(0, 0, 0),
        no_discharge=solis(0, 1, 0),
        no_charge=solis(1, 0, 0),
        rest=solis(1, 1, 0),
        charge_2000=((43136, "H", 200), *solis(0, 0, 1)),
        discharge_2000=((43129, "H", 200), *solis(0, 0, 2)),
        also={
            "roof": ((33057, "I", False, True), 1000),
            "fed in": ((33263, "i", False, True), -2000),
        },
        ends_after=300,
    ),
    "growatt_sph": Maker(
        unit=1,
        read=read_growatt,
        usual=growatt(0, 0, 100, 0),
        no_discharge=growatt(1, 0, 100, 0),
        rest=growatt(1, 0, 0, 0),
        charge_2000=growatt(1, 1, 40, 0),
        discharge_2000=((1070, "H", 40), *growatt(0, 0, 100, 1)),
        also={
            "roof": ((1, "I", False, True), 10000),
            "taken": ((1021, "I", False, True), 20000),
            "fed in": ((1029, "I", False, True), 0),
        },
        rest_ends=False,
    ),
    "growatt_tl_xh": Maker(
        unit=1,
        read=read_growatt_vpp,
        usual=growatt_vpp(0, 0),
        rest=growatt_vpp(1, 0),
        charge_2000=growatt_vpp(1, 40),
        discharge_2000=growatt_vpp(1, -40),
        also={
            "roof": ((31058, "i", False, True), 10000),
            "taken": ((31112, "i", False, True), 20000),
        },
        rest_ends=False,
    ),
    "alphaess_smile": Maker(
        unit=85,
        read=read_alpha,
        usual=alpha(0, 0, 0, 0),
        rest=alpha(1, 0, 2, 250),
        charge_2000=alpha(1, -2000, 2, 250),
        discharge_2000=alpha(1, 2000, 2, 25),
        also={"taken from the grid": ((33, "i", False, False), 2000)},
        ends_after=180,
    ),
    # The battery's power less the roof's: of one kilowatt of roof.
    "solax_g4": Maker(
        unit=1,
        read=read_solax,
        usual=solax(0, 0),
        rest=solax(1, -1000),
        charge_2000=solax(1, 1000),
        discharge_2000=solax(1, -3000),
        also={"fed in": ((70, "i", True, True), -2000)},
        ends_after=120,
    ),
    # One kilowatt of roof and of house: the AC side takes one of the two that the battery gets.
    "foxess_h3": Maker(
        unit=247,
        read=read_foxess,
        usual=foxess(0, 0),
        rest=foxess(1, 1000),
        charge_2000=foxess(1, -1000),
        discharge_2000=foxess(1, 3000),
        also={
            "roof, of two": ((31002, "h", False, False), 500),
            "fed in on phase 2": ((31027, "h", False, False), -667),
            "output of phase 3": ((31014, "h", False, False), -333),
        },
        ends_after=180,
    ),
}


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Home:
    """A device at work, and the client that asks it."""

    device: SimulatedInverter
    client: Client
    maker: Maker
    clock: Seconds

    def tell(self, writes: Writes) -> None:
        """Write registers in order and let what they say be done."""
        for address, kind, number in writes:
            self.client.write(address, kind, number)
        self.clock.now += HALF_A_MINUTE


@dataclass(frozen=True)
class Place:
    """Where one product after the other is served, and the client that asks there."""

    name: str
    server: RegisterServer
    client: Client

    def set_up(self) -> Home:
        """Serve a device that nobody has commanded yet."""
        clock = Seconds()
        device = simulate(self.name, clock)
        self.server.device = device
        return Home(device, self.client, MAKERS[self.name], clock)


def simulate(name: str, clock: Seconds) -> SimulatedInverter:
    return SimulatedInverter(load_profile(name, Path("/nonexistent")), now=clock)


@pytest.fixture(scope="module", params=MAKERS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with serve_registers(simulate(request.param, Seconds())) as server:
        modbus: Any = ModbusTcpClient("127.0.0.1", port=server.port, retries=0)
        assert modbus.connect()
        yield Place(request.param, server, Client(modbus, MAKERS[request.param].unit))
        modbus.close()


@pytest.fixture
def home(place: Place) -> Home:
    return place.set_up()


# What is written, what the house uses and its roof gives, and what the battery does then, W.
CASES: tuple[tuple[str, tuple[float, float], float, float], ...] = (
    ("usual", SURPLUS, 1500, 0),
    ("usual", SHORTAGE, 0, 1500),
    ("no_discharge", SURPLUS, 1500, 0),
    ("no_discharge", SHORTAGE, 0, 0),
    ("no_charge", SURPLUS, 0, 0),
    ("no_charge", SHORTAGE, 0, 1500),
    ("rest", SURPLUS, 0, 0),
    ("rest", SHORTAGE, 0, 0),
    ("rest", EVEN, 0, 0),
    ("charge_2000", EVEN, 2000, 0),
    ("discharge_2000", EVEN, 0, 2000),
)
# With a power of the AC side alone rest depends on roof and house.
ONLY_EVEN = {("foxess_h3", "rest"), ("solax_g4", "rest")}


@each_row("writes, house, charge, discharge", CASES)
def test_registers_do_what_the_maker_says(
    place: Place, writes: str, house: tuple[float, float], charge: float, discharge: float
) -> None:
    is_known = bool(getattr(MAKERS[place.name], writes))
    if not is_known or (house != EVEN and (place.name, writes) in ONLY_EVEN):
        return
    home = place.set_up()
    # Something else before: no command may rest on what an earlier one left behind.
    home.device.house = lambda _: EVEN
    home.tell(home.maker.discharge_2000)
    home.device.house = lambda _: house
    home.tell(getattr(home.maker, writes))
    read = home.maker.read(home.client)
    assert read == pytest.approx({"soc": 50, "charge": charge, "discharge": discharge}, abs=10)
    assert read["soc"] == pytest.approx(50, abs=1)


def test_what_else_is_read_has_its_sign_and_scale(home: Home) -> None:
    home.device.house = lambda _: EVEN
    home.tell(home.maker.charge_2000)
    wrong = []
    for name, ((address, kind, swapped, inputs), expected) in home.maker.also.items():
        value = home.client.read(address, kind, swapped=swapped, inputs=inputs)
        if value != pytest.approx(expected, abs=1):
            wrong.append(f"{name}: {value} in place of {expected}")
    assert wrong == []


def test_a_dead_master_leaves_it_as_its_profile_declares(home: Home) -> None:
    home.device.house = lambda _: EVEN
    home.tell(home.maker.charge_2000)
    home.clock.now += (home.maker.ends_after or FAR) - HALF_A_MINUTE - 1
    assert home.maker.read(home.client)["charge"] == pytest.approx(2000, abs=1)
    home.clock.now += 30
    still = 2000 if home.maker.ends_after is None else 0
    assert home.maker.read(home.client)["charge"] == pytest.approx(still, abs=1)


def test_a_dead_master_that_kept_it_from_discharging_leaves_that_as_its_profile_declares(
    home: Home,
) -> None:
    home.device.house = lambda _: SHORTAGE
    home.tell(home.maker.no_discharge or home.maker.rest)
    home.clock.now += FAR
    assert home.maker.read(home.client)["discharge"] == pytest.approx(
        1500 if home.maker.rest_ends else 0, abs=10
    )


def test_a_command_that_is_a_block_is_sent_by_one_request_each_time() -> None:
    profile = load_profile("alphaess_smile", Path("/nonexistent"))
    device = SimulatedInverter(profile)
    with serve_registers(device) as server:
        via = Via(profile=profile.profile, host="127.0.0.1", port=server.port)
        with closing(InverterSession(reach(profile, via), look_seconds=1e6)) as session:
            session.command(BatterySetpoint(mode="charge", power_kw=2))
            session.command(BatterySetpoint(mode="charge", power_kw=1.5))
    blocks = [[1, 0, power, 0, 32_000, 2, 250, 0, 180] for power in (32_000 - 2000, 32_000 - 1500)]
    assert device.written == [(0x0880, block) for block in blocks]


def test_a_product_that_is_only_read_has_its_signs_and_its_order_of_words() -> None:
    # Numbers of two registers have the less significant one first. Of 2 kW of roof the house takes
    # half of one, the battery one and a half.
    clock = Seconds()
    device = SimulatedInverter(load_profile("e3dc", Path("/nonexistent")), now=clock)
    with serve_registers(device) as server:
        modbus: Any = ModbusTcpClient("127.0.0.1", port=server.port, retries=0)
        assert modbus.connect()
        client = Client(modbus, 1)
        clock.now += HALF_A_MINUTE
        numbers = [client.read(place, "i", swapped=True) for place in (40067, 40069, 40071, 40073)]
        assert numbers == pytest.approx([2000, 1500, 500, 0], abs=1)
        device.house = lambda _: SHORTAGE
        clock.now += HALF_A_MINUTE
        numbers = [client.read(place, "i", swapped=True) for place in (40067, 40069, 40071, 40073)]
        assert numbers == pytest.approx([500, -1500, 2000, 0], abs=1)
        assert (client.read(40082, "H"), client.read(40000, "H")) == (50, 0xE3DC)
        modbus.close()
