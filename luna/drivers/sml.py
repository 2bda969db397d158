"""Read and write messages of the Smart Message Language, as German meters send them.

Source: BSI TR-03109-1, annex IV: transport protocol version 1, GetList.Res. Decision:
docs/decisions/0126-meters-that-send.md.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ESCAPE = b"\x1b" * 4
_BEGIN = _ESCAPE + b"\x01" * 4
_END = 0x1A
# Types of a field, by the upper bits of its first byte.
_OCTETS = 0x00
_BOOLEAN = 0x40
_INTEGER = 0x50
_UNSIGNED = 0x60
_LIST = 0x70
_MORE_LENGTH = 0x80
_MOST_DEPTH = 12
_MOST_LENGTH = 4096
_GET_LIST = 0x0701
_LIST_FIELDS = 7
_ENTRY_FIELDS = 7
_MESSAGE_FIELDS = 6
_NAME_BYTES = 6
_ELECTRICITY = 1
# Longer integers are no meter's, and no float holds them.
_MOST_INTEGER = 8
# What is read of the end of a content, and how many messages in it are tried: each costs a CRC of
# the rest, byte by byte. A message of a home's meter has some hundred bytes.
_MOST_BYTES = 8192
_MOST_MESSAGES = 4
# Powers of ten of a meter's numbers.
_MOST_SCALER = 9
_OBIS = re.compile(r"obis_(\d{1,3})_(\d{1,3})_(\d{1,3})")


def _crc16(content: bytes, *, start: int, end: int) -> int:
    crc = start
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc ^ end


def crc16_x25(content: bytes) -> int:
    """Return the CRC of a message: CRC-16/X-25."""
    return _crc16(content, start=0xFFFF, end=0xFFFF)


def crc16_kermit(content: bytes) -> int:
    """Return the CRC that some meters (Holley DTZ541) send instead: CRC-16/KERMIT."""
    return _crc16(content, start=0, end=0)


def parse_sml(content: bytes) -> dict[str, Any]:
    """Return the numbers of the last whole message by OBIS code, and the meter's number.

    What stands before and after is skipped. Powers are W, energies Wh; ``server`` is the number of
    the meter in hexadecimal digits.

    Raises:
        ValueError: there is no whole message with its CRC, or it is none of a meter's values.
    """
    failure = ValueError("no message")
    content = content[-_MOST_BYTES:]
    begins = [match.start() for match in re.finditer(re.escape(_BEGIN), content)]
    for begin in reversed(begins[-_MOST_MESSAGES:]):
        try:
            return _read_file(_unwrap(content[begin:]))
        except ValueError as exc:
            failure = exc
    raise failure


def _unwrap(content: bytes) -> bytes:
    """Return what a file of the transport protocol carries, checked by its CRC."""
    place = len(_BEGIN)
    carried = b""
    while (escape := content.find(_ESCAPE, place)) >= 0:
        carried += content[place:escape]
        marks = content[escape + 4 : escape + 8]
        if marks == _ESCAPE:
            # Doubled, where the content itself has such bytes.
            carried += _ESCAPE
            place = escape + 8
            continue
        if len(marks) < 4 or marks[0] != _END:
            break
        covered = content[: escape + 6]
        crc = int.from_bytes(marks[2:], "little")
        if crc not in {crc16_x25(covered), crc16_kermit(covered)}:
            raise ValueError("another CRC")
        return carried[: len(carried) - marks[1]]
    raise ValueError("no end")


class _Fields:
    """Reads fields one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    @property
    def is_at_end(self) -> bool:
        return self._place >= len(self._content)

    def read(self, depth: int = 0) -> Any:
        """Return the next field: bytes, a number, a truth, a list.

        Raises:
            ValueError: it is of no known type, or longer than what there is.
        """
        if depth > _MOST_DEPTH:
            raise ValueError("nested deeper than any meter's")
        first = self._take(1)[0]
        kind = first & 0x70
        length = first & 0x0F
        length_bytes = 1
        byte = first
        while byte & _MORE_LENGTH:
            byte = self._take(1)[0]
            length = length << 4 | byte & 0x0F
            length_bytes += 1
        if length > _MOST_LENGTH:
            raise ValueError("longer than any meter's")
        if kind == _LIST:
            return [self.read(depth + 1) for _ in range(length)]
        # A zero ends a message.
        value = self._take(max(length - length_bytes, 0))
        if kind == _OCTETS:
            return value
        if kind == _BOOLEAN:
            return any(value)
        if kind in {_INTEGER, _UNSIGNED} and 0 < len(value) <= _MOST_INTEGER:
            return int.from_bytes(value, "big", signed=kind == _INTEGER)
        raise ValueError("no known type")

    def _take(self, count: int) -> bytes:
        end = self._place + count
        if end > len(self._content):
            raise ValueError("half a field")
        taken = self._content[self._place : end]
        self._place = end
        return taken


