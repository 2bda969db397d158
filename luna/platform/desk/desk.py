"""What asks capabilities wherever they are carried out, and this machine's own Luna, asked without a gateway."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from sqlalchemy import Engine

from luna.contracts.documents import Document
from luna.contracts.identity import ROLE_SCOPES
from luna.contracts.message import Request
from luna.energy.errors import NotFoundError
from luna.platform.capabilities.sites import SiteList, list_sites
from luna.platform.capability import Capability, CapabilityCall, Tagged
from luna.platform.clock import SystemClock
from luna.platform.database import documents, engine, users
from luna.platform.desk.servers import open_database, open_object_store, open_queue
from luna.platform.desk.work import FollowProgress, answer_request, carry_out

if TYPE_CHECKING:
    from luna.platform.queue import Client

PAGE_ROWS = 500


class Desk(Protocol):
    """Where capabilities are carried out."""

    def ask(self, capability: Capability, values: Mapping[str, Any]) -> Any:
        """Return a capability's reply.

        Raises:
            LunaError: why there is none.
        """

    def save_file(self, document: Document, target: Path) -> None:
        """Write a document's file as it was added.

        Raises:
            NotFoundError: it is gone.
            MachineError: the file cannot be written.
        """


def read_pages(desk: Desk, capability: Capability, values: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a list page by page, as a gateway gives it."""
    page = desk.ask(capability, {**values, "limit": PAGE_ROWS})
    yield page
    while page.cursor is not None:
        page = desk.ask(capability, {**values, "limit": PAGE_ROWS, "cursor": page.cursor})
        yield page


def read_sites(desk: Desk) -> SiteList:
    """Return every site."""
    pages: list[SiteList] = list(read_pages(desk, list_sites, {}))
    return SiteList(sites=[site for page in pages for site in page.sites], unreadable=[site for page in pages for site in page.unreadable], cursor=None)


class OwnDesk:
    """This machine's own Luna: its database and workers, with nobody between.

    Args:
        follow: shows how far long work is.
        user: the person in whose name is asked; None: whoever may read this machine's files.
    """

    def __init__(self, follow: FollowProgress, *, user: str | None = None) -> None:
        self._follow, self._user, self._opened = follow, user, ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def ask(self, capability: Capability, values: Mapping[str, Any]) -> Any:
        """Return a capability's reply; who may start a command here may have all that it does."""
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
        if not isinstance(result, Request):
            return result.reply if isinstance(result, Tagged) else result
        return carry_out(self._open_database(), self._open_queue(), result, self._follow) if capability.as_job else answer_request(result)

    def save_file(self, document: Document, target: Path) -> None:
        """Write a document's file as it was added."""
        open_object_store().fetch(documents.object_key(document.sha256), target)

    def _find_user(self) -> int | None:
        """Return the number of the person in whose name is asked.

        Raises:
            NotFoundError: no such person.
        """
        if self._user is None:
            return None
        with engine.unit_of_work(self._open_database()) as connection:
            credentials = users.find_credentials(connection, self._user)
        if credentials is None:
            raise NotFoundError("no such user", field="--user", value=self._user, remedy="List them: luna user list.")
        return credentials.user_id

    @cache  # noqa: B019 - as long as the command
    def _open_database(self) -> Engine:
        return self._opened.enter_context(open_database())

    @cache  # noqa: B019 - as long as the command
    def _open_queue(self) -> "Client":
        return self._opened.enter_context(open_queue())
