"""Read evcc's database, evcc.db, as the evcc.yaml that would say the same.

What owners set up on evcc's pages stands there alone. The file is foreign: it is opened in memory,
two of its tables are read, and its size and the work that reading takes are bounded. Of the
settings only those that describe the site are looked at; of the others the names.

Source: evcc, util/config/config.go, server/db/settings and core/keys (2026).
"""

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import yaml

from luna.energy.refusals import refuse
from luna.house.peer_import.peer_file import MOST_DEPTH, PeerValue, drop_lines, parse_peer_file

MAGIC = b"SQLite format 3\x00"
# Some years of charging sessions and readings.
MOST_DATABASE_BYTES = 32_000_000
# Of evcc's devices and settings a house has some hundreds.
_MOST_ROWS = 5000
_MOST_VALUE_BYTES = 100_000
# Steps of SQLite's machine; a hundred times what a house takes.
_STEPS = 10_000
_MOST_TURNS = 300
# Places of the header that say whether changes stand in a second file.
_JOURNAL_PLACES = slice(18, 20)
_NO_JOURNAL_FILE = b"\x01\x01"
# Source: evcc, util/templates/class.go.
_CLASSES: Mapping[int, str] = {
    1: "chargers",
    2: "meters",
    3: "vehicles",
    4: "tariffs",
    5: "loadpoints",
    6: "circuits",
}
_METERS: Mapping[str, str] = {
    "gridMeter": "grid",
    "pvMeters": "pv",
    "batteryMeters": "battery",
    "auxMeters": "aux",
    "extMeters": "ext",
}
_SITE = ("residualPower", "prioritySoc", "bufferSoc", "bufferStartSoc")
_REFERENCES = ("charger", "meter", "vehicle", "circuit", "parent")
_TITLES = ("title", "siteTitle")
_POINT_SETTINGS = ("minCurrent", "maxCurrent", "phasesConfigured", "mode", "priority")
_NOTHING = "{}"
_MOST_INTEGER = 2**63

Rows = Sequence[tuple[Any, ...]]
Document = dict[str, Any]


def is_database(data: bytes) -> bool:
    """Return whether a file is a database of SQLite."""
    return data.startswith(MAGIC)


def read_database(data: bytes) -> PeerValue:
    """Return what a database says, as an evcc.yaml without lines.

    Raises:
        InvalidInputError: it is too large, damaged, not evcc's, or takes too long.
    """
    size = {"bytes": len(data), "most_bytes": MOST_DATABASE_BYTES}
    if len(data) > MOST_DATABASE_BYTES:
        raise refuse("peer-file-large", field="file", **size)
    try:
        configs, settings = _read_tables(data)
    except (sqlite3.Error, MemoryError, OverflowError) as exc:
        raise refuse("peer-database-unreadable", field="file") from exc
    try:
        text = json.dumps(_clean(_compose(configs, settings)), ensure_ascii=False)
    except RecursionError as exc:
        raise refuse("peer-database-unreadable", field="file") from exc
    if text == _NOTHING:
        raise refuse("peer-database-unreadable", field="file")
    return drop_lines(parse_peer_file(text.encode()))


def _read_tables(data: bytes) -> tuple[Rows, Rows]:
    plain = bytearray(data)
    # A database in memory has no second file.
    plain[_JOURNAL_PLACES] = _NO_JOURNAL_FILE
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(bytes(plain))
        connection.text_factory = _decode
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_VALUE_BYTES)
        connection.set_progress_handler(_WorkLimit(), _STEPS)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        configs = _select(connection, "configs", "id, class, type, value")
        settings = _select(connection, "settings", "key, value")
    return configs, settings


class _WorkLimit:
    """Ends a query that takes more steps than a house's database needs."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> int:
        self._count += 1
        return int(self._count > _MOST_TURNS)


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _select(connection: sqlite3.Connection, table: str, columns: str) -> Rows:
    """Return a table's rows, none of a view or a virtual table."""
    row = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).fetchone()
    if row is None:
        return []
    (definition,) = row
    if not str(definition).upper().startswith("CREATE TABLE"):
        return []
    query = f"SELECT {columns} FROM {table} ORDER BY 1 LIMIT {_MOST_ROWS}"  # noqa: S608 - ours
    return connection.execute(query).fetchall()


def _compose(configs: Rows, settings: Rows) -> Document:
    """Return the document of evcc.yaml's form."""
    texts = {str(key): value for key, value in settings if isinstance(value, str)}
    sections = _group_by_section(configs)
    used: set[str] = set()
    tariffs = _compose_tariffs(texts, sections.pop("tariffs"), used)
    points = list(sections.pop("loadpoints").values())
    names = _name_devices(sections)
    document: Document = {"site": _compose_site(texts, names, used)}
    for section, devices in sections.items():
        document[section] = [_refer(device, names) for device in devices.values()]
    circuits = _read_structure(texts.get("circuits", ""))
    if isinstance(circuits, list) and not document["circuits"]:
        document["circuits"] = circuits
        used.add("circuits")
    document["loadpoints"] = []
    for place, point in enumerate(points, 1):
        complete = _add_settings(point, texts, place, used)
        document["loadpoints"].append(_refer(complete, names))
    document["tariffs"] = tariffs
    document = {section: content for section, content in document.items() if content}
    # Names alone: many hold passwords.
    unused = {key: None for key in texts if key not in used}
    if unused and document:
        document["settings"] = unused
    return document


