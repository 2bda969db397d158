"""HTTP client for outside services.

It retries with back-off after temporary failures, a bounded number of times.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from luna.energy.durations import format_duration
from luna.platform.address_policy import DATA_SERVICE, OutgoingPurpose
from luna.platform.checked_transport import CheckedTransport
from luna.platform.clock import Clock, SystemClock
from luna.platform.retry import RetryPolicy
from luna.platform.settings import Settings
from services.ingest.sources.source import SourceError, SourceRefusedError, SourceUnreachedError

# A longer ``Retry-After`` is left to the caller's next run.
RETRY = RetryPolicy(timedelta(seconds=1), longest=timedelta(seconds=30), tries=3)
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
# A year of quarter-hours as XML has 10 MB.
MAX_BYTES = 32_000_000
_LONGEST_EXCERPT = 200
# As the operating system begins its errors: "[Errno -2] Name or service not known".
_ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")
# As OpenSSL begins its errors: a server that refuses a certificate says so in its first answer.
_TLS_ENDED = "[SSL: "

ModelT = TypeVar("ModelT", bound=BaseModel)
Parameters = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """A service's answer: an accepted status, and the whole body."""

    service: str
    status: int
    content: bytes

    def parse(self, model: type[ModelT]) -> ModelT:
        """Return the JSON body as ``model``.

        Raises:
            SourceError: the body is no JSON, or does not fit the model.
        """
        try:
            return model.model_validate_json(self.content)
        except ValidationError as exc:
            fault = exc.errors(include_url=False)[0]
            place = ".".join(str(part) for part in fault["loc"]) or "body"
            raise SourceError(
                f"answers what cannot be read: {place}: {fault['msg']}",
                field=self.service,
                remedy="Try again later.",
            ) from exc


