"""Messages to owners: events, states, delivery and trials."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, SecretStr

from luna.contracts.message import Message, Request, Schedule
from luna.energy.timeline import Instant

# Kinds of messages to a target. plan: none, too old, or compromised; device: one, or all sensors,
# are silent, or the grid operator's limit begins or ends; prices: cheap hours ahead; saving: the
# week; day: each morning how the house stands; system: faults of the installation itself. Only
# those who ask for the last two get them.
EventKind = Literal["plan", "device", "prices", "saving", "day", "system"]
# sending: begun and not known to be done; unknown: it stayed so, and is not sent again; expired: it
# was no news any more.
DeliveryStatus = Literal["waiting", "sending", "sent", "failed", "expired", "unknown"]


class MessageDelivery(Message):
    """A message on its way to one target."""

    target: Annotated[str, Field(description="where it goes, secrets left out")]
    status: Annotated[
        DeliveryStatus,
        Field(
            description=(
                "waiting, sending, sent, failed, expired, or unknown: begun, and nobody knows "
                "whether it arrived"
            )
        ),
    ]
    tries: Annotated[int, Field(description="how often it was sent")]
    due_at: Annotated[Instant, Field(description="when it is sent next, or was last")]
    error: Annotated[
        str | None, Field(description="why it did not arrive; null: it did, or was not tried yet")
    ] = None


class Notification(Message):
    """Something an owner should know."""

    notification_id: Annotated[int, Field(description="ascending in time")]
    site: Annotated[
        str | None, Field(description="the site it is about; null: the installation itself")
    ]
    event: Annotated[EventKind, Field(description="what it is about")]
    code: Annotated[str, Field(description="what happened")]
    urgent: Annotated[bool, Field(description="whether it is sent in quiet hours too")]
    title: Annotated[str, Field(description="in the language of messages when it happened")]
    text: Annotated[str, Field(description="a sentence or two")]
    recorded_at: Annotated[Instant, Field(description="when it was found")]
    expires_at: Annotated[Instant, Field(description="after this it is not sent any more")]
    deliveries: Annotated[
        list[MessageDelivery], Field(description="by target; empty where nobody wants such events")
    ]


class NotifyReply(Message):
    """The findings and actions of one look.

    These are events that are new, messages that were sent, and such as could not be.
    """

    events: int
    sent: int
    failed: int


class NotifyRequest(Request):
    """Look for what owners should know, and send what is due."""

    task: ClassVar[str] = "notifier.messages.send"
    reply: ClassVar[type[Message]] = NotifyReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=5), "notify", "time between two looks for what owners should know"
    )


class TargetReply(Message):
    """The outcome of a test message to one target."""

    target: Annotated[str, Field(description="where it went, secrets left out")]
    events: Annotated[list[EventKind], Field(description="the kinds of messages it gets")]
    sent: Annotated[bool, Field(description="whether the target took it")]
    error: Annotated[str | None, Field(description="why it did not; null: it did")] = None


class NotifyTestReply(Message):
    """The outcome of a test message."""

    targets: Annotated[
        list[TargetReply],
        Field(description="every target of the settings, and every stored channel"),
    ]


class NotifyTestRequest(Request):
    """Send a test message to every target now, whatever the hour."""

    task: ClassVar[str] = "notifier.messages.test"
    reply: ClassVar[type[Message]] = NotifyTestReply


ChannelName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[^\W_][\w .-]*$",
        description="what its owner calls the channel",
    ),
]
ChannelEvents = Annotated[
    tuple[EventKind, ...],
    Field(min_length=1, max_length=6, description="the kinds of messages it gets"),
]
# An address is as long as a token in it.
ChannelAddress = Annotated[
    SecretStr,
    Field(
        min_length=4,
        max_length=2000,
        description="an Apprise URL, or notify.NAME of Home Assistant; it is shown to nobody again",
    ),
]


class NewChannel(Message):
    """A way by which messages go, which is stored."""

    name: ChannelName
    address: ChannelAddress
    events: ChannelEvents = ("plan", "device", "prices", "saving")


class ChannelChange(Message):
    """The events that a channel gets from now on."""

    events: ChannelEvents


class NotificationChannel(Message):
    """A stored channel, without its address, which may hold a password."""

    name: ChannelName
    kind: Annotated[str, Field(description="the service that takes its messages, such as mailtos")]
    events: ChannelEvents


class ChannelList(Message):
    """The stored channels, by name."""

    channels: Annotated[
        list[NotificationChannel], Field(description="those of LUNA_NOTIFY_URLS are not among them")
    ]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


class SystemAlert(Message):
    """An alert as Alertmanager sends it; unknown fields are skipped."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    status: Annotated[Literal["firing", "resolved"], Field(description="whether it still is so")]
    labels: Annotated[dict[str, str], Field(description="alertname, severity, service and more")]
    annotations: Annotated[
        dict[str, str], Field(description="summary: what is wrong; runbook_url: what to do")
    ] = {}
    starts_at: Annotated[
        Instant,
        Field(alias="startsAt", description="since when; the same as long as it is the same fault"),
    ]
    fingerprint: Annotated[
        str, Field(max_length=200, description="of its labels; empty: Luna makes one")
    ] = ""


class SystemAlertBatch(Message):
    """Alerts of the installation itself, in the form of Alertmanager's webhook (version 4)."""

    model_config = ConfigDict(extra="ignore")

    alerts: Annotated[
        list[SystemAlert],
        Field(max_length=1000, description="those that fire and those that are over"),
    ]


class SystemAlertReply(Message):
    """The outcome of alerts."""

    stored: Annotated[int, Field(description="those that were not known before")]
