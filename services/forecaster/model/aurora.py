"""Training and issue of Aurora, a site's forecaster.

Gradient-boosted trees are stacked with simple averages, in quantile bands calibrated on recent
errors. Stacking weights, level correction and band widths are learned out of sample: from
predictions for weeks after those the trees were grown on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from luna.energy.observations import Observations
from luna.energy.outlook import LEVELS, Forecast
from luna.energy.site import Site
from luna.energy.timeline import SLOT_SECONDS, SLOTS_PER_DAY, FloatArray, require_utc
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, check_issue, fold_rows
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.forecast_series import (
    EVERY_SERIES,
    LOAD,
    ForecastSeries,
    OriginViews,
)
from services.forecaster.inputs.frame import (
    Frame,
    IntArray,
    Pairs,
    frame_series,
    number_slot,
)
from services.forecaster.inputs.view import FeatureMatrix
from services.forecaster.model.recent_error_correction import learn_level
from services.forecaster.model.series_model import (
    HEADS,
    TREES,
    SeriesModel,
    blend_heads,
    list_members,
    predict_profile,
    predict_trees,
    stratify,
)
from services.forecaster.model.stacking import (
    BAND_STARTS,
    SIDES,
    QuantileHeads,
    band_of,
    measure_loss,
    stretch_bands,
    weigh_strata,
)
from services.forecaster.model.trees import Trees, TreeSettings, choose_threads, grow_trees

VERSION = "aurora_v1.0"
Stage = Literal["cold", "profile", "young", "full"]
YOUNG_DAYS = 14
FULL_DAYS = 60
# Share of training rows with leads below six hours: the plan acts on those
NEAR_SHARE = 0.4
NEAR_SLOTS = 24
BLOCK_SLOTS = 7 * SLOTS_PER_DAY  # weeks alternate between the two halves of the cross-validation
NEEDED_ROWS = 1_000
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Settings of a training.

    ``rows`` are drawn at random, ``threads`` of LightGBM change no forecast.
    """

    rows: int = 30_000
    trees: TreeSettings = field(default_factory=TreeSettings)
    threads: int = field(default_factory=choose_threads)
    seed: int = 0

    def seeded(self, seed: int) -> "TrainSettings":
        """Return the same settings with another seed."""
        return replace(self, seed=seed)


DEFAULT_SETTINGS = TrainSettings()


