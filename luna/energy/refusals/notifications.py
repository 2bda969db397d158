"""Refusal reasons of messages to owners and of the channels by which they go."""

from luna.energy.errors import ConflictError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "channel-exists": RefusalReason(
        "there is already a channel with this name",
        "Choose another name, or delete that one first.",
        error=ConflictError,
    ),
    "too-many-channels": RefusalReason(
        "there are already {most} channels, the maximum",
        "Delete one you do not need.",
        error=ConflictError,
    ),
    "channel-address": RefusalReason(
        "is not an address that messages can be sent to",
        "Write an Apprise URL, such as mailtos://user:password@example.org, or notify.NAME "
        "of Home Assistant.",
    ),
}
