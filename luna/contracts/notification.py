"""Messages to owners: what they are about, how they stand, and how they are sent and tried."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request, Schedule
from luna.energy.timeline import Instant

# What a target can be told of: plan: none, too old, or compromised; device: one, or all sensors, are silent; prices: cheap hours ahead; saving: the week;
# day: each morning how the house stands, to those alone who ask for it.
EventKind = Literal["plan", "device", "prices", "saving", "day"]
# sending: begun and not known to be done; unknown: it stayed so, and is not sent again; expired: it was no news any more.
DeliveryStatus = Literal["waiting", "sending", "sent", "failed", "expired", "unknown"]


class MessageDelivery(Message):
    """A message on its way to one target."""

    target: Annotated[str, Field(description="where it goes, secrets left out")]
    status: Annotated[DeliveryStatus, Field(description="waiting, sending, sent, failed, expired, or unknown: begun, and nobody knows whether it arrived")]
    tries: Annotated[int, Field(description="how often it was sent")]
    due_at: Annotated[Instant, Field(description="when it is sent next, or was last")]
    error: Annotated[str | None, Field(description="why it did not arrive; null: it did, or was not tried yet")] = None


class Notification(Message):
    """Something an owner should know."""

    notification_id: Annotated[int, Field(description="ascending in time")]
    site: Annotated[str, Field(description="the site it is about")]
    event: Annotated[EventKind, Field(description="what it is about")]
    code: Annotated[str, Field(description="what happened")]
    urgent: Annotated[bool, Field(description="whether it is sent in quiet hours too")]
    title: Annotated[str, Field(description="in the language of messages when it happened")]
    text: Annotated[str, Field(description="a sentence or two")]
    recorded_at: Annotated[Instant, Field(description="when it was found")]
    expires_at: Annotated[Instant, Field(description="after this it is not sent any more")]
    deliveries: Annotated[list[MessageDelivery], Field(description="by target; empty where nobody wants such events")]


class NotifyReply(Message):
    """What a look found and did: events that are new, messages that were sent, and such as could not be."""

    events: int
    sent: int
    failed: int


class NotifyRequest(Request):
    """Look for what owners should know, and send what is due."""

    task: ClassVar[str] = "notifier.messages.send"
    reply: ClassVar[type[Message]] = NotifyReply
    schedule: ClassVar[Schedule | None] = Schedule(timedelta(minutes=5), "notify", "time between two looks for what owners should know")


class TargetReply(Message):
    """What became of a test message to one target."""

    target: Annotated[str, Field(description="where it went, secrets left out")]
    events: Annotated[list[EventKind], Field(description="what it is told of")]
    sent: Annotated[bool, Field(description="whether the target took it")]
    error: Annotated[str | None, Field(description="why it did not; null: it did")] = None


class NotifyTestReply(Message):
    """What became of a test message."""

    targets: Annotated[list[TargetReply], Field(description="every target of the settings")]


class NotifyTestRequest(Request):
    """Send a test message to every target now, whatever the hour."""

    task: ClassVar[str] = "notifier.messages.test"
    reply: ClassVar[type[Message]] = NotifyTestReply
