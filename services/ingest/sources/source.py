"""Protocols of outside data sources (history, live, prices, carbon) and their errors.

SourceError            slow, busy or unreadable answer: a later retry may succeed
  SourceUnreachedError no connection: retried soon, see ``ask_again`` in ``services.ingest.tasks``
SourceRefusedError     wrong request (token, name, window): a retry fails again
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.source_readings import Reading


class SourceError(UnavailableError):
    """An outside service is away, busy, or sends an unreadable answer.

    Nothing is lost, the next read continues where this one ended.
    """

    title: ClassVar[str] = "Source unavailable"
    code: ClassVar[str] = "source"


class SourceUnreachedError(SourceError):
    """No connection: the service is down, or this machine is offline."""


class SourceRefusedError(InvalidInputError):
    """Refusal by an outside service: wrong token, unknown name, or window without data."""

    title: ClassVar[str] = "Source refused"
    code: ClassVar[str] = "source-refused"


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """Prices of one market as published at one instant.

    ``starts`` and ``price`` (currency per kWh) per product of ``minutes``. The price is that of the
    energy alone on an exchange, and what the customer pays or gets where the market is a supplier's
    tariff.

    ``published_at`` is None where the service does not state it.
    """

    market: str
    currency: str
    minutes: int
    published_at: datetime | None
    starts: InstantArray
    price: FloatArray


@dataclass(frozen=True, slots=True)
class CarbonSheet:
    """Carbon intensities of quarter-hours, measured or forecast.

    ``starts`` ascend; ``g_per_kwh`` is finite.
    """

    starts: InstantArray
    g_per_kwh: FloatArray
    is_measured: bool


class LiveSource(Protocol):
    """A service that streams the readings of sensors."""

    name: str

    async def listen(
        self, sensors: Sequence[str], record: Callable[[Sequence[Reading]], Awaitable[None]]
    ) -> None:
        """Pass every reading to ``record``, which returns once it is stored.

        Reconnect without a gap until cancelled.
        """
        ...


class PriceSource(Protocol):
    """A service that publishes day-ahead prices."""

    name: str

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        """Return the prices from ``first`` on, before ``end``."""
        ...


class CarbonSource(Protocol):
    """A service that publishes the carbon intensity of grids."""

    name: str

    def fetch(
        self, zone: str, first: datetime, end: datetime, *, now: datetime
    ) -> list[CarbonSheet]:
        """Return at least the intensities from ``first`` on, before ``end``."""
        ...
