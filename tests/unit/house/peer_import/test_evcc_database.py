"""evcc's database says what its evcc.yaml would say, and a hostile one says nothing."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from luna.drivers.profiles import list_profiles
from luna.energy.errors import InvalidInputError
from luna.house.peer_import import PeerImport, import_peer

PROFILES = list_profiles()
CONFIGS = "CREATE TABLE configs (id INTEGER PRIMARY KEY, class INTEGER, type TEXT, value TEXT)"
SETTINGS = "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT)"
HYBRID = {"template": "sma-hybrid", "modbus": "tcpip", "host": "192.168.20.10", "port": 502}
DEVICES: list[tuple[int, int, str, object]] = [
    (1, 2, "template", HYBRID | {"usage": "grid"}),
    (2, 2, "template", HYBRID | {"usage": "battery", "capacity": 10.2, "minsoc": 12}),
    (3, 2, "custom", {"yaml": "power:\n  source: mqtt\n  topic: roof/power\n"}),
    (4, 1, "template", {"template": "go-e-v3", "host": "192.168.20.30"}),
    (
        5,
        3,
        "template",
        {
            "template": "vw",
            "title": "ID.4",
            "user": "anna@example.org",
            "password": "vw-secret",
            "capacity": 77,
        },
    ),
    (6, 5, "", {"title": "Carport", "charger": "db:4", "vehicle": "db:5", "minCurrent": 6}),
    (7, 4, "template", {"template": "fixed", "type": "fixed", "price": 0.339}),
    (8, 4, "template", {"template": "fixed", "type": "fixed", "price": 0.5}),
]
SAID = {
    "title": "Haus am Hang",
    "gridMeter": "db:1",
    "batteryMeters": "db:2",
    "pvMeters": "db:3",
    "tariffRefs": json.dumps({"currency": "EUR", "grid": "db:7", "solar": []}),
    "lp1.maxCurrent": "13",
    "lp1.phasesConfigured": "3",
    "sponsorToken": "sponsor-secret",
    "mqtt": json.dumps({"broker": "192.168.20.4", "password": "mqtt-secret"}),
}


def build(path: Path, *statements: str, said: dict[str, str], devices: list[Any]) -> bytes:
    """Return a database as evcc keeps it, with a journal beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in statements:
            connection.execute(statement)
        rows = [(*row[:3], json.dumps(row[3])) for row in devices]
        if rows:
            connection.executemany("INSERT INTO configs VALUES (?, ?, ?, ?)", rows)
        if said:
            connection.executemany("INSERT INTO settings VALUES (?, ?)", said.items())
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


@pytest.fixture
def result(tmp_path: Path) -> PeerImport:
    data = build(tmp_path / "evcc.db", CONFIGS, SETTINGS, said=SAID, devices=DEVICES)
    return import_peer("evcc", data, profiles=PROFILES)


def test_devices_tariff_and_loadpoint_become_a_site(result: PeerImport) -> None:
    site = result.site
    assert site.display_name == "Haus am Hang"
    assert site.input_sensors.total_grid_import == (
        "profile:sma_hybrid@192.168.20.10:502#import_w",
    )
    assert site.input_sensors.total_pv_production == ("mqtt:roof/power [W]",)
    [battery] = site.batteries
    assert (battery.capacity_kwh, battery.min_soc) == (10.2, 0.12)
    [car] = site.vehicles
    assert car.charger is not None
    assert (car.capacity_kwh, car.charger.max_current_a, car.charger.phases) == (77, 13, (3,))
    assert site.control is not None
    assert [entry.via.host for entry in site.control.vehicles if entry.via] == ["192.168.20.30"]
    assert "0.339" in result.text


def test_no_secret_is_kept_and_no_line_told(result: PeerImport) -> None:
    for secret in ("vw-secret", "anna@", "sponsor-secret", "mqtt-secret"):
        assert secret not in f"{result.rows}{result.text}"
    assert {row.line for row in result.rows} == {None}
    told = {row.key: row.status for row in result.rows}
    assert told["settings.sponsorToken"] == told["settings.mqtt"] == "differs"
    assert told["tariffs.unused"] == "not_understood"


ENDLESS = """CREATE VIEW configs AS WITH RECURSIVE endless(n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM endless) SELECT n AS id, 2 AS class, '' AS type,
    '{}' AS value FROM endless"""
MANY = """INSERT INTO configs WITH RECURSIVE some(n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM some WHERE n < 600000) SELECT n, 2, '', '' FROM some"""


def test_a_hostile_database_is_refused_in_time(tmp_path: Path) -> None:
    whole = build(tmp_path / "whole.db", CONFIGS, SETTINGS, said=SAID, devices=DEVICES)
    bomb = {"yaml": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"}
    nested = "[" * 5000 + "]" * 5000
    refused = {
        "cut": whole[: len(whole) // 3],
        "garbage": whole[:100] + b"\xff" * 20_000,
        "empty": b"SQLite format 3\x00",
        "a view without end": build(tmp_path / "view.db", ENDLESS, said={}, devices=[]),
        "other tables": build(tmp_path / "other.db", "CREATE TABLE other (a)", said={}, devices=[]),
        "a table that takes too long": build(
            tmp_path / "many.db",
            "CREATE TABLE configs (id, class, type, value)",
            MANY,
            said={},
            devices=[],
        ),
        "a huge value": build(
            tmp_path / "huge.db", SETTINGS, said={"title": "x" * 200_000}, devices=[]
        ),
    }
    for name, data in refused.items():
        with pytest.raises(InvalidInputError) as error:
            import_peer("evcc", data, profiles=PROFILES)
        assert error.value.reason == "peer-database-unreadable", name
    kept = build(
        tmp_path / "odd.db",
        CONFIGS,
        SETTINGS,
        said={"title": "A\x00\x85\ud7ff", "circuits": nested, "tariffs": nested},
        devices=[(1, 2, "custom", bomb), (2, 2, "template", ["no", "mapping"]), (3, 99, "", {})],
    )
    result = import_peer("evcc", kept, profiles=PROFILES)
    assert result.site.display_name is not None
    assert result.site.display_name.startswith("A")
