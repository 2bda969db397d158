"""Refusal reasons by kind of mistake, which many parts share."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "not-found": RefusalReason(
        "no such {thing}", "Take it from {source}.", error=NotFoundError, kinds={"thing": "thing"}
    ),
    "unknown-name": RefusalReason(
        "no such {thing}", "Choose one of: {names}.", kinds={"thing": "thing"}
    ),
    "ends-before-start": RefusalReason(
        "the end is not after the start", "Give a later end, or an earlier start."
    ),
    "time-passed": RefusalReason("this time is in the past", "Give a time in the future."),
    "years-outside": RefusalReason(
        "the time is not between the years {first} and {last}", "Check the year."
    ),
    "window-of-days": RefusalReason(
        "a first time and a later last one are needed, at most {days} days apart",
        "Give both, in this order.",
    ),
    "too-many-days": RefusalReason("is longer than {days:,} days", "Choose at most {days:,} days."),
    "too-few-points": RefusalReason("these are too few points", "Ask for {least} or more."),
}
