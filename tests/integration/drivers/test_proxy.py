"""One connection per device, whoever asks: processes that share it, other programs at a proxy port,
and all that goes wrong on the way.
"""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.modbus import ModbusLink
from luna.drivers.modbus_points import ModbusPoints
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice, reach_device
from luna.drivers.profiles import load_profile
from luna.drivers.proxy import DeviceProxy, ProxyPort, ProxyPorts, declared_ports
from luna.drivers.session import InverterSession
from luna.drivers.sharing import DeviceAddress, DeviceConnection
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError
from luna.platform.clock import SystemClock
from services.ingest.listening import SiteReader, StateFile
from tests.integration.drivers.one_master import OneMaster, one_master
from tests.support.database.site import stored_site

PROFILE = "sunspec_12x"
SUNSPEC_MARK = [0x5375, 0x6E53]
READ_MARK = b"\x01\x03\x9c\x40\x00\x02"
WRITE = b"\x01\x06\x00\x07\x00\x01"
READ_BACK = b"\x01\x03\x00\x07\x00\x01"
GO_ON_SECONDS = 5.0


@pytest.fixture
def profile() -> DeviceProfile:
    return load_profile(PROFILE, Path("/nonexistent"))


@pytest.fixture
def inverter(profile: DeviceProfile) -> SimulatedInverter:
    return SimulatedInverter(profile)


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


@pytest.fixture
def dongle(server: RegisterServer) -> Iterator[OneMaster]:
    with one_master(server.port) as front:
        yield front


def at(port: int) -> Via:
    return Via(profile=PROFILE, host="127.0.0.1", port=port)


def link_to(port: int, folder: Path, *, host: str = "127.0.0.1") -> ModbusLink:
    return ModbusLink(host, load_profile(PROFILE, folder).transport, port=port, shared_in=folder)


@contextmanager
def served(port: int, folder: Path, *, writes: bool = False) -> Iterator[int]:
    """A proxy port for the device at ``port``; yields where it listens."""
    proxy = DeviceProxy(
        ProxyPort(DeviceAddress("127.0.0.1", port, patience_s=1.0), "127.0.0.1", 0, writes), folder
    )
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        ending = asyncio.Event()
        started.set_result((await proxy.start(), asyncio.get_running_loop(), ending))
        await ending.wait()
        proxy.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    listens_at, loop, ending = started.result(10)
    try:
        yield listens_at
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()


@contextmanager
def other_program(port: int) -> Iterator[ModbusTcpClient]:
    client = ModbusTcpClient("127.0.0.1", port=port, timeout=10, retries=0)
    assert client.connect()  # type: ignore[no-untyped-call]
    try:
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]


def comes(holds: Callable[[], bool]) -> None:
    """Wait for a state, for a minute."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def answers(device: ProfiledDevice) -> bool:
    with suppress(UnavailableError):
        return device.read("soc")["soc"] == pytest.approx(50, abs=1)
    return False


def test_a_device_that_takes_one_master_is_read_commanded_and_shared(
    dongle: OneMaster, inverter: SimulatedInverter, tmp_path: Path
) -> None:
    recorder = reach_device(at(dongle.port), tmp_path)
    session = InverterSession(reach_device(at(dongle.port), tmp_path), look_seconds=0.01)
    with served(dongle.port, tmp_path) as port, other_program(port) as program:
        session.command(BatterySetpoint(mode="charge", power_kw=2))
        for _ in range(10):
            assert recorder.read("soc")["soc"] == pytest.approx(50, abs=1)
            assert program.read_holding_registers(40000, count=2).registers == SUNSPEC_MARK
        assert session.read_back() is not None
        assert (inverter.mode, dongle.taken, dongle.refused) == ("charge", 1, 0)
        session.close()
        recorder.close()


def test_who_leaves_last_hangs_up(dongle: OneMaster, tmp_path: Path) -> None:
    with link_to(dongle.port, tmp_path) as first, link_to(dongle.port, tmp_path) as second:
        first.read(40000, 2)
        second.read(40000, 2)
    comes(lambda: dongle.master is None)
    with link_to(dongle.port, tmp_path) as link:
        assert link.read(40000, 2) == SUNSPEC_MARK
    assert (dongle.taken, dongle.refused) == (2, 0)


@pytest.mark.parametrize("spelled", ["localhost", "127.0.0.1"])
def test_a_device_is_one_however_it_is_called(
    dongle: OneMaster, tmp_path: Path, spelled: str
) -> None:
    with (
        link_to(dongle.port, tmp_path) as link,
        link_to(dongle.port, tmp_path, host=spelled) as other,
    ):
        assert link.read(40000, 2) == other.read(40000, 2)
        assert (dongle.taken, dongle.refused) == (1, 0)


def test_a_process_that_is_killed_with_the_connection_holds_nobody_up(
    dongle: OneMaster, tmp_path: Path
) -> None:
    reads = f"""
