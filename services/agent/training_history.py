"""Read a site's training history up to an instant.

It holds actual values, forecasts and prices as issued, and data-quality verdicts by day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.energy.observations import Observations
from luna.energy.outlook import Forecast
from luna.energy.quality_verdict import QualityVerdict
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, local_days, local_midnight, repeat_last, to_instant
from luna.platform.database import forecasts, observations, quality, recorded_span, sites
from luna.platform.database.forecast_activations import find_active
from services.agent.environment.episodes import EpisodeBatch
from services.forecaster.forecast_issue import PART_ORIGINS, issue_in_parts, list_instants
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.context import Context, read_context
from services.forecaster.model.aurora import Progress, keep_quiet, train
from services.forecaster.model.baseline import BASELINES, Baseline
from services.planner.problem.knowledge import DAY, ForecastArchive, PerfectForesight
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.problem.scenarios import DAYS
from services.planner.replay.data import ReplayData
from services.planner.service.inputs import PRICE_MEMORY, read_weighed

# Fewest days to train on, and to evaluate on.
LEAST_DAYS = 14
LEAST_HOLDOUT_DAYS = 7
# Held out from the end of a history, at most four weeks.
HOLDOUT_SHARE = 0.2
MOST_HOLDOUT_DAYS = 28
# Missing forecasts are made as they would have been issued: hourly, by a model trained before the
# four weeks that it forecasts.
_TRAINED_EVERY = 28 * DAY
_ISSUED_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class History:
    """Days of a site.

    Gaps are NaN in the actual values. ``verdicts`` are on the data quality of local days; a day
    without one is clean.
    """

    scene: ReplayData
    verdicts: Mapping[date, QualityVerdict]

    @cached_property
    def episodes(self) -> EpisodeBatch:
        """The usable days, each an episode.

        Raises:
            InvalidInputError: there is none.
        """
        return EpisodeBatch.of(self.scene, verdicts=self.verdicts)

    @property
    def days(self) -> Sequence[date]:
        """The usable days, in order."""
        return self.episodes.episodes.day

    def within(self, start: datetime, end: datetime) -> "History":
        """Return the days from ``start`` to ``end``, with nothing that became known later."""
        window = Timeline(start, SLOT, (end - start) // SLOT)
        return replace(self, scene=cut_scene(self.scene, window))

    def split(self) -> tuple["History", "History"]:
        """Return the training days and the holdout, the last days.

        Raises:
            InvalidInputError: there are too few days.
        """
        wanted_days = max(int(HOLDOUT_SHARE * len(self.days)), LEAST_HOLDOUT_DAYS)
        holdout_days = min(wanted_days, MOST_HOLDOUT_DAYS)
        if len(self.days) - holdout_days < LEAST_DAYS:
            raise refuse(
                "too-few-days-to-learn",
                field="site",
                value=self.scene.site.name,
                days=len(self.days),
                needed=LEAST_DAYS + LEAST_HOLDOUT_DAYS,
            )
        begin = local_midnight(self.days[-holdout_days], self.scene.zone)
        window = self.scene.timeline
        return self.within(window.start, begin), self.within(begin, window.end)

    def runs(self) -> Iterator[ReplayData]:
        """Yield the scenes of runs of consecutive usable days."""
        breaks = [0]
        for place, (day, next_day) in enumerate(pairwise(self.days)):
            if next_day - day > DAY:
                breaks.append(place + 1)
        breaks.append(len(self.days))
        for first, end in pairwise(breaks):
            window = local_days(self.days[first], self.days[end - 1], self.scene.zone)
            yield cut_scene(self.scene, window)


def cut_scene(scene: ReplayData, window: Timeline) -> ReplayData:
    """Return a scene cut to a window, with forecasts and prices issued by its end.

    After the actual values of the window its last day is repeated.
    """
    foresight = scene.foresight
    prices = scene.prices
    first = max(foresight.timeline.start, window.start - DAYS * DAY)
    around = Timeline(first, SLOT, (window.end + HORIZON - first) // SLOT)
    begin = (first - foresight.timeline.start) // SLOT
    count = (window.end - first) // SLOT
    order = repeat_last(np.arange(around.count), count, period=DAY // SLOT)
    load_kwh = np.asarray(foresight.load_kwh[begin : begin + count][order])
    pv_kwh = np.asarray(foresight.pv_kwh[begin : begin + count][order])
    books = {}
    for name, book in prices.books.items():
        # Prices published before the window's end, and all revisions of slots before it.
        is_published = book.published_at < to_instant(window.end)
        is_past = book.timeline.starts[book.slot] < to_instant(window.end)
        by_then = is_published | is_past
        books[name] = replace(
            book,
            slot=book.slot[by_then],
            published_at=book.published_at[by_then],
            price=book.price[by_then],
        )
    archive = scene.forecasts.forecasts
    earliest = first - DAY
    issued = [forecast for forecast in archive if earliest <= forecast.issued_at < window.end]
    offset = (window.start - scene.timeline.start) // SLOT
    carbon = scene.carbon_g_per_kwh
    if carbon is not None:
        carbon = carbon[offset : offset + window.count]
    return ReplayData(
        site=scene.site,
        timeline=window,
        foresight=PerfectForesight(around, load_kwh, pv_kwh),
        prices=replace(prices, books=books),
        forecasts=ForecastArchive(issued),
        carbon_g_per_kwh=carbon,
    )


def read_history(
    connection: Connection, site_id: str, *, until: datetime, progress: Progress = keep_quiet
) -> History:
    """Return a stored site's whole local days that end by ``until``.

    Missing forecasts are made, and not stored.

    Making them takes most of the time: for histories until several instants, read the longest and
    take ``within`` of it.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no whole day before was measured.
    """
    site = sites.load(connection, site_id)
    days = recorded_span.whole_days(connection, site, until=until)
    if days is None:
        raise refuse("no-whole-day-measured", field="until", value=until.isoformat())
    window = local_days(*days, ZoneInfo(site.timezone))
    ahead = HORIZON // SLOT
    past = DAYS * DAY // SLOT
    around = Timeline(window.start - past * SLOT, SLOT, past + window.count + ahead)
    observed = observations.read(connection, site_id, around)
    prices = read_weighed(
        connection,
        site,
        Timeline(window.start - PRICE_MEMORY, SLOT, PRICE_MEMORY // SLOT + window.count + ahead),
    )
    version = find_active(connection, site).forecast_version
    issued = forecasts.read_expected(
        connection, site_id, version=version, first=around.start - DAY, last=window.end
    )
    context = read_context(connection, site, first=around.start, end=window.end)
    archive = complete_forecasts(
        issued, observed, site, window, source=ForecastMaker(version, context, progress)
    )
    scene = ReplayData(
        site=site,
        timeline=window,
        foresight=PerfectForesight(around, observed.load_kwh, observed.pv_kwh),
        prices=prices,
        forecasts=archive,
    )
    first = window.start.astimezone(scene.zone).date()
    last = window.end.astimezone(scene.zone).date()
    judged = quality.read(connection, site_id, first, last)
    verdicts = {day.day: day.verdict for day in judged}
    return History(cut_scene(scene, window), verdicts)


@dataclass(frozen=True, slots=True)
class ForecastMaker:
    """Makes missing forecasts by the planner's active forecast version."""

    version: str
    context: Context
    progress: Progress = keep_quiet

    def learn(self, observed: Observations, site: Site, before: datetime) -> Forecaster:
        """Return a forecaster trained on measurements from before ``before``."""
        if self.version in BASELINES:
            return Baseline(self.version, site)
        earlier = observed.starts < to_instant(before)
        series = {"load_kwh": observed.load_kwh[earlier], "pv_kwh": observed.pv_kwh[earlier]}
        return train(
            Observations.of(observed.starts[earlier], series),
            site=site,
            until=before,
            context=self.context,
        )


