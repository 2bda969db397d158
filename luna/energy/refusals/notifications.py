"""Refusal reasons of messages to owners and of the channels by which they go."""

from luna.energy.errors import ConflictError, NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "no-such-channel": RefusalReason(
        "no channel of that name is stored", "luna notify channels lists them.", error=NotFoundError
    ),
    "channel-exists": RefusalReason(
        "a channel of that name is stored already",
        "Choose another name, or remove that one.",
        error=ConflictError,
    ),
    "too-many-channels": RefusalReason(
        "{most} channels are stored, and no more may be",
        "Remove one that is not needed.",
        error=ConflictError,
    ),
    "channel-address": RefusalReason(
        "that is no address of a channel",
        "Write an Apprise URL, such as mailtos://user:password@example.org, or notify.NAME "
        "of Home Assistant.",
    ),
}
