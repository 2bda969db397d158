"""What asks capabilities, wherever they are carried out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from luna.contracts.documents import Document
from luna.platform.capabilities.sites import SiteList, list_sites
from luna.platform.capability import Capability

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