import time
from pathlib import Path
from luna.energy.devices.commands import Via
from luna.drivers.profiled_device import reach_device
via = Via(profile="{PROFILE}", host="127.0.0.1", port={dongle.port})
device = reach_device(via, Path("{tmp_path}"))
device.read()
print("reads", flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", reads], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "reads\n"
        device = reach_device(at(dongle.port), tmp_path)
        device.read()
        assert (dongle.taken, dongle.refused) == (1, 0)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        killed_at = time.monotonic()
        comes(lambda: answers(device))
        assert time.monotonic() - killed_at < GO_ON_SECONDS
    assert dongle.taken == 2
    device.close()


def test_after_a_reboot_everybody_looks_the_device_up_again(
    dongle: OneMaster, profile: DeviceProfile, tmp_path: Path
) -> None:
    links = [link_to(dongle.port, tmp_path) for _ in range(3)]
    devices = [ProfiledDevice(profile, ModbusPoints(profile, link)) for link in links]
    for device in devices:
        device.read("soc")
    dongle.drop()
    # Each is hung up on.
    comes(lambda: not any(link.is_connected for link in links))
    for device in devices:
        assert device.read("soc")["soc"] == pytest.approx(50, abs=1)
    assert ([link.opened for link in links], dongle.taken, dongle.refused) == ([2, 2, 2], 2, 0)
    for link in links:
        link.close()


def test_a_device_that_is_away_is_silent_and_comes_back(
    inverter: SimulatedInverter, tmp_path: Path
) -> None:
    with serve_registers(inverter) as server:
        port = server.port
        device = reach_device(at(port), tmp_path)
        device.read("soc")
    with pytest.raises(UnavailableError) as silent:
        device.read("soc")
    assert silent.value.reason == "device-silent"
    with serve_registers(inverter, port=port):
        assert device.read("soc")["soc"] == pytest.approx(50, abs=1)
        device.close()


def test_a_device_that_answers_too_late_is_asked_anew(
    dongle: OneMaster, profile: DeviceProfile, tmp_path: Path
) -> None:
    hasty = profile.transport.model_copy(update={"patience_s": 0.1})
    with ModbusLink("127.0.0.1", hasty, port=dongle.port, shared_in=tmp_path) as link:
        dongle.answers.clear()
        with pytest.raises(UnavailableError) as silent:
            link.read(40000, 2)
        assert silent.value.reason == "device-silent"
        dongle.answers.set()
        comes(lambda: dongle.master is None)
        # The late answer belongs to no later question.
        assert link.read(40069, 1) != SUNSPEC_MARK[:1]
        assert dongle.refused == 0


def test_what_the_device_refuses_is_refused_and_the_connection_stays(
    dongle: OneMaster, tmp_path: Path
) -> None:
    with link_to(dongle.port, tmp_path) as link:
        with pytest.raises(UnavailableError) as refused:
            link.read(1, 1)
        assert refused.value.reason == "device-refuses"
        assert link.read(40000, 2) == SUNSPEC_MARK
        assert (link.opened, dongle.taken) == (1, 1)


def test_the_frames_of_a_serial_line_are_passed_on(profile: DeviceProfile, tmp_path: Path) -> None:
    serial = profile.model_copy(
        update={"transport": profile.transport.model_copy(update={"kind": "modbus_rtu_tcp"})}
    )
    device = SimulatedInverter(serial)
    with serve_registers(device) as server, one_master(server.port) as dongle:
        links = [
            ModbusLink("127.0.0.1", serial.transport, port=dongle.port, shared_in=tmp_path)
            for _ in range(2)
        ]
        session = InverterSession(
            ProfiledDevice(serial, ModbusPoints(serial, links[0])), look_seconds=1e6
        )
        session.command(BatterySetpoint(mode="charge", power_kw=2))
        with pytest.raises(UnavailableError) as refused, links[1]:
            links[1].read(1, 1)
        assert (device.mode, refused.value.reason, dongle.taken, dongle.refused) == (
            "charge",
            "device-refuses",
            1,
            0,
        )
        session.close()


def test_where_nothing_can_be_shared_each_has_a_connection_of_its_own(
    server: RegisterServer, tmp_path: Path
) -> None:
    with link_to(server.port, tmp_path / "missing") as link:
        assert link.read(40000, 2) == SUNSPEC_MARK
    assert list(tmp_path.iterdir()) == []


def test_the_folder_may_have_a_long_name(dongle: OneMaster, tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    with link_to(dongle.port, folder) as link:
        assert link.read(40000, 2) == SUNSPEC_MARK
    assert {path.name for path in (folder / "devices").iterdir()} == {"lock", "socket"}


@pytest.mark.anyio
async def test_who_asks_the_same_while_others_wait_gets_their_answer(dongle: OneMaster) -> None:
    connection = DeviceConnection(DeviceAddress("127.0.0.1", dongle.port))
    answers = await asyncio.gather(*(connection.ask(READ_MARK) for _ in range(20)))
    assert set(answers) == {b"\x01\x03\x04SunS"}
    assert len(dongle.requests) == 1
    connection.lose()


@pytest.mark.anyio
async def test_what_is_read_after_a_write_is_asked_after_it(dongle: OneMaster) -> None:
    connection = DeviceConnection(DeviceAddress("127.0.0.1", dongle.port))
    dongle.answers.clear()
    before = asyncio.create_task(connection.ask(READ_BACK))
    await asyncio.to_thread(comes, lambda: bool(dongle.requests))
    after = asyncio.gather(*(connection.ask(body) for body in (WRITE, READ_BACK, READ_BACK)))
    # Until the others wait for their turn.
    await asyncio.sleep(0)
    dongle.answers.set()
    await asyncio.gather(before, after)
    assert [request[6:] for request in dongle.requests] == [READ_BACK, WRITE, READ_BACK]
    connection.lose()


def test_twenty_programs_write_one_after_the_other_and_nothing_is_lost(
    dongle: OneMaster, inverter: SimulatedInverter, tmp_path: Path
) -> None:
    session = InverterSession(reach_device(at(dongle.port), tmp_path), look_seconds=1e6)
    session.command(BatterySetpoint(mode="charge", power_kw=2))
    address, _ = inverter.written[-1]
    inverter.written.clear()

    def write(value: int) -> bool:
        with other_program(port) as program:
            return (
                not program.write_register(address, value).isError()
                and not program.read_holding_registers(40000, count=2).isError()
            )

    with served(dongle.port, tmp_path, writes=True) as port, ThreadPoolExecutor(20) as pool:
        assert all(pool.map(write, range(20)))
    assert sorted(inverter.written) == [(address, [value]) for value in range(20)]
    assert (dongle.taken, dongle.refused) == (1, 0)
    session.close()


def test_another_program_writes_only_where_the_owner_lets_it(
    dongle: OneMaster, inverter: SimulatedInverter, tmp_path: Path
) -> None:
    with served(dongle.port, tmp_path) as port, other_program(port) as program:
        for refused in (
            program.write_register(40000, 1),
            program.write_registers(40000, [1, 2]),
            program.mask_write_register(address=1),
        ):
            assert refused.isError()
            assert refused.exception_code == 1
        assert program.read_holding_registers(1, count=1).exception_code == 2
    assert inverter.written == []


def test_another_program_stays_connected_while_the_device_is_away(
    server: RegisterServer, tmp_path: Path
) -> None:
    with one_master(server.port) as dongle:
        away = dongle.port
    with served(away, tmp_path) as port, other_program(port) as program:
        assert program.read_holding_registers(40000, count=2).exception_code == 11
        with one_master(server.port, port=away) as dongle:
            assert program.read_holding_registers(40000, count=2).registers == SUNSPEC_MARK
            dongle.drop()
            comes(lambda: program.read_holding_registers(40000, count=2).registers == SUNSPEC_MARK)
            dongle.answers.clear()
            assert program.read_holding_registers(40000, count=2).exception_code == 11


def test_a_client_that_is_broken_or_slow_concerns_nobody_else(
    dongle: OneMaster, tmp_path: Path
) -> None:
    with served(dongle.port, tmp_path) as port, other_program(port) as program:
        for nonsense in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x00\x01\x00\x00\xff\xff\x01\x03",
            b"\x00\x01\x00\x00\x00\x01\x01",
            b"\xff" * 300,
        ):
            with socket.create_connection(("127.0.0.1", port)) as broken:
                broken.sendall(nonsense)
                broken.settimeout(10)
                assert broken.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port)) as slow:
            # It begins a frame and never ends it; it asks and never reads.
            slow.sendall(b"\x00\x01\x00\x00\x00\x06" + READ_MARK + b"\x00\x02\x00")
            assert program.read_holding_registers(40000, count=2).registers == SUNSPEC_MARK
        assert (dongle.taken, dongle.refused) == (1, 0)


