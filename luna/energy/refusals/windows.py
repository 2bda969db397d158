"""Refusal reasons of time windows, series and pages of lists."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-empty": RefusalReason("the window ends before it begins", "Choose a later end."),
    "window-too-long": RefusalReason(
        "the window is longer than {days:,} days", "Choose a shorter window."
    ),
    "window-outside-years": RefusalReason(
        "the window is not between {first} and {last}", "Check the year."
    ),
    "no-such-series": RefusalReason("no such series", "Write {form}."),
    "too-many-buckets": RefusalReason(
        "more than {most:,} buckets", "Choose longer ones, or a shorter window."
    ),
    "timeline-reversed": RefusalReason(
        "the end comes before the start", "Give a later end, or leave both out."
    ),
    "timeline-too-long": RefusalReason(
        "the timeline is longer than {days} days",
        "Ask for its series: /v1/sites/{{site_id}}/series.",
    ),
    "no-cursor": RefusalReason(
        "is not a cursor of this list", "Use the cursor of the page before, or none."
    ),
    "days-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "days-outside-years": RefusalReason(
        "the days are not between {first} and {last}", "Check the year."
    ),
    "comparison-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "instants-reversed": RefusalReason("the last time is before the first", "Swap them."),
    "slots-window-reversed": RefusalReason(
        "the window ends before it begins", "Choose a later end."
    ),
    "curve-too-few-points": RefusalReason(
        "these are too few points for a curve", "Ask for {least} or more."
    ),
    "shape-too-few-points": RefusalReason(
        "these are too few points for a shape", "Ask for {least} or more."
    ),
    "readings-are-no-slots": RefusalReason("sensor readings have no slots", "Ask for readings."),
    "series-without-use": RefusalReason(
        "this series does not take this field", "Leave it out; it belongs to {sources}."
    ),
    "no-such-choice": RefusalReason("there is no such {name}", "Choose one of: {names}."),
    "resolution-without-buckets": RefusalReason(
        "only buckets have a resolution", "Ask for {buckets}."
    ),
    "points-without-shape": RefusalReason("only a shape has a number of points", "Ask for shape."),
    "points-and-pages": RefusalReason(
        "a thinned series has only one page", "Leave out limit and cursor."
    ),
    "readings-without-issue": RefusalReason("sensor readings have no issue", "Leave it out."),
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
