"""Backups of the containers: made by the service, drilled, restored, undone.

A copy of the platform of its own, of what holds data alone.
"""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.compose.stack import ROOT, Stack, wait_for

HOLDERS = ("db", "redis", "minio", "backup")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Database, objects and the service that keeps both."""
    stack = Stack("luna-backup-test", tmp_path_factory.mktemp("backup"))
    with stack.running(*HOLDERS):
        observe(stack, 1, 20)
        yield stack


def observe(stack: Stack, first: int, last: int) -> None:
    """Store quarter-hours of a site."""
    stack.sql("INSERT INTO sites (name) VALUES ('home') ON CONFLICT DO NOTHING")
    stack.sql(
        "INSERT INTO slot_observations (site_key, slot_start, load_kwh)"
        " SELECT site_key, timestamptz '2024-01-01T00:00Z' + n * interval '15 minutes', 1 "
        f"FROM sites, generate_series({first}, {last}) n"
    )


def observed(stack: Stack) -> int:
    return int(stack.sql("SELECT count(*) FROM slot_observations"))


OPEN = (
    "from luna.platform.objects import open_objects; from luna.platform.settings import "
    "load_settings;"
)


def put_object(stack: Stack, key: str, content: str) -> None:
    text = f"{OPEN} open_objects(load_settings()).put({key!r}, {content!r}.encode())"
    stack.python("backup", text)


def get_object(stack: Stack, key: str) -> str:
    text = f"{OPEN} print(open_objects(load_settings()).get({key!r}).decode())"
    return stack.python("backup", text)


def remove_object(stack: Stack, key: str) -> None:
    text = f"{OPEN} open_objects(load_settings()).remove({key!r})"
    stack.python("backup", text)


def call(
    stack: Stack, *words: str, check: bool = True, changes: str = "override.json"
) -> subprocess.CompletedProcess[str]:
    """Run a program of ``infra/backup`` on this copy, with what a file in its folder changes of its
    services.
    """
    compose = (
        f"docker compose -f docker-compose.yml -f {stack.folder}/{changes} --env-file "
        f"{stack.env_file} -p {stack.project}"
    )
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=os.environ | {"COMPOSE": compose},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def back_up(stack: Stack) -> str:
    """Ask for a backup.

    After a restore the service makes one by itself, and a second is refused until that is done.
    """
    said: list[str] = []

    def try_it() -> bool:
        try:
            said.append(
                stack.execute("backup", "python", "-m", "services.backup.containers", "create")
            )
        except RuntimeError as error:
            if "under way" not in str(error):
                raise
        return bool(said)

    wait_for(try_it, seconds=240, what="no other backup is under way")
    return said[0].partition(":")[0]


def test_a_drill_compares_the_newest_backup_with_its_manifest_and_touches_nothing(
    kept: Stack,
) -> None:
    put_object(kept, "models/one", "what was learned")
    backup_id = back_up(kept)
    rows = observed(kept)
    said = call(kept, "infra/backup/restore", "--drill").stdout
    assert f"{backup_id}:" in said
    assert "1 objects as the manifest says." in said
    assert "(RTO)" in said
    assert observed(kept) == rows
    assert kept.execute("backup", "http-ok", "9100", "/health/live") == ""
    assert kept.compose("--profile", "restore", "ps", "-aq", "recovered").strip() == ""


def test_a_restore_brings_hypertables_and_objects_back_and_can_be_undone(kept: Stack) -> None:
    put_object(kept, "models/two", "before the backup")
    rows = observed(kept)
    backup_id = back_up(kept)
    observe(kept, 101, 130)
    remove_object(kept, "models/two")

    call(kept, "infra/backup/restore", backup_id)

    assert observed(kept) == rows
    assert int(kept.sql("SELECT count(*) FROM timescaledb_information.hypertables")) > 0
    assert get_object(kept, "models/two") == "before the backup"
    assert kept.sql("SELECT task FROM jobs") == "rag.documents.reindex"
    # What was restored gets a backup of its own by itself.
    listed = ("python", "-m", "services.backup.containers", "list")
    wait_for(
        lambda: "scheduled" in kept.execute("backup", *listed),
        seconds=180,
        what="a backup follows a restore",
    )
    call(kept, "infra/backup/restore", "--undo")
    assert observed(kept) == rows + 30


def test_a_service_that_does_not_come_up_is_named_by_a_restore_that_fails_and_stays(
    kept: Stack,
) -> None:
    rows = observed(kept)
    backup_id = back_up(kept)
    observe(kept, 151, 160)
    sick = {"test": ["CMD", "false"], "interval": "1s", "retries": 1, "start_period": "0s"}
    (kept.folder / "sick.json").write_text(
        json.dumps({"services": {"backup": {"healthcheck": sick}}}), encoding="utf-8"
    )
    said = call(kept, "infra/backup/restore", backup_id, check=False, changes="sick.json")
    stayed = observed(kept)
    kept.start("backup")
    assert said.returncode != 0
    assert "backup: Up" in said.stderr
    assert "docker compose logs" in said.stderr
    assert stayed == rows


def test_an_instant_is_restored_from_the_log_that_the_service_ships(kept: Stack) -> None:
    back_up(kept)
    observe(kept, 201, 210)
    rows = observed(kept)
    instant = kept.sql(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    )
    observe(kept, 301, 310)
    after = kept.sql("SELECT extract(epoch FROM clock_timestamp())")
    safe = (
        "import json; from datetime import datetime; "
        "print(datetime.fromisoformat(json.load(open('/var/lib/luna/backups/"
        "status.json'))['wal_at']).timestamp())"
    )
    wait_for(
        lambda: float(kept.python("backup", safe)) > float(after),
        seconds=180,
        what="the log is safe until now",
    )
    call(kept, "infra/backup/restore", instant)
    assert observed(kept) == rows


def test_a_damaged_backup_is_refused_and_what_runs_goes_on(kept: Stack) -> None:
    backup_id = back_up(kept)
    rows = observed(kept)
    path = f"/var/lib/luna/backups/backups/{backup_id}/base.tar.gz.age"
    kept.python("backup", f"import os; os.truncate({path!r}, os.path.getsize({path!r}) // 2)")
    said = call(kept, "infra/backup/restore", backup_id, check=False)
    assert said.returncode != 0
    assert "is damaged" in said.stderr
    assert observed(kept) == rows
    kept.python(
        "backup", f"import shutil; shutil.rmtree('/var/lib/luna/backups/backups/{backup_id}')"
    )


def test_without_an_instant_the_backups_are_named(kept: Stack) -> None:
    backup_id = back_up(kept)
    said = call(kept, "infra/backup/restore", check=False)
    assert said.returncode != 0
    assert backup_id in said.stderr


def test_a_restore_that_is_killed_leaves_what_runs_as_it_is(kept: Stack) -> None:
    rows = observed(kept)
    compose = (
        f"docker compose -f docker-compose.yml -f {kept.folder}/override.json --env-file "
        f"{kept.env_file} -p {kept.project}"
    )
    words = ["infra/backup/restore", "newest"]
    # The pipe stays open until the end: what the restore had started may live on, and a closed pipe
    # would end that too.
    with subprocess.Popen(
        words, cwd=ROOT, env=os.environ | {"COMPOSE": compose}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert any("recovering" in line for line in iter(process.stderr.readline, ""))
        process.kill()
        process.wait()
        assert observed(kept) == rows
        call(kept, "infra/backup/restore", "--drill")
