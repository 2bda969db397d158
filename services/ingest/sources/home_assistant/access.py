"""Where Home Assistant is, who asks, and how patiently."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, TypeVar
from urllib.parse import urlsplit

import numpy as np

from luna.errors import InvalidInputError
from luna.settings import Settings
from services.ingest.sources.source import SourceError

NAME = "home_assistant"
T = TypeVar("T")


class BusyError(SourceError):
    """Home Assistant, or a proxy before it, asks to wait ``wait_s`` before the next request."""

    def __init__(self, message: str, *, wait_s: float) -> None:
        super().__init__(message, field=NAME)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Access:
    """Address and token of a Home Assistant."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings name.

        Raises:
            InvalidInputError: no address, no HTTP address, or no token.
        """
        url = (settings.home_assistant_url or "").rstrip("/")
        if urlsplit(url).scheme not in {"http", "https"}:
            remedy = "Write it like http://homeassistant.local:8123."
            raise InvalidInputError("no address of a Home Assistant", field="LUNA_HOME_ASSISTANT_URL", value=settings.home_assistant_url, remedy=remedy)
        if settings.home_assistant_token is None:
            remedy = "Make a long-lived access token in your Home Assistant profile, under Security."
            raise InvalidInputError("Home Assistant needs a token", field="LUNA_HOME_ASSISTANT_TOKEN", remedy=remedy)
        return cls(url, settings.home_assistant_token.get_secret_value())

    @property
    def socket_url(self) -> str:
        """Address of the websocket."""
        return f"ws{self.url.removeprefix('http')}/api/websocket"


@dataclass(frozen=True)
class Patience:
    """How long one answer may take, how often a failed request is made again, and how far apart requests stand.

    Waits double from ``first_wait_s`` to ``longest_wait_s``, each shortened at random by up to a half, so that several who lost it do not come back at once.
    """

    timeout_s: float = 60.0
    attempts: int = 6
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    pause_s: float = 0.02
    sleep: Callable[[float], None] = time.sleep
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def wait_s(self, failures: int, asked_s: float = 0.0) -> float:
        """Return how long to wait after ``failures`` in a row (at least one); never less than asked for, as far as ``longest_wait_s`` allows."""
        usual = min(self.first_wait_s * 2.0 ** min(failures - 1, 30), self.longest_wait_s)
        return min(max(asked_s, usual * self.rng.uniform(0.5, 1.0)), self.longest_wait_s)

    def call(self, ask: Callable[[], T]) -> T:
        """Return what ``ask`` returns; after a ``SourceError`` ask again, a bounded number of times.

        Raises:
            SourceError: the last attempt failed too.
        """
        for failures in range(1, self.attempts):
            try:
                return ask()
            except SourceError as error:
                self.sleep(self.wait_s(failures, error.wait_s if isinstance(error, BusyError) else 0.0))
        return ask()
