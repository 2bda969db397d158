"""A battery that is commanded over HTTP: what it receives, and what becomes of any answer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.device_server import serve_device
from luna.drivers.http_points import MOST_BYTES, HttpPoints
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import reach
from luna.drivers.session import InverterSession
from luna.drivers.setpoint_parts import describe_writes
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.transports import HttpTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError

PATIENCE_S = 0.1
# An answer takes twice its patience; the rest is a busy machine.
BOUND_S = 3.0
SECRET = DeviceSecret("", "hunter22")
POWER = {"unit": "W", "low": 0, "high": 9000, "persistence": "volatile"}
OFF = [{"write": "manual", "value": 0}]
STOP = [
    {"write": "buy", "value": 0},
    {"write": "sell", "value": 0},
    {"write": "manual", "value": 1},
]
PROFILE = DeviceProfile.model_validate(
    {
        "profile": "battery",
        "title": "A battery",
        "kind": "battery_inverter",
        "covers": [{"brand": "Fictional", "models": "one"}],
        "transport": {
            "kind": "http",
            "auth": "header",
            "header": "Auth-Token",
            "patience_s": PATIENCE_S,
        },
        "points": {
            "manual": {
                "at": "/settings",
                "field": "manual",
                "persistence": "flash",
                "write_to": "/settings",
                "write_method": "PUT",
                "write_body": '{"manual": {value}}',
            },
            "buy": {
                "at": "/settings",
                "field": "buy_kw",
                "scale": 1000,
                "write_to": "/set?buy={value}",
                "write_decimals": 1,
                **POWER,
            },
            "sell": {
                "at": "/settings",
                "field": "sell",
                "write_to": "/set/sell",
                "write_method": "POST",
                "write_body": "watts={value}",
                **POWER,
            },
            "level": {"at": "/now", "field": "level", "unit": "%"},
            "flow": {"at": "/now", "field": "flow", "unit": "W"},
            "grid": {"at": "/now", "field": "grid", "unit": "W"},
        },
        "reads": {
            "soc": ["level"],
            "charge_w": ["flow"],
            "discharge_w": ["-flow"],
            "import_w": ["grid"],
            "export_w": ["-grid"],
        },
        "modes": {
            "self_consumption": OFF,
            "hold": STOP,
            "charge": [
                {"write": "sell", "value": 0},
                {"write": "buy", "put": "power_w"},
                {"write": "manual", "value": 1},
            ],
            "export": [
                {"write": "buy", "value": 0},
                {"write": "sell", "put": "power_w"},
                {"write": "manual", "value": 1},
            ],
        },
        "reverts": {"after_s": None},
        "evidence": [{"kind": "simulator", "source": "a test"}],
    }
)
VALUES = [PointValue("manual", 1), PointValue("buy", 1540), PointValue("sell", 300.4)]


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[int, list[str]]]:
    """Serve a device that answers every request so; return its port, and what it received."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            media = self.headers.get("Content-Type", "")
            token = self.headers.get("Auth-Token", "")
            received.append(f"{self.command} {self.path} {media} {body} {token}")
            with suppress(OSError):
                answer(self)

        do_GET = do_PUT = do_POST = handle_any  # noqa: N815 - its names there

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()
        # Not server_close: it would wait for those that drip.
        server.socket.close()
        thread.join()


def points_at(port: int) -> HttpPoints:
    transport = PROFILE.transport
    assert isinstance(transport, HttpTransport)
    via = Via(profile="battery", host="127.0.0.1", port=port)
    return HttpPoints(PROFILE, transport, via, secret=SECRET)


