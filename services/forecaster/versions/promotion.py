"""The choice of the version that drives the planner, and the state of all versions.

A version is promoted if it is better in shadow by more than chance, and no dearer in the plan.
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
from services.forecaster.forecast_issue import find_run, require_version
from services.forecaster.model.aurora import VERSION
from services.forecaster.retraining.renewal import (
    WEEK_DAYS,
    assign_turn,
    find_due,
    find_last_turn,
    list_drift,
)
from services.forecaster.scoring import assess_gain

LEAST_DAYS = DAYS_TO_PROVE
# Earlier days are of another season, and of older models.
WINDOW_DAYS = 28
# At this level fewer than 5 of 100 versions that are no better pass, even if losses of neighbouring
# days correlate. Source: docs/decisions/0017.
SIGNIFICANCE = 0.02
# A day's cost depends on few hours, so fewer days are chance. A version is dearer if it costs more
# by this share, at this significance.
LEAST_MONEY_DAYS = 7
MONEY_ALLOWANCE = 0.05
MONEY_SIGNIFICANCE = 0.2

SeriesLoss = Mapping[str, float]  # pinball loss by series


@dataclass(frozen=True, slots=True)
class Shadow:
    """The results of a version in shadow, by local day of issue.

    They are its pinball losses, and the costs of its errors in the plan where these are known.
    """

    losses: Mapping[date, SeriesLoss]
    regrets: Mapping[date, float]


def choose_version(
    active: Shadow, candidates: Mapping[str, Shadow]
) -> tuple[str | None, list[CandidateReply]]:
    """Return the version that should replace the active one, or None, and all comparisons.

    Of several better ones, the one with the lowest loss is chosen.
    """
    compared = [_compare_version(name, shadow, active) for name, shadow in candidates.items()]
    best: CandidateReply | None = None
    for comparison in compared:
        if not comparison.better:
            continue
        if best is None or (comparison.loss_ratio or 0.0) < (best.loss_ratio or 0.0):
            best = comparison
    return best.version if best else None, compared


def _compare_version(name: str, candidate: Shadow, active: Shadow) -> CandidateReply:
    """Return a version's comparison with the active one, and whether it should replace it."""
    days = sorted(set(candidate.losses) & set(active.losses))[-WINDOW_DAYS:]
    if len(days) < LEAST_DAYS:
        return CandidateReply(
            version=name,
            better=False,
            reason=f"scored beside the active version on {len(days)} days, {LEAST_DAYS} are needed",
            days=len(days),
        )
    test = assess_gain(1 - _relative_loss(candidate, active, days))
    ratio = 1 - test.mean
    money = _compare_regrets(candidate, active, days)
    reason, better = _judge(ratio, test.p_value, money)
    return CandidateReply(
        version=name,
        better=better,
        reason=f"{reason}, over {len(days)} days",
        days=len(days),
        first_day=days[0],
        last_day=days[-1],
        loss_ratio=ratio,
        p_value=test.p_value,
        money_days=money.days if money else 0,
        regret=money.ours if money else None,
        active_regret=money.theirs if money else None,
        dearer_p_value=money.p_value if money else None,
    )


def _relative_loss(candidate: Shadow, active: Shadow, days: Sequence[date]) -> FloatArray:
    """Return the candidate's loss per day relative to the active version's; 1 is as good.

    Each series counts as a share of the active version's mean loss, so that a kWh of sun does not
    outweigh one of load where there is more of it. A series that is not scored on every day, or
    that the active version never misses, is left out.
    """
    scored = set(active.losses[days[0]])
    for day in days:
        scored &= set(candidate.losses[day]) & set(active.losses[day])
    scales = {}
    for name in sorted(scored):
        scale = float(np.mean([active.losses[day][name] for day in days]))
        if scale > 0:
            scales[name] = scale
    if not scales:
        return np.ones(len(days))
    excess = []
    for day in days:
        ours = candidate.losses[day]
        theirs = active.losses[day]
        shares = [(ours[name] - theirs[name]) / scale for name, scale in scales.items()]
        excess.append(np.mean(shares))
    return 1 + np.array(excess, dtype=np.float64)


class Money(NamedTuple):
    """Mean regrets of a candidate and the active version.

    ``p_value`` is the probability of such a difference if the candidate is not dearer.
    """

    days: int
    ours: float
    theirs: float
    p_value: float

    @property
    def dearer(self) -> bool:
        allowed = self.theirs + MONEY_ALLOWANCE * abs(self.theirs)
        return self.ours > allowed and self.p_value <= MONEY_SIGNIFICANCE


