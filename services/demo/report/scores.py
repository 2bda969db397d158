"""Scores of the replay.

They are the table of policies, Luna against the inverter alone, and the cost of forecast errors.
"""

from dataclasses import dataclass

from luna.contracts import ReplayReply
from luna.words import Numbers, say_policy
from luna.words.charts.losses import LossStep
from luna.words.numbers import HALF_CENT
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

    def rank(name: str) -> tuple[bool, float]:
        return name == ORACLE, -replay.policies[name].cost

    rows = []
    for name in sorted(replay.policies, key=rank):
        policy = replay.policies[name]
        cycles_per_day = policy.cycles / len(policy.days) if policy.days else None
        row = Row(
            name=say_policy(name, language=numbers.language),
            best=name == LUNA,
            colour=BAR_COLOURS.get(name, "load"),
            bar=min(max((policy.score or 0.0) * 100, 0.0), 100.0),
            score=numbers.share(policy.score, decimals=1),
            cost=numbers.money(policy.cost),
            saved=numbers.money(None if idle is None else idle - policy.cost),
            cycles=numbers.number(cycles_per_day, 2),
        )
        rows.append(row)
    return rows


def compare_with_inverter(replay: ReplayReply, numbers: Numbers) -> tuple[bool, str]:
    """Return whether Luna is never worse than plain self-consumption here.

    With it comes the sentence that says so.
    """
    saved = replay.policies[INVERTER].cost - replay.policies[LUNA].cost
    if abs(saved) < HALF_CENT:
        key = "second_equal"
    elif saved > 0:
        key = "second_better"
    else:
        key = "second_worse"
    sentence = read_texts("report", numbers.language)[key]
    return saved > -HALF_CENT, sentence.format(amount=numbers.money(abs(saved)))


def trace_losses(replay: ReplayReply, numbers: Numbers) -> list[LossStep]:
    """Return the steps from perfect foresight down, as shares.

    A reply's losses are points of score, and one may lead up again.
    """
    language = numbers.language
    words = read_texts("report", numbers.language)
    steps = [LossStep(say_policy(ORACLE, language=language), "", 1.0, 1.0)]
    for name, lost in replay.loss.items():
        before = steps[-1].after
        cause = words.get(f"loss_of_{name}", name)
        colour = LOSS_COLOURS.get(name, "planner")
        steps.append(LossStep(cause, colour, before, before - lost / POINTS))
    return steps
