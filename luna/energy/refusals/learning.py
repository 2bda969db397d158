"""Refusal reasons of forecasts and of the training of forecast models and the agent."""

from luna.energy.errors import ConflictError, NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "window-unmeasured": RefusalReason(
        "nothing was measured in the window",
        "Choose days with observations (luna data query shows them).",
        quotes=True,
    ),
    "forecast-untrained": RefusalReason(
        "nothing was trained",
        "Train first: luna forecast train --site {site}.",
        error=NotFoundError,
    ),
    "no-such-forecast-version": RefusalReason(
        "no such forecast version", "Known are {names}.", error=NotFoundError
    ),
    "no-such-agent-plan": RefusalReason(
        "no such plan of the agent",
        "Take the plan_id from the list of the agent's plans.",
        error=NotFoundError,
    ),
    "no-such-agent-training": RefusalReason(
        "no such training of the agent",
        "Take the run_id from the list of the agent's trainings.",
        error=NotFoundError,
    ),
    "day-not-replayed": RefusalReason(
        "the day cannot be lived again: {reason}", "Choose another day.", quotes=True
    ),
    "nothing-to-go-back-to": RefusalReason(
        "there is nothing to go back to",
        "Nothing was activated that could be taken back; {version} drives the planner.",
        error=ConflictError,
    ),
    "no-such-training": RefusalReason(
        "no such training", "List them: luna forecast status --site {site_id}.", error=NotFoundError
    ),
    "training-without-card": RefusalReason(
        "the training left no card", "{remedy}", error=NotFoundError
    ),
    "baseline-not-trained": RefusalReason("a baseline is not trained", "Leave it out."),
    "version-never-trained": RefusalReason(
        "it was never trained for this site",
        "Train it first: luna forecast train --site {site_id}.",
        error=ConflictError,
    ),
    "nothing-measured-before": RefusalReason(
        "nothing was measured before",
        "Load observations first: luna data load FILE --kind observations.",
    ),
    "no-whole-day-measured": RefusalReason(
        "nothing was measured on a whole day before",
        "Load observations first: luna data load FILE --kind observations.",
    ),
    "no-forecast-in-the-hour-before": RefusalReason(
        "no forecast was issued in the hour before",
        "Issue one: luna forecast issue --site {site_id} --version {version} --at {at}",
        error=NotFoundError,
    ),
    "no-forecast-stood": RefusalReason(
        "no forecast of this version stood then",
        "Issue one: luna forecast issue --site {site_id} --at {at} --version {version}.",
        error=NotFoundError,
    ),
    "slot-beyond-forecast": RefusalReason(
        "the forecast that stood then does not reach this slot",
        "Choose one from {first} to before {end}.",
    ),
    "no-day-scored-for-both": RefusalReason(
        "no day was scored for both policies",
        "Replay them: luna replay --site {site_id} --from DAY --to DAY --policies "
        "idle,{policy},{over},oracle.",
        error=NotFoundError,
    ),
    "no-week-to-measure": RefusalReason(
        "no week can be measured: it has to be recorded whole and to begin {days} days "
        "after the first, in a quarter that does so too",
        "Record for longer, or fill the gaps: luna data quality shows them.",
    ),
    "no-learned-policy": RefusalReason("is no learned policy", "Choose from: {names}."),
    "policy-never-trained": RefusalReason(
        "was never trained",
        "Train it: luna agent train --site {site_id} --kind {kind}.",
        error=NotFoundError,
    ),
    "no-whole-day-recorded": RefusalReason(
        "no whole day was recorded",
        "Load observations: luna data load --kind observations.",
        error=NotFoundError,
    ),
    "too-few-days-to-learn": RefusalReason(
        "there are {days} days that can be learned from, and {needed} are needed",
        "Record, or load, more days: luna data load --kind observations.",
    ),
    "no-such-agent-kind": RefusalReason("no such kind of agent", "Choose from: {names}."),
    "no-such-trained-policy": RefusalReason("no such trained policy", "Choose from: {names}."),
    "agent-untrained": RefusalReason(
        "nothing was trained",
        "Train first: luna agent train --site {site_id} --kind {kind}.",
        error=NotFoundError,
    ),
    "agent-untrained-before": RefusalReason(
        "nothing was trained, and tried, on days before {day} alone",
        "Train first: luna agent train --site {site_id} --kind {kind} --until {day}.",
        error=NotFoundError,
        kinds={"day": "day"},
    ),
    "plan-of-no-site": RefusalReason(
        "the plan is of no stored site",
        "Take a plan that was made for a site by its name.",
        error=NotFoundError,
    ),
}
