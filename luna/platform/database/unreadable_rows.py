"""Count the stored documents of each kind that this release cannot read.

The lists leave them out for the same reasons.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from luna.contracts.documents import DocumentFilter
from luna.energy.devices.battery import BATTERIES
from luna.platform.database import (
    agent_gates,
    agent_plans,
    answers,
    charging_sessions,
    control,
    documents,
    edge_runs,
    jobs,
    plans,
    quarantine,
    what_ifs,
)
from luna.platform.database.answers import AnswerFilter
from luna.platform.database.stored_rows import SkippedRows, collect_skipped_rows

# Of each list, or of each site's: what lies further back drives nothing and is shown by no page at
# first sight.
MOST = 200


class UnreadableKind(NamedTuple):
    """Documents of one kind that cannot be read.

    Attributes:
        rows: their number.
        reason: the fault of the first of them.
        command: what mends it, "" if no command does.
    """

    kind: str
    rows: int
    reason: str
    command: str


def count_unreadable(
    connection: Connection, names: list[str], *, now: datetime
) -> Iterator[UnreadableKind]:
    """Yield the kinds with unreadable documents, but for sites, which name themselves."""
    for kind, command, read in _LISTS_OF_SITE:
        with collect_skipped_rows() as skipped:
            for name in names:
                read(connection, name, now)
        if skipped:
            yield _describe(kind, command, skipped)
    for kind, command, read_all in _LISTS:
        with collect_skipped_rows() as skipped:
            read_all(connection)
        if skipped:
            yield _describe(kind, command, skipped)


def _describe(kind: str, command: str, skipped: SkippedRows) -> UnreadableKind:
    return UnreadableKind(kind, len(skipped), next(iter(skipped.values())), command)


def _read_plan(connection: Connection, name: str, now: datetime) -> None:
    plans.latest(connection, name, now=now)


def _read_devices(connection: Connection, name: str, _now: datetime) -> None:
    for device in (BATTERIES, *control.list_devices(connection, name)):
        control.load(connection, name, device)


def _read_sessions(connection: Connection, name: str, _now: datetime) -> None:
    charging_sessions.read_history(connection, name)


def _read_what_ifs(connection: Connection, name: str, _now: datetime) -> None:
    what_ifs.list_of_site(connection, name, limit=MOST)


def _read_quarantine(connection: Connection, name: str, _now: datetime) -> None:
    quarantine.list_rows(connection, name, limit=MOST)


def _read_gates(connection: Connection, name: str, _now: datetime) -> None:
    agent_gates.list_newest(connection, name, limit=MOST)


def _read_agent_plans(connection: Connection, name: str, _now: datetime) -> None:
    agent_plans.list_newest(connection, name, limit=MOST)


def _read_jobs(connection: Connection) -> None:
    jobs.list_newest(connection, limit=MOST)


def _read_edge_runs(connection: Connection) -> None:
    edge_runs.list_runs(connection, limit=MOST)


def _read_documents(connection: Connection) -> None:
    documents.list_page(connection, DocumentFilter(), limit=MOST)


def _read_answers(connection: Connection) -> None:
    answers.list_before(connection, AnswerFilter(), limit=MOST)


# Kind, the command that mends it, and the function that reads all its rows.
_LISTS_OF_SITE = (
    ("plans", "luna plan --site NAME", _read_plan),
    ("device-states", "luna control override", _read_devices),
    ("charging-sessions", "luna session add", _read_sessions),
    ("what-ifs", "luna what-if", _read_what_ifs),
    ("quarantine", "", _read_quarantine),
    ("agent-gates", "", _read_gates),
    ("agent-plans", "", _read_agent_plans),
)
_LISTS = (
    ("jobs", "", _read_jobs),
    ("edge-runs", "", _read_edge_runs),
    ("documents", "luna docs add FILE", _read_documents),
    ("answers", "", _read_answers),
)
KINDS = frozenset(listing[0] for listing in (*_LISTS_OF_SITE, *_LISTS))
