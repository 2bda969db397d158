"""``luna doctor`` and ``luna support bundle``: on servers, embedded, and where nothing answers."""

import json
import re
import shutil
import socket
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from luna.contracts.health import NodeSign
from luna.house.doctor.bundle import KEY_PATTERNS, list_secrets
from luna.house.doctor.examination import check_certificates, check_disk, check_permissions
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.services import SERVICES
from luna.platform.settings import Settings, load_settings
from tests.support.command_line.call import Luna, Said
from tests.support.words.wording import wording

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECRETS = {
    "LUNA_HOME_ASSISTANT_TOKEN": "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJsdW5hIn0.c2lnbmF0dXJlb2ZhdG9rZW4",
    "LUNA_LANGUAGE_KEY": "sk-thekeyoflanguagemodel0001",
    "LUNA_MQTT_PASSWORD": "brokers-secret-word",
    "LUNA_MONITOR_TOKEN": "monitors-secret-word",
    "LUNA_TOKEN_KEY": "0123456789abcdef" * 4,
    "LUNA_ADMIN_PASSWORD": "first-users-password",
    "LUNA_NOTIFY_URLS": (
        "plan,fault=mailto://me:mails-secret-word@mail.example.org\n"
        "tgram://123456789:bots-secret-word/42"
    ),
}


def severities(said: Said, topic: str) -> set[str]:
    return {each["severity"] for each in said.document["findings"] if each["topic"] == topic}


