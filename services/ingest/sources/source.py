"""What every source offers, and how it fails.

SourceError            slow, too busy for now, or unreadable: asking again later may work
  SourceUnreachedError nobody answers; who comes back is found soon, see ``ask_again`` in ``services.ingest.tasks``
SourceRefusedError     asked wrongly: a token, a name, a window; asking again gives the same
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.reading import Reading, Samples


class SourceError(UnavailableError):
    """An outside service is away, too busy, or answers what nobody can read; nothing was lost, reading goes on where it ended."""

    title: ClassVar[str] = "Source unavailable"
    code: ClassVar[str] = "source"


class SourceUnreachedError(SourceError):
    """Nobody answers: the service is away, or the way to it, as where this machine is offline."""


class SourceRefusedError(InvalidInputError):
    """An outside service refuses what was asked: a token, an unknown name, a window it does not have."""

    title: ClassVar[str] = "Source refused"
    code: ClassVar[str] = "source-refused"


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """Prices of one market as published at one instant: ``starts`` and ``price`` (currency per kWh, energy alone) per product of ``minutes``.

    ``published_at`` is None where the service does not say it.
    """

    market: str
    currency: str
    minutes: int
    published_at: datetime | None
    starts: InstantArray
    price: FloatArray


class HistorySource(Protocol):
    """A service that knows the past of sensors."""

    name: str

    def read(self, sensor: str, first: datetime, end: datetime) -> Iterator[Samples]:
        """Yield what the sensor said from ``first`` on, before ``end``, in stretches in order of time; each stretch is complete when it is yielded."""
        ...


class LiveSource(Protocol):
    """A service that tells what sensors say as it happens."""

    name: str

    async def listen(self, sensors: Sequence[str], record: Callable[[Sequence[Reading]], Awaitable[None]]) -> None:
        """Hand every reading to ``record``, which returns when it is safe; reconnect without a gap until cancelled."""
        ...


class PriceSource(Protocol):
    """A service that publishes day-ahead prices."""

    name: str

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        """Return the prices from ``first`` on, before ``end``."""
        ...
