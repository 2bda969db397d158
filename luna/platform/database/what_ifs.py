"""Store questions about variants, and their replies."""

from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    cast,
    delete,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from luna.contracts.message import Message
from luna.contracts.variant import WhatIfReply, WhatIfRequest
from luna.energy.refusals import refuse
from luna.platform.database.schema.plans import what_if_flows, what_ifs
from luna.platform.database.schema.recommendations import items
from luna.platform.database.stored_rows import read_page


def ask(connection: Connection, what_if_id: str, request: WhatIfRequest, *, now: datetime) -> None:
    """Store a question.

    Asked again it is answered anew, because what was recorded may have changed.
    """
    row = {"what_if_id": what_if_id, "request": _jsonb(request), "asked_at": now, "reply": null()}
    write = insert(what_ifs).values(row)
    connection.execute(
        write.on_conflict_do_update(
            index_elements=["what_if_id"],
            set_={"asked_at": write.excluded.asked_at, "reply": null()},
        )
    )
    connection.execute(delete(what_if_flows).where(what_if_flows.c.what_if_id == what_if_id))


def load(connection: Connection, what_if_id: str) -> WhatIfRequest:
    """Return a question.

    Raises:
        NotFoundError: none of that id.
    """
    return WhatIfRequest.model_validate(_row(connection, what_if_id)["request"])


def list_of_site(
    connection: Connection, site_id: str, *, limit: int
) -> list[tuple[str, datetime, WhatIfRequest]]:
    """Return the last questions about a site, each with its number and its time."""
    of_site = what_ifs.c.request["site_id"].astext == site_id
    query = select(what_ifs.c.what_if_id, what_ifs.c.asked_at, what_ifs.c.request).where(of_site)
    return read_page(connection, query.order_by(what_ifs.c.asked_at.desc()), _question, limit=limit)


def read_answer(
    connection: Connection, what_if_id: str
) -> tuple[datetime, WhatIfReply | None, list[str]]:
    """Return when a question was asked, its answer, and its replayed variants.

    The answer is None until there is one.

    Raises:
        NotFoundError: none of that id.
    """
    row = _row(connection, what_if_id)
    replayed = connection.scalars(
        select(what_if_flows.c.variant).where(what_if_flows.c.what_if_id == what_if_id)
    )
    reply = None if row["reply"] is None else WhatIfReply.model_validate(row["reply"])
    return row["asked_at"].astimezone(UTC), reply, list(replayed)


def keep_flows(
    connection: Connection, what_if_id: str, variant: str, flows: Message
) -> dict[str, object]:
    """Store the flows of a variant, and return all flows by variant.

    Concurrent writers wait, so that the last one sees all.
    """
    connection.execute(
        select(what_ifs.c.what_if_id).where(what_ifs.c.what_if_id == what_if_id).with_for_update()
    )
    write = insert(what_if_flows).values(
        what_if_id=what_if_id, variant=variant, flows=_jsonb(flows)
    )
    key = ["what_if_id", "variant"]
    connection.execute(
        write.on_conflict_do_update(
            index_elements=key,
            set_={"flows": write.excluded.flows, "recorded_at": write.excluded.recorded_at},
        )
    )
    rows = connection.execute(
        select(what_if_flows.c.variant, what_if_flows.c.flows).where(
            what_if_flows.c.what_if_id == what_if_id
        )
    )
    return {row.variant: row.flows for row in rows}


def conclude(connection: Connection, reply: WhatIfReply) -> None:
    """Store the answer to a question."""
    connection.execute(
        update(what_ifs)
        .where(what_ifs.c.what_if_id == reply.what_if_id)
        .values(reply=_jsonb(reply))
    )


def forget_old(connection: Connection, *, before: datetime) -> int:
    """Delete questions from before an instant with their flows, and return how many.

    Questions on which a recommendation is based stay.
    """
    named = select(items.c.what_if_id).where(items.c.what_if_id.is_not(None))
    return connection.execute(
        delete(what_ifs).where(what_ifs.c.asked_at < before, what_ifs.c.what_if_id.not_in(named))
    ).rowcount


def _question(row: RowMapping) -> tuple[str, datetime, WhatIfRequest]:
    return (
        row["what_if_id"],
        row["asked_at"].astimezone(UTC),
        WhatIfRequest.model_validate(row["request"]),
    )


def _row(connection: Connection, what_if_id: str) -> RowMapping:
    row = (
        connection.execute(select(what_ifs).where(what_ifs.c.what_if_id == what_if_id))
        .mappings()
        .first()
    )
    if row is None:
        raise refuse(
            "not-found",
            field="what_if_id",
            value=what_if_id,
            thing="question",
            source="the answer that accepted it: what_if_id",
        )
    return row


def _jsonb(document: Message) -> ColumnElement[object]:
    return cast(literal(document.model_dump_json(by_alias=True), Text), JSONB)