def keep_quiet(_count: int, _total: int, _label: str) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class Aurora:
    """A trained forecaster of one site.

    A series without a model is forecast from its profile, in a wide band.

    Args:
        known_days: days' worth of load it was trained on.
        metrics: figures on rows unseen by the trees, by ``<series>.<figure>``.
    """

    site: Site
    models: dict[str, SeriesModel] = field(default_factory=dict)
    known_days: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version its forecasts carry."""
        return VERSION

    @property
    def stage(self) -> Stage:
        """Stage of learning, by the amount of data."""
        return _name_stage(self.known_days, learned=LOAD.name in self.models)

    def issue(
        self,
        history: Observations,
        issued_at: datetime,
        slots: int = HORIZON_SLOTS,
        *,
        context: Context = NO_CONTEXT,
    ) -> Forecast:
        """Return the forecast of ``slots`` quarter-hours from the one that covers ``issued_at``.

        Nothing measured in or after that quarter-hour is used.
        """
        return self.issue_many(history, [issued_at], slots, context=context).forecast(0)

    def issue_many(
        self,
        history: Observations,
        issued_at: Sequence[datetime],
        slots: int = HORIZON_SLOTS,
        *,
        context: Context = NO_CONTEXT,
    ) -> Batch:
        """Return the forecast at each instant, with one prediction per model.

        See ``Forecaster``.
        """
        instants = check_issue(issued_at, slots)
        views = OriginViews.of(history, self.site, instants, slots, context=context)
        return self.issue_from_views(views)

    def issue_from_views(self, origin_views: OriginViews) -> Batch:
        """Return the same from the feature matrices of the instants."""
        frame = origin_views.frame
        pairs = origin_views.pairs
        views = origin_views.views
        quantiles = []
        for series in EVERY_SERIES:
            model = self.models.get(series.name)
            view = views[series.name]
            if model is None:
                predicted = predict_profile(view)
            else:
                factors = tune_rows(frame, pairs, model, series)
                predicted = model.predict(view, pairs.lead).stretch(factors, view.scale_kwh)
            quantiles.append(fold_rows(predicted.bound(view.limit_kwh), origin_views.slots))
        load, pv = quantiles
        learned = LOAD.name in self.models
        days = self.known_days
        if not learned:
            days = count_days(frame.load_kwh[: int(pairs.origin.min())])
        stage = _name_stage(days, learned=learned)
        described = {}
        for name, model in self.models.items():
            described[name] = model.level.describe(views[name], pairs.lead)
        by_origin = zip(*described.values(), strict=True)
        levels = [dict(zip(described, of_origin, strict=True)) for of_origin in by_origin]
        return Batch(
            version=VERSION,
            stage=stage,
            issued_at=origin_views.issued_at,
            load_kwh=load,
            pv_kwh=pv,
            levels=levels,
        )


def _name_stage(days: float, *, learned: bool) -> Stage:
    """Return the stage of a forecast by its days of load and its model."""
    if not learned:
        return "profile" if days >= 1 else "cold"
    return "full" if days >= FULL_DAYS else "young"


TUNING_DAYS = 28
ORIGIN_STEP = 32
LEADS = np.array([1, 9, 24, 60, 110, 170])
SHIFT_STEP = 7
LARGEST_SHIFT = 20
TUNING_ROWS = 100
LEAST_FACTOR = 0.5
MOST_FACTOR = 2.5
# Shrinks the factor toward 1: a month is a small sample, and extremes in it regress to the mean
FACTOR_EXPONENT = 0.8


def tune_rows(frame: Frame, pairs: Pairs, model: SeriesModel, series: ForecastSeries) -> FloatArray:
    """Return factors for each quantile's distance from the median.

    They are learned from measurements before the UTC day of each row's origin.

    Returns:
        Shape ``(levels, rows)``.
    """
    days, rows = np.unique((frame.first + pairs.origin) // SLOTS_PER_DAY, return_inverse=True)
    # Hindcasts from the weeks before the first day until the last: three origins a day, six leads
    # each.
    first = (int(days[0]) - TUNING_DAYS) * SLOTS_PER_DAY - frame.first
    last = int(days[-1]) * SLOTS_PER_DAY - frame.first
    origin = np.arange(first, last, ORIGIN_STEP, dtype=np.int64)
    # Without a shift from origin to origin only a few times of day would be sampled.
    shift = (frame.first + origin) // ORIGIN_STEP * SHIFT_STEP % LARGEST_SHIFT
    target = ((origin + shift)[:, None] + LEADS).ravel()
    recent = Pairs(np.repeat(origin, LEADS.size), target).select(target < last)
    view = series.view(frame, recent)
    actual = series.measured(frame)[recent.target]
    usable = ~np.isnan(actual) & (view.limit_kwh > 0)
    heads = model.predict(view, recent.lead)
    distance = SIDES[:, None] * (actual - heads.p50) / heads.measure_widths(view.scale_kwh)
    factors = []
    for day_begin in days * SLOTS_PER_DAY - frame.first:
        is_known = usable & (recent.target < day_begin)
        factors.append(_tune_day(distance, is_known, day_begin - recent.origin))
    return np.stack(factors, axis=1)[:, rows]


def _tune_day(distance: FloatArray, usable: NDArray[np.bool_], age: IntArray) -> FloatArray:
    # By the origin's age, so that a day gets the same factors in every batch.
    rows = usable & (age <= TUNING_DAYS * SLOTS_PER_DAY)
    if rows.sum() < TUNING_ROWS:
        return np.ones(LEVELS.size)
    needed = np.empty(LEVELS.size)
    for level, share in enumerate(LEVELS):
        needed[level] = np.quantile(distance[level][rows], max(share, 1 - share))
    bounded = np.clip(needed, LEAST_FACTOR, MOST_FACTOR)
    factors: FloatArray = np.where(SIDES == 0, 1.0, bounded**FACTOR_EXPONENT)
    return factors


# Parts of the training's rows by time: each of the last two is predicted by trees grown before it
QUARTERS = 4
TREE_FITS = 3  # in a training of one series: two that are judged, one that is used
POOL = "pool_"
# Prior weights: the trees' share beside the pools, and the share that is spread evenly
TREES_SHARE = 0.3
UNIFORM_SHARE = 0.1
# Weights by kind of day must lower the loss to this, because each kind has fewer rows
WEEKEND_LOSS_RATIO = 0.985
# Series with rows of equal weight: weights by the usual load take twice as long and do not help
UNWEIGHTED = {"load"}
WEEKLY = {"load"}  # series with weekends; rainy Sundays give PV none
# Member of the view → the baseline version that forecasts by it.
BASELINES = {
    "mean": "baseline_7_day_avg",
    "median": "baseline_7_day_median",
    "latest": "seasonal_naive",
    "clear_sky": "baseline_clear_sky",
}
BAND_NAMES = ("near", "half_day", "far")


@dataclass(frozen=True)
class Rows:
    """Training rows: a view, and per row its lead, its actual energy, and its parts for judging.

    ``quarter`` is the quarter of the training's rows, ordered by target; ``half`` whether the
    target lies in an even week.
    """

    view: FeatureMatrix
    lead: IntArray
    quarter: IntArray
    half: NDArray[np.bool_]
    actual_kwh: FloatArray

    def select(self, rows: NDArray[np.bool_]) -> "Rows":
        return Rows(
            view=self.view.select(rows),
            lead=self.lead[rows],
            quarter=self.quarter[rows],
            half=self.half[rows],
            actual_kwh=self.actual_kwh[rows],
        )


def train(
    history: Observations,
    *,
    site: Site,
    until: datetime,
    settings: TrainSettings = DEFAULT_SETTINGS,
    progress: Progress = keep_quiet,
    context: Context = NO_CONTEXT,
) -> Aurora:
    """Train a site's model on everything measured before ``until`` and the weather as issued then.

    Same input and settings, same forecasts.

    A series with less than 14 days, or of constant values, gets no model and is forecast from its
    profile; ``stage`` says so.

    Args:
        progress: called with steps done, steps in all and a label of the step.
    """
    last = number_slot(require_utc(until, field="until"))
    first = last - 1
    if len(history):
        first = min(int(history.starts[0].astype(np.int64)) // SLOT_SECONDS, first)
    frame = frame_series(history, site, first=first, last=last, context=context)
    models: dict[str, SeriesModel] = {}
    metrics: dict[str, float] = {}
    steps = count(1)
    for series in EVERY_SERIES:
        rows = sample_rows(frame, series, settings.rows, np.random.default_rng(settings.seed))
        if rows is None:
            continue
        step = partial(_report, progress, steps, f"{site.name}: {series.name}")
        grow = partial(_grow, series.name, settings=settings, step=step)
        learned = learn_series(series.name, rows, grow)
        models[series.name] = learned.model
        metrics |= {f"{series.name}.{name}": value for name, value in learned.metrics.items()}
    return Aurora(site, models, count_days(frame.load_kwh), metrics)


def _grow(name: str, rows: Rows, *, settings: TrainSettings, step: Callable[[], None]) -> Trees:
    trees = grow_rows(
        name, rows, settings=settings.trees, seed=settings.seed, threads=settings.threads
    )
    step()
    return trees


def _report(progress: Progress, steps: Iterator[int], label: str) -> None:
    progress(next(steps), TREE_FITS * len(EVERY_SERIES), label)


def sample_rows(
    frame: Frame, series: ForecastSeries, count_rows: int, rng: np.random.Generator
) -> Rows | None:
    """Draw about ``count_rows`` training rows of a series, or None if there is nothing to learn."""
    actual = series.measured(frame)
    if count_days(actual) < YOUNG_DAYS or np.nanmin(actual) == np.nanmax(actual):
        return None
    origin = rng.integers(2 * SLOTS_PER_DAY, actual.size, count_rows)
    near = rng.random(count_rows) < NEAR_SHARE
    near_lead = rng.integers(0, NEAR_SLOTS, count_rows)
    any_lead = rng.integers(0, HORIZON_SLOTS, count_rows)
    lead = np.where(near, near_lead, any_lead)
    measured = origin + lead < actual.size
    drawn = Pairs(origin[measured], (origin + lead)[measured])
    pairs = drawn.select(~np.isnan(actual[drawn.target]))
    view = series.view(frame, pairs)
    usable = (view.limit_kwh > 0) & (view.known_days > 0)
    pairs = pairs.select(usable)
    view = view.select(usable)
    order = np.argsort(np.argsort(pairs.target, kind="stable"), kind="stable")
    quarter = QUARTERS * order // max(order.size, 1)
    half = pairs.target // BLOCK_SLOTS % 2 == 0
    rows = Rows(
        view=view, lead=pairs.lead, quarter=quarter, half=half, actual_kwh=actual[pairs.target]
    )
    if rows.lead.size < NEEDED_ROWS or not np.ptp(rows.actual_kwh) > 0:
        return None
    return rows


@dataclass(frozen=True)
class FittedSeries:
    """A fitted series, with the rows it was judged on, its quantiles there, and its metrics."""

    model: SeriesModel
    judged: Rows
    heads: QuantileHeads
    metrics: dict[str, float]


Grow = Callable[[Rows], Trees]


def learn_series(name: str, rows: Rows, grow: Grow) -> FittedSeries:
    """Learn weights, level and widths out of sample, then grow the trees again on every row.

    Invariants: on the judged rows no baseline has a smaller absolute error than the median, or a
    smaller squared one than the mean, in any band of leads that has rows enough for weights of its
    own.
    """
    judged, outputs = judge_trees(rows, grow)
    by_weekend = name in WEEKLY and _prefers_weekend(outputs, judged)
    strata = stratify(judged.view, judged.lead, by_weekend=by_weekend)
    weights = {}
    for head, share in HEADS.items():
        members = list_members(outputs, judged.view, head)
        weights[head] = weigh_strata(
            np.column_stack([*members.values()]),
            judged.actual_kwh,
            share,
            strata=strata,
            prior=expect_weights([*members]),
        )
    blended = blend_heads(outputs, judged.view, weights, strata.of_row)
    level = learn_level(
        name, blended, judged.view, lead=judged.lead, half=judged.half, actual_kwh=judged.actual_kwh
    )
    moved = level.correct(blended, judged.view, judged.lead)
    widths = _fit_widths(moved, judged)
    heads = moved.stretch(widths[band_of(judged.lead)].T, judged.view.scale_kwh)
    metrics = _judge_heads(heads, judged)
    metrics["blended_by_weekend"] = float(by_weekend)
    metrics["trees_share"] = float(weights["p50"][:, 0].mean())
    model = SeriesModel(
        trees=grow(rows), weights=weights, level=level, widths=widths, by_weekend=by_weekend
    )
    return FittedSeries(model, judged, heads, metrics)


def _fit_widths(heads: QuantileHeads, judged: Rows) -> FloatArray:
    """Return factors on each quantile's distance from the median, so that it covers its share.

    By band of leads, shape ``(bands, levels)``.
    """
    width = heads.measure_widths(judged.view.scale_kwh)
    widths = np.ones((BAND_STARTS.size, LEVELS.size))
    for level in np.flatnonzero(SIDES):
        distance = SIDES[level] * (judged.actual_kwh - heads.p50)
        share = max(LEVELS[level], 1 - LEVELS[level])
        widths[:, level] = stretch_bands(distance, width[level], judged.lead, share)
    return widths


def grow_rows(name: str, rows: Rows, *, settings: TreeSettings, seed: int, threads: int) -> Trees:
    """Grow trees for a series on rows, with the weights of the series.

    A row weighs as much as the scale of its target (for PV, clear-sky output), unless
    ``UNWEIGHTED`` names the series.
    """
    scale = rows.view.scale_kwh
    weight = None if name in UNWEIGHTED else scale / scale.mean()
    return grow_trees(
        rows.view.features,
        rows.actual_kwh / scale,
        weight,
        settings=settings,
        seed=seed,
        threads=threads,
    )


def judge_trees(rows: Rows, grow: Grow) -> tuple[Rows, dict[str, FloatArray]]:
    """Return the rows of the last two quarters, and predictions of trees grown before each."""
    judged = rows.select(rows.quarter >= QUARTERS // 2)
    outputs = {head: np.empty(judged.quarter.size) for head in HEADS}
    for quarter in range(QUARTERS // 2, QUARTERS):
        selected = judged.quarter == quarter
        trees = grow(rows.select(rows.quarter < quarter))
        predicted = predict_trees(trees, judged.view.select(selected))
        for head, output in outputs.items():
            output[selected] = predicted[head]
    return judged, outputs


def expect_weights(members: Sequence[str]) -> FloatArray:
    """Return the prior weights of the members, fit for most households."""
    trees = np.array([name == TREES for name in members], dtype=np.float64)
    pools = np.array([name.startswith(POOL) for name in members], dtype=np.float64)
    shares: FloatArray = TREES_SHARE * trees + (1 - TREES_SHARE) * pools / pools.sum()
    return (1 - UNIFORM_SHARE) * shares + UNIFORM_SHARE / len(members)


def _prefers_weekend(outputs: dict[str, FloatArray], rows: Rows) -> bool:
    """Return whether separate weights for weekends lower the median's loss, cross-validated."""
    members = list_members(outputs, rows.view, "p50")
    stacked = np.column_stack([*members.values()])
    prior = expect_weights([*members])
    losses = []
    for by_weekend in (False, True):
        strata = stratify(rows.view, rows.lead, by_weekend=by_weekend)
        errors = []
        for training in (rows.half, ~rows.half):
            if not training.any():
                return False
            judged = ~training
            weights = weigh_strata(
                stacked[training],
                rows.actual_kwh[training],
                0.5,
                strata=strata.select(training),
                prior=prior,
            )
            predicted = (stacked[judged] * weights[strata.of_row[judged]]).sum(axis=1)
            errors.append(rows.actual_kwh[judged] - predicted)
        losses.append(float(np.abs(np.concatenate(errors)).mean()))
    return losses[1] < WEEKEND_LOSS_RATIO * losses[0]


