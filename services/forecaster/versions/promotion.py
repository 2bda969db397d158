"""Which version of the forecasts drives the planner, and how each stands.

The rule: better in shadow by more than chance, and no dearer in the plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from luna.contracts.forecast_versions import (
    DAYS_TO_PROVE,
    ActivationReply,
    CandidateReply,
    ForecastStatus,
    PromoteRequest,
    RollbackRequest,
    SiteJudgement,
)
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, parse_zone
from luna.platform.database import (
    forecast_activations,
    forecast_scores,
    forecast_status,
    sites,
    training_runs,
)
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation, ActiveVersion
from luna.platform.database.forecast_status import find_review_start
from luna.platform.database.training_runs import TrainingRun
from luna.words import say_instant
from services.forecaster.model.aurora import VERSION
from services.forecaster.retraining.renewal import (
    WEEK_DAYS,
    assign_turn,
    find_due,
    find_last_turn,
    list_drift,
)
from services.forecaster.scoring import assess_gain
from services.forecaster.service import find_run, require_version

LEAST_DAYS = DAYS_TO_PROVE
# What lies further back says less of the season, and of models that were trained since.
WINDOW_DAYS = 28
# At this level fewer than 5 of 100 versions that are no better pass, also where losses of
# neighbouring days go together. Source: docs/decisions/0017.
SIGNIFICANCE = 0.02
# Costs of a day hang on few hours: of fewer days chance decides. Dearer is what costs more by this
# share, and would do so by chance no oftener than this.
LEAST_MONEY_DAYS = 7
MONEY_ALLOWANCE = 0.05
MONEY_SIGNIFICANCE = 0.2

SeriesLoss = Mapping[str, float]  # pinball loss by series


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a version did in shadow, by local day of issue: its pinball losses, and what its errors
    cost in the plan where that is known.
    """

    losses: Mapping[date, SeriesLoss]
    regrets: Mapping[date, float]


def choose_version(
    active: Shadow, candidates: Mapping[str, Shadow]
) -> tuple[str | None, list[CandidateReply]]:
    """Return the version that should take the active one's place, None where it should stay, and
    how each candidate compares.

    Of several that are better, the one with the lowest loss is chosen.
    """
    compared = [_compare_version(name, shadow, active) for name, shadow in candidates.items()]
    better = [comparison for comparison in compared if comparison.better]
    best = min(better, key=lambda comparison: comparison.loss_ratio or 0.0, default=None)
    return best.version if best else None, compared


def _compare_version(name: str, candidate: Shadow, active: Shadow) -> CandidateReply:
    """Return how a version compares with the active one, and whether it is to take its place."""
    days = sorted(set(candidate.losses) & set(active.losses))[-WINDOW_DAYS:]
    if len(days) < LEAST_DAYS:
        return CandidateReply(
            version=name,
            better=False,
            reason=f"scored beside the active version on {len(days)} days, {LEAST_DAYS} are needed",
            days=len(days),
        )
    gain = 1 - _relative_loss(candidate, active, days)
    test = assess_gain(gain)
    ratio = 1 - test.mean
    money = _compare_regrets(candidate, active, days)
    reason, better = _judge(ratio, test.p_value, money)
    cost = (
        {}
        if money is None
        else {
            "money_days": money.days,
            "regret": money.ours,
            "active_regret": money.theirs,
            "dearer_p_value": money.p_value,
        }
    )
    return CandidateReply(
        version=name,
        better=better,
        reason=f"{reason}, over {len(days)} days",
        days=len(days),
        first_day=days[0],
        last_day=days[-1],
        loss_ratio=ratio,
        p_value=test.p_value,
        **cost,
    )


