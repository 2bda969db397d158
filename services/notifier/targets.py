"""Read notification targets: Apprise URLs and Home Assistant's notify services.

Source: Apprise, "Configuration: text": a line is ``tags=URL``, tags with commas; here tags are
events. Home Assistant, REST API: POST /api/services.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol, get_args
from urllib.parse import unquote

import apprise
import httpx

from luna.contracts.notification import EventKind
from luna.energy.errors import InvalidInputError, LunaError, UnavailableError
from luna.platform.address_policy import HOME_ASSISTANT, NOTIFICATION, require_host
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.checked_transport import CheckedTransport
from luna.platform.database.notification_channels import ChannelAddress
from luna.platform.settings import Settings
from services.notifier.connection_guard import reaching_only

PATIENCE = timedelta(seconds=10)
EVENTS: tuple[EventKind, ...] = get_args(EventKind)
# The daily message and faults of the installation must be named explicitly.
USUAL_EVENTS: tuple[EventKind, ...] = tuple(
    event for event in EVENTS if event not in ("day", "system")
)
_LINE = re.compile(
    r"(?:(?P<events>[a-z]+(?:\s*,\s*[a-z]+)*)\s*=\s*)?(?P<where>(?:notify\.[a-z0-9_]+)|(?"
    r":[a-z][a-z0-9+.-]*://\S+))",
    re.IGNORECASE,
)
_REMEDY = (
    "A line is an Apprise URL or notify.NAME; before it, plan, device, prices, saving, day or "
    "system with commas and =."
)
_UNKNOWN_URL = "the address is no URL that Apprise knows"


# Longer subjects are cut by mail programs; a header's line has to stay below 998 bytes. Source: RFC
# 5322, 2.1.1.
LONGEST_TITLE = 150
# A digest's longest lines stay far below; Telegram takes 4096 characters.
LONGEST_TEXT = 4000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_CONTROLS_OF_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]+")


def make_title(text: str) -> str:
    """Return a title of one line without control characters.

    Names of sites and devices may hold anything, and a title becomes a header.
    """
    line = " ".join(_CONTROLS.sub(" ", text).split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"


def make_text(text: str) -> str:
    """Return a message's text with plain line ends and without other control characters."""
    plain = _CONTROLS_OF_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 1]}…"


class MessageTarget(Protocol):
    """A channel that sends messages."""

    def send(self, title: str, text: str) -> None:
        """Send a message.

        Raises:
            UnavailableError: the message was not accepted.
        """


@dataclass(frozen=True, slots=True)
class Target:
    """A recipient of some events.

    ``name`` is a digest of the address, ``label`` the address without secrets.
    """

    name: str
    label: str
    events: tuple[EventKind, ...]
    channel: MessageTarget = field(repr=False)


def open_targets(settings: Settings) -> list[Target]:
    """Return the targets of the settings.

    Raises:
        InvalidInputError: a line is no target; the error shows its number only, for it may hold a
            password.
    """
    text = settings.notify_urls.get_secret_value() if settings.notify_urls else ""
    # An environment variable of one line may separate targets by semicolons.
    lines = [line.strip() for line in re.split(r"[\n;]", text)]
    targets = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise InvalidInputError(
                f"line {number} is no target", field="notify_urls", remedy=_REMEDY
            )
        where = parts["where"]
        names = parts["events"] or ",".join(USUAL_EVENTS)
        named = [name.strip().lower() for name in names.split(",")]
        # Decoded twice, as some services decode a part of their address once more.
        if _CONTROLS.search(unquote(unquote(where))):
            raise InvalidInputError(
                f"line {number} holds a control character", field="notify_urls", remedy=_REMEDY
            )
        unknown = [name for name in named if name not in EVENTS]
        if unknown:
            raise InvalidInputError(
                f"line {number} names no event",
                field="notify_urls",
                value=unknown[0],
                remedy=f"Known are {', '.join(EVENTS)}.",
            )
        events = tuple(event for event in EVENTS if event in named)
        target = _open_target(settings, where, events, field="notify_urls")
        if target is None:
            raise InvalidInputError(
                f"line {number} is no URL that Apprise knows", field="notify_urls", remedy=_REMEDY
            )
        targets.append(target)
    return targets


