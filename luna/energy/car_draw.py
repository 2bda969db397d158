"""Judge whether a car draws what its charger is commanded to give it.

A car may be full by its own limit, asleep, or take less than the charger offers. One that wakes
slowly, or tapers when it is nearly full, is not accused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from luna.energy.part import Part
from luna.energy.timeline import Instant

# ``waking``: it drew nothing, and its charge is stopped and started once to wake it.
# ``refuses``: nobody knows why it draws nothing.
DrawVerdict = Literal[
    "unknown",
    "as_commanded",
    "draws_less",
    "full",
    "below_least_current",
    "waking",
    "asleep",
    "not_plugged_in",
    "refuses",
]
LEFT_OUT: frozenset[DrawVerdict] = frozenset(
    {"full", "below_least_current", "asleep", "not_plugged_in", "refuses"}
)
# A car that sleeps, or waits for its own schedule, draws some time later.
TRIED_AGAIN: frozenset[DrawVerdict] = frozenset({"asleep", "refuses"})
DRAWS_WELL: frozenset[DrawVerdict] = frozenset({"unknown", "as_commanded"})

# A charger with its contactor and display uses less by itself.
NOTHING_KW = 0.15
# The least that a car draws, 6 A of one phase at 100 V, is more.
DRAWS_KW = 0.4
# A car that sleeps may need so long to begin.
WAKES_WITHIN = timedelta(seconds=90)
# An unplugged car needs no time to wake.
UNPLUGGED_WITHIN = timedelta(seconds=20)
# A draw that has not risen for so long will not rise.
STEADY_FOR = timedelta(seconds=30)
# Whole amperes and a grid of 207 V instead of 230 V make up less.
DRAWN_SHARE = 0.85
LITTLE_KW = 0.5
# From here on a car tapers.
TAPER_SOC = 0.85
FULL_SOC = 0.98
# Cars let their owners set no limit below half.
LEAST_LIMIT_SOC = 0.5
# Without a plug sensor, a command after so long a rest is for another stay.
ANOTHER_STAY = timedelta(hours=6)
# What was found earlier says nothing of today.
HOLDS_FOR = timedelta(hours=24)
# A night has room for several tries, and a contactor outlives them.
TRIED_EVERY = timedelta(hours=1)
LEAST_CURRENT_A = 6.0


class CarDraw(Part):
    """Record of a car's draw since it was plugged in."""

    verdict: Annotated[
        DrawVerdict,
        Field(description="whether the car draws what its charger is commanded, and why not"),
    ] = "unknown"
    since: Annotated[Instant | None, Field(description="when that was found; null: never")] = None
    plugged_since: Annotated[
        Instant | None, Field(description="when the car was plugged in; null: nobody knows")
    ] = None
    commanded_kw: Annotated[
        float, Field(description="power that its charger is commanded; 0: none")
    ] = 0.0
    commanded_since: Annotated[
        Instant | None, Field(description="since when it is commanded so much")
    ] = None
    stopped_at: Annotated[
        Instant | None,
        Field(description="when its charge was last stopped, or tried in vain"),
    ] = None
    nothing_since: Annotated[
        Instant | None, Field(description="since when it draws nothing, although commanded to")
    ] = None
    missed_kw: Annotated[
        float, Field(description="power that was commanded when the verdict was found")
    ] = 0.0
    highest_kw: Annotated[
        float, Field(description="the most that it has drawn since it was plugged in")
    ] = 0.0
    highest_at: Annotated[Instant | None, Field(description="when that last rose")] = None
    soc: Annotated[
        float | None, Field(description="its state of charge then, 0 to 1; null: unknown")
    ] = None
    woken_at: Annotated[
        Instant | None, Field(description="when it was woken by a stop and a start; null: never")
    ] = None

    def holds_at(self, now: datetime) -> bool:
        """Return whether the verdict still counts."""
        return self.since is not None and now - self.since < HOLDS_FOR

    def find_most_kw(self, now: datetime) -> float | None:
        """Return the most that a plan may count on, kW; None: as much as the charger gives."""
        if not self.holds_at(now):
            return None
        if self.verdict in LEFT_OUT:
            return None if self.is_tried_at(now) else 0.0
        return self.highest_kw if self.verdict == "draws_less" else None

    def is_tried_at(self, now: datetime) -> bool:
        """Return whether a car that is left out is to be charged again."""
        return (
            self.verdict in TRIED_AGAIN
            and self.stopped_at is not None
            and now - self.stopped_at >= TRIED_EVERY
        )


