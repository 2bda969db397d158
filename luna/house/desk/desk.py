"""Execute capabilities for the command line: here without a gateway, or at a remote gateway."""

import getpass
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import quote

from pydantic import SecretStr, TypeAdapter
from pydantic_core import to_json
from sqlalchemy import Engine

from luna.contracts.documents import Document
from luna.contracts.identity import ROLE_SCOPES
from luna.contracts.message import Message, Request
from luna.energy.errors import (
    ConfirmationError,
    InvalidInputError,
    MachineError,
    NotFoundError,
    UnavailableError,
    read_problem,
)
from luna.energy.site import Site
from luna.house.capabilities.jobs import JobReply, read_job
from luna.house.capabilities.sites import SiteList, UnreadableDocument, list_sites
from luna.house.capability import Capability, CapabilityCall, Tagged
from luna.house.desk.servers import open_database, open_object_store, open_queue
from luna.house.desk.work import FollowProgress, answer_request, await_end, carry_out
from luna.platform.clock import SystemClock
from luna.platform.database import documents, engine, users

if TYPE_CHECKING:
    from luna.platform.queue import Client

PAGE_ROWS = 500


class Desk(Protocol):
    def ask(self, capability: Capability, values: Mapping[str, Any]) -> Any:
        """Return a capability's reply.

        Raises:
            LunaError: as the capability raises it.
        """

    def save_file(self, document: Document, target: Path) -> None:
        """Write a document's original file.

        Raises:
            NotFoundError: it is gone.
            MachineError: the file cannot be written.
        """


