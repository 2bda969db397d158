"""Reads a utility's server: from its device capability to the controls of Luna's programmes.

Every resource is XML that links to the next. Lists come in pages. The server says how often it may
be asked, and its own time, by which its events are.

Source: IEEE 2030.5-2018, 7 (design pattern), 8.5 (time), 10.2 (common), 10.10 (DER); CSIP 2.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from services.ingest.sources.ieee2030.controls import (
    NAME,
    DerControl,
    DerMode,
    DueResponse,
    EventStatus,
    make_default,
    randomise,
)
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = "urn:ieee:std:2030.5:ns"
MEDIA_TYPE = "application/sep+xml"
_PAGE = 100
_MOST_PAGES = 20
# Source: IEEE 2030.5-2018, 7.6: how often a resource is read that names no rate.
_USUAL_POLL = timedelta(minutes=15)
_SHORTEST_POLL = timedelta(minutes=1)
# Both clocks count as the same up to there; beyond, whole minutes are put right.
_CLOCKS_DIFFER = timedelta(minutes=1)
_CREATED = (200, 201, 204)
_WATTS_PER_KW = 1_000.0
_HUNDREDTHS_OF_A_PERCENT = 10_000.0


@dataclass(frozen=True, slots=True)
class Announcement:
    """Controls that a server announces to Luna.

    Args:
        controls: of all programmes, by Luna's clock.
        poll: how long to wait until it is read again.
    """

    controls: list[DerControl]
    poll: timedelta


@dataclass
class UtilityServer:
    """Reads the controls that a server has for this client, and answers to them.

    Args:
        url: of its device capability, such as ``https://utility.example/dcap``.
        lfdi: by which the server names this client.
        rated_kw: the power that the plant can give, of which ``opModMaxLimW`` is a share.
        web: sends the requests.
    """

    url: str
    lfdi: str
    rated_kw: float
    web: Web
    _polls: list[timedelta] = field(default_factory=list, init=False)
    _offset: timedelta = field(default=timedelta(), init=False)

    def read(self, *, now: datetime) -> Announcement:
        """Return what the server announces.

        Raises:
            SourceError: the server is away, or what it answers cannot be read.
            SourceRefusedError: it does not accept the certificate, or does not know it.
        """
        self._polls.clear()
        try:
            controls = self._read_controls(now)
        except (ValueError, OverflowError) as exc:
            raise SourceError(
                f"announces what cannot be read: {exc}",
                field=NAME,
                remedy="Ask the grid operator.",
            ) from exc
        poll = min(self._polls, default=_USUAL_POLL)
        return Announcement(controls, min(max(poll, _SHORTEST_POLL), _USUAL_POLL))

    def respond(self, due: DueResponse, *, now: datetime) -> None:
        """Send a response.

        Raises:
            SourceError: the server is away.
            SourceRefusedError: it does not accept it.
        """
        created = int((now + self._offset).timestamp())
        content = (
            f'<?xml version="1.0" encoding="UTF-8"?>'
            f'<DERControlResponse xmlns="{NAMESPACE}">'
            f"<createdDateTime>{created}</createdDateTime>"
            f"<endDeviceLFDI>{self.lfdi}</endDeviceLFDI>"
            f"<status>{due.status.value}</status>"
            f"<subject>{due.control.mrid}</subject>"
            f"</DERControlResponse>"
        )
        self.web.post_content(
            self._resolve(due.control.reply_to),
            content.encode(),
            headers={"content-type": MEDIA_TYPE},
            accept=_CREATED,
        )

    def _read_controls(self, now: datetime) -> list[DerControl]:
        capability = self._get(self.url)
        self._offset = self._read_offset(capability, now)
        device = self._find_device(capability)
        programmes: dict[str, Element] = {}
        for assignment in self._list(device, "FunctionSetAssignmentsListLink"):
            for programme in self._list(assignment, "DERProgramListLink"):
                programmes.setdefault(_text(programme, "mRID") or "", programme)
        controls: list[DerControl] = []
        for programme in programmes.values():
            controls.extend(self._list_controls(programme))
        return controls

    def _read_offset(self, capability: "Element", now: datetime) -> timedelta:
        """Return how far the server's clock is ahead of Luna's, in whole minutes."""
        href = _link(capability, "TimeLink")
        if href is None:
            return timedelta()
        ahead = _instant(self._get(href), "currentTime") - now
        if abs(ahead) <= _CLOCKS_DIFFER:
            return timedelta()
        return timedelta(minutes=round(ahead / timedelta(minutes=1)))

    def _find_device(self, capability: "Element") -> "Element":
        for device in self._list(capability, "EndDeviceListLink"):
            if (_text(device, "lFDI") or "").upper() == self.lfdi:
                return device
        raise SourceRefusedError(
            f"does not know this certificate; its LFDI is {self.lfdi}",
            field=NAME,
            remedy="Have the grid operator register this LFDI.",
        )

    def _list_controls(self, programme: "Element") -> Iterator[DerControl]:
        primacy = _whole(programme, "primacy", default=0)
        href = _link(programme, "DefaultDERControlLink")
        if href is not None:
            default = self._get(href)
            modes = self._read_modes(default)
            if modes:
                yield make_default(_name(default), modes, primacy=primacy)
        for element in self._list(programme, "DERControlListLink"):
            control = self._read_control(element, primacy)
            if control.modes:
                yield control

    def _read_control(self, element: "Element", primacy: int) -> DerControl:
        start = _instant(element, "interval/start") - self._offset
        duration = timedelta(seconds=_whole(element, "interval/duration"))
        control = DerControl(
            mrid=_name(element),
            start=start,
            end=start + duration,
            modes=self._read_modes(element),
            primacy=primacy,
            created=_instant(element, "creationTime"),
            status=EventStatus(_whole(element, "EventStatus/currentStatus", default=0)),
            reply_to=element.get("replyTo", ""),
            responses=int(element.get("responseRequired", "0"), 16),
        )
        return randomise(
            control,
            start_s=_whole(element, "randomizeStart", default=0),
            duration_s=_whole(element, "randomizeDuration", default=0),
            lfdi=self.lfdi,
        )

    def _read_modes(self, element: "Element") -> dict[DerMode, float]:
        """Return the power of each mode that limits the connection, kW."""
        modes: dict[DerMode, float] = {}
        for mode in DerMode:
            limit = _find(element, f"DERControlBase/{mode.value}")
            if limit is None:
                continue
            if mode is DerMode.LARGEST:
                share = float(limit.text or "") / _HUNDREDTHS_OF_A_PERCENT
                modes[mode] = share * self.rated_kw
                continue
            watts = _whole(limit, "value") * 10.0 ** _whole(limit, "multiplier", default=0)
            modes[mode] = watts / _WATTS_PER_KW
        if any(limit_kw < 0 for limit_kw in modes.values()):
            raise ValueError(f"control {_name(element)} has a negative limit")
        return modes

    def _list(self, parent: "Element", link: str) -> Iterator["Element"]:
        """Yield the members of a list that a resource links to, page by page."""
        href = _link(parent, link)
        if href is None:
            return
        count = 0
        for _ in range(_MOST_PAGES):
            page = self._get(href, start=count)
            poll = page.get("pollRate")
            if poll is not None:
                self._polls.append(timedelta(seconds=int(poll)))
            yield from page
            count += len(page)
            if not len(page) or count >= int(page.get("all", "0")):
                return
        raise SourceError(
            f"has more than {_MOST_PAGES * _PAGE} entries in {href}",
            field=NAME,
            remedy="Ask the grid operator.",
        )

    def _get(self, href: str, *, start: int | None = None) -> "Element":
        url = self._resolve(href)
        parameters = dict(httpx.URL(url).params)
        if start is not None:
            parameters |= {"s": f"{start}", "l": f"{_PAGE}"}
        answer = self.web.get(url, parameters, headers={"accept": MEDIA_TYPE})
        try:
            return fromstring(answer.content)
        except (ParseError, DefusedXmlException, ValueError) as exc:
            raise SourceError(
                f"answers {href} with what is no XML: {exc}",
                field=NAME,
                remedy="Check grid.ieee2030.url of the site.",
            ) from exc

    def _resolve(self, href: str) -> str:
        """Return a link's address; the certificate is shown to the named server alone."""
        own = httpx.URL(self.url)
        url = own.join(href)
        if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
            raise SourceError(
                f"links to another server: {href}", field=NAME, remedy="Ask the grid operator."
            )
        return str(url)


def _find(element: "Element", path: str) -> "Element | None":
    """Return what stands at a path, of whatever namespace: extensions have their own."""
    return element.find("/".join(f"{{*}}{part}" for part in path.split("/")))


def _text(element: "Element", path: str) -> str | None:
    found = _find(element, path)
    return None if found is None or found.text is None else found.text.strip()


def _link(element: "Element", name: str) -> str | None:
    found = _find(element, name)
    return None if found is None else found.get("href")


def _whole(element: "Element", path: str, *, default: int | None = None) -> int:
    text = _text(element, path)
    if text is None and default is not None:
        return default
    if text is None:
        raise ValueError(f"{path} is missing")
    return int(text)


def _instant(element: "Element", path: str) -> datetime:
    return datetime.fromtimestamp(_whole(element, path), UTC)


def _name(element: "Element") -> str:
    mrid = _text(element, "mRID")
    if not mrid or not mrid.isalnum():
        raise ValueError(f"{mrid!r} is no mRID")
    return mrid