@dataclass(frozen=True, slots=True)
class DrawSample:
    """A moment at a charger.

    Args:
        at: when the power was measured.
        commanded_kw: power that the charger is commanded; 0: none.
        measured_kw: what goes into the car; None: not measured.
        plugged: whether the car is plugged in; None: unknown.
        plugged_since: when it was plugged in or out.
        soc: its state of charge, 0 to 1.
        current_a: commanded current per phase; None: unknown.
        may_wake: its charge may be stopped and started once to wake it.
        ordered_at: when the owner last ordered it to charge.
    """

    at: datetime
    commanded_kw: float
    measured_kw: float | None
    plugged: bool | None = None
    plugged_since: datetime | None = None
    soc: float | None = None
    current_a: float | None = None
    may_wake: bool = False
    ordered_at: datetime | None = None


def judge_draw(before: CarDraw, sample: DrawSample) -> CarDraw:
    """Return what is known of a car's draw after another sample."""
    draw = _begin_anew(before, sample)
    draw = _follow_command(draw, sample)
    if sample.measured_kw is None:
        return draw
    if sample.commanded_kw <= 0:
        return _judge_uncommanded(draw, sample, sample.measured_kw)
    draw = _remember_highest(draw, sample.measured_kw, sample.at)
    if sample.measured_kw <= NOTHING_KW:
        return _judge_nothing(draw, sample)
    if sample.measured_kw < DRAWS_KW:
        # Neither is proven.
        return draw
    return _judge_power(draw, sample, sample.measured_kw)


def _begin_anew(draw: CarDraw, sample: DrawSample) -> CarDraw:
    """Return an empty record where the car was plugged in anew, or its owner wants it charged."""
    is_in = sample.plugged is not False
    is_out = draw.verdict == "not_plugged_in"
    # A car that left is not at fault; one that came is judged anew.
    if (sample.plugged and is_out) or (not is_in and draw.verdict in LEFT_OUT and not is_out):
        return CarDraw(plugged_since=sample.plugged_since)
    if is_in and sample.plugged_since is not None and sample.plugged_since != draw.plugged_since:
        is_first = draw.plugged_since is None and (
            draw.since is None or sample.plugged_since <= draw.since
        )
        if is_first:
            return draw.model_copy(update={"plugged_since": sample.plugged_since})
        return CarDraw(plugged_since=sample.plugged_since)
    rested = draw.stopped_at is not None and sample.at - draw.stopped_at >= ANOTHER_STAY
    if sample.plugged is None and sample.commanded_kw > 0 and not draw.commanded_kw and rested:
        return CarDraw()
    ordered_at = sample.ordered_at
    if ordered_at is not None and draw.since is not None and ordered_at > draw.since:
        return CarDraw(plugged_since=draw.plugged_since, woken_at=draw.woken_at)
    return draw


def _follow_command(draw: CarDraw, sample: DrawSample) -> CarDraw:
    """Return the record with the command in force; a rise gives the car time again."""
    if sample.commanded_kw <= 0:
        if not draw.commanded_kw:
            return draw
        changes = {"commanded_kw": 0.0, "commanded_since": None, "nothing_since": None}
        return draw.model_copy(update=changes | {"stopped_at": sample.at})
    has_risen = sample.commanded_kw > draw.commanded_kw + LITTLE_KW
    if draw.commanded_since is None or has_risen:
        return draw.model_copy(
            update={"commanded_kw": sample.commanded_kw, "commanded_since": sample.at}
        )
    if sample.commanded_kw < draw.commanded_kw - LITTLE_KW:
        return draw.model_copy(update={"commanded_kw": sample.commanded_kw})
    return draw


def _remember_highest(draw: CarDraw, measured_kw: float, at: datetime) -> CarDraw:
    if measured_kw <= max(draw.highest_kw * 1.05, NOTHING_KW):
        return draw
    return draw.model_copy(update={"highest_kw": measured_kw, "highest_at": at})


