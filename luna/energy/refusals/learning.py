"""Refusal reasons of forecasts and of the training of forecast models and the agent."""

from luna.energy.errors import ConflictError, NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-unmeasured": RefusalReason(
        "nothing was measured on these days",
        "Choose days with observations; luna data query shows them.",
        quotes=True,
    ),
    "forecast-untrained": RefusalReason(
        "nothing was trained",
        "Train first: luna forecast train --site {site}.",
        error=NotFoundError,
    ),
    "no-such-forecast-version": RefusalReason(
        "no such forecast version", "Name one of: {names}.", error=NotFoundError
    ),
    "day-not-replayed": RefusalReason(
        "the day cannot be replayed: {reason}", "Choose another day.", quotes=True
    ),
    "nothing-to-go-back-to": RefusalReason(
        "there is no earlier version to go back to",
        "Keep {version}, which the planner uses now.",
        error=ConflictError,
    ),
    "training-without-card": RefusalReason(
        "the training has no model card", "{remedy}", error=NotFoundError
    ),
    "baseline-not-trained": RefusalReason("a baseline needs no training", "Leave it out."),
    "version-never-trained": RefusalReason(
        "this version was never trained for this home",
        "Train it first: luna forecast train --site {site_id}.",
        error=ConflictError,
    ),
    "nothing-measured-before": RefusalReason(
        "nothing was measured before this time",
        "Load observations first: luna data load FILE --kind observations.",
    ),
    "no-whole-day-measured": RefusalReason(
        "no whole day was measured before this time",
        "Load observations first: luna data load FILE --kind observations.",
    ),
    "no-forecast-in-the-hour-before": RefusalReason(
        "no forecast was issued in the hour before",
        "Make one: luna forecast issue --site {site_id} --version {version} --at {at}",
        error=NotFoundError,
    ),
    "no-forecast-stood": RefusalReason(
        "there was no forecast of this version at that time",
        "Make one: luna forecast issue --site {site_id} --at {at} --version {version}.",
        error=NotFoundError,
    ),
    "slot-beyond-forecast": RefusalReason(
        "the forecast of that time ends before this slot",
        "Choose one from {first:%Y-%m-%d %H:%M %Z} to before {end:%Y-%m-%d %H:%M %Z}.",
        kinds={"first": "instant", "end": "instant"},
    ),
    "no-day-scored-for-both": RefusalReason(
        "no day was scored for both policies",
        "Replay them: luna replay --site {site_id} --from DAY --to DAY --policies "
        "idle,{policy},{over},oracle.",
        error=NotFoundError,
    ),
    "no-week-to-measure": RefusalReason(
        "no week can be measured: it must be recorded completely and begin {days} days or "
        "more after the first, in a quarter that does so too",
        "Record longer, or fill the gaps; luna data quality shows them.",
    ),
    "no-whole-day-recorded": RefusalReason(
        "no whole day was recorded",
        "Load observations: luna data load --kind observations.",
        error=NotFoundError,
    ),
    "too-few-days-to-learn": RefusalReason(
        "Luna can learn from only {days} days and needs {needed}",
        "Record or load more days: luna data load --kind observations.",
    ),
    "agent-untrained": RefusalReason(
        "nothing was trained",
        "Train first: luna agent train --site {site_id} --kind {kind}.",
        error=NotFoundError,
    ),
    "agent-untrained-before": RefusalReason(
        "nothing was trained and tested only on days before {day}",
        "Train first: luna agent train --site {site_id} --kind {kind} --until {day}.",
        error=NotFoundError,
        kinds={"day": "day"},
    ),
    "plan-of-no-site": RefusalReason(
        "the plan belongs to no stored home",
        "Choose a plan that was made for a home by its name.",
        error=NotFoundError,
    ),
}