def read_pages(desk: Desk, capability: Capability, values: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a list page by page."""
    page = desk.ask(capability, {**values, "limit": PAGE_ROWS})
    yield page
    while page.cursor is not None:
        page = desk.ask(capability, {**values, "limit": PAGE_ROWS, "cursor": page.cursor})
        yield page


def read_sites(desk: Desk) -> SiteList:
    sites: list[Site] = []
    unreadable: list[UnreadableDocument] = []
    for page in read_pages(desk, list_sites, {}):
        sites += page.sites
        unreadable += page.unreadable
    return SiteList(sites=sites, unreadable=unreadable, cursor=None)


class OwnDesk:
    """This machine's own Luna: database and workers without a gateway.

    Args:
        follow: shows the progress of long work.
        user: the user to act as; None: local access with all rights.
    """

    def __init__(self, follow: FollowProgress, *, user: str | None = None) -> None:
        self._follow = follow
        self._user = user
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def ask(self, capability: Capability, values: Mapping[str, Any]) -> Any:
        """Return a capability's reply; local commands have an admin's rights."""
        with CapabilityCall(
            by=getpass.getuser(),
            now=SystemClock().now(),
            database=self._open_database,
            queue=self._open_queue,
            objects=open_object_store,
            scopes=ROLE_SCOPES["admin"],
            user_id=self._find_user(),
        ) as call:
            result = capability.function(call, **values)
        if isinstance(result, Tagged):
            return result.reply
        if not isinstance(result, Request):
            return result
        if capability.as_job:
            return carry_out(self._open_database(), self._open_queue(), result, self._follow)
        return answer_request(result)

    def save_file(self, document: Document, target: Path) -> None:
        """Write a document's original file."""
        open_object_store().fetch(documents.object_key(document.sha256), target)

    def _find_user(self) -> int | None:
        """Return the id of the user to act as.

        Raises:
            NotFoundError: no such user.
        """
        if self._user is None:
            return None
        with engine.unit_of_work(self._open_database()) as connection:
            credentials = users.find_credentials(connection, self._user)
        if credentials is None:
            raise NotFoundError(
                "no such user",
                field="--user",
                value=self._user,
                remedy="List them: luna user list.",
            )
        return credentials.user_id

    @cache  # noqa: B019 - as long as the command
    def _open_database(self) -> Engine:
        return self._opened.enter_context(open_database())

    @cache  # noqa: B019 - as long as the command
    def _open_queue(self) -> "Client":
        return self._opened.enter_context(open_queue())


PATIENCE_SECONDS = 60.0
# Longer than the gateway's own time-out for its workers.
WORK_SECONDS = 900.0
_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?")


class RemoteDesk:
    """A remote gateway.

    Args:
        url: its address.
        key: the API key of requests.
        follow: shows the progress of long work.
        ask_password: returns the user's password where the gateway requires confirmation; None:
            there is no terminal to type it.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        follow: FollowProgress,
        ask_password: Callable[[], str | None],
    ) -> None:
        import httpx

        from luna.platform.checked_transport import trusted_certificates

        self._url = url
        self._follow = follow
        self._ask_password = ask_password
        if not _ADDRESS.fullmatch(url):
            raise InvalidInputError(
                "is no address",
                field="--server",
                value=url,
                remedy="Write it like https://luna.home:8080.",
            )
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=url, headers=headers, verify=trusted_certificates())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, capability: Capability, values: Mapping[str, Any]) -> Any:
        """Return a capability's reply; for a job its result once it is done."""
        reply = self._request(capability, values)
        if capability.as_job:
            # Progress is shown on standard error.
            job = JobReply.model_validate(reply)
            with self._follow(job.task) as progress:
                job = await_end(partial(self.ask, read_job, {"job_id": job.job_id}), progress)
            if job.status != "done":
                from luna.platform.queue.jobs import explain_end

                raise explain_end(job)
            reply = job.reply
        return None if capability.reply is None else capability.reply.model_validate(reply)

    def save_file(self, document: Document, target: Path) -> None:
        """Write a document's original file."""
        answer = self._call(
            "GET",
            f"/v1/documents/{quote(document.document_id, safe='')}/file",
            timeout=PATIENCE_SECONDS,
        )
        if not answer.is_success:
            self._read(answer)
        try:
            target.write_bytes(answer.content)
        except OSError as exc:
            raise MachineError(
                f"cannot be written: {exc.strerror}",
                field=str(target),
                remedy="Name a file that you may write.",
            ) from exc

    def _request(self, capability: Capability, values: Mapping[str, Any]) -> Any:
        places = {parameter.name: parameter.place for parameter in capability.parameters}
        in_path = {}
        for name, value in values.items():
            if places[name] == "path":
                in_path[name] = quote(str(value), safe="")
        path = capability.path.format(**in_path)
        query: dict[str, Any] = {}
        for parameter in capability.parameters:
            if parameter.place != "query" or parameter.name not in values:
                continue
            written = TypeAdapter(parameter.hint).dump_python(
                values[parameter.name], mode="json", by_alias=True, exclude_none=True
            )
            if parameter.is_model:
                query |= written
            else:
                query[parameter.info.alias or parameter.name] = written
        bodies = [_write(value) for name, value in values.items() if places[name] == "body"]
        body = bodies[0] if bodies else None
        version = {}
        if capability.route.changes in values:
            version["If-Match"] = f'"{values[capability.route.changes]}"'
        send = partial(
            self._send,
            capability.method,
            path,
            query,
            body,
            patience=PATIENCE_SECONDS if capability.asks is None else WORK_SECONDS,
        )
        try:
            return send(headers=version)
        except ConfirmationError as refused:
            typed = self._ask_password()
            if typed is None:
                raise ConfirmationError(
                    refused.message, remedy="Call it at a terminal, which asks for it."
                ) from refused
            return send(headers=version | {"X-Confirm-Password": quote(typed, safe="")})

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> Any:
        headers_sent = dict(headers or {})
        content: bytes | None = None
        if body is not None:
            headers_sent["Content-Type"] = "application/json"
            content = to_json(body)
        answer = self._call(
            method, path, params=query, content=content, headers=headers_sent, timeout=patience
        )
        return self._read(answer)

    def _call(self, method: str, path: str, **options: Any) -> Any:
        """Return the response to a request.

        Raises:
            UnavailableError: the gateway does not answer.
        """
        import httpx

        try:
            return self._client.request(method, path, **options)
        except httpx.HTTPError as exc:
            remedy = "See that Luna runs there and that this machine reaches it."
            raise UnavailableError(
                f"the server does not answer: {exc}",
                field="--server",
                value=self._url,
                remedy=remedy,
            ) from exc

    def _read(self, answer: Any) -> Any:
        """Return the content of a response.

        Raises:
            LunaError: the gateway's error.
            InvalidInputError: the server is no gateway of Luna.
        """
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("application/problem+json"):
            raise read_problem(answer.json())
        if not answer.is_success or not kind.startswith("application/json"):
            remedy = "Name the address of Luna's page, such as https://luna.home:8080."
            raise InvalidInputError(
                f"what answers there is no Luna (status {answer.status_code})",
                field="--server",
                value=self._url,
                remedy=remedy,
            )
        return answer.json()


def _write(body: Message) -> dict[str, Any]:
    """Return a body as JSON, with its secrets in plain text."""
    secrets = {
        name: value.get_secret_value() for name, value in body if isinstance(value, SecretStr)
    }
    return body.model_dump(mode="json", by_alias=True, exclude_unset=True) | secrets
