"""Count the stored documents of each kind that this release cannot read.

The lists leave them out for the same reasons.
"""

from collections.abc import Callable, Iterator
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
from luna.platform.database.stored_rows import collect_skipped_rows

# Of each list, or of each site's: what lies further back drives nothing and is shown by no page at
# first sight.
MOST = 200


class UnreadableKind(NamedTuple):
    """Documents of one kind that cannot be read.

    How many, the fault of the first of them, and a command that mends it, if there is one.
    """

    kind: str
    rows: int
    reason: str
    command: str


class _Listing(NamedTuple):
    kind: str
    command: str
    # Reads all rows of the kind; the result is ignored.
    read: Callable[[Connection, list[str], datetime], object]


def _per_site(
    read: Callable[[Connection, str], object],
) -> Callable[[Connection, list[str], datetime], object]:
    return lambda connection, names, _now: [read(connection, name) for name in names]


_LISTINGS = (
    _Listing(
        "plans",
        "luna plan --site NAME",
        lambda connection, names, now: [plans.latest(connection, name, now=now) for name in names],
    ),
    _Listing(
        "device-states",
        "luna control override",
        lambda connection, names, _now: [
            control.load(connection, name, device)
            for name in names
            for device in (BATTERIES, *control.list_devices(connection, name))
        ],
    ),
    _Listing(
        "charging-sessions",
        "luna session add",
        _per_site(charging_sessions.read_history),
    ),
    _Listing(
        "what-ifs",
        "luna what-if",
        _per_site(lambda connection, name: what_ifs.list_of_site(connection, name, limit=MOST)),
    ),
    _Listing(
        "quarantine",
        "",
        _per_site(lambda connection, name: quarantine.list_rows(connection, name, limit=MOST)),
    ),
    _Listing(
        "agent-gates",
        "",
        _per_site(lambda connection, name: agent_gates.list_newest(connection, name, limit=MOST)),
    ),
    _Listing(
        "agent-plans",
        "",
        _per_site(lambda connection, name: agent_plans.list_newest(connection, name, limit=MOST)),
    ),
    _Listing(
        "jobs",
        "",
        lambda connection, _names, _now: jobs.list_newest(connection, limit=MOST),
    ),
    _Listing(
        "edge-runs",
        "",
        lambda connection, _names, _now: edge_runs.list_runs(connection, limit=MOST),
    ),
    _Listing(
        "documents",
        "luna docs add FILE",
        lambda connection, _names, _now: documents.list_page(
            connection, DocumentFilter(), limit=MOST
        ),
    ),
    _Listing(
        "answers",
        "",
        lambda connection, _names, _now: answers.list_before(
            connection, AnswerFilter(), limit=MOST
        ),
    ),
)


def count_unreadable(
    connection: Connection, names: list[str], *, now: datetime
) -> Iterator[UnreadableKind]:
    """Yield each kind of which something cannot be read, sites apart: those name themselves."""
    for kind, command, read in _LISTINGS:
        with collect_skipped_rows() as skipped:
            read(connection, names, now)
        if skipped:
            yield UnreadableKind(kind, len(skipped), next(iter(skipped.values())), command)
