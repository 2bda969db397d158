"""Meters that send by themselves: read by an independent decoder, found without a word, and never
wrong whatever comes.
"""

import asyncio
import os
import pty
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from luna.drivers.device_search import find_devices, search_network
from luna.drivers.device_server import SIMULATED_SERIAL, serve_device
from luna.drivers.p1 import P1SerialSource, encode_telegram
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.sma_emeter import encode_datagram
from luna.drivers.telegram_points import TelegramPoints
from luna.drivers.transports import MulticastTransport, P1Transport
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError, UnavailableError
from services.ingest.source_readings import Reading
from services.ingest.sources.profile import ProfileSource
from tests.support.worker.workers import wait_for

NO_FOLDER = Path("/nonexistent")
P1 = load_profile("dsmr_p1", NO_FOLDER)
SMA = load_profile("sma_energy_meter", NO_FOLDER)
OTHER_SERIAL = "3003004005"
# What a telegram says, kW and kWh.
DOCUMENT = {
    "meter": "ISK5\\2M550T-1012",
    "serial": "E0043006",
    "obis_1_7_0": 0.0,
    "obis_2_7_0": 1.2,
    "obis_21_7_0": 0.3,
    "obis_22_7_0": 0.0,
    "obis_41_7_0": 0.0,
    "obis_42_7_0": 1.5,
    "obis_1_8_0": 4321.0,
    "obis_2_8_0": 1234.5,
}
TELEGRAM = encode_telegram(DOCUMENT)
READINGS = {
    "import_w": 0,
    "export_w": 1200,
    "phase_1_w": 300,
    "phase_2_w": -1500,
    "import_kwh": 4321,
    "export_kwh": 1234.5,
}


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def hurry(profile: DeviceProfile, **changes: float) -> DeviceProfile:
    """Return a profile with less patience."""
    quick = profile.transport.model_copy(update={"patience_s": 0.6, **changes})
    return profile.model_copy(update={"transport": quick})


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        port: int = link.getsockname()[1]
        return port


def reach_meter(
    profile: DeviceProfile, port: int, serial: str = SIMULATED_SERIAL
) -> closing[ProfiledDevice]:
    via = Via(profile=profile.profile, host="127.0.0.1", port=port, prefix=serial)
    return closing(reach(profile, via))


@pytest.fixture
def dsmr_parser(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The library of others, without what it decrypts with."""
    for name in ("", ".connection", ".exceptions", ".protocol", ".protocol.xdlms"):
        module = ModuleType(f"dlms_cosem{name}")
        module.XDlmsApduFactory = module.GeneralGlobalCipher = object  # type: ignore[attr-defined]
        module.DecryptionError = Exception  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    from dsmr_parser import parsers, telegram_specifications

    parsers.specifications = telegram_specifications  # type: ignore[attr-defined]
    return parsers


def read_telegram(port: int) -> str:
    """Return one telegram of a port, from its slash to the end of its last line."""
    with socket.create_connection(("127.0.0.1", port), 10) as link:
        content = b""
        while b"!" not in content or not content.endswith(b"\r\n"):
            content += link.recv(4096)
    return content.decode()


def test_a_telegram_is_what_another_parser_reads(dsmr_parser: ModuleType) -> None:
    clock = Seconds()
    device = SimulatedInverter(P1, now=clock, house=lambda _: (9.0, 0.0))
    with serve_device(device) as server:
        clock.now = 60.0
        text = read_telegram(server.port)
    # It checks the CRC as well.
    parser = dsmr_parser.TelegramParser(dsmr_parser.specifications.V5)
    telegram = parser.parse(text, throw_ex=True)
    # Five of the nine kilowatts come from the battery.
    assert float(telegram.CURRENT_ELECTRICITY_USAGE.value) == pytest.approx(4.0, abs=0.01)
    assert float(telegram.CURRENT_ELECTRICITY_DELIVERY.value) == 0
    phase = telegram.INSTANTANEOUS_ACTIVE_POWER_L1_POSITIVE
    assert float(phase.value) == pytest.approx(4 / 3, abs=0.01)


def test_a_datagram_has_its_numbers_where_the_maker_says() -> None:
    port = free_port()
    clock = Seconds()
    device = SimulatedInverter(SMA, now=clock, house=lambda _: (9.0, 0.0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("239.12.255.254", port))
        membership = socket.inet_aton("239.12.255.254") + socket.inet_aton("127.0.0.1")
        link.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        link.settimeout(10)
        clock.now = 60.0
        with serve_device(device, port=port):
            datagram = link.recv(2000)
    assert datagram.startswith(b"SMA\0")
    assert struct.unpack_from(">H", datagram, 16) == (0x6069,)
    assert struct.unpack_from(">I", datagram, 20) == (int(SIMULATED_SERIAL),)
    power = datagram.index(bytes((0, 1, 4, 0))) + 4
    counter = datagram.index(bytes((0, 1, 8, 0))) + 4
    # Tenths of a watt, watt-seconds.
    assert struct.unpack_from(">I", datagram, power)[0] == pytest.approx(40_000, abs=100)
    assert struct.unpack_from(">Q", datagram, counter)[0] >= 1000 * 3_600_000
    assert datagram.endswith(bytes(4))


@contextmanager
def send_to_clients(*contents: bytes) -> Iterator[int]:
    """Yield a port at which the first client gets the first content, and so on; then it hangs up.

    The last one is repeated for those that come later.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    ending = threading.Event()

    def serve() -> None:
        sent = 0
        while not ending.is_set():
            with suppress(TimeoutError):
                link, _ = listener.accept()
                with link, suppress(OSError):
                    link.sendall(contents[min(sent, len(contents) - 1)])
                    ending.wait(0.1)
                sent += 1

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ending.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "device-silent"),
        (TELEGRAM[:-40], "device-silent"),
        (TELEGRAM.replace(b"1.200", b"9.200"), "device-telegrams-unreadable"),
        (b"\xff\x00!ABCD\r\n" * 30, "device-telegrams-unreadable"),
    ],
    ids=["silence", "half a telegram", "another CRC", "garbage"],
)
def test_what_is_no_telegram_is_never_a_reading(content: bytes, reason: str) -> None:
    profile = hurry(P1)
    with (
        send_to_clients(content) as port,
        reach_meter(profile, port) as meter,
        pytest.raises(UnavailableError) as refused,
    ):
        meter.read()
    assert refused.value.reason == reason


