"""What MQTT remembers on disk: where that is full, and after a torn line."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from services.ingest.sources.mqtt.session_store import Journal, Session

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTRIES = [(number, "digest", NOON) for number in range(20)]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Have writing fail beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_messages_are_noted_once_there_is_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(ENTRIES[:1])
    with files_of_at_most(100), pytest.raises(MachineError) as refused:
        journal.write(ENTRIES)
    assert refused.value.reason == "listening-notes-unwritable"
    with files_of_at_most(100):
        # As at the end of a connection.
        journal.close()
    journal.write(ENTRIES)
    journal.close()
    again = Journal(tmp_path)
    assert [again.instant_of(number, "digest") for number in range(20)] == [NOON] * 20


def test_a_session_on_a_full_disk_keeps_what_it_had(tmp_path: Path) -> None:
    session = Session(tmp_path)
    with files_of_at_most(10), pytest.raises(MachineError) as refused:
        session.save({"homeassistant/sensor/x/config": "{}"}, frozenset(["topic"]))
    assert refused.value.reason == "listening-notes-unwritable"
    assert Session(tmp_path).identifier == session.identifier


def test_torn_lines_of_the_journal_are_left_out(tmp_path: Path) -> None:
    lines = ["1 digest 1 ;", "2 dig3 digest 3 ;", "x digest 4 ;", "5 digest 5 ;", "6 dig"]
    (tmp_path / "journal.txt").write_text("\n".join(lines))
    journal = Journal(tmp_path)
    known = [number for number in range(7) if journal.instant_of(number, "digest")]
    assert known == [1, 5]
