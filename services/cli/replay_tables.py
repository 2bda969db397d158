"""A replay in tables."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from luna.contracts.replay import PolicyReply, ReplayReply, ReplayRequest
from luna.wording import Numbers, say_policy
from services.cli.console import out, table
from services.cli.driving import show_driving
from services.cli.notes import show_note

HEADINGS = ["policy", "cost", "score", "cycles", "mode changes/day", "violations", "losing weeks", "worst week"]


def show_replies(replies: Mapping[str, ReplayReply], requests: Mapping[str, ReplayRequest]) -> None:
    """Print each site's policies, what not knowing cost, and what went wrong."""
    for site, reply in replies.items():
        request, numbers = requests[site], Numbers("en", ZoneInfo("UTC"), reply.currency)
        title = f"{site}, {request.from_day} to {request.to_day}; {say_policy('mpc', language='en')} plans from {request.forecast_version}"
        table(HEADINGS, [_row(name, policy, numbers) for name, policy in reply.policies.items()], title=title)
        if reply.driving is not None:
            show_driving(reply.driving, planned=reply.forecast_version)
        for note in reply.notes:
            show_note(note)
        if reply.loss:
            out.print("Lost to: " + ", ".join(f"{cause} {points:.1f} points" for cause, points in reply.loss.items()))
        if reply.faults:
            table(["fault", "policy", "cost of it", "unserved kWh"], _faults(reply, numbers), title=f"What went wrong, seed {reply.seed}", words=("policy",))
        if reply.as_recorded:
            out.print(f"As recorded, nothing placed anew: {', '.join(reply.as_recorded)}")


def _row(name: str, policy: PolicyReply, numbers: Numbers) -> list[str]:
    weeks = policy.weeks
    return [
        say_policy(name, language=numbers.language),
        numbers.money(policy.cost),
        "–" if policy.score is None else numbers.share(policy.score, decimals=1),
        f"{policy.cycles:.1f}",
        f"{policy.mode_changes_per_day:.1f}",
        str(policy.violations),
        "–" if weeks is None else f"{weeks.losing} of {weeks.count}",
        "–" if weeks is None else numbers.money(weeks.worst_gain),
    ]


def _faults(reply: ReplayReply, numbers: Numbers) -> list[list[str]]:
    return [
        [each.fault.kind if each.fault else "all together", say_policy(name, language=numbers.language), numbers.money(cost), f"{each.unserved_kwh[name]:.1f}"]
        for each in reply.faults
        for name, cost in each.cost.items()
    ]
