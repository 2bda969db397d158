"""Refusal reasons of time windows, series and pages of lists."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-empty": RefusalReason("the window is empty", "Let it end after it begins."),
    "window-too-long": RefusalReason("more than {days:,} days", "Choose a shorter window."),
    "window-outside-years": RefusalReason("outside {first} to {last}", "Check the year."),
    "no-such-series": RefusalReason("no such series", "Write {form}."),
    "too-many-buckets": RefusalReason(
        "more than {most:,} buckets", "Choose longer ones, or a shorter window."
    ),
    "timeline-reversed": RefusalReason(
        "the end comes before the beginning", "Give a later end, or leave both out."
    ),
    "timeline-too-long": RefusalReason(
        "a timeline holds {days} days at most", "Ask for its series: /v1/sites/{{site_id}}/series."
    ),
    "no-cursor": RefusalReason(
        "is no cursor of this list", "Ask on with the cursor of the page before, or without one."
    ),
    "days-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "days-outside-years": RefusalReason(
        "the days lie outside {first} to {last}", "Check the year."
    ),
    "comparison-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "instants-reversed": RefusalReason("the last instant lies before the first", "Swap them."),
    "slots-window-reversed": RefusalReason("the window ends before it begins", "Name a later end."),
    "curve-too-few-points": RefusalReason(
        "a curve needs at least three points", "Ask for {least} or more."
    ),
    "shape-too-few-points": RefusalReason(
        "a shape needs a first, a last and a point between", "Ask for {least} or more."
    ),
    "readings-are-no-slots": RefusalReason("readings are no slots", "Ask for readings."),
    "series-without-use": RefusalReason("the series has no use for it", "It belongs to {sources}."),
    "no-such-choice": RefusalReason("no such {name}", "Choose one of {names}."),
    "resolution-without-buckets": RefusalReason(
        "only buckets have a resolution", "Ask for {buckets}."
    ),
    "points-without-shape": RefusalReason("only a shape has a number of points", "Ask for shape."),
    "points-and-pages": RefusalReason(
        "a thinned series is one page", "Leave out limit and cursor."
    ),
    "readings-without-issue": RefusalReason("readings have no issue", "Leave it out."),
    "cursor-of-other-question": RefusalReason(
        "the cursor belongs to another question", "Ask on with what the answer came from."
    ),
    "no-such-sensor": RefusalReason("no such sensor", "{remedy}", error=NotFoundError),
    "no-such-register": RefusalReason(
        "no readings of this register",
        "A register is named by its OBIS code, such as 1-0:1.8.0.",
        error=NotFoundError,
    ),
}
