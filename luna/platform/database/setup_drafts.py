"""Store drafts of sites during their set-up, so that no input is lost."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from luna.energy.refusals import refuse
from luna.platform.database.schema.sites import setup_drafts

RETENTION = timedelta(days=30)
_NOW = func.clock_timestamp()


def create(connection: Connection, answers: Mapping[str, Any]) -> str:
    """Store a new draft and return its id.

    Drafts without a change for ``RETENTION`` are deleted.
    """
    connection.execute(delete(setup_drafts).where(setup_drafts.c.changed_at < _NOW - RETENTION))
    draft_id = secrets.token_urlsafe(12)
    connection.execute(
        setup_drafts.insert().values(draft_id=draft_id, answers=dict(answers), changed_at=_NOW)
    )
    return draft_id


def load(connection: Connection, draft_id: str) -> dict[str, Any]:
    """Return the answers of a draft.

    Raises:
        NotFoundError: no such draft.
    """
    answers = connection.scalar(
        select(setup_drafts.c.answers).where(setup_drafts.c.draft_id == draft_id)
    )
    if answers is None:
        raise refuse("no-such-draft", field="draft_id", value=draft_id)
    return dict(answers)


def save(connection: Connection, draft_id: str, answers: Mapping[str, Any]) -> None:
    """Store the answers of a draft.

    Raises:
        NotFoundError: no such draft.
    """
    write = (
        update(setup_drafts)
        .where(setup_drafts.c.draft_id == draft_id)
        .values(answers=dict(answers), changed_at=_NOW)
    )
    if not connection.execute(write).rowcount:
        raise refuse("no-such-draft", field="draft_id", value=draft_id)