def _relative_loss(candidate: Shadow, active: Shadow, days: Sequence[date]) -> FloatArray:
    """Return the candidate's loss per day, more or less than the active version's; 1 is as good.

    Each series counts as a share of the active version's mean loss, so that a kWh of sun does not
    outweigh one of load where there is more of it. A series that is not scored on every day, or
    that the active version never misses, is left out.
    """
    series = sorted(
        set.intersection(
            *(set(shadow.losses[day]) for day in days for shadow in (candidate, active))
        )
    )
    scales = {name: float(np.mean([active.losses[day][name] for day in days])) for name in series}
    counted = [name for name, scale in scales.items() if scale > 0]
    if not counted:
        return np.ones(len(days))
    more = [
        np.mean(
            [
                (candidate.losses[day][name] - active.losses[day][name]) / scales[name]
                for name in counted
            ]
        )
        for day in days
    ]
    return 1 + np.array(more, dtype=np.float64)


class Money(NamedTuple):
    """Mean regrets of a candidate and the active version, and how likely the candidate would be so
    much dearer where it is not.
    """

    days: int
    ours: float
    theirs: float
    p_value: float

    @property
    def dearer(self) -> bool:
        return (
            self.ours > self.theirs + MONEY_ALLOWANCE * abs(self.theirs)
            and self.p_value <= MONEY_SIGNIFICANCE
        )


def _compare_regrets(candidate: Shadow, active: Shadow, days: Sequence[date]) -> Money | None:
    common_days = [day for day in days if day in candidate.regrets and day in active.regrets]
    if len(common_days) < LEAST_MONEY_DAYS:
        return None
    ours, theirs = (
        np.array([shadow.regrets[day] for day in common_days]) for shadow in (candidate, active)
    )
    return Money(
        len(common_days),
        float(ours.mean()),
        float(theirs.mean()),
        assess_gain(ours - theirs).p_value,
    )


def _judge(ratio: float, p_value: float, money: Money | None) -> tuple[str, bool]:
    loss = f"pinball loss {ratio:.1%} of the active version's, p = {p_value:.3f}"
    if p_value > SIGNIFICANCE:
        return f"not better by more than chance ({SIGNIFICANCE}): {loss}", False
    if money is None:
        return f"better: {loss}; what its errors cost is not known", True
    comparison = (
        f"{loss}; its errors cost {money.ours:.4g} a day in the plan, the active version's "
        f"{money.theirs:.4g}"
    )
    return (
        (f"better by loss but dearer: {comparison}", False)
        if money.dearer
        else (f"better: {comparison}", True)
    )


def promote_by_hand(connection: Connection, request: PromoteRequest) -> ActivationReply:
    """Let a version drive the planner of a site.

    Raises:
        NotFoundError: no such site, version or training.
        InvalidInputError: a training is named for a baseline, which has none.
        ConflictError: Aurora was never trained for the site.
    """
    site = sites.load(connection, request.site_id)
    run_id = _choose_run(connection, request)
    changed = forecast_activations.activate(
        connection, site.name, Activation(request.forecast_version, request.reason, "hand", run_id)
    )
    return _describe_active(connection, site, changed=changed)


def _choose_run(connection: Connection, request: PromoteRequest) -> str | None:
    """Return the training that is to speak for the version: the one named, else the latest.

    None for a baseline.
    """
    require_version(request.forecast_version)
    if request.forecast_version != VERSION:
        if request.run_id is not None:
            raise refuse("baseline-not-trained", field="run_id", value=request.run_id)
        return None
    if request.run_id is not None:
        return training_runs.load(connection, request.site_id, request.run_id).run_id
    latest = training_runs.latest(connection, request.site_id, version=VERSION)
    if latest is None:
        raise refuse(
            "version-never-trained",
            field="forecast_version",
            value=VERSION,
            site_id=request.site_id,
        )
    return latest.run_id


def roll_back(connection: Connection, request: RollbackRequest) -> ActivationReply:
    """Go back to what drove the planner before the last decision that still stands.

    Raises:
        NotFoundError: no such site.
        ConflictError: there is nothing to go back to.
    """
    site = sites.load(connection, request.site_id)
    decisions = forecast_activations.history(connection, site.name)
    before = forecast_activations.find_previous(decisions)
    last = decisions[0]
    reverted = (
        last.forecast_version
        if last.run_id is None
        else f"{last.forecast_version}, training {last.run_id}"
    )
    version, run_id = (
        (DEFAULT_VERSION, None) if before is None else (before.forecast_version, before.run_id)
    )
    changed = forecast_activations.activate(
        connection, site.name, Activation(version, f"taken back: {reverted}", "rollback", run_id)
    )
    return _describe_active(connection, site, changed=changed)


