"""The camera lab: the result of its newest finished run and its basis, or how to begin one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from markupsafe import Markup

from luna.contracts.edge_summary import (
    ControllerFigures,
    EdgeRun,
    EdgeRunResult,
    EdgeSummary,
    LabEstimate,
)
from luna.platform.database import edge_runs
from luna.platform.database.engine import unit_of_work
from luna.words import Numbers
from luna.words.charts.edge import EstimateRow, draw_estimates
from luna.words.charts.savings import bar_in_text
from luna.words.edge import (
    say_controller,
    say_insight,
    say_location,
    say_locations,
    say_measure,
    say_season,
    say_span,
)
from luna.words.pages import PageWords
from services.api.gateway import CurrentGateway
from services.api.pages.admin.page_clock import PageClock, read_clock
from services.api.pages.layout import Page, PageRoute, Reader, show, words_of
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

PAGE = Page("edge", "/ui/edge")
MOST_RUNS = 10
# Caveats of a run, shown before its results; the page tells of them elsewhere as well.
STANDING = ("stand_in", "few_weeks", "runs_failed", "runs_missing")
ORACLE = "oracle"
# The last digits of a latency and of a task's energy that mean something.
MS_DECIMALS = 1
MWH_DECIMALS = 2
JobQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")]


@router.page("GET", "/ui/edge", "read")
def show_edge(request: Request, gateway: CurrentGateway, *, job: JobQuery = None) -> Response:
    """Show a finished run, the newest where none is named."""
    with unit_of_work(gateway.database) as connection:
        finished = edge_runs.list_runs(connection, statuses=("done",), limit=MOST_RUNS)
        newest = edge_runs.list_runs(connection, limit=1)
        chosen = job or (finished[0].job_id if finished else None)
        result = None if chosen is None else edge_runs.load_run(connection, chosen)
    clock = read_clock(gateway, request)
    view = None
    if result is not None and result.summary is not None:
        # The lab has no site: only how the reader writes numbers counts.
        numbers = Numbers(Reader.of(request).language, ZoneInfo("UTC"), "EUR")
        view = LabView(
            result=result,
            summary=result.summary,
            numbers=numbers,
            words=words_of(request, PAGE),
            clock=clock,
        )
    return show(
        request,
        PAGE,
        view=view,
        unfinished=next((run for run in newest if run.status != "done"), None),
        others=[run for run in finished if run.job_id != chosen],
        instant=clock.say,
        zone=clock.zone,
    )


@dataclass(frozen=True, slots=True)
class LabView:
    """A run in the reader's words and drawings."""

    result: EdgeRunResult
    summary: EdgeSummary
    numbers: Numbers
    words: PageWords
    clock: PageClock

    @property
    def run(self) -> EdgeRun:
        return self.result.run

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        for insight in self.summary.insights:
            if insight.code not in STANDING:
                return say_insight(insight.code, insight.figures, self.numbers)
        return self.words("title")

    @property
    def lead(self) -> str:
        """The size of the run, its places and its end."""
        counts = {
            name: self.numbers.number(getattr(self.summary, name))
            for name in ("runs", "cameras", "weeks", "tasks")
        }
        locations = [say_location(name, self.numbers.language) for name in self.summary.locations]
        ended = self.clock.say(self.run.finished_at)
        return self.words("lead", **counts, places=", ".join(locations), ended=ended)

    @property
    def stand_in(self) -> str:
        """The places without measurements."""
        return say_locations(self.summary.stand_in_locations, self.numbers.language)

    @property
    def level(self) -> str:
        """The confidence level."""
        return self.numbers.share(self.summary.confidence_level)

    def insights(self) -> list[str]:
        """Return the other sentences on the figures."""
        sentences = [
            say_insight(insight.code, insight.figures, self.numbers)
            for insight in self.summary.insights
            if insight.code != "stand_in"
        ]
        return [sentence for sentence in sentences if sentence != self.headline]

    def name(self, controller: str) -> str:
        """Return a controller's name at the beginning of a row."""
        name = say_controller(controller, self.numbers.language)
        return name[:1].upper() + name[1:]

    def draw_clean_shares(self, *, narrow: bool) -> Markup:
        """Draw the clean shares of all controllers."""
        rows = []
        for figures in self.summary.controllers:
            text = self.share(figures.clean_share, span=True)
            rows.append(self._row(figures.controller, figures.clean_share, text))
        return draw_estimates(
            rows, self.numbers.share, label=self.words("clean_title"), narrow=narrow
        )

    def draw_dirty(self, *, narrow: bool) -> Markup | None:
        """Draw how much more dirty energy each controller charges than the oracle.

        None without a comparison.
        """
        rows = []
        for figures in self.summary.controllers:
            estimate = self._compare_with_oracle(figures.controller)
            if estimate is not None:
                text = self._say_wh(estimate.value, 2)
                if estimate.low is not None:
                    say_end = partial(self._say_wh, decimals=2)
                    text += say_span(estimate.span, say_end, self.numbers.language)
                rows.append(self._row(figures.controller, estimate, text))
        if not rows:
            return None
        return draw_estimates(
            rows,
            partial(self._say_wh, decimals=1),
            label=self.words("dirty_title"),
            narrow=narrow,
            around_zero=True,
        )

    def _compare_with_oracle(self, controller: str) -> LabEstimate | None:
        difference = None
        for comparison in self.summary.comparisons:
            if comparison.metric != "dirty_wh_per_day":
                continue
            pair = (comparison.controller, comparison.other)
            if pair == (controller, ORACLE):
                return comparison.difference
            if pair == (ORACLE, controller):
                difference = comparison.difference.negated()
        return difference

    def _say_wh(self, value: float | None, decimals: int) -> str:
        return self.numbers.number(value, decimals, signed=True)

    def bar(self, estimate: LabEstimate, css: str) -> Markup:
        """Return a bar of a share of the tasks; of none there is no bar."""
        return bar_in_text(estimate.value, css, rest=False) if estimate.value else Markup("")

    def share(self, estimate: LabEstimate, *, span: bool = False) -> str:
        """Return a share, with its interval where ``span``."""
        is_small = (estimate.value or 0.0) < 0.1
        text = self.numbers.share(estimate.value, decimals=2 if is_small and not span else 1)
        if span and estimate.low is not None:
            text += say_span(estimate.span, self._say_percent, self.numbers.language)
        return text

    def _say_percent(self, share: float) -> str:
        return self.numbers.number(share * 100, 1)

    def energy(self, value_wh: float) -> str:
        """Return an energy in words."""
        return self.numbers.energy(value_wh / 1000)

    def per_day(self, estimate: LabEstimate) -> str:
        """Return an energy per camera and day."""
        return say_measure("wh", estimate.value, self.numbers)

    def task(self, figures: ControllerFigures) -> str:
        """Return the energy of a fulfilled task."""
        return f"{self.numbers.number(figures.mwh_per_task, MWH_DECIMALS)}\u00a0mWh"

    def latency(self, figures: ControllerFigures) -> str:
        """Return the mean latency."""
        return f"{self.numbers.number(figures.latency_ms, MS_DECIMALS)}\u00a0ms"

    def models(self, figures: ControllerFigures) -> str:
        """Return the models that a controller chose, each with its share of the tasks."""
        shares = [f"{name} {self.numbers.share(share)}" for name, share in figures.models.items()]
        return ", ".join(shares) or "–"

    def seasons(self) -> list[str]:
        """Return the seasons' names."""
        return [say_season(season, self.numbers.language) for season in self.summary.seasons]

    def places(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        """Yield place, controller and its clean share by season."""
        clean_shares = {
            (group.controller, group.location, group.season): group.clean_share
            for group in self.summary.groups
        }
        for location in self.summary.locations:
            place = say_location(location, self.numbers.language)
            for figures in self.summary.controllers:
                controller = figures.controller
                shares = []
                for season in self.summary.seasons:
                    estimate = clean_shares.get((controller, location, season), LabEstimate())
                    shares.append(self.share(estimate))
                yield place, self.name(controller), shares

    def _row(self, controller: str, estimate: LabEstimate, text: str) -> EstimateRow:
        return EstimateRow(
            name=self.name(controller),
            controller=controller,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            value_text=text,
        )