def _compare_regrets(candidate: Shadow, active: Shadow, days: Sequence[date]) -> Money | None:
    common_days = [day for day in days if day in candidate.regrets and day in active.regrets]
    if len(common_days) < LEAST_MONEY_DAYS:
        return None
    ours = np.array([candidate.regrets[day] for day in common_days])
    theirs = np.array([active.regrets[day] for day in common_days])
    p_value = assess_gain(ours - theirs).p_value
    return Money(len(common_days), float(ours.mean()), float(theirs.mean()), p_value)


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
    if money.dearer:
        return f"better by loss but dearer: {comparison}", False
    return f"better: {comparison}", True


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
    """Return the training to use for the version: the named one, else the latest.

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
    """Return to the version before the last decision that still stands.

    Raises:
        NotFoundError: no such site.
        ConflictError: there is nothing to return to.
    """
    site = sites.load(connection, request.site_id)
    decisions = forecast_activations.history(connection, site.name)
    before = forecast_activations.find_previous(decisions)
    last = decisions[0]
    reverted = last.forecast_version
    if last.run_id is not None:
        reverted = f"{reverted}, training {last.run_id}"
    version = before.forecast_version if before else DEFAULT_VERSION
    run_id = before.run_id if before else None
    activation = Activation(version, f"taken back: {reverted}", "rollback", run_id)
    changed = forecast_activations.activate(connection, site.name, activation)
    return _describe_active(connection, site, changed=changed)


def promote_by_rule(
    connection: Connection, site: Site, *, now: datetime, awaits_costs: bool = False
) -> SiteJudgement:
    """Put the version into use that the rule chooses, unless the owner pinned one.

    Return all comparisons.

    Args:
        awaits_costs: the days' costs are still being calculated, so nothing is decided yet.
    """
    active = forecast_activations.find_active(connection, site)
    chosen, compared = _review_versions(connection, site, active)
    promoted = chosen is not None and not active.pinned and not awaits_costs
    if chosen is not None and promoted:
        won = next(comparison for comparison in compared if comparison.version == chosen)
        run = find_run(connection, site, chosen, before=now)
        run_id = run.run_id if run else None
        evidence = won.model_dump(mode="json") | {"against": active.forecast_version}
        activation = Activation(
            forecast_version=chosen,
            reason=won.reason,
            decided_by="rule",
            run_id=run_id,
            evidence=evidence,
        )
        forecast_activations.activate(connection, site.name, activation)
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
    """Return the version that the rule would choose, or None, and all comparisons."""
    last_day = forecast_scores.last_day(connection, site.name)
    if last_day is None:
        return None, []
    first = find_review_start(site, active, last_day)
    losses: dict[str, dict[date, dict[str, float]]] = {}
    for score in forecast_scores.read(connection, site.name, first, last_day):
        by_day = losses.setdefault(score.forecast_version, {})
        by_day.setdefault(score.day, {})[score.series] = score.pinball
    regrets = forecast_scores.read_regrets(
        connection, site.name, list(losses), first=first, last=last_day
    )
    shadows = {version: Shadow(days, regrets[version]) for version, days in losses.items()}
    active_shadow = shadows.pop(active.forecast_version, Shadow({}, {}))
    return choose_version(active_shadow, shadows)


def _describe_active(connection: Connection, site: Site, *, changed: bool) -> ActivationReply:
    active = forecast_activations.find_active(connection, site)
    return ActivationReply(
        forecast_version=active.forecast_version,
        run_id=active.run_id,
        pinned=active.pinned,
        changed=changed,
        reason=active.reason,
    )


def describe_status(connection: Connection, site_id: str, *, now: datetime) -> ForecastStatus:
    """Return the state of a site's forecasts.

    It includes the rule's view of every version, signs of drift, and the next training.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    run = training_runs.latest(connection, site_id, version=VERSION)
    active = forecast_activations.find_active(connection, site)
    _, candidates = _review_versions(connection, site, active)
    details = {
        "candidates": candidates,
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
    if run is None or not run.has_enough_data:
        return "when two weeks are known"
    zone = parse_zone(site.timezone)
    last_turn = find_last_turn(assign_turn(site.name), now, zone).astimezone(zone)
    turn = last_turn + timedelta(days=WEEK_DAYS)
    return f"in its weekly turn, {say_instant(turn, zone)}, or when it drifts"
