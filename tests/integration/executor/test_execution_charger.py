"""The executor against chargers and loads that Luna speaks to itself: what they receive, by clients
and servers that know no profile, and that nothing is sent while the site is not armed.
"""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ReasonCode
from luna.contracts.plan.reply import VehicleFlow
from luna.drivers.control.device import DeviceError
from luna.drivers.control.opening import open_device
from luna.drivers.control.units import list_units
from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import SimulatedChargePoint, SimulatedLoad
from luna.drivers.write_limits import uncounted
from luna.energy.devices.appliance import LoadFlow
from luna.energy.devices.commands import Via
from luna.energy.site import parse_site
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT
from luna.platform.database import device_trials
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.executor.delivery import VERIFY
from tests.support.control.executor import START, Home
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.planning.plans import describe_plan

NO_FOLDER = Path("/nonexistent")
CHARGER = "vehicle:car"
BOILER = "load:boiler"
CAR = {"name": "car", "capacity_kwh": 60, "charger": {"phases": [1, 3], "max_current_a": 16}}
LOAD = {"name": "boiler", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 4}


def describe(section: str, key: str, name: str, profile: str, port: int) -> dict[str, Any]:
    via = {"profile": profile, "host": "127.0.0.1", "port": port}
    return {"by": "profile", section: [{key: name, "via": via}]}


@contextmanager
def live(
    database: Engine, folder: Path, section: dict[str, Any], car: dict[str, Any] = CAR
) -> Iterator[Home]:
    settings = Settings(data_folder=folder)
    home = Home(
        database,
        lambda control: open_device(settings, control, uncounted),
        section,
        batteries=[],
        vehicles=[car],
        loads=[LOAD],
    )
    with closing(home):
        yield home


def plan(home: Home, *powers: float, heats: tuple[bool, ...] = ()) -> None:
    """Store a plan of the car's powers, and of when the boiler is on, slot by slot."""
    described = describe_plan(f"{home.name}-plan", START, [BatterySetpoint(mode="hold")] * 4)
    slots = []
    for place, slot in enumerate(described.slots):
        power = powers[place] if place < len(powers) else 0.0
        is_on = place < len(heats) and heats[place]
        flows = {
            "vehicles": {"car": VehicleFlow(charge_kwh=power / 4, soc_end=0.5)},
            "loads": {"boiler": LoadFlow(energy_kwh=0.5 * is_on, on=is_on)},
        }
        slots.append(slot.model_copy(update=flows))
    home.store(described.model_copy(update={"slots": slots}))


def ask(port: int) -> dict[str, Any]:
    """Ask the go-e charger as its maker describes, without any profile."""
    address = f"http://127.0.0.1:{port}/api/status?filter=car,nrg,wh,eto,amp,frc,psm,ama"
    reply = httpx.get(address, verify=NO_CERTIFICATES)
    document: dict[str, Any] = reply.json()
    return document


def test_planned_current_and_phases_arrive_and_are_verified(
    database: Engine, tmp_path: Path
) -> None:
    device = SimulatedChargePoint(load_profile("go_e_charger", NO_FOLDER))
    with serve_device(device) as server:
        section = describe("vehicles", "vehicle", "car", "go_e_charger", server.port)
        with live(database, tmp_path, section) as home:
            home.arm()
            plan(home, 2.3, 6.9, 0.0)
            assert home.turn(device=CHARGER) is False
            said = ask(server.port)
            assert (said["amp"], said["psm"], said["frc"], said["car"]) == (10, 1, 2, 2)
            [entry] = home.log
            assert entry.confirmed == {
                "profile:vehicle:car": "charge current_a=10 phases=1 power_w=2300"
            }
            written = len(device.written)
            home.turn(VERIFY, device=CHARGER)
            assert len(device.written) == written
            home.turn(SLOT - VERIFY, device=CHARGER)
            said = ask(server.port)
            assert (said["amp"], said["psm"], said["frc"]) == (10, 2, 2)
            home.turn(SLOT, device=CHARGER)
            assert ask(server.port)["frc"] == 1


def test_a_charger_of_one_phase_left_on_three_is_set_to_one(
    database: Engine, tmp_path: Path
) -> None:
    device = SimulatedChargePoint(load_profile("go_e_charger", NO_FOLDER))
    one_phase = CAR | {"charger": {"phases": [1], "max_current_a": 16}}
    with serve_device(device) as server:
        assert ask(server.port)["psm"] == 2
        section = describe("vehicles", "vehicle", "car", "go_e_charger", server.port)
        with live(database, tmp_path, section, one_phase) as home:
            home.arm()
            plan(home, 2.3)
            home.turn(device=CHARGER)
            assert (ask(server.port)["amp"], ask(server.port)["psm"]) == (10, 1)
            assert device.power_kw == pytest.approx(2.3)


def test_nothing_is_sent_before_it_is_armed_and_it_is_handed_back_after(
    database: Engine, tmp_path: Path
) -> None:
    device = SimulatedChargePoint(load_profile("go_e_charger", NO_FOLDER))
    with serve_device(device) as server:
        section = describe("vehicles", "vehicle", "car", "go_e_charger", server.port)
        with live(database, tmp_path, section) as home:
            plan(home, 6.9, 6.9)
            home.turn(device=CHARGER)
            home.turn(timedelta(minutes=5), device=CHARGER)
            assert device.written == []
            home.arm()
            home.turn(device=CHARGER)
            assert device.mode == "charge"
            home.disarm()
            home.turn(timedelta(minutes=1), device=CHARGER)
            assert (device.mode, ask(server.port)["frc"]) == ("own", 0)
            written = len(device.written)
            home.turn(SLOT, device=CHARGER)
            assert len(device.written) == written


