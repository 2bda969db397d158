"""Access control by site: require that the caller has all sites that a request names.

Sites are named directly, or by the id of something that belongs to them.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, get_args

from fastapi import Request
from sqlalchemy import Connection

from luna.contracts.identity import Scope
from luna.energy.refusals import refuse
from luna.platform.database.site_references import Kind, find_reference
from luna.platform.own_sites import require_own
from services.api.identity.caller import Caller
from services.api.identity.identity import Identity
from services.api.operation import JOB_SCOPES, Operation

SITE_FIELDS = ("site_id", "site", "site_ids", "sites")
KINDS: tuple[Kind, ...] = get_args(Kind)
# Field names that hold an id of each kind.
KIND_OF: dict[str, Kind] = {kind: kind for kind in KINDS} | {
    "before_id": "plan_id",
    "after_id": "plan_id",
    "conversation": "conversation_id",
}
# These kinds may belong to no site and are then visible to every caller; of other kinds, no site
# means all sites.
OF_NO_SITE: frozenset[Kind] = frozenset({"answer_id", "conversation_id"})
# Deepest nesting at which a message names a site; anything deeper is data.
MAX_DEPTH = 4
# Operations that need access to all sites.
ABOUT_NO_SITE = frozenset({"create_site"})

# The nouns of refusals.
_NOUNS: dict[Kind, str] = {
    "plan_id": "plan",
    "job_id": "job",
    "what_if_id": "question",
    "quarantine_id": "row",
    "answer_id": "answer",
    "conversation_id": "conversation",
}

Reference = tuple[Kind, str | int]


async def require_sites(  # noqa: PLR0917
    identity: Identity, caller: Caller, operation: Operation, request: Request, body: Any
) -> str | None:
    """Return the first site that a request is about, for the audit log.

    Raises:
        NotFoundError: a site is not the caller's or does not exist; the message is the same.
        ForbiddenError: the caller lacks the job's scope, or asks for a job or operation on all
            sites.
    """
    parameters = [*request.path_params.items(), *request.query_params.multi_items()]
    named = [*_names_in(parameters), *sites_named(body)]
    if operation.name == "accept_job":
        # A job needs the scope of its task; one that names no site is about all, and needs access
        # to all.
        task = body.get("task") if isinstance(body, dict) else None
        scope: Scope = JOB_SCOPES.get(task, "administer") if isinstance(task, str) else "analyse"
        if scope not in caller.scopes:
            raise refuse(
                "scope-missing",
                field="task",
                value=task,
                scope=scope,
                yours=", ".join(sorted(caller.scopes)) or "none",
            )
        if caller.sites is not None and not named:
            raise refuse(
                "job-of-every-site",
                field="request.site_id",
                names=", ".join(sorted(caller.sites)) or "you have none yet",
            )
    if caller.sites is None or operation.scope == "public":
        return named[0] if named else None
    if operation.name in ABOUT_NO_SITE:
        raise refuse("every-site-needed")
    for name in named:
        require_own(name, caller.sites)
    references = [
        (KIND_OF[field], value) for field, value in parameters if field in KIND_OF and value != ""
    ]
    references += _references(body)
    if references:
        look_up = partial(_look_up, caller=caller, references=references)
        named += await identity.write(look_up)
    return named[0] if named else None


def _names_in(parameters: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for field, value in parameters:
        if field in SITE_FIELDS:
            yield from _names(value)


def sites_named(document: Any) -> Iterator[str]:
    """Yield the name of every site in a message, inline sites included."""
    for field, value in _fields(document):
        if field in SITE_FIELDS:
            yield from _names(value)


def _fields(document: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a message down to ``MAX_DEPTH``, outer before inner."""
    if depth > MAX_DEPTH:
        return
    if isinstance(document, list):
        for part in document:
            if isinstance(part, dict | list):
                yield from _fields(part, depth + 1)
    elif isinstance(document, dict):
        for field, value in document.items():
            yield field, value
            if isinstance(value, dict | list):
                yield from _fields(value, depth + 1)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (name for name in value if isinstance(name, str))
    elif isinstance(value, dict) and isinstance(value.get("name"), str):
        yield value["name"]


def _references(document: Any) -> Iterator[Reference]:
    for field, value in _fields(document):
        # A form sends an empty field as "".
        if field in KIND_OF and isinstance(value, str | int) and value != "":
            yield KIND_OF[field], value


def _look_up(connection: Connection, caller: Caller, references: list[Reference]) -> list[str]:
    site_names: list[str] = []
    for kind, reference in references:
        behind = find_reference(connection, kind, reference)
        names = list(sites_named(behind)) if isinstance(behind, dict) else list(_names(behind))
        hidden = behind is None or not (names or kind in OF_NO_SITE)
        if hidden or not all(caller.has_site(name) for name in names):
            raise refuse(
                "not-found",
                field=kind,
                value=reference,
                thing=_NOUNS[kind],
                source="the answer that gave its id",
            )
        site_names += names
    return site_names
