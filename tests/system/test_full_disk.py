"""A disk that is full, over HTTP: a refusal that says when to come again and what to do.

Nothing is lost, and all goes on once there is room.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis
from sqlalchemy import Engine, create_engine, text

from luna.contracts import ResendRequest
from luna.energy.errors import FullError
from luna.energy.site import Site
from luna.platform.database import manual_blocks
from luna.platform.database.engine import parse_address, unit_of_work
from luna.platform.embedded.account import account_for
from luna.platform.embedded.supervisor import Addresses, Servers
from luna.platform.queue import Client
from luna.platform.queue.jobs import resend_due, submit_job
from luna.platform.settings import load_settings
from tests.conftest import FOLDER
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve

AS_ROOT = os.geteuid() == 0
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
# More rows than have room in a table's page of 8 KB.
MANY = 100

pytestmark = pytest.mark.skipif(
    not AS_ROOT, reason="a disk of its own can be mounted by root alone"
)


@pytest.fixture
def small_disk(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of 256 KB that the servers' account can write to."""
    folder = request.config.stash[FOLDER] / f"small-{uuid4().hex}"
    folder.mkdir()
    account = account_for(folder)
    assert account is not None
    options = f"size=256k,mode=700,uid={account.uid},gid={account.gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return filler


@contextmanager
def lying_on(small_disk: Path, table: str, servers: Servers, database: Engine) -> Iterator[None]:
    """Have a table lie on a disk while a block runs."""
    keeper = create_engine(parse_address(servers.database_url), isolation_level="AUTOCOMMIT")
    name = f"small_{uuid4().hex[:8]}"
    with keeper.connect() as connection:
        connection.execute(text(f"CREATE TABLESPACE {name} LOCATION '{small_disk}'"))
    owner = create_engine(
        parse_address(servers.database_url).set(database=database.url.database),
        isolation_level="AUTOCOMMIT",
    )
    with owner.connect() as connection:
        # Rows that earlier tests deleted leave room that would be used first.
        connection.execute(text(f"VACUUM FULL {table}"))
        connection.execute(text(f"ALTER TABLE {table} SET TABLESPACE {name}"))
        yield
        connection.execute(text(f"ALTER TABLE {table} SET TABLESPACE pg_default"))
        connection.execute(text("CHECKPOINT"))
        connection.execute(text(f"DROP TABLESPACE {name}"))
    owner.dispose()
    keeper.dispose()


@pytest.fixture
def blocks_on_small_disk(small_disk: Path, servers: Servers, database: Engine) -> Iterator[Path]:
    """The disk that the table of manual blocks lies on."""
    with lying_on(small_disk, "manual_blocks", servers, database):
        yield small_disk


@pytest.fixture
def jobs_on_small_disk(small_disk: Path, servers: Servers, database: Engine) -> Iterator[Path]:
    """The disk that the table of jobs lies on."""
    with lying_on(small_disk, "jobs", servers, database):
        yield small_disk


def leave_no_room(database: Engine, table: str) -> None:
    """Give back the pages that a table has and does not fill: the server takes several at once, and
    dead rows leave more.
    """
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM FULL {table}"))


def forget_jobs(database: Engine, redis_url: str) -> None:
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))
    with redis.Redis.from_url(redis_url) as queue:
        queue.flushdb()


def add_block(api: httpx.Client, site: Site, number: int) -> httpx.Response:
    """Ask for a block of a year of its own, under a key of its own."""
    block = {
        "from": f"{2100 + number}-03-12T18:00:00Z",
        "to": f"{2100 + number}-03-12T21:00:00Z",
        "device": "battery",
        "action": "hold",
    }
    return api.post(
        f"/v1/sites/{site.name}/manual-blocks",
        json=block,
        headers={"Idempotency-Key": f"block-{number}"},
    )


def test_a_database_that_is_full_refuses_and_takes_what_comes_again(
    database: Engine, database_url: str, redis_url: str, blocks_on_small_disk: Path
) -> None:
    with (
        stored_site(database, batteries=[BATTERY]) as site,
        serve(Addresses(database_url=database_url, redis_url=redis_url)) as api,
    ):
        filler = fill(blocks_on_small_disk)
        answers = [add_block(api, site, number) for number in range(MANY)]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert {(answer.status_code, answer.json()["field"]) for answer in refused} == {
            (503, "database_url")
        }
        assert all(
            int(answer.headers["Retry-After"]) > 0 and "Free some space" in answer.json()["remedy"]
            for answer in refused
        )
        filler.unlink()
        again = [add_block(api, site, number) for number in range(MANY)]
        with unit_of_work(database) as connection:
            stored = manual_blocks.read_history(connection, site.name)
    assert {answer.status_code for answer in again} == {201}
    assert (len(stored), len(refused) > 0) == (MANY, True)


def test_a_store_of_objects_that_is_full_refuses_files_and_takes_them_when_there_is_room(
    database: Engine,
    database_url: str,
    redis_url: str,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(small_disk))
    load_settings.cache_clear()

    def hand_over() -> httpx.Response:
        return api.post(
            f"/v1/sites/{site.name}/uploads",
            data={"kind": "observations"},
            files={"file": ("meter.csv", b"slot_start,load_kwh\n" * 500)},
        )

    with (
        stored_site(database) as site,
        serve(Addresses(database_url=database_url, redis_url=redis_url)) as api,
    ):
        filler = fill(small_disk)
        refused = hand_over()
        filler.unlink()
        accepted = hand_over()
    load_settings.cache_clear()
    forget_jobs(database, redis_url)
    assert (
        refused.status_code,
        int(refused.headers["Retry-After"]) > 0,
        refused.json()["field"],
        accepted.status_code,
    ) == (503, True, "objects", 202)
    assert "Free some space" in refused.json()["remedy"]


def test_jobs_of_a_database_that_is_full_are_not_sent_again_by_each_look(
    database: Engine, redis_url: str, jobs_on_small_disk: Path
) -> None:
    with closing(Client("redis://127.0.0.1:9/0")) as away:
        accepted = [
            submit_job(database, away, ResendRequest(), key=f"resend-{number}")
            for number in range(MANY)
        ]
    leave_no_room(database, "jobs")

    def send_again() -> int:
        with unit_of_work(database) as connection:
            return resend_due(connection, client).sent

    with closing(Client(redis_url)) as client, redis.Redis.from_url(redis_url) as queue:
        filler = fill(jobs_on_small_disk)
        with pytest.raises(FullError):
            send_again()
        waiting = [queue.llen(key) for key in queue.keys("*") if queue.type(key) == b"list"]
        filler.unlink()
        sent = send_again()
    forget_jobs(database, redis_url)
    assert (sum(waiting), sent) == (0, len(accepted))