def open_channels(settings: Settings, channels: Sequence[ChannelAddress]) -> list[Target]:
    """Return the targets of stored channels.

    One that cannot be opened says so when something is sent, and stops no other.
    """
    targets = []
    for channel in channels:
        try:
            target = _open_target(settings, channel.address, channel.events, field="address")
        except LunaError as error:
            target = Target(
                _name_of(channel.address),
                channel.name,
                channel.events,
                ClosedChannel(error.message),
            )
        if target is None:
            target = Target(
                _name_of(channel.address), channel.name, channel.events, ClosedChannel(_UNKNOWN_URL)
            )
        targets.append(replace(target, label=channel.name))
    return targets


def _open_target(
    settings: Settings, where: str, events: tuple[EventKind, ...], *, field: str
) -> Target | None:
    name = _name_of(where)
    if where.lower().startswith("notify."):
        channel = HomeAssistantChannel(
            HomeAssistantAccess.of(settings), where.partition(".")[2].lower()
        )
        return Target(name, where.lower(), events, channel)
    plugin: Any = apprise.Apprise.instantiate(where)
    if plugin is None:
        return None
    require_host(NOTIFICATION, str(plugin.host or ""), field=field)
    return Target(
        name, str(plugin.url(privacy=True)).partition("?")[0], events, AppriseChannel(plugin)
    )


def _name_of(where: str) -> str:
    return hashlib.sha256(where.encode()).hexdigest()[:16]


class ClosedChannel:
    """Channel whose address leads nowhere."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def send(self, title: str, text: str) -> None:
        """Refuse a message.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError(self._reason, field="address", remedy=_REMEDY)


class AppriseChannel:
    """Channel over one of Apprise's services.

    Apprise reports only that it failed, its log says why.
    """

    def __init__(self, plugin: "apprise.NotifyBase") -> None:
        self._plugin = plugin

    def send(self, title: str, text: str) -> None:
        """Send a message.

        Raises:
            UnavailableError: the service did not accept it.
        """
        try:
            with reaching_only(NOTIFICATION):
                accepted = self._plugin.notify(body=make_text(text), title=make_title(title))
        except (OSError, TypeError, ValueError) as exc:
            raise UnavailableError(
                f"the service cannot be reached: {type(exc).__name__}", field="notify_urls"
            ) from exc
        if not accepted:
            raise UnavailableError(
                "the service did not take the message",
                field="notify_urls",
                remedy="The worker's log says why.",
            )


class HomeAssistantChannel:
    """Channel over a notify service of Home Assistant, such as a phone with its app."""

    def __init__(
        self, access: HomeAssistantAccess, service: str, *, patience: timedelta = PATIENCE
    ) -> None:
        self._access = access
        self._service = service
        self._patience = patience

    def send(self, title: str, text: str) -> None:
        """Send a message.

        Raises:
            UnavailableError: Home Assistant is away, or refuses the message.
        """
        url = f"{self._access.url}/api/services/notify/{self._service}"
        headers = {"Authorization": f"Bearer {self._access.token}"}
        try:
            with httpx.Client(
                transport=CheckedTransport(HOME_ASSISTANT), timeout=self._patience.total_seconds()
            ) as client:
                response = client.post(
                    url,
                    headers=headers,
                    json={"title": make_title(title), "message": make_text(text)},
                )
        except httpx.HTTPError as exc:
            message = f"Home Assistant does not answer: {type(exc).__name__}"
            raise UnavailableError(
                message,
                field="LUNA_HOME_ASSISTANT_URL",
                remedy="Check that it runs, and its address.",
            ) from exc
        if not response.is_success:
            message = f"Home Assistant answers {response.status_code} {response.reason_phrase}"
            raise UnavailableError(
                message,
                field=f"notify.{self._service}",
                remedy="Compare with Developer tools, Actions; check the token.",
            )


def for_event(targets: Sequence[Target], event: EventKind) -> list[tuple[str, str]]:
    """Return name and label of each target of an event, once per name."""
    by_name = {}
    for target in targets:
        if event in target.events:
            by_name[target.name] = (target.name, target.label)
    return list(by_name.values())
