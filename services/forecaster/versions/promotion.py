"""The rule by which a version of the forecasts comes to drive the planner: better in shadow by more than chance, and no dearer in the plan. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from luna.contracts.forecast_versions import DAYS_TO_PROVE
from luna.timeline import FloatArray
from services.forecaster.versions.paired_test import assess_gain

LEAST_DAYS = DAYS_TO_PROVE
# What lies further back says less of the season, and of models that were trained since.
WINDOW_DAYS = 28
# At this level fewer than 5 of 100 versions that are no better pass, also where losses of neighbouring days go together. Source: docs/decisions/0017.
SIGNIFICANCE = 0.02
# Costs of a day hang on few hours: of fewer days chance decides. Dearer is what costs more by this share, and would do so by chance no oftener than this.
LEAST_MONEY_DAYS = 7
MONEY_ALLOWANCE = 0.05
MONEY_SIGNIFICANCE = 0.2

SeriesLoss = Mapping[str, float]  # pinball loss by series


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a version did in shadow, by local day of issue: its pinball losses, and what its errors cost in the plan where that is known."""

    losses: Mapping[date, SeriesLoss]
    regrets: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A version beside the active one, over the days on which both were scored.

    ``loss_ratio`` is the mean over the series of its pinball loss as a share of the active version's; money is per day, over ``money_days``. What too few
    days say is None.
    """

    version: str
    better: bool
    reason: str
    days: int
    first_day: date | None = None
    last_day: date | None = None
    loss_ratio: float | None = None
    p_value: float | None = None
    money_days: int = 0
    regret: float | None = None
    active_regret: float | None = None
    dearer_p_value: float | None = None

    def evidence(self) -> dict[str, Any]:
        """Return what a decision is kept with."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items()}


def choose_version(active: Shadow, candidates: Mapping[str, Shadow]) -> tuple[str | None, list[Comparison]]:
    """Return the version that should take the active one's place, None where it should stay, and how each candidate compares.

    Of several that are better, the one with the lowest loss is chosen.
    """
    compared = [compare_version(name, shadow, active) for name, shadow in candidates.items()]
    better = [comparison for comparison in compared if comparison.better]
    best = min(better, key=lambda comparison: comparison.loss_ratio or 0.0, default=None)
    return best.version if best else None, compared


def compare_version(name: str, candidate: Shadow, active: Shadow) -> Comparison:
    """Return how a version compares with the active one, and whether it is to take its place."""
    days = sorted(set(candidate.losses) & set(active.losses))[-WINDOW_DAYS:]
    if len(days) < LEAST_DAYS:
        return Comparison(name, better=False, reason=f"scored beside the active version on {len(days)} days, {LEAST_DAYS} are needed", days=len(days))
    gain = 1 - _relative_loss(candidate, active, days)
    test = assess_gain(gain)
    ratio = 1 - test.mean
    money = _compare_regrets(candidate, active, days)
    reason, better = _judge(ratio, test.p_value, money)
    compared = Comparison(name, better, f"{reason}, over {len(days)} days", len(days), days[0], days[-1], ratio, test.p_value)
    if money is None:
        return compared
    return replace(compared, money_days=money.days, regret=money.ours, active_regret=money.theirs, dearer_p_value=money.p_value)


def _relative_loss(candidate: Shadow, active: Shadow, days: Sequence[date]) -> FloatArray:
    """Return the candidate's loss per day, more or less than the active version's; 1 is as good.

    Each series counts as a share of the active version's mean loss, so that a kWh of sun does not outweigh one of load where there is more of it. A series
    that is not scored on every day, or that the active version never misses, is left out.
    """
    series = sorted(set.intersection(*(set(shadow.losses[day]) for day in days for shadow in (candidate, active))))
    scales = {name: float(np.mean([active.losses[day][name] for day in days])) for name in series}
    counted = [name for name, scale in scales.items() if scale > 0]
    if not counted:
        return np.ones(len(days))
    more = [np.mean([(candidate.losses[day][name] - active.losses[day][name]) / scales[name] for name in counted]) for day in days]
    return 1 + np.array(more, dtype=np.float64)


class Money(NamedTuple):
    """Mean regrets of a candidate and the active version, and how likely the candidate would be so much dearer where it is not."""

    days: int
    ours: float
    theirs: float
    p_value: float

    @property
    def dearer(self) -> bool:
        return self.ours > self.theirs + MONEY_ALLOWANCE * abs(self.theirs) and self.p_value <= MONEY_SIGNIFICANCE


def _compare_regrets(candidate: Shadow, active: Shadow, days: Sequence[date]) -> Money | None:
    known = [day for day in days if day in candidate.regrets and day in active.regrets]
    if len(known) < LEAST_MONEY_DAYS:
        return None
    ours, theirs = (np.array([shadow.regrets[day] for day in known]) for shadow in (candidate, active))
    return Money(len(known), float(ours.mean()), float(theirs.mean()), assess_gain(ours - theirs).p_value)


def _judge(ratio: float, p_value: float, money: Money | None) -> tuple[str, bool]:
    loss = f"pinball loss {ratio:.1%} of the active version's, p = {p_value:.3f}"
    if p_value > SIGNIFICANCE:
        return f"not better by more than chance ({SIGNIFICANCE}): {loss}", False
    if money is None:
        return f"better: {loss}; what its errors cost is not known", True
    said = f"{loss}; its errors cost {money.ours:.4g} a day in the plan, the active version's {money.theirs:.4g}"
    return (f"better by loss but dearer: {said}", False) if money.dearer else (f"better: {said}", True)
