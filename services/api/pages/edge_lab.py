"""The camera lab: what its newest finished run came to, with what it rests on.

Or how to begin one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
# What is said of a run before it is said what came of it; the page says it elsewhere as well.
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
    clock = read_clock(gateway)
    # The lab has no site: only how the reader writes numbers counts.
    numbers = Numbers(Reader.of(request).language, ZoneInfo("UTC"), "EUR")
    view = (
        None
        if result is None or result.summary is None
        else LabView(result, result.summary, numbers, words_of(request, PAGE), clock)
    )
    unfinished = next((run for run in newest if run.status != "done"), None)
    others = [run for run in finished if run.job_id != chosen]
    return show(
        request,
        PAGE,
        view=view,
        unfinished=unfinished,
        others=others,
        instant=clock.say,
        zone=clock.zone,
    )


@dataclass(frozen=True, slots=True)
class LabView:
    """A run as the page says and draws it."""

    result: EdgeRunResult
    summary: EdgeSummary
    numbers: Numbers
    words: PageWords
    clock: PageClock

    @property
    def run(self) -> EdgeRun:
        """The run."""
        return self.result.run

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        news = next(
            (insight for insight in self.summary.insights if insight.code not in STANDING), None
        )
        return (
            self.words("title")
            if news is None
            else say_insight(news.code, news.figures, self.numbers)
        )

    @property
    def lead(self) -> str:
        """What the run is of."""
        counts = {
            name: self.numbers.number(getattr(self.summary, name))
            for name in ("runs", "cameras", "weeks", "tasks")
        }
        places = ", ".join(
            say_location(name, self.numbers.language) for name in self.summary.locations
        )
        return self.words(
            "lead", **counts, places=places, ended=self.clock.say(self.run.finished_at)
        )

    @property
    def stand_in(self) -> str:
        """Where nothing was measured."""
        return say_locations(self.summary.stand_in_locations, self.numbers.language)

    @property
    def level(self) -> str:
        """The confidence level."""
        return self.numbers.share(self.summary.confidence_level)

    def insights(self) -> list[str]:
        """Return what the figures say beyond the headline."""
        sentences = [
            say_insight(insight.code, insight.figures, self.numbers)
            for insight in self.summary.insights
            if insight.code != "stand_in"
        ]
        return [sentence for sentence in sentences if sentence != self.headline]

    def name(self, controller: str) -> str:
        """Return what a controller is called at the beginning of a row."""
        name = say_controller(controller, self.numbers.language)
        return name[:1].upper() + name[1:]

    def draw_clean_shares(self, *, narrow: bool) -> Markup:
        """Return the clean shares of all controllers."""
        rows = [
            self._row(each.controller, each.clean_share, self.share(each.clean_share, span=True))
            for each in self.summary.controllers
        ]
        return draw_estimates(
            rows, self.numbers.share, label=self.words("clean_title"), narrow=narrow
        )

    def draw_dirty(self, *, narrow: bool) -> Markup | None:
        """Return how much more dirty energy each controller charges than the oracle, None where
        there is none to compare with.
        """
        compared = {
            (each.controller, each.other): each.difference
            for each in self.summary.comparisons
            if each.metric == "dirty_wh_per_day"
        }
        rows = []
        for each in self.summary.controllers:
            estimate = compared.get((each.controller, ORACLE))
            turned = compared.get((ORACLE, each.controller))
            if estimate is None and turned is not None:
                estimate = turned.negated()
            if estimate is not None:
                span = (
                    ""
                    if estimate.low is None
                    else say_span(
                        estimate.span,
                        lambda end: self.numbers.number(end, 2, signed=True),
                        self.numbers.language,
                    )
                )
                rows.append(
                    self._row(
                        each.controller,
                        estimate,
                        self.numbers.number(estimate.value, 2, signed=True) + span,
                    )
                )
        if not rows:
            return None
        return draw_estimates(
            rows,
            lambda mark: self.numbers.number(mark, 1, signed=True),
            label=self.words("dirty_title"),
            narrow=narrow,
            around_zero=True,
        )

    def bar(self, estimate: LabEstimate, css: str) -> Markup:
        """Return a bar of a share of the tasks; of none there is no bar."""
        return bar_in_text(estimate.value, css, rest=False) if estimate.value else Markup("")

    def share(self, estimate: LabEstimate, *, span: bool = False) -> str:
        """Return a share, with its interval where ``span``."""
        small = not span and (estimate.value or 0.0) < 0.1
        text = self.numbers.share(estimate.value, decimals=2 if small else 1)
        has_span = span and estimate.low is not None
        return (
            text
            + say_span(
                estimate.span, lambda end: self.numbers.number(end * 100, 1), self.numbers.language
            )
            if has_span
            else text
        )

    def energy(self, value_wh: float) -> str:
        """Return an energy."""
        return self.numbers.energy(value_wh / 1000)

    def per_day(self, estimate: LabEstimate) -> str:
        """Return an energy per camera and day."""
        return say_measure("wh", estimate.value, self.numbers)

    def task(self, figures: ControllerFigures) -> str:
        """Return what a fulfilled task takes."""
        return f"{self.numbers.number(figures.mwh_per_task, MWH_DECIMALS)}\u00a0mWh"

    def latency(self, figures: ControllerFigures) -> str:
        """Return the mean latency."""
        return f"{self.numbers.number(figures.latency_ms, MS_DECIMALS)}\u00a0ms"

    def models(self, figures: ControllerFigures) -> str:
        """Return which models a controller chose, and for how many of the tasks."""
        return (
            ", ".join(
                f"{name} {self.numbers.share(share)}" for name, share in figures.models.items()
            )
            or "–"
        )

    def seasons(self) -> list[str]:
        """Return the seasons' names."""
        return [say_season(season, self.numbers.language) for season in self.summary.seasons]

    def places(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        """Yield place, controller and its clean share by season."""
        cells = {
            (each.controller, each.location, each.season): each.clean_share
            for each in self.summary.groups
        }
        for location in self.summary.locations:
            for each in self.summary.controllers:
                shares = [
                    self.share(cells.get((each.controller, location, season), LabEstimate()))
                    for season in self.summary.seasons
                ]
                yield (
                    say_location(location, self.numbers.language),
                    self.name(each.controller),
                    shares,
                )

    def _row(self, controller: str, estimate: LabEstimate, text: str) -> EstimateRow:
        return EstimateRow(
            self.name(controller), controller, estimate.value, estimate.low, estimate.high, text
        )