def test_a_switch_follows_the_plan(database: Engine, tmp_path: Path) -> None:
    device = SimulatedLoad(load_profile("shelly_plug", NO_FOLDER))
    with serve_device(device) as server:
        section = describe("loads", "load", "boiler", "shelly_plug", server.port)
        with live(database, tmp_path, section) as home:
            home.arm()
            plan(home, heats=(True, False))
            home.turn(device=BOILER)
            address = f"http://127.0.0.1:{server.port}/rpc/Switch.GetStatus?id=0"
            assert httpx.get(address, verify=NO_CERTIFICATES).json()["output"] is True
            home.turn(SLOT, device=BOILER)
            assert httpx.get(address, verify=NO_CERTIFICATES).json()["output"] is False


class Keba(socketserver.ThreadingTCPServer):
    """A P30 by its maker's paper alone: frames of Modbus, and what was written."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), KebaFrames)
        self.written: list[tuple[int, int]] = []
        self.numbers = {1000: 2, 1004: 7, 1014: 17619300, 1016: 304120, 1110: 32_000, 1552: 0}

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def take(self, register: int, value: int) -> None:
        self.written.append((register, value))
        # Written in one register, read in another.
        if register == 5018:
            self.numbers[1602] = value
        if register == 5052:
            self.numbers[1552] = value


class KebaFrames(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Keba)
        while head := self.request.recv(7):
            transaction, _, length, unit = struct.unpack(">HHHB", head)
            body = self.request.recv(length - 1)
            function, register, number = struct.unpack(">BHH", body[:5])
            assert unit == 255
            if function == 6:
                server.take(register, number)
                answer = body
            elif function == 3 and number == 2:
                value = server.numbers.get(register, 0)
                answer = struct.pack(">BBI", 3, 4, value)
            else:
                # Neither function 16 nor a request across registers.
                answer = struct.pack(">BB", function | 0x80, 2)
            frame = struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit)
            self.request.sendall(frame + answer)


@pytest.fixture
def keba() -> Iterator[Keba]:
    with Keba() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_independent_charger_receives_the_registers_of_its_paper_once_it_was_tried(
    database: Engine, tmp_path: Path, keba: Keba
) -> None:
    section = describe("vehicles", "vehicle", "car", "keba_p30", keba.port)
    with live(database, tmp_path, section) as home:
        home.arm()
        plan(home, 6.9, 0.0)
        home.turn(device=CHARGER)
        assert keba.written == []
        via = Via(profile="keba_p30", host="127.0.0.1", port=keba.port)
        with unit_of_work(database) as connection:
            device_trials.remember(connection, via, at=START)
        home.turn(timedelta(minutes=1), device=CHARGER)
        # Stopped while it changes to three phases, then 10 A, then enabled.
        fail_safe = [(5016, 6000), (5018, 120)]
        assert keba.written == [
            *fail_safe,
            (5014, 0),
            *fail_safe,
            (5052, 1),
            (5004, 10_000),
            (5014, 1),
        ]
        keba.written.clear()
        home.turn(SLOT - timedelta(minutes=1), device=CHARGER)
        assert keba.written[-1] == (5014, 0)


def test_beside_home_assistant_the_charger_is_reached_by_itself(tmp_path: Path) -> None:
    via = {"profile": "go_e_charger", "host": "127.0.0.1", "port": 9}
    section = {
        "by": "home_assistant",
        "vehicles": [{"vehicle": "car", "via": via}],
        "loads": [
            {
                "load": "boiler",
                "modes": {"on": "on", "off": "off"},
                "writes": [{"to": "switch.boiler", "value": "{mode}"}],
            }
        ],
    }
    settings = Settings(
        data_folder=tmp_path, home_assistant_url="http://127.0.0.1:9", home_assistant_token="t"
    )
    control = Control.model_validate(section)
    with closing(open_device(settings, control, uncounted)) as device:
        # Neither is there: the fault says which of them was asked.
        with pytest.raises(DeviceError) as silent:
            device.read(["profile:vehicle:car"])
        with pytest.raises(DeviceError) as away:
            device.read(["switch.boiler"])
    assert (silent.value.field, silent.value.reason) == ("profile:vehicle:car", "device-silent")
    assert (away.value.field, away.value.reason) == ("home_assistant", None)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("disarmed", "own stand_in=charge current_a=15 phases=3 power_w=11000"),
        ("not_acknowledged", "charge current_a=6 phases=1 power_w=1400"),
    ],
)
def test_handed_back_it_is_left_to_itself_and_after_a_fault_it_charges_with_its_least(
    reason: ReasonCode, text: str
) -> None:
    section = describe("vehicles", "vehicle", "car", "go_e_charger", 80)
    site = parse_site(
        {"name": "home", "timezone": "Europe/Berlin", "vehicles": [CAR], "control": section}
    )
    [unit] = list_units(site, site.control).values()
    safe = unit.make_safe(unit.fallback(reason, None), {})
    assert [write.value for write in unit.render(safe)] == [text]
