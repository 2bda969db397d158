"""Refusal reasons of time windows, series and pages of lists."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "no-such-series": RefusalReason("no such series", "Write {form}."),
    "too-many-buckets": RefusalReason(
        "more than {most:,} buckets", "Choose longer ones, or a shorter window."
    ),
    "timeline-too-long": RefusalReason(
        "the timeline is longer than {days} days",
        "Ask for its series: /v1/sites/{{site_id}}/series.",
    ),
    "no-cursor": RefusalReason(
        "is not a cursor of this list", "Use the cursor of the page before, or none."
    ),
    "readings-are-no-slots": RefusalReason("sensor readings have no slots", "Ask for readings."),
    "no-such-choice": RefusalReason("there is no such {name}", "Choose one of: {names}."),
    "points-and-pages": RefusalReason(
        "a thinned series has only one page", "Leave out limit and cursor."
    ),
    "cursor-of-other-question": RefusalReason(
        "the cursor belongs to another question",
        "Use the cursor with the question it came from, or leave it out.",
    ),
    "no-such-sensor": RefusalReason("no such sensor", "{remedy}", error=NotFoundError),
    "no-such-register": RefusalReason(
        "there are no readings of this register",
        "Name the register by its OBIS code, such as 1-0:1.8.0.",
        error=NotFoundError,
    ),
}
