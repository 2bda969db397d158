"""What a kind of row offers, so that it can be spooled."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

Row_contra = TypeVar("Row_contra", contravariant=True)


class Kind(Protocol[Row_contra]):
    """Rows that are spooled alike. ``name`` stands in the spool's file, so it never changes."""

    @property
    def name(self) -> str: ...

    def encode(self, row: Row_contra) -> bytes:
        """Return a row as it stands in the spool.

        Raises:
            InvalidInputError: the database would refuse it.
        """
        ...

    def store(self, connection: Connection, site_id: str, bodies: Sequence[bytes]) -> None:
        """Write rows of one site by their natural keys; of two with the same key the later one counts.

        Invariants: storing the same bodies again changes nothing.

        Raises:
            NotFoundError: no such site.
        """
        ...