def _read_file(content: bytes) -> dict[str, Any]:
    fields = _Fields(content)
    document: dict[str, Any] | None = None
    while not fields.is_at_end:
        message = fields.read()
        if not isinstance(message, list) or len(message) != _MESSAGE_FIELDS:
            raise ValueError("no message")
        body = message[3]
        if isinstance(body, list) and len(body) == 2 and body[0] == _GET_LIST:
            document = _read_list(body[1])
    if document is None:
        raise ValueError("no values")
    return document


def _read_list(body: Any) -> dict[str, Any]:
    if not isinstance(body, list) or len(body) != _LIST_FIELDS or not isinstance(body[4], list):
        raise ValueError("no list of values")
    server = body[1]
    document: dict[str, Any] = {"server": server.hex() if isinstance(server, bytes) else ""}
    document |= dict(_read_entries(body[4]))
    return document


def _read_entries(entries: list[Any]) -> Iterator[tuple[str, float]]:
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != _ENTRY_FIELDS:
            raise ValueError("no value")
        name, _, _, _, scaler, value, _ = entry
        if not isinstance(name, bytes) or len(name) != _NAME_BYTES or name[0] != _ELECTRICITY:
            continue
        # A truth is an int as well.
        if type(value) is not int:
            continue
        power = scaler if type(scaler) is int and abs(scaler) <= _MOST_SCALER else 0
        number = float(value * 10**power) if power >= 0 else value / 10**-power
        yield f"obis_{name[2]}_{name[3]}_{name[4]}", number


def encode_sml(document: Mapping[str, Any]) -> bytes:
    """Return a file with the numbers of a document, the inverse of ``parse_sml``."""
    server = bytes.fromhex(document["server"])
    entries: list[bytes] = []
    for name, value in document.items():
        code = _OBIS.fullmatch(name)
        if code is None or value is None:
            continue
        obis = bytes((_ELECTRICITY, 0, *map(int, code.groups()), 0xFF))
        # Source: DLMS, 30 is Wh and 27 W.
        unit = _unsigned(30 if code[2] == "8" else 27, 1)
        # A tenth of its unit.
        number = bytes((_INTEGER | 9,)) + round(value * 10).to_bytes(8, "big", signed=True)
        entries.append(
            _list(_octets(obis), _octets(b""), _octets(b""), unit, b"\x52\xff", number, b"\x01")
        )
    nothing = _octets(b"")
    opened = _list(nothing, nothing, _octets(b"\x01"), _octets(server), nothing, nothing)
    values = _list(nothing, _octets(server), nothing, nothing, _list(*entries), nothing, nothing)
    closed = _list(nothing)
    content = b"".join(
        _message(number, tag, body)
        for number, (tag, body) in enumerate(
            ((0x0101, opened), (_GET_LIST, values), (0x0201, closed)), 1
        )
    )
    padding = -len(content) % 4
    escaped = content.replace(_ESCAPE, 2 * _ESCAPE) + bytes(padding)
    covered = _BEGIN + escaped + _ESCAPE + bytes((_END, padding))
    return covered + crc16_x25(covered).to_bytes(2, "little")


def _message(number: int, tag: int, body: bytes) -> bytes:
    head = b"\x76" + _octets(bytes((number,))) + b"\x62\x00\x62\x00"
    content = head + _list(_unsigned(tag, 2), body)
    return content + b"\x63" + crc16_x25(content).to_bytes(2, "little") + b"\x00"


def _octets(value: bytes) -> bytes:
    return bytes((_OCTETS | len(value) + 1,)) + value


def _unsigned(value: int, count: int) -> bytes:
    return bytes((_UNSIGNED | count + 1,)) + value.to_bytes(count, "big")


def _list(*fields: bytes) -> bytes:
    head = bytes((_LIST | len(fields),))
    if len(fields) > 0x0F:
        head = bytes((_LIST | _MORE_LENGTH | len(fields) >> 4, len(fields) & 0x0F))
    return head + b"".join(fields)
