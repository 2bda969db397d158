"""A device that answers with anything, beside a healthy one: an error in bounded time and memory,
while the other is read as ever.
"""

import json
import math
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from luna.drivers.device_server import serve_registers
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import load_profile
from luna.drivers.readings import ReadingName
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from tests.support.home_assistant.broker import PATIENCE_SECONDS, Mosquitto, needs_mosquitto

NO_FOLDER = Path("/nonexistent")
PATIENCE_S = 0.2
# An answer takes its patience, a connection as well; the rest is a busy machine.
BOUND_S = 5.0
MOST_MB = 16
HEADER = struct.Struct(">HHH")
Answer = Callable[[bytes], Iterator[bytes]]


def patient_for(name: str, patience_s: float = PATIENCE_S) -> DeviceProfile:
    profile = load_profile(name, NO_FOLDER)
    return profile.model_copy(
        update={"transport": profile.transport.model_copy(update={"patience_s": patience_s})}
    )


def frame(
    request: bytes,
    *,
    transaction: int = 0,
    unit: int = 0,
    registers: int | None = None,
    says: int | None = None,
    length: int | None = None,
) -> bytes:
    """Return an answer to a read of registers, each of them 1.

    The arguments are added to what is right, or replace it.
    """
    asked = int.from_bytes(request[10:12], "big")
    data = b"\0\1" * (asked if registers is None else registers)
    body = (
        bytes([(request[6] + unit) % 256, request[7], (len(data) if says is None else says) % 256])
        + data
    )
    number = (int.from_bytes(request[:2], "big") + transaction) % 65536
    return HEADER.pack(number, 0, len(body) if length is None else length) + body


def drip(request: bytes) -> Iterator[bytes]:
    for byte in frame(request):
        yield bytes([byte])
        time.sleep(PATIENCE_S / 3)


def pour(chunk: bytes) -> Iterator[bytes]:
    while True:
        yield chunk


HOSTILE: dict[str, Answer] = {
    "silent": lambda _: iter(()),
    "slow": drip,
    "endless": lambda _: pour(b"\xff" * 65536),
    "endless frames": lambda request: pour(frame(request, transaction=1) * 500),
    "another transaction": lambda request: iter([frame(request, transaction=1)]),
    "another unit": lambda request: iter([frame(request, unit=1)]),
    "too few registers": lambda request: iter([frame(request, registers=0)]),
    "too many registers": lambda request: iter([frame(request, registers=125)]),
    "another count": lambda request: iter([frame(request, says=250)]),
    "huge frame": lambda request: iter([frame(request, length=65535)]),
    "hangs up": lambda _: iter([b"\0"]),
    "text": lambda _: iter([b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20]),
}


@contextmanager
def answering(answer: Answer, *, hangs_up: bool) -> Iterator[int]:
    """Serve a device that answers each request so, and return its port."""

    def serve(client: socket.socket) -> None:
        with suppress(OSError), client:
            while request := client.recv(260):
                for chunk in answer(request):
                    client.sendall(chunk)
                if hangs_up:
                    return

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def at(profile: DeviceProfile, port: int, **parts: str) -> Via:
    return Via.model_validate(
        {"profile": profile.profile, "host": "127.0.0.1", "port": port} | parts
    )