def _group_by_section(configs: Rows) -> dict[str, dict[str, Document]]:
    """Return the devices of each section by reference."""
    sections: dict[str, dict[str, Document]] = {section: {} for section in _CLASSES.values()}
    for number, kind, type_name, value in configs:
        section = _CLASSES.get(kind)
        if section is not None:
            sections[section][f"db:{number}"] = _read_device(type_name, value)
    return sections


def _name_devices(sections: Mapping[str, Mapping[str, Document]]) -> dict[str, str]:
    """Name all devices and return their names by reference."""
    names: dict[str, str] = {}
    for section, devices in sections.items():
        for reference, device in devices.items():
            title = device.get("title")
            called = title if isinstance(title, str) and title else section.removesuffix("s")
            number = reference.removeprefix("db:")
            device["name"] = f"{called} {number}"
            names[reference] = device["name"]
    return names


def _compose_site(texts: Mapping[str, str], names: Mapping[str, str], used: set[str]) -> Document:
    site: Document = {}
    for key in _TITLES:
        if texts.get(key):
            site.setdefault("title", texts[key])
            used.add(key)
    meters: Document = {}
    for key, usage in _METERS.items():
        references = [part.strip() for part in texts.get(key, "").split(",") if part.strip()]
        if references:
            meter_names = [names.get(reference, reference) for reference in references]
            meters[usage] = meter_names[0] if usage == "grid" else meter_names
            used.add(key)
    if meters:
        site["meters"] = meters
    for key in _SITE:
        if texts.get(key):
            site[key] = texts[key]
            used.add(key)
    return site


def _compose_tariffs(
    texts: Mapping[str, str], devices: Mapping[str, Document], used: set[str]
) -> Document:
    """Return the tariffs in place of their references, unreferenced ones apart."""
    whole = _read_structure(texts.get("tariffs", ""))
    tariffs: Document = dict(whole) if isinstance(whole, Mapping) else {}
    used |= {"tariffs", "currency", "tariffRefs"}
    if texts.get("currency"):
        tariffs["currency"] = texts["currency"]
    references = _read_structure(texts.get("tariffRefs", ""))
    if not isinstance(references, Mapping):
        references = {}
    referenced: set[str] = set()
    for side, reference in references.items():
        if side == "currency":
            tariffs.setdefault("currency", reference)
            continue
        parts = reference if isinstance(reference, list) else [reference]
        present = [str(part) for part in parts if str(part) in devices]
        referenced.update(present)
        if present:
            side_tariffs = [devices[part] for part in present]
            tariffs[side] = side_tariffs if isinstance(reference, list) else side_tariffs[0]
    unused = [device for reference, device in devices.items() if reference not in referenced]
    if unused:
        tariffs["unused"] = unused
    return tariffs


def _read_device(type_name: object, value: object) -> Document:
    content = _read_structure(value if isinstance(value, str) else "")
    device: Document = dict(content) if isinstance(content, Mapping) else {}
    if isinstance(type_name, str) and type_name:
        device.setdefault("type", type_name)
    # A device that its owner described as text.
    text = device.get("yaml")
    described = _read_structure(text) if isinstance(text, str) else None
    if isinstance(described, Mapping):
        del device["yaml"]
        device = {**described, **device}
    return device


def _refer(device: Document, names: Mapping[str, str]) -> Document:
    """Return a device with names in place of its references."""
    named = dict(device)
    for key in _REFERENCES:
        reference = device.get(key)
        if isinstance(reference, str) and reference in names:
            named[key] = names[reference]
    return named


def _add_settings(
    point: Document, texts: Mapping[str, str], place: int, used: set[str]
) -> Document:
    """Return a loadpoint with the settings that older versions keep beside it."""
    complete = dict(point)
    for name in _POINT_SETTINGS:
        key = f"lp{place}.{name}"
        if key in texts:
            complete.setdefault(name, texts[key])
            used.add(key)
    return complete


def _read_structure(text: str) -> Any:
    """Return the content of a text of JSON or YAML, else None.

    An alias, with which a short text becomes a huge one, is not read, nor lists in lists without
    end: the scanner's work grows with the square of their depth.
    """
    if not text.strip() or len(text) > _MOST_VALUE_BYTES:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.safe_load(text) if _is_plain(text) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _is_plain(text: str) -> bool:
    """Return whether YAML has no alias and is no deeper than files of peers are."""
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            depth += 1
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
            depth -= 1
        if depth > MOST_DEPTH or isinstance(token, yaml.AliasToken):
            return False
    return True


def _clean(value: Any) -> Any:
    """Return a value that YAML can express."""
    if isinstance(value, Mapping):
        return {_clean_text(str(key)): _clean(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set):
        return [_clean(member) for member in value]
    if isinstance(value, int) and abs(value) >= _MOST_INTEGER:
        return ""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _clean_text(str(value))


def _clean_text(text: str) -> str:
    letters = [letter if letter.isprintable() or letter in "\n\t" else " " for letter in text]
    return "".join(letters)
