"""Aurora: trees that know the site's habits, blended with what anybody could say, in bands that follow their own recent errors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Literal

import numpy as np

from luna.energy.observations import Observations
from luna.energy.outlook import Forecast
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, require_utc
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, check_issue, fold_rows
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.frame import DAY_SLOTS, SLOT_SECONDS, Frame, Pairs, frame_series, number_slot
from services.forecaster.inputs.series import EVERY_SERIES, LOAD, ForecastSeries, OriginViews
from services.forecaster.model.fitting import GROWTHS, QUARTERS, Rows, grow_rows, learn_series, tune_rows
from services.forecaster.model.series_model import SeriesModel, predict_profile
from services.forecaster.model.trees import Trees, TreeSettings, choose_threads

VERSION = "aurora_v1.0"
Stage = Literal["cold", "profile", "young", "full"]
YOUNG_DAYS, FULL_DAYS = 14, 60
NEAR_SHARE, NEAR_SLOTS = 0.4, 24  # of the training rows look no further than six hours: the plan acts on those
BLOCK_SLOTS = 7 * DAY_SLOTS  # of the halves that are judged by each other
NEEDED_ROWS = 1_000
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How Aurora is trained; ``rows`` are drawn at random, ``threads`` are LightGBM's, and change no forecast."""

    rows: int = 30_000
    trees: TreeSettings = field(default_factory=TreeSettings)
    threads: int = field(default_factory=choose_threads)
    seed: int = 0

    def seeded(self, seed: int) -> "TrainSettings":
        """Return the same settings with another seed."""
        return replace(self, seed=seed)


DEFAULT_SETTINGS = TrainSettings()


def _name_stage(days: float, *, learned: bool) -> Stage:
    """Return what a forecast rests on that has so many days of load behind it, and a model or none."""
    if not learned:
        return "profile" if days >= 1 else "cold"
    return "full" if days >= FULL_DAYS else "young"


def keep_quiet(_count: int, _total: int, _label: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class Aurora:
    """A trained forecaster of one site. A series without a model is forecast from its profile, in a wide band.

    Args:
        known_days: days' worth of load it was trained on.
        metrics: what rows unseen by the trees said, by ``<series>.<what>``.
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
        """What it has learned from."""
        return _name_stage(self.known_days, learned=LOAD.name in self.models)

    def issue(self, history: Observations, issued_at: datetime, slots: int = HORIZON_SLOTS, *, context: Context = NO_CONTEXT) -> Forecast:
        """Return the forecast of ``slots`` quarter-hours from the one that covers ``issued_at``, using nothing measured in or after it."""
        return self.issue_many(history, [issued_at], slots, context=context).forecast(0)

    def issue_many(self, history: Observations, issued_at: Sequence[datetime], slots: int = HORIZON_SLOTS, *, context: Context = NO_CONTEXT) -> Batch:
        """Return what would have been forecast at each instant; see ``Forecaster``. One prediction per model serves all."""
        return self.issue_from_views(OriginViews.of(history, self.site, check_issue(issued_at, slots), slots, context=context))

    def issue_from_views(self, origin_views: OriginViews) -> Batch:
        """Return the same from views at the instants."""
        frame, pairs, views = origin_views.frame, origin_views.pairs, origin_views.views
        quantiles = []
        for series in EVERY_SERIES:
            model, view = self.models.get(series.name), views[series.name]
            if model is None:
                predicted = predict_profile(view)
            else:
                predicted = model.predict(view, pairs.lead).stretch(tune_rows(frame, pairs, model, series), view.scale_kwh)
            quantiles.append(fold_rows(predicted.bound(view.limit_kwh), origin_views.slots))
        load, pv = quantiles
        learned = LOAD.name in self.models
        days = self.known_days if learned else count_days(frame.load_kwh[: int(pairs.origin.min())])
        stage = _name_stage(days, learned=learned)
        described = {name: model.level.describe(views[name], pairs.lead) for name, model in self.models.items()}
        levels = [dict(zip(described, each, strict=True)) for each in zip(*described.values(), strict=True)]
        return Batch(VERSION, stage, origin_views.issued_at, load, pv, levels=levels)


def train(
    history: Observations,
    *,
    site: Site,
    until: datetime,
    settings: TrainSettings = DEFAULT_SETTINGS,
    progress: Progress = keep_quiet,
    context: Context = NO_CONTEXT,
) -> Aurora:
    """Learn a site from everything measured before ``until`` and the weather as it was issued then; the same input and settings give the same forecasts.

    With less than 14 days of a series, or one that never moves, there is nothing to learn and its profile serves; ``stage`` says so.

    Args:
        progress: called with steps done, steps in all and what was done.
    """
    last = number_slot(require_utc(until, field="until"))
    first = min(int(history.starts[0].astype(np.int64)) // SLOT_SECONDS, last - 1) if len(history) else last - 1
    frame = frame_series(history, site, first=first, last=last, context=context)
    models: dict[str, SeriesModel] = {}
    metrics: dict[str, float] = {}
    steps = count(1)
    for series in EVERY_SERIES:
        rows = sample_rows(frame, series, settings.rows, np.random.default_rng(settings.seed))
        if rows is None:
            continue
        grow = partial(_grow, series.name, settings=settings, step=partial(_report, progress, steps, f"{site.name}: {series.name}"))
        learned = learn_series(series.name, rows, grow)
        models[series.name] = learned.model
        metrics |= {f"{series.name}.{name}": value for name, value in learned.metrics.items()}
    return Aurora(site, models, count_days(frame.load_kwh), metrics)


def _grow(name: str, rows: Rows, *, settings: TrainSettings, step: Callable[[], None]) -> Trees:
    trees = grow_rows(name, rows, settings=settings.trees, seed=settings.seed, threads=settings.threads)
    step()
    return trees


def _report(progress: Progress, steps: Iterator[int], label: str) -> None:
    progress(next(steps), GROWTHS * len(EVERY_SERIES), label)


def sample_rows(frame: Frame, series: ForecastSeries, count_rows: int, rng: np.random.Generator) -> Rows | None:
    """Return about ``count_rows`` rows to learn a series from, drawn over the whole frame; None where there is nothing to learn."""
    actual = series.measured(frame)
    if count_days(actual) < YOUNG_DAYS or np.nanmin(actual) == np.nanmax(actual):
        return None
    origin = rng.integers(2 * DAY_SLOTS, actual.size, count_rows)
    near = rng.random(count_rows) < NEAR_SHARE
    lead = np.where(near, rng.integers(0, NEAR_SLOTS, count_rows), rng.integers(0, HORIZON_SLOTS, count_rows))
    within = origin + lead < actual.size
    drawn = Pairs(origin[within], (origin + lead)[within])
    pairs = drawn.select(~np.isnan(actual[drawn.target]))
    view = series.view(frame, pairs)
    usable = (view.limit_kwh > 0) & (view.known_days > 0)
    pairs, view = pairs.select(usable), view.select(usable)
    order = np.argsort(np.argsort(pairs.target, kind="stable"), kind="stable")
    quarter = QUARTERS * order // max(order.size, 1)
    half = pairs.target // BLOCK_SLOTS % 2 == 0
    rows = Rows(view, pairs.lead, quarter, half, actual[pairs.target])
    return rows if rows.lead.size >= NEEDED_ROWS and np.ptp(rows.actual_kwh) > 0 else None


def count_days(values: FloatArray) -> float:
    """Return how many days' worth of slots are known."""
    return float(np.count_nonzero(~np.isnan(values))) / DAY_SLOTS
