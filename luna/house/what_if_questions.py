"""Accept questions about variants: a row per question, a job per replay, and their status."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Engine

from luna.contracts.variant import (
    BASELINE,
    VariantState,
    WhatIfRequest,
    WhatIfState,
    WhatIfVariantRequest,
)
from luna.energy.refusals import refuse
from luna.energy.site.document import change_site
from luna.platform.database import jobs, sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import serialization
from luna.platform.queue.client import Client
from luna.platform.queue.jobs import submit_job


def open_question(
    connection: Connection, question: WhatIfRequest, *, now: datetime
) -> list[WhatIfVariantRequest]:
    """Store a question and return its replays, the baseline's first.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: a variant does not fit the site, or the window is reversed.
    """
    site = sites.load(connection, question.site_id)
    if question.to_day < question.from_day:
        raise refuse("ends-before-start", field="to_day", value=question.to_day.isoformat())
    for variant in question.variants:
        change_site(site, variant.site, field=f"variants.{variant.name}.site")
    what_if_id = serialization.digest(question.task, question.model_dump_json(by_alias=True))
    what_ifs.ask(connection, what_if_id, question, now=now)
    return _list_requests(what_if_id, question)


def submit_what_if(
    engine: Engine, client: Client, question: WhatIfRequest, *, now: datetime
) -> WhatIfState:
    """Accept a question.

    Its replays are separate jobs that run in parallel; the last one to finish computes the answer.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: a variant does not fit the site, or the window is reversed.
        UnavailableError: the database is away.
    """
    with unit_of_work(engine) as connection:
        replays = open_question(connection, question, now=now)
    for replay in replays:
        submit_job(engine, client, replay, key=_key(replay))
    with unit_of_work(engine) as connection:
        return read_state(connection, replays[0].what_if_id)


def _list_requests(what_if_id: str, question: WhatIfRequest) -> list[WhatIfVariantRequest]:
    names = [BASELINE, *(variant.name for variant in question.variants)]
    return [WhatIfVariantRequest(what_if_id=what_if_id, variant=name) for name in names]


def read_state(connection: Connection, what_if_id: str) -> WhatIfState:
    """Return the status of a question.

    Raises:
        NotFoundError: none of that id.
    """
    question = what_ifs.load(connection, what_if_id)
    asked_at, reply, replayed = what_ifs.read_answer(connection, what_if_id)
    requests = _list_requests(what_if_id, question)
    variants = [
        _read_replay(connection, request, done=request.variant in replayed) for request in requests
    ]
    status: Literal["open", "done", "failed"] = "open"
    if reply:
        status = "done"
    elif any(state.status in jobs.ENDED_BADLY and not state.done for state in variants):
        status = "failed"
    return WhatIfState(
        what_if_id=what_if_id, asked_at=asked_at, status=status, variants=variants, reply=reply
    )


def _read_replay(
    connection: Connection, replay: WhatIfVariantRequest, *, done: bool
) -> VariantState:
    job = jobs.find_newest(connection, task=replay.task, key=_key(replay))
    if job is None:
        return VariantState(name=replay.variant, done=done, status="done" if done else "unknown")
    return VariantState(
        name=replay.variant, done=done, status=job.status, job_id=job.job_id, error=job.error
    )


def _key(replay: WhatIfVariantRequest) -> str:
    return f"{replay.what_if_id}:{replay.variant}"
