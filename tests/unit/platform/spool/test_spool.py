"""A spool's file through damage, full disks and moved clocks."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from luna.energy.errors import MachineError, UnavailableError
from luna.platform.clock import Clock, FixedClock
from luna.platform.spool.file import NAME, Append, Remove, SpoolFile, Stream, connect, open_file
from luna.platform.spool.spool import MIB, Disk, Spool, SpoolWriter, open_mirror, require_room

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
LANE = Stream("readings", "home")
OTHER = Stream("readings", "cottage")


@dataclass
class Space:
    total: int
    free: int


@contextmanager
def open_spool(
    folder: Path, *, clock: Clock | None = None, disk: Disk = shutil.disk_usage
) -> Iterator[Spool]:
    spool = Spool(open_file(folder), clock or FixedClock(NOON), disk)
    try:
        yield spool
    finally:
        spool.close()


def keep(spool: Spool, *bodies: str, stream: Stream = LANE) -> None:
    spool.append(stream, [body.encode() for body in bodies]).result()


def bodies(spool: Spool, stream: Stream = LANE) -> list[str]:
    return [entry.body.decode() for entry in spool.oldest(stream, 1_000_000)]


def write(folder: Path, batches: Sequence[Sequence[str]]) -> list[int]:
    """Keep batches in a new file and return the size of its log after each."""
    file = SpoolFile(folder)
    sizes = []
    for batch in batches:
        file.commit([Append(LANE, [body.encode() for body in batch], 0)])
        sizes.append(log_of(folder).stat().st_size)
    # What a power cut would leave: closing would carry the log over into the file.
    cut = folder.parent / "cut"
    cut.mkdir()
    for path in (folder / NAME, log_of(folder)):
        shutil.copy(path, cut)
    file.close()
    return sizes


def log_of(folder: Path) -> Path:
    return folder / f"{NAME}-wal"


def test_rows_come_back_in_the_order_they_were_kept_also_after_a_new_start(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        keep(spool, "b", "a")
        keep(spool, "x", stream=OTHER)
    with open_spool(tmp_path) as spool:
        keep(spool, "c")
        assert (bodies(spool), bodies(spool, OTHER)) == (["b", "a", "c"], ["x"])


def test_only_what_was_delivered_is_removed(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        keep(spool, "a", "b", "c")
        keep(spool, "x", stream=OTHER)
        spool.remove(LANE, spool.oldest(LANE, 2)[-1].sequence)
        keep(spool, "d")
        assert (bodies(spool), bodies(spool, OTHER)) == (["c", "d"], ["x"])
        assert {stream: waiting.rows for stream, waiting in spool.waiting.items()} == {
            LANE: 2,
            OTHER: 1,
        }


def test_each_commit_is_synced(tmp_path: Path) -> None:
    pragmas = ("synchronous", "journal_mode", "fullfsync")
    with closing(connect(tmp_path / NAME)) as connection:
        set_to = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    # 2 is FULL: the log is synced before a commit returns.
    assert set_to == [2, "wal", 1]


def test_many_threads_keep_rows_at_once_and_none_is_lost(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        futures: list[Future[None]] = []
        threads = [
            threading.Thread(
                target=lambda: futures.extend(spool.append(LANE, [b"a"]) for _ in range(200))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wait(futures, timeout=20).not_done
        assert len(bodies(spool)) == 1600


@pytest.mark.parametrize("lost", [1, 100, 4096, 5000])
def test_a_torn_tail_loses_only_what_was_not_acknowledged(tmp_path: Path, lost: int) -> None:
    batches = [[f"{number}-{part}" for part in range(40)] for number in range(20)]
    (tmp_path / "current").mkdir()
    sizes = write(tmp_path / "current", batches)
    # A power cut while the last batch was being written: the log ends anywhere behind what was
    # synced before it.
    cut = tmp_path / "cut"
    with log_of(cut).open("r+b") as log:
        log.truncate(max(sizes[-1] - lost, sizes[-2]))
    file = SpoolFile(cut)
    assert [entry.body.decode() for entry in file.oldest(LANE, 1_000_000)] == [
        body for batch in batches[:-1] for body in batch
    ]
    file.close()


def test_rubbish_behind_the_tail_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    write(tmp_path / "current", [["a", "b"], ["c"]])
    with log_of(tmp_path / "cut").open("ab") as log:
        log.write(b"\x5a" * 9000)
    file = SpoolFile(tmp_path / "cut")
    assert [entry.body for entry in file.oldest(LANE, 9)] == [b"a", b"b", b"c"]
    file.close()


def test_a_damaged_page_costs_only_its_own_rows_and_the_file_is_kept_aside(tmp_path: Path) -> None:
    wanted = [f"{number:06}" for number in range(20_000)]
    with open_spool(tmp_path) as spool:
        keep(spool, *wanted)
    path = tmp_path / "current" / NAME
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with open_spool(tmp_path) as spool:
        found = bodies(spool)
        # A page holds some 130 rows of 30 bytes.
        assert len(wanted) - 400 < len(found) < len(wanted)
        assert found == sorted(set(found) & set(wanted))
        keep(spool, "new")
        assert bodies(spool) == [*found, "new"]
    assert (tmp_path / "damaged-1" / NAME).stat().st_size >= len(content)


def test_what_is_no_spool_at_all_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / NAME).write_bytes(b"\x00rubbish" * 2000)
    with open_spool(tmp_path) as spool:
        keep(spool, "a")
        assert bodies(spool) == ["a"]
    assert (tmp_path / "damaged-1" / NAME).exists()


def test_a_start_that_ended_while_carrying_rows_over_is_finished_by_the_next(
    tmp_path: Path,
) -> None:
    with open_spool(tmp_path) as spool:
        keep(spool, "a")
    # The damaged file is set aside already, and the new one not yet in its place.
    (tmp_path / "current").rename(tmp_path / "salvaged")
    with open_spool(tmp_path) as spool:
        assert bodies(spool) == ["a"]


def test_a_second_process_is_refused_by_the_file_itself(tmp_path: Path) -> None:
    file = SpoolFile(tmp_path)
    with pytest.raises(MachineError, match="another process"):
        SpoolFile(tmp_path)
    file.commit([Append(LANE, [b"a"], 0)])
    file.close()


def test_a_disk_that_is_nearly_full_takes_no_more_rows_but_lets_them_go(tmp_path: Path) -> None:
    space = Space(total=100_000 * MIB, free=1024 * MIB)
    with open_spool(tmp_path, disk=lambda _: space) as spool:
        keep(spool, "a")
        space.free -= 1
        with pytest.raises(MachineError, match=r"1023 MiB .* 1024 MiB") as refusal:
            keep(spool, "b")
        assert refusal.value.field == "data_folder"
        assert bodies(spool) == ["a"]
        spool.remove(LANE, spool.oldest(LANE, 1)[-1].sequence)
        assert bodies(spool) == []
        space.free += 1
        keep(spool, "c")
        assert bodies(spool) == ["c"]


@pytest.mark.parametrize(
    "fault", [OSError(5, "Input/output error"), MemoryError()], ids=["disk", "memory"]
)
def test_a_fault_of_the_machine_refuses_what_is_kept_then_and_stops_nothing(
    tmp_path: Path, fault: Exception
) -> None:
    faults = [fault]

    def look(_: Path) -> Space:
        if faults:
            raise faults.pop()
        return Space(1000 * MIB, 500 * MIB)

    with open_spool(tmp_path, disk=look) as spool:
        with pytest.raises((MachineError, MemoryError)):
            spool.append(LANE, [b"refused"]).result(timeout=10)
        keep(spool, "kept")
        assert bodies(spool) == ["kept"]


# A twentieth of the disk, at least 64 MiB and at most 1 GiB.
@pytest.mark.parametrize(("total", "reserve"), [(500, 64), (10_000, 500), (1_000_000, 1024)])
def test_room_is_kept_for_delivering(tmp_path: Path, total: int, reserve: int) -> None:
    require_room(tmp_path, lambda _: Space(total * MIB, reserve * MIB))
    with pytest.raises(MachineError):
        require_room(tmp_path, lambda _: Space(total * MIB, reserve * MIB - 1))


def test_a_clock_that_is_put_back_changes_neither_order_nor_age_for_the_worse(
    tmp_path: Path,
) -> None:
    with open_spool(tmp_path, clock=FixedClock(NOON)) as spool:
        keep(spool, "first")
    earlier = FixedClock(NOON - timedelta(days=400))
    with open_spool(tmp_path, clock=earlier) as spool:
        keep(spool, "second")
        assert bodies(spool) == ["first", "second"]
        assert SpoolWriter(spool, earlier).oldest_seconds == 0.0
        assert SpoolWriter(spool, FixedClock(NOON + timedelta(minutes=1))).oldest_seconds == 60.0


def test_the_age_is_that_of_the_oldest_row_that_still_waits(tmp_path: Path) -> None:
    file = SpoolFile(tmp_path)
    file.commit([Append(LANE, [b"a"], 100), Append(OTHER, [b"x"], 200)])
    file.commit([Append(LANE, [b"b"], 300), Remove(LANE, 1)])
    assert [file.waiting[stream].oldest_kept_at for stream in (LANE, OTHER)] == [300, 200]
    file.close()


def test_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    with open_spool(tmp_path) as spool:
        pass
    with pytest.raises(UnavailableError):
        keep(spool, "a")


class LockedSite:
    """Rows of texts, in a database where another one's transaction has locked those of
    ``cottage``.
    """

    name = "readings"

    def __init__(self) -> None:
        self.is_delivered = threading.Event()

    def encode(self, row: str) -> bytes:
        return row.encode()

    def store(self, connection: Connection, site_id: str, bodies: Sequence[bytes]) -> None:
        if site_id == "cottage":
            raise UnavailableError("canceling statement due to lock timeout")
        self.is_delivered.set()


def test_a_site_whose_rows_are_locked_does_not_hold_the_others_back(tmp_path: Path) -> None:
    kind = LockedSite()
    with open_mirror(
        tmp_path, create_engine("sqlite://"), kind, turn=timedelta(milliseconds=10)
    ) as mirror:
        for site in ("cottage", "home"):
            mirror.keep(kind, site, ["5 kW"]).result()
        assert kind.is_delivered.wait(20)
        assert not mirror.flush(timedelta(0))