def promote_by_rule(
    connection: Connection, site: Site, *, now: datetime, awaits_costs: bool = False
) -> SiteJudgement:
    """Let the version drive the planner that the rule chooses, unless the owner pinned one.

    Return how all compare.

    Args:
        awaits_costs: what days cost is still being reckoned, so that nothing is decided yet.
    """
    active = forecast_activations.find_active(connection, site)
    chosen, compared = _review_versions(connection, site, active)
    promoted = chosen is not None and not active.pinned and not awaits_costs
    if chosen is not None and promoted:
        won = next(comparison for comparison in compared if comparison.version == chosen)
        run = find_run(connection, site, chosen, before=now)
        evidence = won.model_dump(mode="json") | {"against": active.forecast_version}
        forecast_activations.activate(
            connection,
            site.name,
            Activation(chosen, won.reason, "rule", run.run_id if run else None, evidence),
        )
    return SiteJudgement(
        site_id=site.name,
        active_forecast_version=chosen if promoted else active.forecast_version,
        pinned=active.pinned,
        promoted=promoted,
        candidates=compared,
    )


def _review_versions(
    connection: Connection, site: Site, active: ActiveVersion
) -> tuple[str | None, list[CandidateReply]]:
    """Return which version the rule would choose, None where the active one should stay, and how
    each candidate compares.
    """
    last_day = forecast_scores.last_day(connection, site.name)
    if last_day is None:
        return None, []
    first = find_review_start(site, active, last_day)
    losses: dict[str, dict[date, dict[str, float]]] = {}
    for score in forecast_scores.read(connection, site.name, first, last_day):
        losses.setdefault(score.forecast_version, {}).setdefault(score.day, {})[score.series] = (
            score.pinball
        )
    regrets = forecast_scores.read_regrets(
        connection, site.name, list(losses), first=first, last=last_day
    )
    shadows = {version: Shadow(days, regrets[version]) for version, days in losses.items()}
    candidates = {
        version: shadow for version, shadow in shadows.items() if version != active.forecast_version
    }
    return choose_version(shadows.get(active.forecast_version, Shadow({}, {})), candidates)


def _describe_active(connection: Connection, site: Site, *, changed: bool) -> ActivationReply:
    """Return the message about what drives the planner now."""
    active = forecast_activations.find_active(connection, site)
    return ActivationReply(
        forecast_version=active.forecast_version,
        run_id=active.run_id,
        pinned=active.pinned,
        changed=changed,
        reason=active.reason,
    )


def describe_status(connection: Connection, site_id: str, *, now: datetime) -> ForecastStatus:
    """Return how the forecasts of a site stand: also how the rule sees every version, signs of
    drift, and when a training is due.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    run = training_runs.latest(connection, site_id, version=VERSION)
    details = {
        "candidates": _review_versions(
            connection, site, forecast_activations.find_active(connection, site)
        )[1],
        "drift": list_drift(connection, site, run, now=now) if run else [],
        "next_training": _describe_next_training(connection, site, run, now=now),
    }
    return forecast_status.read_status(connection, site_id, at=now).model_copy(update=details)


def _describe_next_training(
    connection: Connection, site: Site, run: TrainingRun | None, *, now: datetime
) -> str:
    """Return when a training is due next, or why one is due now."""
    due = find_due(connection, site, now=now)
    if due is not None:
        return f"due now: {due.reason}"
    if run is None or not run.learned:
        return "when two weeks are known"
    zone = parse_zone(site.timezone)
    turn = find_last_turn(assign_turn(site.name), now, zone).astimezone(zone) + timedelta(
        days=WEEK_DAYS
    )
    return f"in its weekly turn, {say_instant(turn, zone)}, or when it drifts"
