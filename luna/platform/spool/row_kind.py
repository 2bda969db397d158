"""Define the interface of a spooled kind of row, and that of episode steps."""

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import require_utc
from luna.platform.database import episodes
from luna.platform.database.episodes import EpisodeStep

Row_contra = TypeVar("Row_contra", contravariant=True)


class RowKind(Protocol[Row_contra]):
    """A kind of rows to spool.

    ``name`` is stored in the spool's file, so it never changes.
    """

    @property
    def name(self) -> str: ...

    def encode(self, row: Row_contra) -> bytes:
        """Serialise a row.

        Raises:
            InvalidInputError: the database would refuse it.
        """
        ...

    def store(self, connection: Connection, site_id: str, bodies: Sequence[bytes]) -> None:
        """Upsert rows of one site by their natural keys.

        The last of several with the same key wins.

        Invariants: storing the same bodies again changes nothing.

        Raises:
            NotFoundError: no such site.
        """
        ...


class EpisodeKind:
    """Episode steps, stored in ``antares_learning`` by site, system and slot."""

    name = "episodes"

    def encode(self, row: EpisodeStep) -> bytes:
        """Return a step as JSON.

        Raises:
            InvalidInputError: no system, an instant without offset, or a state or action that JSON
                cannot represent (NaN or a NUL character).
        """
        if not row.system_id.strip():
            raise InvalidInputError(
                "an episode belongs to a system",
                field="system_id",
                value=row.system_id,
                remedy="Name it: prod or simulation.",
            )
        start = require_utc(row.slot_start, field="slot_start").isoformat()
        reward = None if row.reward is None or math.isnan(row.reward) else row.reward
        try:
            text = json.dumps(
                [row.system_id, start, dict(row.state), dict(row.action), reward],
                allow_nan=False,
                ensure_ascii=False,
            )
            body = text.encode()
        except (TypeError, ValueError) as exc:
            raise InvalidInputError(
                f"cannot be written as JSON: {exc}",
                field="state",
                remedy="Give plain numbers, texts, lists and mappings.",
            ) from exc
        if r"\u0000" in text:
            raise InvalidInputError(
                "holds a character of code 0, which PostgreSQL keeps in no text",
                field="state",
                remedy="Leave it out.",
            )
        return body

    def store(self, connection: Connection, site_id: str, bodies: Sequence[bytes]) -> None:
        """Upsert steps; the last of several for the same slot wins.

        Raises:
            NotFoundError: no such site.
        """
        steps = []
        for body in bodies:
            system, start, state, action, reward = json.loads(body)
            slot_start = datetime.fromisoformat(start)
            steps.append(EpisodeStep(system, slot_start, state, action, reward))
        episodes.upsert(connection, site_id, steps)