def faults(said: Said) -> list[dict[str, Any]]:
    return [each for each in said.document["findings"] if each["severity"] == "fault"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_what_is_missing_is_named_with_what_to_do_and_ends_with_one(luna_on_servers: Luna) -> None:
    said = luna_on_servers("doctor", "--json")
    assert (said.code, said.document["healthy"]) == (1, False)
    # Nobody serves the queues of a test, and no beat turns; the database is migrated.
    assert severities(said, "queues") >= {"fault"}
    assert severities(said, "database") == {"ok"}
    assert all(each["remedy"] for each in said.document["findings"] if each["severity"] != "ok")


def test_a_person_reads_the_same(luna_on_servers: Luna) -> None:
    said = luna_on_servers("doctor").out
    assert wording("doctor", "finding_no-worker") in said
    assert "→" in said
    assert (
        wording("doctor", "finding_no-worker", "nl")
        in luna_on_servers("doctor", "--language", "nl").out
    )


def test_a_platform_whose_workers_live_has_nothing_against_its_queues(
    luna_on_servers: Luna, redis_url: str
) -> None:
    queues: dict[str, tuple[str, ...]] = {
        queue: () for service in SERVICES for queue in (service, f"{service}.interactive")
    }
    sign = NodeSign(version="9.9.9", started_at=NOW, queues=queues)
    redis = Redis.from_url(redis_url)
    redis.sadd("luna:nodes", "doctored")
    redis.set("luna:node:doctored", sign.model_dump_json(), px=60_000)
    try:
        said = luna_on_servers("doctor", "--json")
    finally:
        redis.delete("luna:node:doctored")
        redis.srem("luna:nodes", "doctored")
        redis.close()
    assert not [each for each in faults(said) if "worker" in each["code"]]
    # Another release than this one is at work.
    assert "warning" in severities(said, "versions")


def test_tables_of_a_release_that_nobody_knows_are_a_fault(
    luna_on_servers: Luna, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        before = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        said = luna_on_servers("doctor", "--json")
    finally:
        with unit_of_work(database) as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :before"), {"before": before}
            )
    assert [each["remedy"] for each in faults(said) if each["topic"] == "database"] == [
        "Run the newer release again, or restore a backup."
    ]


def test_servers_that_are_away_are_named_and_all_else_is_looked_at(
    luna: Luna, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "LUNA_DATABASE_URL", f"postgresql://luna:word-of-database@127.0.0.1:{free_port()}/luna"
    )
    monkeypatch.setenv("LUNA_REDIS_URL", f"redis://:word-of-redis@127.0.0.1:{free_port()}/0")
    said = luna("doctor", "--json")
    assert said.code == 1
    assert {each["topic"] for each in faults(said)} == {"database", "queues"}
    assert severities(said, "disk")
    assert "word-of" not in said.out


def test_a_wrong_setting_is_a_finding_among_others(
    luna: Luna, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUNA_API_PORT", "many")
    said = luna("doctor", "--json")
    assert (said.code, [each["detail"].partition(":")[0] for each in faults(said)]) == (
        1,
        ["LUNA_API_PORT"],
    )
    assert luna("support", "bundle", "--out", str(tmp_path / "bundle.zip"), "--json").code == 0


def test_a_full_disk_is_a_fault(tmp_path: Path) -> None:
    wanted = shutil.disk_usage(tmp_path).total * 2
    assert [
        each.severity for each in check_disk(Settings(data_folder=tmp_path), full_bytes=wanted)
    ] == ["fault"]


def test_secrets_that_everybody_may_read_are_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        # Up to the shared folder.
        if folder.owner() == tmp_path.owner() and folder != Path("/tmp"):  # noqa: S108
            folder.chmod(folder.stat().st_mode | 0o001)
    stored = tmp_path / "settings.json"
    stored.write_text("{}", encoding="utf-8")
    stored.chmod(0o644)
    assert [
        each.severity
        for each in check_permissions(Settings(data_folder=tmp_path))
        if str(stored) in each.figures.values()
    ] == ["warning"]
    stored.chmod(0o600)
    assert not [
        each
        for each in check_permissions(Settings(data_folder=tmp_path))
        if str(stored) in each.figures.values()
    ]


def test_an_encrypted_address_that_does_not_answer_is_named() -> None:
    port = free_port()
    found = list(check_certificates(Settings(), addresses=(f"https://127.0.0.1:{port}",), now=NOW))
    assert [(each.severity, each.figures["server"]) for each in found] == [
        ("warning", f"127.0.0.1:{port}")
    ]


@pytest.fixture
def bundle(
    luna_on_servers: Luna, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    """A bundle of an installation with secrets of every kind, and a log that tells each of them."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "identity").mkdir()
    (tmp_path / "identity" / "token_key").write_text("made-by-luna-for-itself", encoding="ascii")
    log = tmp_path / "planner.log"
    told = [
        *SECRETS.values(),
        "made-by-luna-for-itself",
        "mails-secret-word",
        "bots-secret-word",
        "ghp_0123456789abcdef0123",
        "luna_abcd1234_0123456789abcdef0123",
    ]
    log.write_text(
        "\n".join(json.dumps({"event": f"said {word}"}) for word in told), encoding="utf-8"
    )
    path = tmp_path / "bundle.zip"
    said = luna_on_servers("support", "bundle", "--out", str(path), "--log", str(log), "--json")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == said.document["files"]
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_bundle_holds_what_helps(bundle: dict[str, str]) -> None:
    assert {
        "doctor.json",
        "versions.json",
        "settings.json",
        "health.json",
        "jobs.json",
        "database.json",
        "logs/planner.log",
    } <= set(bundle)
    assert json.loads(bundle["jobs.json"])["counts"]["dead"] == 0
    assert "luna-energy" in json.loads(bundle["versions.json"])["libraries"]
    assert {each["name"] for each in json.loads(bundle["settings.json"])} == set(
        Settings.model_fields
    )


def test_a_bundle_holds_no_secret_and_nothing_that_looks_like_one(bundle: dict[str, str]) -> None:
    load_settings.cache_clear()
    known = {word for word in list_secrets(load_settings()) if len(word) > 5} | {
        word for value in SECRETS.values() for word in value.splitlines()
    }
    assert {"mails-secret-word", "made-by-luna-for-itself", "brokers-secret-word"} <= known
    everything = "\n".join(bundle.values())
    assert not [word for word in known if word in everything]
    assert not KEY_PATTERNS.findall(everything)
    assert not re.findall(r"://[^\s/@:\"]*:(?!\*\*\*)[^\s/@\"]+@", everything)


def test_a_bundle_is_made_where_nothing_answers(
    luna: Luna, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUNA_DATABASE_URL", f"postgresql://luna:x@127.0.0.1:{free_port()}/luna")
    monkeypatch.setenv("LUNA_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    said = luna("support", "bundle", "--out", str(tmp_path / "bundle.zip"), "--json")
    assert (
        said.code,
        "doctor.json" in said.document["files"],
        "jobs.json" in said.document["files"],
    ) == (0, True, False)


def test_embedded_servers_are_looked_at_as_well(luna: Luna) -> None:
    assert luna("db", "upgrade").code == 0
    said = luna("doctor", "--json")
    assert severities(said, "database") == {"ok"}
