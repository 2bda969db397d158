"""Read telegrams of a smart meter's P1 port, over TCP or a serial line.

Source: DSMR P1 Companion Standard 5.0.2; Fluvius e-MUCS-H; Swedenergy's H1 interface; Luxmetering
P1. All of them send lines of OBIS codes, closed by a CRC. Decision:
docs/decisions/0126-meters-that-send.md.
"""

import os
import re
import select
import socket
import termios
import tty
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luna.drivers.transports import P1Transport
from luna.energy.refusals import refuse
from luna.platform.address_policy import DEVICE, open_connection

if TYPE_CHECKING:
    from luna.drivers.p1_encryption import FrameDecoder

# The one document of a P1 port.
TELEGRAM = "telegram"
# The longest telegrams have 2 kB; what grows beyond this is none.
MOST_BYTES = 16_384
_CHUNK_BYTES = 4096
_LINE = re.compile(
    r"(?P<medium>\d)-\d:(?P<c>\d{1,3})\.(?P<d>\d{1,3})\.(?P<e>\d{1,3})\((?P<value>[^()]*)\)"
)
_NUMBER = re.compile(r"(?P<number>\d{1,12}(?:\.\d{1,6})?)\*(?P<unit>k?Wh?)")
_ELECTRICITY = "1"
# 0-0:96.1.1, the number on the meter.
_EQUIPMENT = ("0", "96", "1", "1")
_END = re.compile(rb"!(?P<crc>[0-9A-Fa-f]{4})\r\n")
# Counters of import and export: their total, and up to four tariffs.
_COUNTERS = ("obis_1_8", "obis_2_8")
_TARIFFS = (1, 2, 3, 4)
_CRC_POLYNOMIAL = 0xA001
# Of a meter that encrypts.
_KEY_BYTES = 16


def crc16(content: bytes) -> int:
    """Return the CRC of a telegram, from its slash to its exclamation mark."""
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _CRC_POLYNOMIAL if crc & 1 else crc >> 1
    return crc


def parse_telegram(telegram: bytes) -> dict[str, Any]:
    """Return a telegram's numbers by OBIS code, and who sent it.

    ``obis_1_8_0`` and ``obis_2_8_0`` are the sums of the tariffs where the meter sends no total.
    Powers are kW, energies kWh; ``meter`` is the type that it names, ``serial`` its number or "".

    Raises:
        ValueError: it has no CRC, or another.
    """
    ends = list(_END.finditer(telegram))
    if len(ends) != 1 or not telegram.startswith(b"/"):
        raise ValueError("no telegram")
    body = telegram[: ends[0].start() + 1]
    if crc16(body) != int(ends[0]["crc"], 16):
        raise ValueError("another CRC")
    lines = body.decode("ascii", "replace").splitlines()
    document: dict[str, Any] = {"meter": lines[0][1:].strip(), "serial": ""}
    for line in lines[1:]:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        code = (match["medium"], match["c"], match["d"], match["e"])
        number = _NUMBER.fullmatch(match["value"])
        if code == _EQUIPMENT:
            document["serial"] = _decode_text(match["value"])
        elif code[0] == _ELECTRICITY and number is not None:
            kilo = 1.0 if number["unit"].startswith("k") else 0.001
            document["_".join(("obis", *code[1:]))] = float(number["number"]) * kilo
    for counter in _COUNTERS:
        tariffs = [f"{counter}_{tariff}" for tariff in _TARIFFS]
        present = [document[name] for name in tariffs if name in document]
        if present and f"{counter}_0" not in document:
            document[f"{counter}_0"] = round(sum(present), 6)
    return document


def _decode_text(value: str) -> str:
    """Return a text that is written as the hexadecimal numbers of its letters."""
    try:
        text = bytes.fromhex(value).decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return value
    return text if text.isprintable() else value


def encode_telegram(document: Mapping[str, Any]) -> bytes:
    """Return the telegram of a document, the inverse of ``parse_telegram``."""
    lines = [f"/{document['meter']}", "", "1-3:0.2.8(50)"]
    serial = str(document.get("serial", ""))
    if serial:
        lines.append(f"0-0:96.1.1({serial.encode().hex().upper()})")
    for name, value in document.items():
        prefix, *code = name.split("_")
        if prefix != "obis" or value is None:
            continue
        # Source: OBIS, 8 is an energy since the first day, 7 a present power.
        number = f"{value:010.3f}*kWh" if code[1] == "8" else f"{value:06.3f}*kW"
        lines.append(f"1-0:{'.'.join(code)}({number})")
    # A gas meter behind it, as most homes have one.
    lines.append("0-1:24.2.1(261130120000W)(01234.567*m3)")
    body = "\r\n".join([*lines, "!"]).encode()
    return body + f"{crc16(body):04X}\r\n".encode()


