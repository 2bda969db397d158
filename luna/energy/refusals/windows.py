"""Windows of time, series and pages of lists."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-empty": RefusalReason("the window is empty", "Let it end after it begins."),
    "window-too-long": RefusalReason("more than {days:,} days", "Choose a shorter window."),
    "window-outside-years": RefusalReason("outside {first} to {last}", "Check the year."),
    "no-such-series": RefusalReason("no such series", "Write {form}."),
    "too-many-buckets": RefusalReason("more than {most:,} buckets", "Choose longer ones, or a shorter window."),
    "timeline-reversed": RefusalReason("the end comes before the beginning", "Give a later end, or leave both out."),
    "timeline-too-long": RefusalReason("a timeline holds {days} days at most", "Ask for its series: /v1/sites/{{site_id}}/series."),
    "no-cursor": RefusalReason("is no cursor of this list", "Ask on with the cursor of the page before, or without one."),
    "days-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "days-outside-years": RefusalReason("the days lie outside {first} to {last}", "Check the year."),
    "comparison-reversed": RefusalReason("the window ends before it begins", "Swap the days."),
    "instants-reversed": RefusalReason("the last instant lies before the first", "Swap them."),
    "slots-window-reversed": RefusalReason("the window ends before it begins", "Name a later end."),
}