@dataclass
class Web:
    """Client of one outside service for one run.

    After a failed connection every further request fails at once, else each of a hundred sites
    would time out.

    Args:
        service: its name, for errors.
        transport: sends requests; tests pass one with recorded replies.
        interval: pause before each request but the first, where the service limits the rate.
        sleep: waits for so many seconds.
        clock: for dates in ``Retry-After``, and for sources with prices from now on.
        purpose: which addresses it may be at.
        certificates: what it trusts, and shows of its own; None: as every site on the web.
        longest: how long an answer may take to come whole; one that trickles would hold a worker.
    """

    service: str
    transport: httpx.BaseTransport | None = None
    interval: timedelta = timedelta(0)
    sleep: Callable[[float], None] = time.sleep
    clock: Clock = field(default_factory=SystemClock)
    purpose: OutgoingPurpose = DATA_SERVICE
    certificates: ssl.SSLContext | None = None
    longest: timedelta = timedelta(minutes=1)
    _has_sent: bool = field(default=False, init=False)
    _unreached: SourceUnreachedError | None = field(default=None, init=False)

    def get(
        self,
        url: str,
        parameters: Parameters,
        *,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
    ) -> WebAnswer:
        """Return the answer to a GET.

        Raises:
            SourceUnreachedError: no connection.
            SourceError: the answer is late, too large, incomplete or busy; after three tries where
                a retry may help.
            SourceRefusedError: the service refuses the request.
        """
        return self._ask(
            httpx.Request("GET", url, params=dict(parameters), headers=_headers(headers)), accept
        )

    def post(
        self,
        url: str,
        document: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
    ) -> WebAnswer:
        """Return the answer to a POST of JSON; raises like ``get``."""
        content = json.dumps(document).encode()
        typed = {**(headers or {}), "content-type": "application/json"}
        return self.post_content(url, content, headers=typed, accept=accept)

    def post_content(
        self,
        url: str,
        content: bytes,
        *,
        headers: Mapping[str, str],
        accept: Collection[int] = (200,),
    ) -> WebAnswer:
        """Return the answer to a POST of a body that the headers describe; raises like ``get``."""
        request = httpx.Request("POST", url, content=content, headers=_headers(headers))
        return self._ask(request, accept)

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
    ) -> WebAnswer:
        """Return the answer to a POST of a form; raises like ``get``."""
        return self._ask(
            httpx.Request("POST", url, data=dict(fields), headers=_headers(headers)), accept
        )

    def _ask(self, request: httpx.Request, accept: Collection[int]) -> WebAnswer:
        if self._unreached is not None:
            raise self._unreached
        for failures in RETRY.attempts():
            if self._has_sent:
                self.sleep(self.interval.total_seconds())
            self._has_sent = True
            status, headers, content = self._send(request)
            if status in accept:
                return WebAnswer(self.service, status, content)
            if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                credential = "token" if self.certificates is None else "certificate"
                raise SourceRefusedError(
                    f"does not accept the {credential}, or asks for one",
                    field=self.service,
                    remedy=f"Check the {credential} in the settings.",
                )
            passing = (
                status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
                or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            )
            if not passing and status >= HTTPStatus.BAD_REQUEST:
                reason = (
                    " ".join(content[:_LONGEST_EXCERPT].decode("utf-8", "replace").split())
                    or "no reason given"
                )
                raise SourceRefusedError(
                    f"refuses what was asked: {reason}",
                    field=self.service,
                    value=status,
                    remedy="Check market, place and time.",
                )
            if not passing:
                raise SourceError(
                    f"answers {status}, which is no answer",
                    field=self.service,
                    remedy="Try again later.",
                )
            retry_after_s = self._retry_after(headers)
            if retry_after_s > RETRY.longest.total_seconds():
                raise SourceError(
                    f"wants to be asked again in {retry_after_s:.0f} s",
                    field=self.service,
                    value=status,
                    remedy="Try again later.",
                )
            pause = retry_after_s or RETRY.pause(failures).total_seconds()
            if not RETRY.gives_up(failures):
                self.sleep(pause)
        raise SourceError(
            f"answered {status} {RETRY.tries} times", field=self.service, remedy="Try again later."
        )

    def _send(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        try:
            transport = self.transport or CheckedTransport(
                self.purpose, certificates=self.certificates
            )
            with httpx.Client(transport=transport, timeout=TIMEOUT) as client:
                answer = client.send(request, stream=True)
                content = bytearray()
                deadline_s = time.monotonic() + self.longest.total_seconds()
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > MAX_BYTES:
                        break
                    if time.monotonic() > deadline_s:
                        raise SourceError(
                            f"takes longer than {format_duration(self.longest)} to answer",
                            field=self.service,
                            remedy="Try again later.",
                        )
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
        ) as exc:
            # No retry: the caller uses another service, or tries again within a minute.
            reason = f"is not reached: {_ERROR_NUMBER.sub('', str(exc)) or type(exc).__name__}"
            self._unreached = SourceUnreachedError(
                reason, field=self.service, remedy="Check that this machine is online."
            )
            raise self._unreached from exc
        except httpx.TransportError as exc:
            if _TLS_ENDED in str(exc):
                raise SourceRefusedError(
                    f"ends the encrypted connection: {exc}",
                    field=self.service,
                    remedy="Check the certificate in the settings.",
                ) from exc
            # Retried like a bad gateway: the connection broke off within an answer.
            return HTTPStatus.BAD_GATEWAY, httpx.Headers(), str(exc or type(exc).__name__).encode()
        except httpx.HTTPError as exc:
            raise SourceError(
                f"answers what cannot be read: {exc}", field=self.service, remedy="Try again later."
            ) from exc
        if len(content) > MAX_BYTES:
            raise SourceError(
                f"answers more than {MAX_BYTES // 1_000_000} MB",
                field=self.service,
                remedy="Ask for a shorter time.",
            )
        return answer.status_code, answer.headers, bytes(content)

    def _retry_after(self, headers: httpx.Headers) -> float:
        """Return the seconds of ``Retry-After``, given as a number or a date.

        0 without it. Source: RFC 9110, 10.2.3.
        """
        text = headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            instant = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return max((aware - self.clock.now()).total_seconds(), 0.0)


def instant_of(seconds: float) -> datetime:
    """Return the instant of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {"user-agent": "luna-energy", "accept-encoding": "gzip", **(headers or {})}


def read_token(settings: Settings, setting: str | None) -> str:
    """Return the token of a service that needs ``setting``, "" without one."""
    if setting is None:
        return ""
    stored: SecretStr | None = getattr(settings, setting)
    return stored.get_secret_value() if stored else ""