def test_a_telegram_amid_others_counts_and_a_lost_connection_comes_back() -> None:
    profile = hurry(P1)
    wrong = TELEGRAM.replace(b"1.200", b"9.200")
    with (
        send_to_clients(TELEGRAM[100:] + TELEGRAM + wrong + TELEGRAM[:80], b"", TELEGRAM) as port,
        reach_meter(profile, port) as meter,
    ):
        readings = meter.read()
        known = {name: readings[name] for name in READINGS}
        assert known == pytest.approx(READINGS)
        # It has no third phase.
        assert str(readings["phase_3_w"]) == "nan"

        def reads_again() -> bool:
            with suppress(LunaError):
                return meter.read("export_w") == {"export_w": 1200}
            return False

        meter.close()
        wait_for(reads_again)


def test_a_telegram_counts_until_it_is_stale() -> None:
    clock = Seconds()
    transport = P1Transport(kind="p1_tcp", patience_s=0.3, stale_s=30)

    class OneTelegram:
        place = "meter"
        dropped = 0

        def open(self) -> None:
            self.sent = False

        def receive(self, wait_s: float) -> dict[str, object]:
            if self.sent:
                threading.Event().wait(wait_s)
                return {}
            self.sent = True
            return {"telegram": DOCUMENT}

        def close(self) -> None:
            """Nothing is open."""

    via = Via(profile="dsmr_p1", host="meter")
    with closing(TelegramPoints(P1, transport, OneTelegram(), via, now=clock)) as points:
        assert points.read(["power_out"]) == {"power_out": 1.2}
        clock.now = 29.0
        assert points.read(["power_out"]) == {"power_out": 1.2}
        clock.now = 31.0
        with pytest.raises(UnavailableError) as refused:
            points.read(["power_out"])
    assert refused.value.reason == "device-silent"


def test_a_serial_line_is_read_and_one_that_is_away_is_said(tmp_path: Path) -> None:
    profile = load_profile("dsmr_p1_serial", NO_FOLDER)
    transport = profile.transport
    assert isinstance(transport, P1Transport)
    quick = transport.model_copy(update={"patience_s": 5.0})
    meter_end, line = pty.openpty()
    name = "usb-FTDI_P1_A5028-if00-port0"
    (tmp_path / "serial" / "by-id").mkdir(parents=True)
    (tmp_path / "serial" / "by-id" / name).symlink_to(os.ttyname(line))
    via = Via(profile=profile.profile, host=name)
    ending = threading.Event()

    def send() -> None:
        while not ending.wait(0.05):
            os.write(meter_end, TELEGRAM)

    sender = threading.Thread(target=send)
    sender.start()
    source = P1SerialSource(name, quick, tmp_path)
    with closing(TelegramPoints(profile, quick, source, via)) as points:
        assert points.read(["power_2_out", "imported"]) == {"power_2_out": 1.5, "imported": 4321}
    ending.set()
    sender.join()
    os.close(meter_end)
    os.close(line)
    (tmp_path / "ttyUSB0").write_text("no line")
    for away in ("ttyUSB0", "ttyUSB1"):
        gone = P1SerialSource(away, quick, tmp_path)
        with (
            closing(TelegramPoints(profile, quick, gone, via)) as points,
            pytest.raises(UnavailableError) as refused,
        ):
            points.read(["imported"])
        assert (refused.value.reason, refused.value.value) == ("device-silent", away)


