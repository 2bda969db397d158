"""The embedded servers under what happens to them on real machines."""

import encodings.idna  # noqa: F401 - a forked account may be unable to read it later
import json
import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from luna.energy.errors import InvalidInputError, MachineError
from luna.platform.embedded.account import (
    DATA_ROOT,
    Account,
    account_for,
    can_use,
    is_locked,
    make_reachable,
)
from luna.platform.embedded.binaries import Programs, find_postgres, find_redis
from luna.platform.embedded.process import explain_failure
from luna.platform.embedded.supervisor import running, start
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings

AS_ROOT = os.geteuid() == 0
DAEMON = Account(pwd.getpwnam("daemon").pw_uid, pwd.getpwnam("daemon").pw_gid)
# A process that uses the servers until its standard input ends.
USER_OF_SERVERS = """
import sys
from pathlib import Path
from luna.platform.embedded.supervisor import start
with start(Path(sys.argv[1]), services=sys.argv[2:]) as servers:
    print(sorted(servers.urls.values()), flush=True)
    sys.stdin.read()
"""
# In a process of its own, whose log nobody else has set up.
END_OF_POSTGRES = """
import sys
from pathlib import Path
from luna.platform.embedded.process import end
from luna.platform.embedded.servers import Postgres
end(Path(sys.argv[1]), Postgres.stop_signals, patience=0.3)
"""


@pytest.fixture
def folder(servers_folder: Path) -> Path:
    return servers_folder


def begin_use(folder: Path, *services: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USER_OF_SERVERS, str(folder), *services]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def pid_of(folder: Path, name: str) -> int:
    return int((folder / f"{name}.lock").read_text())


def is_alive(folder: Path, name: str) -> bool:
    return is_locked(folder / f"{name}.lock")


