"""A charge point that owes nothing to Luna or a library: its websocket and its OCPP by hand.

It does what it is sent as a wallbox would: its current is the least of its profiles and the car.
"""

import asyncio
import base64
import json
import os
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

TEXT = 0x1
CLOSE = 0x8
PING = 0x9
PONG = 0xA
LAST_FRAME = 0x80
MASKED = 0x80
VOLTS = 230


class HandshakeRefusedError(Exception):
    """The server answers the handshake by a status other than 101."""


class RawSocket:
    """A client's websocket, frame by frame (RFC 6455)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        *,
        protocols: str | None = "ocpp1.6",
        authorization: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> "RawSocket":
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if protocols is not None:
            lines.append(f"Sec-WebSocket-Protocol: {protocols}")
        if authorization:
            token = base64.b64encode(authorization.encode()).decode()
            lines.append(f"Authorization: Basic {token}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except (EOFError, OSError):
            writer.close()
            raise
        if " 101 " not in head.partition("\r\n")[0]:
            writer.close()
            raise HandshakeRefusedError(head.partition("\r\n")[0])
        return cls(reader, writer)

    def send(self, payload: bytes, *, kind: int = TEXT) -> None:
        mask = os.urandom(4)
        head = bytes((LAST_FRAME | kind,))
        if len(payload) < 126:
            head += bytes((MASKED | len(payload),))
        elif len(payload) < 65_536:
            head += bytes((MASKED | 126,)) + struct.pack(">H", len(payload))
        else:
            head += bytes((MASKED | 127,)) + struct.pack(">Q", len(payload))
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        self._writer.write(head + mask + masked)

    async def receive(self) -> tuple[int, bytes]:
        """Return kind and payload of the next frame; answers pings."""
        while True:
            head = await self._reader.readexactly(2)
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", await self._reader.readexactly(8))
            payload = await self._reader.readexactly(length)
            if head[0] & 0x0F != PING:
                return head[0] & 0x0F, payload
            self.send(payload, kind=PONG)

    def break_off(self) -> None:
        """Lose the connection without a word."""
        self._writer.transport.abort()


class RawChargePoint:
    """A wallbox by OCPP 1.6J, with a car that takes 16 A on three phases."""

    def __init__(self, **settings: str) -> None:
        self.socket: RawSocket | None = None
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.settings = {
            "ChargeProfileMaxStackLevel": "8",
            "ChargingScheduleAllowedChargingRateUnit": "Current",
            "MeterValueSampleInterval": "60",
            "MeterValuesSampledData": "Energy.Active.Import.Register",
        } | settings
        self.profiles: dict[int, dict[str, Any]] = {}
        # What its owner's app or another central system allows; a limit of Luna's does not end it.
        self.app_a = 16.0
        self.status = "Available"
        self.meter_wh = 1000
        # How long ago the schedules of its profiles began.
        self.profile_age_s = 0
        self.transaction: int | None = None
        self.refuses: dict[str, str] = {}
        self.refusal_words = "not today"
        self.closed = asyncio.Event()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._count = 0

    async def connect(self, port: int, identity: str, **options: Any) -> None:
        self.socket = await RawSocket.open(port, f"/ocpp/{identity}", **options)
        self.closed = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(self.socket))

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """Return the payload of the answer, or the code of the error."""
        self._count += 1
        name = f"m{self._count}"
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        self.send([2, name, action, payload])
        return await asyncio.wait_for(answer, 5)

    def send(self, message: Any) -> None:
        assert self.socket is not None
        self.socket.send(json.dumps(message).encode())

    async def boot(self, vendor: str = "Raw", model: str = "One", **more: str) -> Any:
        return await self.call(
            "BootNotification",
            {"chargePointVendor": vendor, "chargePointModel": model} | more,
        )

    async def set_status(self, status: str, connector: int = 1) -> None:
        self.status = status
        await self.call(
            "StatusNotification",
            {"connectorId": connector, "errorCode": "NoError", "status": status},
        )

    async def begin(self, at: str = "2026-03-01T12:00:00Z", tag: str = "card") -> int:
        answer = await self.call(
            "StartTransaction",
            {"connectorId": 1, "idTag": tag, "meterStart": self.meter_wh, "timestamp": at},
        )
        self.transaction = answer["transactionId"]
        return int(answer["transactionId"])

    async def end(self, number: int, at: str = "2026-03-01T13:00:00Z") -> Any:
        self.transaction = None
        return await self.call(
            "StopTransaction",
            {"transactionId": number, "meterStop": self.meter_wh, "timestamp": at},
        )

    @property
    def current_a(self) -> float:
        """What it offers the car, and that draws, on each phase."""
        limits = [self.app_a]
        for profile in self.profiles.values():
            schedule = profile["chargingSchedule"]
            period = schedule["chargingSchedulePeriod"][0]
            for later in schedule["chargingSchedulePeriod"]:
                if later["startPeriod"] <= self.profile_age_s:
                    period = later
            is_power = schedule["chargingRateUnit"] == "W"
            phases = period.get("numberPhases", 3)
            limits.append(period["limit"] / (VOLTS * phases if is_power else 1))
        return min(limits)

    async def send_values(self, at: str | None = None, *, phases: int = 3) -> None:
        from datetime import UTC, datetime

        samples = [
            {"value": str(self.meter_wh), "unit": "Wh"},
            {
                "measurand": "Power.Active.Import",
                "value": f"{self.current_a * VOLTS * phases / 1000:.3f}",
                "unit": "kW",
            },
        ]
        for phase in range(1, phases + 1):
            current = f"{self.current_a:.1f}"
            samples.append(
                {"measurand": "Current.Import", "phase": f"L{phase}", "value": current, "unit": "A"}
            )
        instant = at or datetime.now(UTC).isoformat()
        await self.call(
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": instant, "sampledValue": samples}]},
        )

    async def wait_for(self, action: str, count: int = 1) -> dict[str, Any]:
        """Return the payload of the last message of an action, once it has come so often."""
        async with asyncio.timeout(5):
            while True:
                found = [payload for name, payload in self.received if name == action]
                if len(found) >= count:
                    return found[-1]
                await asyncio.sleep(0.01)

    def count(self, action: str) -> int:
        return sum(name == action for name, _ in self.received)

    async def break_off(self) -> None:
        assert self.socket is not None
        self.socket.break_off()
        await self.stop()

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self, socket: RawSocket) -> None:
        try:
            with suppress(EOFError, OSError):
                while True:
                    kind, payload = await socket.receive()
                    if kind == CLOSE:
                        socket.send(payload, kind=CLOSE)
                        return
                    self._take(json.loads(payload))
        finally:
            self.closed.set()

    def _take(self, message: list[Any]) -> None:
        if message[0] != 2:
            answer = self._answers.pop(message[1], None)
            if answer is not None and not answer.done():
                answer.set_result(message[2])
            return
        _, name, action, payload = message
        self.received.append((action, payload))
        reason = self._find_refusal(action, payload)
        if reason == "silence":
            return
        if reason is not None and reason.endswith(("Error", "Supported", "Violation")):
            self.send([4, name, reason, self.refusal_words, {}])
            return
        answer = {"status": reason} if reason else self._do(action, payload)
        self.send([3, name, answer])

    def _find_refusal(self, action: str, payload: dict[str, Any]) -> str | None:
        return self.refuses.get(action)

    def _do(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action == "GetConfiguration":
            entries = []
            for key in payload.get("key", self.settings):
                if key in self.settings:
                    value = self.settings[key]
                    entries.append({"key": key, "readonly": False, "value": value})
            return {"configurationKey": entries}
        if action == "ChangeConfiguration":
            self.settings[payload["key"]] = payload["value"]
        if action == "SetChargingProfile":
            profile = payload["csChargingProfiles"]
            self.profiles[profile["chargingProfileId"]] = profile
        if action == "GetCompositeSchedule":
            watts = VOLTS * 3 if payload["chargingRateUnit"] == "W" else 1
            schedule = {
                "chargingRateUnit": payload["chargingRateUnit"],
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": self.current_a * watts}],
            }
            return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}
        if action == "ClearChargingProfile":
            self.profiles.pop(payload["id"], None)
        if action == "RemoteStopTransaction" and payload["transactionId"] != self.transaction:
            return {"status": "Rejected"}
        return {"status": "Accepted"}


@asynccontextmanager
async def connected(
    port: int, identity: str, point: RawChargePoint | None = None, **options: Any
) -> AsyncIterator[RawChargePoint]:
    """Yield a charge point with a connection, which ends with the block."""
    raw = point or RawChargePoint()
    await raw.connect(port, identity, **options)
    try:
        yield raw
    finally:
        await raw.stop()
        if raw.socket is not None:
            raw.socket.break_off()
