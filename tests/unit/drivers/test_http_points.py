"""What a device may answer over HTTP, and what becomes of it."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from luna.drivers.device_secrets import SECRETS_FOLDER, DeviceSecret, read_device_secret
from luna.drivers.http_points import MOST_BYTES, HttpPoints
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.transports import HttpTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.house.doctor.bundle import list_secrets
from luna.platform.settings import Settings

PROFILE: dict[str, Any] = {
    "profile": "meter",
    "title": "A meter",
    "kind": "meter",
    "covers": [{"brand": "Fictional", "models": "one"}],
    "transport": {"kind": "http"},
    "points": {
        "power": {"at": "/now", "field": "grid.phases.1.power", "unit": "W"},
        "energy": {"at": "/total?id=0", "field": "wh", "scale": 10, "unit": "Wh"},
    },
    "reads": {"import_w": ["power"], "import_kwh": ["energy"]},
    "evidence": [{"kind": "simulator", "source": "a test"}],
}
SECRET = DeviceSecret("admin", "hunter22")


def open_points(
    answer: Callable[[httpx.Request], httpx.Response],
    *,
    secret: DeviceSecret | None = None,
    **transport: str,
) -> HttpPoints:
    declared = {"kind": "http", **transport}
    profile = DeviceProfile.model_validate(PROFILE | {"transport": declared})
    return HttpPoints(
        profile,
        HttpTransport.model_validate(declared),
        Via(profile="meter", host="meter.local"),
        secret=secret,
        web=httpx.MockTransport(answer),
    )


def test_each_document_is_asked_for_once_and_its_numbers_are_found() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(
            200, json={"grid": {"phases": [{"power": 1}, {"power": -250.5}]}, "wh": 12}
        )

    assert open_points(answer).read(["power", "energy", "power"]) == {
        "power": -250.5,
        "energy": 120,
    }
    assert asked == ["/now", "/total?id=0"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        3,
        None,
        {"grid": {"phases": [1]}},
        *(
            {"grid": {"phases": [0, {"power": value}]}}
            for value in (None, "7", True, 10**400, math.inf)
        ),
    ],
)
def test_a_number_that_is_not_there_is_unknown(document: object) -> None:
    assert math.isnan(
        open_points(lambda _: httpx.Response(200, text=json.dumps(document))).read(["power"])[
            "power"
        ]
    )


def test_a_number_by_which_a_device_says_that_it_has_none_is_unknown_before_its_scale() -> None:
    document = {"grid": {"phases": [0, {"power": -32768}]}, "wh": -1}
    points = {**PROFILE["points"], "energy": {**PROFILE["points"]["energy"], "invalid": [-1]}}
    profile = DeviceProfile.model_validate(
        PROFILE | {"points": points, "invalid": {"json": [-32768]}}
    )
    web = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    read = HttpPoints(
        profile, HttpTransport(kind="http"), Via(profile="meter", host="meter.local"), web=web
    ).read(["power", "energy"])
    assert math.isnan(read["power"])
    assert math.isnan(read["energy"])


class Drip(httpx.SyncByteStream):
    """A document that never ends, a byte at a time."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" "


def test_a_device_that_sends_byte_by_byte_is_given_up() -> None:
    with pytest.raises(LunaError) as refused:
        open_points(lambda _: httpx.Response(200, stream=Drip()), patience_s="0.02").read(["power"])
    assert refused.value.reason in {"device-silent", "device-answer-unreadable"}


def test_a_sum_beyond_every_number_is_unknown_and_the_other_readings_count() -> None:
    points = {
        name: {"at": "/now", "field": name, "unit": unit}
        for name, unit in (
            ("most", "W"),
            ("more", "W"),
            ("far", "kW"),
            ("off", "kW"),
            ("load", "W"),
        )
    }
    reads = {"import_w": ["most", "more"], "export_w": ["far", "-off"], "load_w": ["load"]}
    profile = DeviceProfile.model_validate(PROFILE | {"points": points, "reads": reads})
    document = dict.fromkeys(points, sys.float_info.max) | {"load": 250}
    transport = HttpTransport(kind="http")
    web = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    readings = ProfiledDevice(
        profile, HttpPoints(profile, transport, Via(profile="meter", host="meter.local"), web=web)
    ).read()
    assert readings == pytest.approx(
        {"import_w": math.nan, "export_w": math.nan, "load_w": 250}, nan_ok=True
    )


def die(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("nobody")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (die, "device-silent"),
        (lambda _: httpx.Response(401), "device-unauthorized"),
        (lambda _: httpx.Response(404), "device-http-status"),
        # Who answers from elsewhere is not the device.
        (
            lambda _: httpx.Response(302, headers={"location": "http://elsewhere.example/"}),
            "device-http-status",
        ),
        (lambda _: httpx.Response(200, text="<html>"), "device-answer-unreadable"),
        (
            lambda _: httpx.Response(200, content=b" " * (MOST_BYTES + 1)),
            "device-answer-unreadable",
        ),
        (lambda _: httpx.Response(200, content=b"[" * 100_000), "device-answer-unreadable"),
    ],
    ids=["silent", "unauthorized", "missing", "redirected", "page", "endless", "nested"],
)
def test_what_is_no_answer_is_said(
    answer: Callable[[httpx.Request], httpx.Response], reason: str
) -> None:
    with pytest.raises(LunaError) as refused:
        open_points(answer).read(["power"])
    assert (refused.value.reason, refused.value.value) == (reason, "meter.local:80")


@pytest.mark.parametrize(
    ("auth", "begins"),
    [("basic", "Basic "), ("digest", 'Digest username="admin"'), ("header", "hunter22")],
)
def test_a_secret_is_shown_as_the_device_wants_it(auth: str, begins: str) -> None:
    challenge = {
        "www-authenticate": 'Digest qop="auth", realm="meter", nonce="1", algorithm=SHA-256'
    }

    def answer(request: httpx.Request) -> httpx.Response:
        shown = request.headers.get("authorization", "").startswith(begins)
        return (
            httpx.Response(200, text=json.dumps({"wh": 1}))
            if shown
            else httpx.Response(401, headers=challenge)
        )

    assert open_points(answer, auth=auth, secret=SECRET).read(["energy"]) == {"energy": 10}
    with pytest.raises(LunaError):
        open_points(answer, auth=auth).read(["energy"])


def test_a_secret_is_a_file_that_its_owner_alone_reads(tmp_path: Path) -> None:
    folder = tmp_path / SECRETS_FOLDER
    folder.mkdir(parents=True)
    path = folder / "meter"
    path.write_text("admin:a:b\n")
    path.chmod(0o600)
    assert tuple(read_device_secret("meter", tmp_path)) == ("admin", "a:b")
    assert "a:b" not in repr(read_device_secret("meter", tmp_path))
    # What is handed on to others is searched for it.
    assert "a:b" in list_secrets(Settings(_env_file=None, data_folder=tmp_path))
    path.write_text("token\n")
    assert tuple(read_device_secret("meter", tmp_path)) == ("", "token")
    path.chmod(0o640)
    with pytest.raises(LunaError) as refused:
        read_device_secret("meter", tmp_path)
    assert refused.value.reason == "device-secret-open"
    with pytest.raises(LunaError) as missing:
        read_device_secret("another", tmp_path)
    assert missing.value.reason == "device-secret-missing"