def open_database(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def insert_and_read(url: str, number: int) -> list[int]:
    with open_database(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def test_a_killed_postgres_comes_back_at_its_address_with_every_committed_row(
    kept_folder: Path,
) -> None:
    with start(kept_folder, services=["postgres"]) as servers:
        url = servers.database_url
        insert_and_read(url, 1)
        os.kill(pid_of(kept_folder, "postgres"), signal.SIGKILL)
        servers.bring_up(["postgres"])
        assert servers.database_url == url
        assert insert_and_read(url, 2)[-2:] == [1, 2]


def test_a_killed_redis_comes_back_at_its_address_with_everything_it_confirmed(
    folder: Path,
) -> None:
    with (
        start(folder, services=["redis"]) as servers,
        redis.Redis.from_url(servers.redis_url) as client,
    ):
        url = servers.redis_url
        client.rpush("kept", *range(1000))
        os.kill(pid_of(folder, "redis"), signal.SIGKILL)
        servers.bring_up(["redis"])
        assert servers.redis_url == url
        assert client.llen("kept") == 1000


def test_a_server_that_dies_while_it_is_watched_is_started_again(folder: Path) -> None:
    with start(folder, services=["redis"]) as servers, servers.restarting():
        os.kill(pid_of(folder, "redis"), signal.SIGKILL)
        with redis.Redis.from_url(
            servers.redis_url, retry=Retry(ConstantBackoff(0.1), 100)
        ) as client:
            assert client.ping()


def test_servers_whose_owner_was_killed_are_joined_and_stopped_by_the_next(
    kept_folder: Path,
) -> None:
    owner = begin_use(kept_folder, "postgres", "redis")
    urls = first_line(owner)
    before = pid_of(kept_folder, "postgres")
    with owner:
        owner.kill()
    with start(kept_folder) as servers:
        assert str(sorted(servers.urls.values())) == urls.strip()
        assert pid_of(kept_folder, "postgres") == before
    assert not is_alive(kept_folder, "postgres")
    assert not is_alive(kept_folder, "redis")


def test_two_starts_at_once_share_one_pair_of_servers(folder: Path) -> None:
    with (
        begin_use(folder, "postgres", "redis") as one,
        begin_use(folder, "postgres", "redis") as other,
    ):
        assert first_line(one) == first_line(other) != ""
        one.communicate()
        assert is_alive(folder, "postgres")
        other.communicate()
    assert not is_alive(folder, "postgres")
    assert not is_alive(folder, "redis")


def test_leaving_stops_no_servers_that_another_process_uses(folder: Path) -> None:
    with begin_use(folder, "redis") as owner:
        first_line(owner)
        with start(folder, services=["redis"]):
            pass
        assert is_alive(folder, "redis")
        owner.communicate()
    assert not is_alive(folder, "redis")


def test_a_second_folder_runs_beside_the_first_and_lost_state_is_named(
    kept_folder: Path, folder: Path
) -> None:
    with (
        start(kept_folder, services=["postgres"]) as one,
        start(folder, services=["postgres"]) as other,
    ):
        assert 3 in insert_and_read(one.database_url, 3)
        assert insert_and_read(other.database_url, 4) == [4]
    # Instead of starting over beside data.
    (folder / "servers.json").unlink()
    with pytest.raises(MachineError, match=r"servers\.json.*backup"):
        start(folder, services=["postgres"])


def test_a_remembered_port_in_use_by_a_stranger_is_replaced(folder: Path) -> None:
    with start(folder, services=["redis"]):
        pass
    port = json.loads((folder / "servers.json").read_text())["ports"]["redis"]
    with (
        socket.create_server(("127.0.0.1", port)),
        start(folder, services=["redis"]) as servers,
        redis.Redis.from_url(servers.redis_url) as client,
    ):
        assert client.ping()
        assert f":{port}/" not in servers.redis_url


# In a short run servers that were killed come back at their addresses.
@pytest.mark.long
def test_addresses_stay_the_same_from_start_to_start(folder: Path) -> None:
    with start(folder, services=["redis"]) as servers:
        before = servers.redis_url
    with start(folder, services=["redis"]) as servers:
        assert servers.redis_url == before


def test_stop_leaves_no_process(kept_folder: Path) -> None:
    servers = start(kept_folder)
    pids = [pid_of(kept_folder, "postgres"), pid_of(kept_folder, "redis")]
    servers.stop()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_server_that_does_not_end_is_killed_and_said_and_keeps_its_rows(
    kept_folder: Path,
) -> None:
    servers = start(kept_folder, services=["postgres"])
    insert_and_read(servers.database_url, 5)
    # Frozen, it takes no order to end and does no work.
    os.kill(pid_of(kept_folder, "postgres"), signal.SIGSTOP)
    ended = subprocess.run(
        [sys.executable, "-c", END_OF_POSTGRES, kept_folder / "postgres.lock"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not is_alive(kept_folder, "postgres")
    assert "server does not end and is killed" in ended.stdout + ended.stderr
    servers.stop()
    with start(kept_folder, services=["postgres"]) as again:
        assert insert_and_read(again.database_url, 6)[-2:] == [5, 6]


def test_servers_whose_folder_somebody_removed_are_stopped_all_the_same(folder: Path) -> None:
    with start(folder, services=["redis"]):
        pid = pid_of(folder, "redis")
        shutil.rmtree(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(signal.SIGINT, id="ctrl-c"),
        pytest.param(signal.SIGTERM, id="terminate"),
        pytest.param(signal.SIGHUP, id="closed-terminal", marks=pytest.mark.long),
    ],
)
def test_an_owner_that_is_told_to_end_stops_its_servers_first(
    folder: Path, kind: signal.Signals
) -> None:
    with begin_use(folder, "redis") as owner:
        first_line(owner)
        owner.send_signal(kind)
        owner.wait(timeout=60)
    assert not is_alive(folder, "redis")


def test_an_error_stops_the_servers_that_run_already(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="mistake"), start(folder, services=["redis"]):
        raise RuntimeError("a mistake of the caller")
    assert not is_alive(folder, "redis")


def test_only_the_password_opens_the_servers(kept_folder: Path) -> None:
    with start(kept_folder) as servers:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            open_database(servers.database_url.replace("luna:", "luna:x"))
        with (
            pytest.raises(redis.AuthenticationError),
            redis.Redis.from_url(servers.redis_url.replace("//:", "//:x")) as client,
        ):
            client.ping()


def test_the_password_stands_in_no_list_of_processes_and_in_one_private_file(
    kept_folder: Path,
) -> None:
    with start(kept_folder):
        password = json.loads((kept_folder / "servers.json").read_text())["password"]
        assert (
            password
            not in subprocess.run(
                ["ps", "axww", "-o", "command"], check=True, capture_output=True, text=True
            ).stdout
        )
    assert stat.S_IMODE((kept_folder / "servers.json").stat().st_mode) == 0o600
    assert [
        path.name
        for path in kept_folder.iterdir()
        if path.is_file() and password in path.read_text()
    ] == ["servers.json"]


def test_a_cluster_begun_by_a_killed_start_is_made_anew(folder: Path) -> None:
    (folder / "postgres.new").mkdir(parents=True)
    (folder / "postgres.new/PG_VERSION").write_text("18\n")
    with start(folder, services=["postgres"]) as servers:
        assert insert_and_read(servers.database_url, 1) == [1]


def test_the_pid_of_a_dead_postgres_that_another_program_has_now_is_no_obstacle(
    kept_folder: Path,
) -> None:
    with start(kept_folder, services=["postgres"]):
        os.kill(pid_of(kept_folder, "postgres"), signal.SIGKILL)
    pid_file = next(
        Path(json.loads((kept_folder / "servers.json").read_text())["home"]).glob(
            "postgres/postmaster.pid"
        )
    )
    account = account_for(Path("/nonexistent"))
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().split("\n")[1:]]))
    with stranger, start(kept_folder, services=["postgres"]) as servers:
        assert 0 in insert_and_read(servers.database_url, 0)
        stranger.kill()