class TelegramBuffer:
    """Finds whole telegrams in a stream of bytes, decrypted where there is a key."""

    def __init__(self, key: bytes | None = None) -> None:
        self._rest = b""
        self._frames = None if key is None else _open_decoder(key)
        self.dropped = 0

    def feed(self, content: bytes) -> dict[str, Any] | None:
        """Take the next bytes; return the last whole telegram among them, parsed."""
        if self._frames is not None:
            content, dropped = self._frames.feed(content)
            self.dropped += dropped
        self._rest += content
        document: dict[str, Any] | None = None
        while (end := _END.search(self._rest)) is not None:
            # What stands before the last slash is half a telegram.
            begin = self._rest.rfind(b"/", 0, end.start())
            telegram = self._rest[max(begin, 0) : end.end()]
            self._rest = self._rest[end.end() :]
            try:
                document = parse_telegram(telegram)
            except ValueError:
                self.dropped += 1
        if len(self._rest) > MOST_BYTES:
            self._rest = b""
            self.dropped += 1
        return document


def _open_decoder(key: bytes) -> "FrameDecoder":
    # Imported here: few meters encrypt.
    from luna.drivers.p1_encryption import FrameDecoder

    return FrameDecoder(key)


def read_key(text: str) -> bytes:
    """Return the key of a meter from its 32 hexadecimal digits.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise refuse("device-key-malformed", field="via.secret")
    return key


class P1TcpSource:
    """Telegrams that a converter passes on at a port."""

    def __init__(
        self, host: str, port: int, transport: P1Transport, *, key: bytes | None = None
    ) -> None:
        self.place = f"{host}:{port}"
        self.dropped = 0
        self._host = host
        self._port = port
        self._transport = transport
        self._key = key
        self._buffer = TelegramBuffer()
        self._link: socket.socket | None = None

    def open(self) -> None:
        self._buffer = TelegramBuffer(self._key)
        self.dropped = 0
        self._link = open_connection(DEVICE, self._host, self._port, self._transport.patience_s)

    def receive(self, wait_s: float) -> Mapping[str, Any]:
        if self._link is None:
            raise OSError("not open")
        self._link.settimeout(wait_s)
        try:
            content = self._link.recv(_CHUNK_BYTES)
        except TimeoutError:
            return {}
        if not content:
            raise OSError("the converter hung up")
        document = self._buffer.feed(content)
        self.dropped = self._buffer.dropped
        return {} if document is None else {TELEGRAM: document}

    def close(self) -> None:
        link = self._link
        self._link = None
        if link is not None:
            link.close()


_SPEEDS = {9600: termios.B9600, 115200: termios.B115200}
# Names of adapters that stay when another is plugged in.
_STABLE_NAMES = "serial/by-id"


class P1SerialSource:
    """Telegrams at a serial line of this machine, with eight bits and no parity.

    Args:
        name: of the line below /dev, or below /dev/serial/by-id.
        transport: of the profile.
        devices: in the place of /dev.
        key: of a meter that encrypts; None: it does not.
    """

    def __init__(
        self,
        name: str,
        transport: P1Transport,
        devices: Path = Path("/dev"),
        *,
        key: bytes | None = None,
    ) -> None:
        self.place = name
        self.dropped = 0
        self._transport = transport
        self._devices = devices
        self._key = key
        self._buffer = TelegramBuffer()
        self._line: int | None = None

    def open(self) -> None:
        stable = self._devices / _STABLE_NAMES / self.place
        path = stable if stable.exists() else self._devices / self.place
        self._buffer = TelegramBuffer(self._key)
        self.dropped = 0
        line = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            self._set_up(line)
        except (OSError, termios.error) as exc:
            os.close(line)
            raise OSError(f"{path} is no serial line") from exc
        self._line = line

    def _set_up(self, line: int) -> None:
        tty.setraw(line)
        attributes = termios.tcgetattr(line)
        # Input and output speed.
        attributes[4] = attributes[5] = _SPEEDS[self._transport.baud]
        termios.tcsetattr(line, termios.TCSANOW, attributes)

    def receive(self, wait_s: float) -> Mapping[str, Any]:
        line = self._line
        if line is None:
            raise OSError("not open")
        is_ready, _, _ = select.select([line], [], [], wait_s)
        if not is_ready:
            return {}
        content = os.read(line, _CHUNK_BYTES)
        if not content:
            raise OSError("the line is gone")
        document = self._buffer.feed(content)
        self.dropped = self._buffer.dropped
        return {} if document is None else {TELEGRAM: document}

    def close(self) -> None:
        line = self._line
        self._line = None
        if line is not None:
            os.close(line)
