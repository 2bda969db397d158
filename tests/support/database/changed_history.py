"""What was changed of a stored site's past, without the numbers by which lists go on."""

from datetime import datetime

from sqlalchemy import Connection

from luna.platform.database import history_changes
from luna.platform.database.history_changes import Change


def read_changes(
    connection: Connection, site_id: str, *, first: datetime, end: datetime
) -> list[Change]:
    """Return the changes of slots from ``first`` on, before ``end``, in the order in which they
    were made.
    """
    return [
        change for _, change in history_changes.read_page(connection, site_id, slots=(first, end))
    ]