# Whoever asks takes the same answer apart: a short run shows it behind a connection that is shared.
@pytest.fixture(params=["shared", pytest.param("its own", marks=pytest.mark.long)])
def shared_in(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """The data folder whose processes share a connection, None: it is the reader's alone."""
    return tmp_path if request.param == "shared" else None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_device_is_an_error_soon_and_the_other_one_is_read_meanwhile(
    name: str, shared_in: Path | None
) -> None:
    profile = patient_for("sungrow_sh")
    # The healthy one may be late on a busy machine: it is no fault of its own.
    patient = patient_for("sungrow_sh", BOUND_S)
    ended: list[tuple[LunaError | dict[str, float], float]] = []

    def ask(device: ProfiledDevice) -> None:
        began = time.monotonic()
        try:
            ended.append((device.read(), time.monotonic() - began))
        except LunaError as error:
            ended.append((error, time.monotonic() - began))

    # All behind the connections that the processes of a data folder share.
    with (
        answering(HOSTILE[name], hangs_up=name == "hangs up") as port,
        serve_registers(SimulatedInverter(patient)) as healthy,
        closing(reach(patient, at(patient, healthy.port), shared_in=shared_in)) as good,
        closing(reach(profile, at(profile, port), shared_in=shared_in)) as bad,
    ):
        good.read()
        tracemalloc.start()
        asking = threading.Thread(target=ask, args=(bad,))
        asking.start()
        reads = 0
        while asking.is_alive() or not reads:
            assert good.read()["pv_w"] == 2000
            reads += 1
            asking.join(0.1)
        asking.join()
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    [(outcome, seconds)] = ended
    assert isinstance(outcome, LunaError)
    assert outcome.reason in {"device-silent", "device-answer-short"}
    assert seconds < BOUND_S
    assert peak_mb < MOST_MB


def test_a_model_that_names_thousands_of_ports_is_refused_before_they_are_asked_for() -> None:
    profile = patient_for("sunspec_7xx")
    device = SimulatedInverter(profile)
    with (
        serve_registers(device) as server,
        closing(reach(profile, at(profile, server.port))) as reached,
    ):
        registers = device.image.registers  # type: ignore[attr-defined]
        [length_at] = [
            address + 1
            for address, value in registers.items()
            if value == 714 and registers.get(address + 1) == 93
        ]
        registers[length_at] = 20_000
        with pytest.raises(LunaError):
            reached.read()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(
        tmp_path_factory.mktemp("broker"), "allow_anonymous true", "set_tcp_nodelay true"
    )
    broker.start()
    yield broker
    broker.kill()


@contextmanager
def meter(port: int, prefix: str, payload: str) -> Iterator[None]:
    """Serve a meter that answers each request with its power so."""
    listens = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_subscribe = lambda *_: listens.set()

    def answer(client: paho.Client, _data: object, _message: paho.MQTTMessage) -> None:
        client.publish(
            f"{prefix}/status/emdata:0", json.dumps({"total_act": 1000, "total_act_ret": 2000})
        )
        client.publish(f"{prefix}/status/em:0", payload)

    client.on_message = answer
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(f"{prefix}/command")
    assert listens.wait(PATIENCE_SECONDS)
    yield
    client.disconnect()
    client.loop_stop()


NO_POWER = {
    "huge": json.dumps({"total_act_power": 1, "filler": "x" * 2_000_000}),
    "deep": "[" * 100_000,
    "many digits": '{"total_act_power": ' + "9" * 100_000 + "}",
    "infinite": '{"total_act_power": 1e999}',
    "beyond a home": '{"total_act_power": 2147483647}',
    "a text": '{"total_act_power": "1500"}',
    "a flag": '{"total_act_power": true}',
}


@needs_mosquitto
@pytest.mark.parametrize("payload", NO_POWER.values(), ids=list(NO_POWER))
def test_a_hostile_message_makes_its_reading_unknown_and_the_other_meter_is_read(
    payload: str, broker: Mosquitto
) -> None:
    profile = patient_for("shelly_pro_3em_mqtt", patience_s=0.4)
    with (
        meter(broker.port, "good", '{"total_act_power": 1500}'),
        meter(broker.port, "bad", payload),
        closing(reach(profile, at(profile, broker.port, prefix="good"))) as good,
        closing(reach(profile, at(profile, broker.port, prefix="bad"))) as bad,
    ):
        readings = bad.read()
        assert math.isnan(readings["import_w"])
        assert math.isnan(readings["export_w"])
        assert readings["import_kwh"] == 1
        usual: dict[ReadingName, float] = {
            "import_w": 1500,
            "export_w": 0,
            "import_kwh": 1,
            "export_kwh": 2,
        }
        assert good.read(*usual) == usual