def test_a_command_shares_a_device_until_it_is_ended(dongle: OneMaster, tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-c",
        "from services.cli.main import main; main()",
        "devices",
        "proxy",
        "127.0.0.1",
        "--port",
        str(dongle.port),
        "--listen-port",
        "0",
    ]
    environment = os.environ | {"LUNA_DATA_FOLDER": str(tmp_path)}
    with (
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as command,
        link_to(dongle.port, tmp_path) as link,
    ):
        assert command.stdout is not None
        port = re.search(r"answers at 127\.0\.0\.1:(\d+);", command.stdout.readline())
        assert port is not None
        with other_program(int(port[1])) as program:
            assert (
                program.read_holding_registers(40000, count=2).registers
                == link.read(40000, 2)
                == SUNSPEC_MARK
            )
        assert (dongle.taken, dongle.refused) == (1, 0)
        command.send_signal(signal.SIGINT)
        assert command.stdout.read() == "It has ended.\n"
        assert command.wait() == 0


def test_the_recorder_finds_the_ports_of_the_stored_sites(database: Engine, tmp_path: Path) -> None:
    via = {
        "profile": PROFILE,
        "host": "192.0.2.1",
        "proxy": {"port": 1502, "listen": "192.0.2.2", "writes": True},
    }
    control = {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
    batteries = [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ]
    with stored_site(database, name="shared", batteries=batteries, control=control):
        reader = SiteReader(database, StateFile(tmp_path / "notes.json"), clock=SystemClock())
        reader.read()
    wanted = ProxyPort(DeviceAddress("192.0.2.1", 502), "192.0.2.2", 1502, writes=True)
    assert wanted in set(declared_ports(reader.vias, tmp_path))


@pytest.mark.anyio
async def test_the_ports_that_sites_declare_are_open_and_no_others(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        via = Via.model_validate(
            {"profile": PROFILE, "host": "192.0.2.1", "proxy": {"port": number}}
        )
        ports = ProxyPorts(tmp_path)
        [wanted] = declared_ports(
            [via, at(502), via.model_copy(update={"profile": "gone"})], tmp_path
        )
        assert wanted == ProxyPort(
            DeviceAddress("192.0.2.1", 502), "127.0.0.1", number, writes=False
        )
        await ports.follow({wanted})
    await ports.follow({wanted})
    _, writer = await asyncio.open_connection("127.0.0.1", number)
    writer.close()
    await ports.follow(set())
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", number)