@contextmanager
def send_datagrams(port: int, datagrams: Sequence[bytes]) -> Iterator[None]:
    """Send these to the group of SMA's meters again and again while the block runs."""
    ending = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        interface = socket.inet_aton("127.0.0.1")
        link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)

        def send() -> None:
            while not ending.wait(0.02):
                for datagram in datagrams:
                    link.sendto(datagram, ("239.12.255.254", port))

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()


def encode_meter(serial: str, **numbers: int) -> bytes:
    document = {"serial": serial, "model": "Energy Meter 2.0", **numbers}
    return encode_datagram(document, milliseconds=1)


def test_of_several_meters_the_one_with_the_serial_number_counts() -> None:
    port = free_port()
    own = encode_meter(SIMULATED_SERIAL, obis_1_4_0=0xFFFFFFFF, obis_2_4_0=12_000)
    other = encode_meter(OTHER_SERIAL, obis_1_4_0=50_000, obis_2_4_0=0)
    disturbing = [own[:-30], b"SMA\0", b"\xff" * 2000, own.replace(b"\x60\x69", b"\x60\x65")]
    with send_datagrams(port, [other, own, *disturbing]), reach_meter(SMA, port) as meter:
        readings = meter.read("import_w", "export_w")
        assert readings["export_w"] == 1200
        # It says that it has no such number.
        assert str(readings["import_w"]) == "nan"
    with (
        send_datagrams(port, [other, *disturbing]),
        reach_meter(hurry(SMA), port) as meter,
        pytest.raises(UnavailableError) as refused,
    ):
        meter.read()
    assert refused.value.reason == "device-silent"


def test_a_meter_of_the_network_needs_its_serial_number() -> None:
    via = Via(profile="sma_energy_meter", host="127.0.0.1")
    with pytest.raises(LunaError) as refused:
        reach(SMA, via)
    assert refused.value.reason == "device-prefix-missing"


def test_a_converter_is_found_at_its_port() -> None:
    with serve_device(SimulatedInverter(P1)) as server:
        [found] = find_devices(["127.0.0.1"], [P1], port=server.port)
    assert (found.profile.profile, found.port) == ("dsmr_p1", server.port)
    assert found.identity is not None
    assert found.identity.serial == "E0000000000000001"
    with send_to_clients(b"SSH-2.0-OpenSSH\r\n") as port:
        assert list(find_devices(["127.0.0.1"], [hurry(P1)], port=port)) == []


def test_meters_that_send_to_the_network_are_found_while_it_is_searched() -> None:
    transport = SMA.transport
    assert isinstance(transport, MulticastTransport)
    port = free_port()
    at_port = transport.model_copy(update={"port": port})
    profile = SMA.model_copy(update={"transport": at_port})
    datagrams = [encode_meter(SIMULATED_SERIAL, obis_1_4_0=1), encode_meter(OTHER_SERIAL), b"SMA"]
    unknown = encode_datagram({"serial": "7", "model": "SUSy-ID 999"}, milliseconds=1)
    with send_datagrams(port, [*datagrams, unknown]):
        found = search_network("127.0.0.1", [profile], port=port).devices
    assert {(each.host, each.port, each.prefix) for each in found} == {
        ("127.0.0.1", port, SIMULATED_SERIAL),
        ("127.0.0.1", port, OTHER_SERIAL),
    }


@pytest.mark.anyio
async def test_the_recorder_reads_each_phase_with_its_sign() -> None:
    recorded: list[Reading] = []
    came = asyncio.Event()

    async def record(readings: Sequence[Reading]) -> None:
        recorded.extend(readings)
        came.set()

    with send_to_clients(TELEGRAM) as port:
        names = [f"profile:dsmr_p1@127.0.0.1:{port}#{name}" for name in ("phase_1_w", "phase_2_w")]
        source = ProfileSource(NO_FOLDER, every=timedelta(milliseconds=20))
        task = asyncio.create_task(source.listen(names, record))
        await asyncio.wait_for(came.wait(), 60)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert {(each.sensor, each.value, each.unit) for each in recorded[:2]} == {
        (names[0], 300.0, "W"),
        (names[1], -1500.0, "W"),
    }