def reply(status: int, content: bytes = b"{}", **headers: str) -> Callable[[Any], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def test_a_device_receives_each_value_in_a_request_of_its_own() -> None:
    with answering(reply(204, b"")) as (port, received), closing(points_at(port)) as points:
        points.write(VALUES)
    assert received == [
        'PUT /settings application/json {"manual": 1} hunter22',
        "GET /set?buy=1.5   hunter22",
        "POST /set/sell application/x-www-form-urlencoded watts=300 hunter22",
    ]


def test_a_value_counts_as_read_back_within_what_a_request_can_carry() -> None:
    document = b'{"manual": 1, "buy_kw": 1.5, "sell": 301}'
    with answering(reply(200, document)) as (port, _), closing(points_at(port)) as points:
        assert points.hold(VALUES) == [True, True, False]


def silent(_: BaseHTTPRequestHandler) -> None:
    time.sleep(BOUND_S)


def drip_header(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(PATIENCE_S / 3)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(PATIENCE_S / 3)


def talk_garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\xff\x00" * 5000)


HOSTILE: dict[str, tuple[Callable[[Any], None], str]] = {
    "silent": (silent, "device-silent"),
    "drips its header": (drip_header, "device-silent"),
    "drips its body": (drip_body, "device-silent"),
    "garbage": (talk_garbage, "device-silent"),
    "hangs up": (lambda _: None, "device-silent"),
    "endless": (reply(200, b" " * (MOST_BYTES + 1)), "device-answer-unreadable"),
    "unauthorized": (reply(401), "device-unauthorized"),
    "redirects": (reply(307, Location="http://127.0.0.1:9/settings"), "device-http-status"),
    "refuses": (reply(500), "device-http-status"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_other_answer_is_a_refusal_soon_and_no_further_value_is_sent(name: str) -> None:
    answer, reason = HOSTILE[name]
    with answering(answer) as (port, received), closing(points_at(port)) as points:
        began = time.monotonic()
        with pytest.raises(LunaError) as refused:
            points.write(VALUES)
        seconds = time.monotonic() - began
        assert (refused.value.reason, len(received)) == (reason, 1)
        assert seconds < BOUND_S / 2
        # The next try is one of its own.
        with pytest.raises(LunaError) as again:
            points.write(VALUES[1:])
        assert (again.value.reason, len(received)) == (reason, 2)


def test_a_refused_value_is_named_with_its_status() -> None:
    with (
        answering(reply(422)) as (port, _),
        closing(points_at(port)) as points,
        pytest.raises(LunaError) as refused,
    ):
        points.write(VALUES)
    assert refused.value.parameters == {"at": "/settings", "status": 422}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nothing_is_sent_where_one_value_is_no_number(value: float) -> None:
    with (
        answering(reply(200)) as (port, received),
        closing(points_at(port)) as points,
        pytest.raises(LunaError) as refused,
    ):
        points.write([PointValue("manual", 1), PointValue("buy", value)])
    assert (refused.value.reason, received) == ("device-value-unknown", [])


def test_a_battery_is_commanded_and_read_back_over_http() -> None:
    device = SimulatedInverter(PROFILE)
    with serve_device(device) as server:
        via = Via(profile="battery", host="127.0.0.1", port=server.port)
        session = InverterSession(reach(PROFILE, via), look_seconds=1e6)
        with closing(session):
            for mode, power_kw in (("charge", 2.5), ("export", 1.2), ("hold", None)):
                setpoint = BatterySetpoint.model_validate({"mode": mode, "power_kw": power_kw})
                session.command(setpoint)
                assert (session.read_back(), device.mode) == (setpoint, mode)
            written = len(device.written)
            session.command(setpoint)
            assert len(device.written) == written
            server.faults.writes_taken = 0
            with pytest.raises(LunaError) as refused:
                session.command(BatterySetpoint(mode="charge", power_kw=1))
            assert refused.value.parameters["status"] == 503


def test_an_owner_sees_the_requests_before_they_are_sent() -> None:
    via = Via(profile="battery", host="battery.local")
    setpoint = BatterySetpoint(mode="charge", power_kw=2)
    assert describe_writes(PROFILE, via, setpoint) == [
        ("sell (POST /set/sell)", "0"),
        ("buy (GET /set?buy={value})", "2000 W"),
        ("manual (PUT /settings)", "1"),
    ]


def test_a_request_without_the_number_is_refused() -> None:
    document = PROFILE.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document["points"]["sell"]["write_body"] = "watts=100"
    with pytest.raises(ValueError, match="does not carry the number"):
        DeviceProfile.model_validate(document)