def _judge_heads(heads: QuantileHeads, rows: Rows) -> dict[str, float]:
    """Return the errors of the median and the baselines, pinball loss and coverage.

    The ratio to the best baseline is given over all leads and by band.
    """
    error = np.abs(rows.actual_kwh - heads.p50)
    centre = rows.view.members["centre"]
    baseline_errors = {}
    for name, version in BASELINES.items():
        if name in centre:
            baseline_errors[version] = np.abs(rows.actual_kwh - centre[name])
    baselines = np.stack([*baseline_errors.values()])
    pinball = []
    for quantile, share in zip(heads.quantiles, LEVELS, strict=True):
        pinball.append(measure_loss(rows.actual_kwh - quantile, share).mean())
    inside = (rows.actual_kwh >= heads.quantiles[1]) & (rows.actual_kwh <= heads.quantiles[-2])
    metrics = {
        "mae_kwh": float(error.mean()),
        "pinball_kwh": float(np.mean(pinball)),
        "coverage_80": float(inside.mean()),
    }
    for version, errors in baseline_errors.items():
        metrics[f"mae_kwh.{version}"] = float(errors.mean())
    metrics["mae_over_best_baseline"] = _over_best(error, baselines)
    for number, name in enumerate(BAND_NAMES):
        band = band_of(rows.lead) == number
        if band.any():
            ratio = _over_best(error[band], baselines[:, band])
            metrics[f"mae_over_best_baseline.{name}"] = ratio
    return metrics


def _over_best(error: FloatArray, baselines: FloatArray) -> float:
    return float(error.mean()) / max(float(baselines.mean(axis=1).min()), 1e-12)


def count_days(values: FloatArray) -> float:
    """Return the number of days' worth of known slots."""
    return float(np.count_nonzero(~np.isnan(values))) / SLOTS_PER_DAY