def test_a_machine_without_servers_says_what_to_install(tmp_path: Path) -> None:
    empty = [Programs(tmp_path, tmp_path)]
    with pytest.raises(MachineError, match=r"no PostgreSQL.*apt-get install postgresql"):
        find_postgres(empty)
    with pytest.raises(MachineError, match=r"no Redis.*apt-get install redis-server"):
        find_redis(empty)


def test_a_folder_that_cannot_be_made_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match=r"data_folder: .*file/servers.*LUNA_DATA_FOLDER"):
        start(tmp_path / "file/servers")


@pytest.mark.parametrize(
    ("last_words", "remedy"),
    [
        (
            (
                "LOG:  starting\nFATAL:  could not write lock file: No space left on device\n"
                "HINT:  Check free disk space."
            ),
            "Free some space",
        ),
        (
            (
                "postgres: error while loading shared libraries: libz.so.1: cannot open shared "
                "object file"
            ),
            "Install the named system library",
        ),
        ("something nobody has seen before", "log"),
    ],
    ids=["full-disk", "missing-library", "unknown"],
)
def test_what_a_server_says_last_becomes_a_remedy(last_words: str, remedy: str) -> None:
    assert remedy in str(
        explain_failure("postgres does not start", last_words, Path("var/servers")).remedy
    )


def test_a_start_shuts_the_owner_s_folders_and_the_servers_still_reach_their_own(
    folder: Path,
) -> None:
    data = folder / "var"
    folder.mkdir(exist_ok=True)
    for name in ("objects", "cache"):
        make_private(data / name)
        (data / name).chmod(0o755)
    with running(Settings(data_folder=data)) as addresses:
        assert insert_and_read(addresses.database_url, 1) == [1]
        assert (
            Path(json.loads((data / "servers" / "servers.json").read_text())["home"])
            == (data / "servers").resolve()
        )
    assert {stat.S_IMODE((data / name).stat().st_mode) for name in ("objects", "cache")} == {0o700}
    others_read = {
        each.name for each in (data, data / "servers") if each.stat().st_mode & stat.S_IROTH
    }
    assert others_read == set()


