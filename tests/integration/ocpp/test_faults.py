"""Charge points that send garbage, too much or nothing: the others go on as before."""

import asyncio
import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from luna.drivers.device_secrets import DeviceSecret, store_device_secret
from luna.energy.errors import UnavailableError
from services.ocpp import access, charge_point, link, server
from services.ocpp.central_system import MOST_CHANGES, MOST_FOUND
from tests.support.charge_points.central import Central, run_with_central, wait_until
from tests.support.charge_points.raw_charge_point import (
    HandshakeRefusedError,
    RawChargePoint,
    RawSocket,
    connected,
)

GARBAGE = (
    b"",
    b"{",
    b"[]",
    b"[2]",
    b"null",
    b'[2,{"a":1},"Heartbeat",{}]',
    b'[9,"a","Heartbeat",{}]',
    b'["2","a","Heartbeat",{}]',
    b'[2,"a","Heartbeat",{},1,2,3]',
    b"\xff\xfe\x00",
    b"[" * 50_000,
)
WRONG: tuple[tuple[str, Any], ...] = (
    ("BootNotification", {}),
    ("BootNotification", {"chargePointVendor": "x" * 5000, "chargePointModel": "y"}),
    ("StatusNotification", {"connectorId": "one", "errorCode": "NoError", "status": "Available"}),
    ("StartTransaction", {"connectorId": 1, "idTag": "a", "meterStart": None, "timestamp": "now"}),
    ("Authorize", {"idTag": None}),
    ("Heartbeat", []),
    ("Heartbeat", None),
    ("../../../etc/passwd", {}),
    ("NoSuchAction", {}),
    ("MeterValues", {"connectorId": 1, "meterValue": "none"}),
    ("MeterValues", {"meterValue": [1, {"sampledValue": [1, {"value": "NaN"}, {"value": {}}]}]}),
    ("MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "1e999"}]}]}),
    ("StopTransaction", {"transactionId": [], "meterStop": "x", "timestamp": 7}),
)


async def is_well(raw: RawChargePoint) -> bool:
    answer = await raw.call("Heartbeat", {})
    return "currentTime" in answer


def test_garbage_ends_its_own_connection_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MOST_PER_SECOND", 1000)
    assert len(GARBAGE) < link.MOST_FAULTS

    async def test(central: Central) -> None:
        async with connected(central.port, "good") as good, connected(central.port, "bad") as bad:
            await good.boot()
            assert bad.socket is not None
            for garbage in GARBAGE:
                bad.socket.send(garbage, kind=0x2)
            # Not one too many yet.
            assert await is_well(bad)
            for _ in range(link.MOST_FAULTS):
                bad.socket.send(b"garbage")
            await asyncio.wait_for(bad.closed.wait(), 5)
            assert await is_well(good)

    run_with_central(test, tmp_path)


def test_a_wrong_payload_is_refused_and_the_connection_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MOST_PER_SECOND", 1000)

    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await central.reach("garage").read("power_w")
            for action, payload in WRONG:
                answer = await raw.call(action, payload)
                assert answer in ({}, "FormatViolation", "FormationViolation", "NotImplemented"), (
                    action,
                    answer,
                )
            assert await is_well(raw)
            assert (await central.reach("garage").read("energy_kwh")).keys() == {"energy_kwh"}

    run_with_central(test, tmp_path)


def test_a_message_that_is_too_large_ends_its_connection(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "good") as good, connected(central.port, "bad") as bad:
            large = json.dumps([2, "a", "DataTransfer", {"vendorId": "x" * server.LONGEST_BYTES}])
            assert bad.socket is not None
            bad.socket.send(large.encode())
            await asyncio.wait_for(bad.closed.wait(), 5)
            assert await is_well(good)

    run_with_central(test, tmp_path)


def test_hundreds_of_connections_leave_room_for_the_accepted_one(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        with pytest.raises(UnavailableError):
            await central.reach("garage").read("power_w")
        strangers: list[RawSocket] = []
        refused = 0
        for number in range(MOST_FOUND + 200):
            try:
                strangers.append(await RawSocket.open(central.port, f"/ocpp/stranger{number}"))
            except HandshakeRefusedError:
                refused += 1
        assert len(strangers) == MOST_FOUND
        assert refused == 200
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await central.reach("garage").write(set_current_a=9, set_charging=1)
            assert raw.current_a == 9
        for stranger in strangers:
            stranger.break_off()

    run_with_central(test, tmp_path)


def test_of_two_connections_the_later_counts(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as first:
            await first.boot()
            async with connected(central.port, "garage") as second:
                await second.boot()
                await asyncio.wait_for(first.closed.wait(), 5)
                await central.reach("garage").write(set_current_a=9, set_charging=1)
                assert (first.profiles, second.current_a) == ({}, 9)
                await wait_until(lambda: central.list()["garage"].connected)

    run_with_central(test, tmp_path)


def test_two_charge_points_of_one_name_do_not_take_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ["192.0.2.1", "192.0.2.2"]
    monkeypatch.setattr(server, "client_address", lambda _connection: addresses[0])

    async def test(central: Central) -> None:
        opened: list[RawSocket] = []
        for _ in range(MOST_CHANGES + 1):
            addresses.reverse()
            opened.append(await RawSocket.open(central.port, "/ocpp/garage"))
            await wait_until(lambda: central.list()["garage"].address == addresses[0])
        addresses.reverse()
        with pytest.raises(HandshakeRefusedError, match="409"):
            await RawSocket.open(central.port, "/ocpp/garage")
        assert central.list()["garage"].connected
        for socket in opened:
            socket.break_off()

    run_with_central(test, tmp_path)


def test_an_accepted_one_is_not_displaced_from_another_address_while_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ["192.0.2.1"]
    monkeypatch.setattr(server, "client_address", lambda _connection: addresses[0])
    monkeypatch.setattr(charge_point, "ALIVE_SECONDS", 0.2)

    async def test(central: Central) -> None:
        async with connected(central.port, "garage") as raw:
            await raw.boot()
            await central.reach("garage").write(set_current_a=9, set_charging=1)
            addresses[0] = "192.0.2.2"
            with pytest.raises(HandshakeRefusedError, match="409"):
                await RawSocket.open(central.port, "/ocpp/garage")
            assert await is_well(raw)
            assert central.list()["garage"].address == "192.0.2.1"
            # It goes silent, and comes back with another address.
            await raw.stop()
            central.seconds.ahead += charge_point.ALIVE_SECONDS
            async with connected(central.port, "garage") as again:
                await again.boot()
                assert central.list()["garage"].address == "192.0.2.2"

    run_with_central(test, tmp_path)


def test_an_address_that_shows_many_wrong_passwords_has_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = DeviceSecret("garage", "correct horse")
    store_device_secret(secret, "garage", tmp_path)
    right = "garage:correct horse"
    addresses = ["192.0.2.1"]
    monkeypatch.setattr(server, "client_address", lambda _connection: addresses[0])

    async def test(central: Central) -> None:
        for _ in range(access.MOST_WRONG):
            with pytest.raises(HandshakeRefusedError, match="401"):
                await RawSocket.open(central.port, "/ocpp/garage", authorization="garage:wrong")
        with pytest.raises(HandshakeRefusedError, match="429"):
            await RawSocket.open(central.port, "/ocpp/garage", authorization=right)
        # One without a password, and another address, do not wait for it.
        async with connected(central.port, "carport") as other:
            assert (await other.boot())["status"] == "Accepted"
        addresses[0] = "192.0.2.2"
        async with connected(central.port, "garage", authorization=right) as raw:
            assert (await raw.boot())["status"] == "Accepted"
        addresses[0] = "192.0.2.1"
        central.seconds.ahead += access.WRONG_SECONDS
        async with connected(central.port, "garage", authorization=right) as raw:
            assert (await raw.boot())["status"] == "Accepted"

    run_with_central(test, tmp_path)


def test_wrong_passwords_of_countless_addresses_are_forgotten() -> None:
    wrong = access.WrongPasswords(lambda: 0.0)
    for _ in range(access.MOST_WRONG):
        wrong.add("192.0.2.1")
    assert wrong.are_too_many("192.0.2.1")
    for number in range(access.MOST_ADDRESSES):
        wrong.add(f"198.51.100.{number}")
    assert not wrong.are_too_many("192.0.2.1")


def test_one_that_does_not_answer_delays_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "ANSWER_SECONDS", 0.3)
    monkeypatch.setitem(link.OcppLink.call.__kwdefaults__, "within_s", 0.3)

    async def test(central: Central) -> None:
        async with connected(central.port, "slow") as slow, connected(central.port, "good") as good:
            for raw in (slow, good):
                await raw.boot()
            for action in ("GetConfiguration", "SetChargingProfile", "TriggerMessage"):
                slow.refuses[action] = "silence"
            stuck = asyncio.create_task(central.reach("slow").write(set_charging=0))
            await slow.wait_for("GetConfiguration")
            await central.reach("good").write(set_current_a=9, set_charging=1)
            assert good.current_a == 9
            with pytest.raises(UnavailableError, match="not connected"):
                await stuck

    run_with_central(test, tmp_path)


@pytest.mark.parametrize("path", ["/", "/ocpp/", "/ocpp/a%20b", "/ocpp/a/b", "/other"])
def test_a_path_without_a_name_is_turned_away(tmp_path: Path, path: str) -> None:
    async def test(central: Central) -> None:
        with pytest.raises(HandshakeRefusedError, match="404"):
            await RawSocket.open(central.port, path)

    run_with_central(test, tmp_path)


def test_a_version_that_luna_does_not_speak_is_turned_away(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        with pytest.raises(HandshakeRefusedError, match="400"):
            await RawSocket.open(central.port, "/ocpp/garage", protocols="ocpp1.2")
        # Who names none speaks 1.6.
        async with connected(central.port, "garage", protocols=None) as raw:
            assert (await raw.boot())["status"] == "Accepted"

    run_with_central(test, tmp_path)


def test_one_with_a_password_has_to_show_it(tmp_path: Path) -> None:
    secret = DeviceSecret("garage", "correct horse")
    store_device_secret(secret, "garage", tmp_path)

    async def test(central: Central) -> None:
        for shown in ("", "garage:wrong", "other:correct horse", "garage"):
            with pytest.raises(HandshakeRefusedError, match="401"):
                await RawSocket.open(central.port, "/ocpp/garage", authorization=shown)
        async with connected(central.port, "garage", authorization="garage:correct horse") as raw:
            assert (await raw.boot())["status"] == "Accepted"
        async with connected(central.port, "carport") as other:
            assert (await other.boot())["status"] == "Accepted"

    run_with_central(test, tmp_path)


def test_with_a_certificate_the_port_speaks_tls_alone(tmp_path: Path) -> None:
    folder = tmp_path / "devices" / "secrets"
    folder.mkdir(parents=True)
    pair = folder / "ocpp-tls.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=localhost -keyout {tmp_path / 'key.pem'} -out {tmp_path / 'cert.pem'}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    pair.write_text((tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text())
    pair.chmod(0o600)

    async def test(central: Central) -> None:
        with pytest.raises((HandshakeRefusedError, EOFError, OSError)):
            await RawSocket.open(central.port, "/ocpp/garage")
        context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        context.check_hostname = False
        async with connected(central.port, "garage", tls=context) as raw:
            assert (await raw.boot())["status"] == "Accepted"

    run_with_central(test, tmp_path)