def _judge_uncommanded(draw: CarDraw, sample: DrawSample, measured_kw: float) -> CarDraw:
    """Return the record of a car that may draw although nothing commands it."""
    is_stopping = draw.stopped_at is not None and sample.at - draw.stopped_at < WAKES_WITHIN
    if draw.verdict not in LEFT_OUT or measured_kw < DRAWS_KW or is_stopping:
        return draw
    return _conclude(draw, "as_commanded", sample)


def _judge_nothing(draw: CarDraw, sample: DrawSample) -> CarDraw:
    """Return the record of a car that draws nothing at the moment."""
    nothing_since = draw.nothing_since or sample.at
    draw = draw.model_copy(update={"nothing_since": nothing_since})
    is_left_out = draw.verdict in LEFT_OUT and not draw.is_tried_at(sample.at)
    # A charger that switches phases pauses as long as a car that wakes.
    patience = UNPLUGGED_WITHIN if sample.plugged is False else WAKES_WITHIN
    if is_left_out or sample.at - nothing_since < patience:
        return draw
    if draw.verdict in TRIED_AGAIN:
        # Still the same event, with its first instant.
        return _leave_out(draw, draw.verdict, sample)
    if draw.verdict == "waking" and draw.woken_at is not None:
        # The stop and start took a moment of its own.
        if sample.at - draw.woken_at < WAKES_WITHIN:
            return draw
        return _leave_out(draw, "asleep" if sample.plugged else "refuses", sample)
    cause = _find_cause(draw, sample)
    if cause == "waking":
        return _conclude(draw, cause, sample).model_copy(update={"woken_at": sample.at})
    return _leave_out(draw, cause, sample)


def _leave_out(draw: CarDraw, verdict: DrawVerdict, sample: DrawSample) -> CarDraw:
    """Return the record of a car that is left out, until it is tried again."""
    return _conclude(draw, verdict, sample).model_copy(update={"stopped_at": sample.at})


def _find_cause(draw: CarDraw, sample: DrawSample) -> DrawVerdict:
    """Return the likeliest reason why a car draws nothing."""
    if sample.plugged is False:
        return "not_plugged_in"
    has_charged = draw.highest_kw >= DRAWS_KW
    full_from = LEAST_LIMIT_SOC if has_charged else FULL_SOC
    if has_charged if sample.soc is None else sample.soc >= full_from:
        return "full"
    if sample.current_a is not None and sample.current_a < LEAST_CURRENT_A:
        return "below_least_current"
    if sample.may_wake and draw.woken_at is None:
        return "waking"
    return "asleep" if sample.plugged else "refuses"


def _judge_power(draw: CarDraw, sample: DrawSample, measured_kw: float) -> CarDraw:
    """Return the record of a car that draws something."""
    draw = draw.model_copy(update={"nothing_since": None})
    if draw.verdict == "draws_less" and measured_kw <= draw.missed_kw * DRAWN_SHARE:
        # A plan with its own maximum commands no more than that, which proves nothing.
        return draw
    is_far = measured_kw < sample.commanded_kw - LITTLE_KW
    takes_less = is_far and measured_kw < sample.commanded_kw * DRAWN_SHARE
    if not takes_less:
        return _conclude(draw, "as_commanded", sample)
    is_back = draw.verdict in LEFT_OUT or draw.verdict == "waking"
    if is_back:
        draw = _conclude(draw, "as_commanded", sample)
    drew_all = draw.highest_kw >= sample.commanded_kw * DRAWN_SHARE
    tapers = sample.soc is not None and sample.soc >= TAPER_SOC
    if drew_all or tapers:
        return draw
    commanded_since = draw.commanded_since or sample.at
    highest_at = draw.highest_at or sample.at
    if sample.at - commanded_since < WAKES_WITHIN or sample.at - highest_at < STEADY_FOR:
        return draw
    return _conclude(draw, "draws_less", sample)


def _conclude(draw: CarDraw, verdict: DrawVerdict, sample: DrawSample) -> CarDraw:
    """Return the record with a verdict; the same verdict keeps its instant."""
    if draw.verdict == verdict:
        return draw
    changes = {
        "verdict": verdict,
        "since": sample.at,
        "missed_kw": sample.commanded_kw,
        "soc": sample.soc,
    }
    return draw.model_copy(update=changes)
