"""A socket at a FRITZ!Box that is written from the maker's papers alone: login and commands."""

import math
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_session import CommandSession
from luna.drivers.device_search import find_devices
from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import list_profiles, load_profile
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError

AIN = "087610000434"
# Source: the example of AVM's paper on its login.
CHALLENGE = "2$10000$5A1711$2000$5A1722"
PASSWORD = "1example!"
RESPONSE = "5A1722$1798a1672bca7c6463d6b245f82b53703b0f50813401b03e4045a5861e689adb"


class FritzBox(ThreadingHTTPServer):
    """A box with one socket; ``answers`` are those of its commands."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FritzHandler)
        self.answers = {
            "getswitchstate": "0",
            "getswitchpower": "1234560",
            "getswitchenergy": "7000",
        }
        self.session = 0
        self.logins = 0

    @property
    def number(self) -> str:
        return f"{self.session:016x}"


class FritzHandler(BaseHTTPRequestHandler):
    server: FritzBox

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        fields = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/login_sid.lua":
            self._log_in(fields)
            return
        is_open = self.server.session and fields["sid"] == self.server.number
        if not is_open or fields["ain"] != AIN:
            self._answer("", 400 if is_open else 403)
            return
        command = fields["switchcmd"]
        if command in {"setswitchon", "setswitchoff"}:
            self.server.answers["getswitchstate"] = str(int(command == "setswitchon"))
            command = "getswitchstate"
        self._answer(f"{self.server.answers[command]}\n")

    def _log_in(self, fields: dict[str, str]) -> None:
        number = "0" * 16
        if "response" in fields:
            self.server.logins += 1
            if (fields["username"], fields["response"]) == ("luna", RESPONSE):
                self.server.session += 1
                number = self.server.number
        self._answer(
            '<?xml version="1.0" encoding="utf-8"?><SessionInfo>'
            f"<SID>{number}</SID><Challenge>{CHALLENGE}</Challenge><BlockTime>64</BlockTime>"
            "</SessionInfo>"
        )

    def _answer(self, text: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def box() -> Iterator[FritzBox]:
    with FritzBox() as box:
        thread = threading.Thread(target=box.serve_forever, args=(0.02,))
        thread.start()
        yield box
        box.shutdown()
        thread.join()


@contextmanager
def reach_socket(box: FritzBox, password: str = PASSWORD) -> Iterator[ProfiledDevice]:
    profile = load_profile("fritz_dect", Path("/nonexistent"))
    via = Via(profile="fritz_dect", host="127.0.0.1", port=box.server_address[1], prefix=AIN)
    with closing(reach(profile, via, secret=DeviceSecret("luna", password))) as device:
        yield device


def test_a_socket_is_read_and_switched_and_an_expired_session_is_renewed(box: FritzBox) -> None:
    with reach_socket(box) as device:
        # Milliwatts and watt-hours.
        assert device.read() == {"load_on": 0, "heater_w": 1234.56, "heater_kwh": 7.0}
        session = CommandSession(device, look_seconds=1e6)
        with closing(session):
            session.command(DeviceCommand("on"))
            assert (session.read_back(), device.read("load_on")["load_on"]) == (
                DeviceCommand("on"),
                1,
            )
            assert box.logins == 1
            box.session += 1
            session.command(DeviceCommand("off"))
            assert (box.answers["getswitchstate"], box.logins) == ("0", 2)
        # It is not plugged in.
        box.answers |= dict.fromkeys(box.answers, "inval")
        assert all(math.isnan(value) for value in device.read().values())


def test_a_wrong_password_is_named_and_not_tried_again_while_the_box_is_closed(
    box: FritzBox,
) -> None:
    with reach_socket(box, "another") as device:
        for _ in range(2):
            with pytest.raises(UnavailableError) as refused:
                device.read()
            assert (refused.value.reason, refused.value.field) == (
                "device-unauthorized",
                "via.secret",
            )
    assert box.logins == 1


def test_the_box_is_found_without_a_login_and_nothing_is_switched(box: FritzBox) -> None:
    over_http = [profile for profile in list_profiles() if profile.transport.kind == "http"]
    [found] = find_devices(["127.0.0.1"], over_http, port=box.server_address[1])
    assert (found.profile.profile, found.prefix) == ("fritz_dect", None)
    assert (box.logins, box.answers["getswitchstate"]) == (0, "0")