@pytest.mark.skipif(not AS_ROOT, reason="only root lends the servers another account")
def test_under_a_private_folder_of_roots_the_data_go_elsewhere_and_its_permissions_stay(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    folder = tmp_path / "servers"
    with start(folder) as servers:
        home = Path(json.loads((folder / "servers.json").read_text())["home"])
        assert insert_and_read(servers.database_url, 1) == [1]
    with start(folder) as servers:
        assert insert_and_read(servers.database_url, 2) == [1, 2]
    shutil.rmtree(home)
    assert home.parent == DATA_ROOT
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root lends the servers another account")
def test_programs_under_a_private_folder_are_copied_to_where_the_servers_can_read_them(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    programs = tmp_path / "package/bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text(f"#!/bin/sh\n# {time.time_ns()}\n")
    (programs / "postgres").chmod(0o700)
    folder = make_reachable(Programs(programs, tmp_path, (programs,)), DAEMON)
    output = subprocess.run([folder / "postgres"], user=DAEMON.uid, cwd="/", check=False)
    shutil.rmtree(folder.parent.parent)
    assert output.returncode == 0


@pytest.mark.skipif(
    not AS_ROOT or not can_use(find_postgres().folder, DAEMON),
    reason="needs root, and programs that others can read",
)
def test_an_ordinary_user_runs_the_servers_under_its_own_name(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, DAEMON.uid, DAEMON.gid)
    with used_by_daemon(folder) as said:
        assert said.startswith("postgresql+psycopg://")
        # Root joins servers of an ordinary user and leaves the user's files to the user.
        with start(folder) as servers:
            assert insert_and_read(servers.database_url, 1) == [1]
    assert {path.stat().st_uid for path in folder.iterdir()} == {DAEMON.uid}
    assert not is_alive(folder, "postgres")


@pytest.mark.skipif(not AS_ROOT, reason="nothing is unwritable for root")
def test_an_ordinary_user_is_told_which_folder_it_may_not_write(folder: Path) -> None:
    folder.mkdir()
    with used_by_daemon(folder) as said:
        assert f"{folder}/lock" in said
        assert "LUNA_DATA_FOLDER" in said


@contextmanager
def used_by_daemon(folder: Path) -> Iterator[str]:
    # Forked rather than executed: the account may be unable to read this interpreter's folder.
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=use_as_daemon, args=(folder, theirs)
    )
    process.start()
    yield ours.recv()
    ours.send("done")
    process.join()


def use_as_daemon(folder: Path, pipe: Connection) -> None:
    os.setgroups([])
    os.setgid(DAEMON.gid)
    os.setuid(DAEMON.uid)
    try:
        with start(folder) as servers:
            pipe.send(servers.database_url)
            pipe.recv()
    except MachineError as error:
        pipe.send(str(error))


def test_configured_addresses_are_used_and_nothing_is_started(folder: Path) -> None:
    settings = Settings(
        data_folder=folder, database_url="postgresql+psycopg://db/luna", redis_url="redis://queue"
    )
    with running(settings) as addresses:
        assert (addresses.database_url, addresses.redis_url) == (
            "postgresql+psycopg://db/luna",
            "redis://queue",
        )
    assert not folder.exists()


def test_an_address_that_is_none_is_refused_without_saying_its_password(folder: Path) -> None:
    settings = Settings(
        data_folder=folder, database_url="postgresql://db/luna", redis_url="http://:secret@queue"
    )
    with (
        pytest.raises(InvalidInputError, match=r"^LUNA_REDIS_URL: no address") as raised,
        running(settings),
    ):
        pass
    assert "secret" not in str(raised.value)
    assert not folder.exists()


def test_the_address_that_is_not_configured_comes_from_an_embedded_server(folder: Path) -> None:
    settings = Settings(data_folder=folder, database_url="postgresql+psycopg://db/luna")
    with running(settings) as addresses, redis.Redis.from_url(addresses.redis_url) as client:
        assert client.ping()
    assert not (folder / "servers/postgres").exists()
