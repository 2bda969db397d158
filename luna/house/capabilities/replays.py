"""Recorded days replayed under several policies."""

from collections.abc import Iterator
from dataclasses import replace

from luna.contracts.agent import choose_replay
from luna.contracts.plan_lines import format_note
from luna.contracts.replay import PolicyReply, ReplayQuestion, ReplayReply, ReplayRequest
from luna.house.capabilities.forecasts import format_driving
from luna.house.capability import CapabilityCall, SiteName, TextTable, capability
from luna.platform.database import sites
from luna.words import Numbers, say_policy

_HEADINGS = (
    "policy",
    "cost",
    "score",
    "cycles",
    "mode changes/day",
    "violations",
    "losing weeks",
    "worst week",
)


def _show(reply: ReplayReply, numbers: Numbers) -> Iterator[str | TextTable]:
    """Yield each policy, what not knowing cost, and what went wrong."""
    numbers = replace(numbers, currency=reply.currency)
    yield TextTable(
        _HEADINGS, [_describe(name, policy, numbers) for name, policy in reply.policies.items()]
    )
    if reply.driving is not None:
        yield from format_driving(reply.driving, numbers.zone, planned=reply.forecast_version)
    yield from map(format_note, reply.notes)
    if reply.loss:
        losses = [f"{cause} {points:.1f} points" for cause, points in reply.loss.items()]
        yield f"Lost to: {', '.join(losses)}"
    if reply.faults:
        rows = []
        for outcome in reply.faults:
            fault = outcome.fault.kind if outcome.fault else "all together"
            for name, cost in outcome.cost.items():
                policy = say_policy(name, language="en")
                unserved = f"{outcome.unserved_kwh[name]:.1f}"
                rows.append([fault, policy, numbers.money(cost), unserved])
        yield TextTable(
            ("fault", "policy", "cost of it", "unserved kWh"),
            rows,
            words=("policy",),
            title=f"What went wrong, seed {reply.seed}",
        )
    if reply.as_recorded:
        yield f"As recorded, nothing scheduled anew: {', '.join(reply.as_recorded)}"


def _describe(name: str, policy: PolicyReply, numbers: Numbers) -> list[str]:
    weeks = policy.weeks
    losing_weeks = "–"
    worst_week = "–"
    if weeks is not None:
        losing_weeks = f"{weeks.losing} of {weeks.count}"
        worst_week = numbers.money(weeks.worst_gain)
    return [
        say_policy(name, language=numbers.language),
        numbers.money(policy.cost),
        "–" if policy.score is None else numbers.share(policy.score, decimals=1),
        f"{policy.cycles:.1f}",
        f"{policy.mode_changes_per_day:.1f}",
        str(policy.violations),
        losing_weeks,
        worst_week,
    ]


@capability(
    "POST",
    "/v1/sites/{site_id}/replays",
    noun="replays",
    scope="analyse",
    local_command="replay",
    shown=_show,
    status=202,
    solves=True,
)
def start_replay(
    call: CapabilityCall, site_id: SiteName, question: ReplayQuestion
) -> ReplayRequest:
    """Replay recorded days.

    Replay as a job with the forecasts and prices of the time; the oracle uses hindsight. Missing
    forecasts are issued first with what was known then. An interrupted replay continues.
    """
    sites.key_of(call.connection, site_id)
    return choose_replay(ReplayRequest(site_id=site_id, **dict(question)))


CAPABILITIES = (start_replay,)