def complete_forecasts(
    issued: Sequence[Forecast],
    observed: Observations,
    site: Site,
    window: Timeline,
    *,
    source: ForecastMaker,
) -> ForecastArchive:
    """Return a window's forecasts, with hourly ones added on local days without any.

    Those are made from earlier measurements alone.

    They keep nothing but the expected energies: no agent reads more, and a year of complete
    forecasts would take 215 MB.
    """
    zone = ZoneInfo(site.timezone)
    completed = []
    days = {forecast.issued_at.astimezone(zone).date() for forecast in issued}
    window_days = (window.end - window.start) // DAY
    begin = window.start
    while begin < window.end:
        end = min(begin + _TRAINED_EVERY, window.end)
        hours = list_instants(begin, end - _ISSUED_EVERY, _ISSUED_EVERY)
        instants = [hour for hour in hours if hour.astimezone(zone).date() not in days]
        if instants:
            forecaster = source.learn(observed, site, begin)
            for first in range(0, len(instants), PART_ORIGINS):
                part = instants[first : first + PART_ORIGINS]
                batch, _ = issue_in_parts(forecaster, observed, part, context=source.context)
                # Complete forecasts stay in memory for these few days alone.
                completed += [forecast.without_uncertainty() for forecast in batch]
                made = part[-1] - window.start
                label = f"forecasts until {part[-1].astimezone(zone).date()}"
                source.progress(made // DAY, window_days, label)
        made = end - window.start
        label = f"forecasts until {end.astimezone(zone).date()}"
        source.progress(made // DAY, window_days, label)
        begin = end
    return ForecastArchive(sorted([*issued, *completed], key=lambda forecast: forecast.issued_at))
