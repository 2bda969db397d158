"""Which sites a request is about, whatever id it names them by, and whether the caller has them all."""

from collections.abc import Iterator
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
# Other names under which an id of that kind is asked for.
KIND_OF: dict[str, Kind] = {kind: kind for kind in KINDS} | {"before_id": "plan_id", "after_id": "plan_id", "conversation": "conversation_id"}
# What may tell of no site at all, and is then hidden from nobody for a site's sake; any other work of no site is work of all.
OF_NO_SITE: frozenset[Kind] = frozenset({"answer_id", "conversation_id"})
# How deep in a message something can name a site; what lies deeper is data.
MAX_DEPTH = 4
# What is about no site of its own, or shows a caller their own alone.
ABOUT_NO_SITE = frozenset({"create_site"})

# How a refusal names each kind.
_NOUNS: dict[Kind, str] = {
    "plan_id": "plan",
    "job_id": "job",
    "what_if_id": "question",
    "quarantine_id": "row",
    "answer_id": "answer",
    "conversation_id": "conversation",
}

Reference = tuple[Kind, str | int]


async def require_sites(identity: Identity, caller: Caller, operation: Operation, request: Request, body: Any) -> str | None:  # noqa: PLR0917 - one request
    """Return the first site that a request is about, for the audit log.

    Raises:
        NotFoundError: one is not the caller's, or not there at all: both in the same words.
        ForbiddenError: the caller may not ask for that job, or asks for one of every site.
    """
    parameters = [*request.path_params.items(), *request.query_params.multi_items()]
    named = [name for field, value in parameters if field in SITE_FIELDS for name in _names(value)] + list(sites_named(body))
    if operation.name == "accept_job":
        # Hold a job to what its task takes, and one of every site to who has every site.
        task = body.get("task") if isinstance(body, dict) else None
        scope: Scope = JOB_SCOPES.get(task, "administer") if isinstance(task, str) else "analyse"
        if scope not in caller.scopes:
            raise refuse("task-scope-missing", field="task", value=task, scope=scope)
        if caller.sites is not None and not named:
            raise refuse("job-of-every-site", field="request.site_id", names=", ".join(sorted(caller.sites)) or "you have none yet")
    if caller.sites is None or operation.scope == "public":
        return named[0] if named else None
    if operation.name in ABOUT_NO_SITE:
        raise refuse("every-site-needed")
    for name in named:
        require_own(name, caller.sites)
    references = [(KIND_OF[field], value) for field, value in parameters if field in KIND_OF and value != ""] + list(_references(body))
    behind = await identity.write(lambda connection: _look_up(connection, caller, references)) if references else []
    return next(iter([*named, *behind]), None)


def sites_named(document: Any) -> Iterator[str]:
    """Yield every site that a message names, its own inline sites among them."""
    for field, value in _fields(document):
        if field in SITE_FIELDS:
            yield from _names(value)


def _fields(document: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every field of a message that may name something, each before those within it."""
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
        yield from (each for each in value if isinstance(each, str))
    elif isinstance(value, dict) and isinstance(value.get("name"), str):
        yield value["name"]


def _references(document: Any) -> Iterator[Reference]:
    for field, value in _fields(document):
        # A form sends what was left open as nothing.
        if field in KIND_OF and isinstance(value, str | int) and value != "":
            yield KIND_OF[field], value


def _look_up(connection: Connection, caller: Caller, references: list[Reference]) -> list[str]:
    site_names: list[str] = []
    for kind, reference in references:
        behind = find_reference(connection, kind, reference)
        names = list(sites_named(behind)) if isinstance(behind, dict) else list(_names(behind))
        hidden = behind is None or not (names or kind in OF_NO_SITE)
        if hidden or not all(caller.has_site(name) for name in names):
            raise refuse("no-such-reference", field=kind, value=reference, kind=_NOUNS[kind])
        site_names += names
    return site_names
