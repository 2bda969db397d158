"""What the replay says: the table of policies, Luna against the inverter alone, and what forecast
errors cost.
"""

from dataclasses import dataclass

from luna.contracts import ReplayReply
from luna.words import Numbers, say_policy
from luna.words.charts.losses import LossStep
from luna.words.phrases import read_texts

LUNA = "mpc"
INVERTER = "self_consumption"
IDLE = "idle"
ORACLE = "oracle"
BAR_COLOURS = {
    "idle": "load",
    "self_consumption": "load",
    "rule": "load",
    "mpc": "planner",
    "mpc_perfect": "planner-light",
    "oracle": "fallback",
}
LOSS_COLOURS = {"load_forecast": "load", "pv_forecast": "pv"}
POINTS = 100
# Less than half a cent apart is the same amount to a reader.
SAME_COST = 0.005


@dataclass(frozen=True, slots=True)
class Row:
    """A policy in the score table."""

    name: str
    best: bool
    colour: str
    bar: float
    score: str
    cost: str
    saved: str
    cycles: str


def tabulate_policies(replay: ReplayReply, numbers: Numbers) -> list[Row]:
    """Return the policies, the dearest first; Luna's row stands out."""
    idle = replay.policies[IDLE].cost if IDLE in replay.policies else None
    ordered = sorted(replay.policies.items(), key=lambda item: (item[0] == ORACLE, -item[1].cost))
    return [
        Row(
            name=say_policy(name, language=numbers.language),
            best=name == LUNA,
            colour=BAR_COLOURS.get(name, "load"),
            bar=min(max((policy.score or 0.0) * 100, 0.0), 100.0),
            score=numbers.share(policy.score, decimals=1),
            cost=numbers.money(policy.cost),
            saved=numbers.money(None if idle is None else idle - policy.cost),
            cycles=numbers.number(policy.cycles / len(policy.days), 2)
            if policy.days
            else numbers.number(None),
        )
        for name, policy in ordered
    ]


def compare_with_inverter(replay: ReplayReply, numbers: Numbers) -> tuple[bool, str]:
    """Return whether Luna is never worse than plain self-consumption here, and the sentence that
    says so.
    """
    saved = replay.policies[INVERTER].cost - replay.policies[LUNA].cost
    key = (
        "second_equal"
        if abs(saved) < SAME_COST
        else "second_better"
        if saved > 0
        else "second_worse"
    )
    return saved > -SAME_COST, read_texts("report", numbers.language)[key].format(
        amount=numbers.money(abs(saved))
    )


def trace_losses(replay: ReplayReply, numbers: Numbers) -> list[LossStep]:
    """Return the steps from perfect foresight down, as shares.

    A reply's losses are points of score, and one may lead up again.
    """
    language = numbers.language
    words = read_texts("report", numbers.language)
    steps = [LossStep(say_policy(ORACLE, language=language), "", 1.0, 1.0)]
    for name, lost in replay.loss.items():
        before = steps[-1].after
        steps.append(
            LossStep(
                words.get(f"loss_of_{name}", name),
                LOSS_COLOURS.get(name, "planner"),
                before,
                before - lost / POINTS,
            )
        )
    return steps
