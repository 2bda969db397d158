"""Pipeline of the demo: data, training, forecasts, plan and replay as requests through the queue,
and the input of its report.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts import (
    DemoLoadReply,
    DemoLoadRequest,
    IssueRequest,
    PlanReply,
    PlanRequest,
    Provenance,
    ReplayReply,
    ReplayRequest,
    Request,
    TrainRequest,
)
from luna.contracts.forecast_versions import PromoteRequest
from luna.contracts.job import Bilingual
from luna.contracts.plan import BatteryState, StateMessage
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.errors import InvalidInputError
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.schedule import PlainPolicy
from luna.energy.simulator import Actuals, simulate
from luna.energy.site import Site
from luna.energy.timeline import Timeline, local_midnight
from luna.platform.clock import SystemClock
from luna.platform.settings import load_settings
from luna.words import Language
from luna.words.catalogue import ENGLISH
from services.demo.environment import PATIENCE, ShowStep, Stage, named_stage, own_stage
from services.demo.report.plan_view import CHART_SPAN, read_starting_soc
from services.demo.report.report import Origin, ReportInput, SiteResult

STEP_TIMEOUT = timedelta(minutes=10)
# Includes the download of packages over a slow line.
LOAD_TIMEOUT = timedelta(hours=1)
# In the afternoon tomorrow's prices are known, and the plan uses them.
PLAN_AT = time(14)
PLANNED_SITE = "home"
# The demo shows the model; an owner's site is planned from a baseline until the model has proven
# better there.
FORECAST_VERSION = "aurora_v1.0"
START_SOC = 0.5
CHECK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class DemoWindow:
    """The replayed days of one site, and the instants that follow from them."""

    first_day: date
    last_day: date
    zone: ZoneInfo

    @classmethod
    def of(cls, demo: DemoLoadReply, days: int) -> "DemoWindow":
        """Return the first ``days`` test days, which no model is trained on.

        Raises:
            InvalidInputError: there are fewer.
        """
        most = (demo.test_last_day - demo.test_first_day).days + 1
        if days > most:
            raise InvalidInputError(
                "the demo's year has fewer unseen days",
                field="--days",
                value=days,
                remedy=f"Ask for {most} at most.",
            )
        return cls(
            demo.test_first_day,
            demo.test_first_day + timedelta(days=days - 1),
            ZoneInfo(demo.sites[0].site.timezone),
        )

    @property
    def start(self) -> datetime:
        """Start of the first replayed day; training data end here."""
        return local_midnight(self.first_day, self.zone)

    @property
    def end(self) -> datetime:
        """End of the last replayed day."""
        return local_midnight(self.last_day + timedelta(days=1), self.zone)

    @property
    def plan_start(self) -> datetime:
        """Start of the reported plan, on the last replayed day."""
        return datetime.combine(self.last_day, PLAN_AT, self.zone)


@dataclass(slots=True)
class DemoRun:
    """Results of the demo; ``folder`` is the data folder of its own servers, if any."""

    demo: DemoLoadReply
    window: DemoWindow
    folder: Path | None = None
    replays: dict[str, ReplayReply] = field(default_factory=dict)
    plan: PlanReply | None = None
    seconds: float = 0.0


def run_demo(days: int, show_step: ShowStep, *, on_servers: bool = False) -> DemoRun:
    """Run the demo over the first ``days`` test days, and return plan and replays.

    Args:
        days: number of days to replay.
        show_step: shows each step.
        on_servers: use the settings' servers and their workers; default: own ones, stopped at the
            end.

    Raises:
        MachineError: data, servers or worker are not available on this machine.
        ConflictError: the servers hold an owner's site under the name of one of the demo's.
        UnavailableError: a server or a worker is away.
    """
    begun = perf_counter()
    open_stage = named_stage if on_servers else own_stage
    with open_stage(load_settings(), show_step) as stage:
        run = Course(stage, show_step).follow(days)
    run.seconds = perf_counter() - begun
    return run


class Course:
    """The requests of the demo in order; sites run in parallel."""

    def __init__(self, stage: Stage, show_step: ShowStep) -> None:
        self._stage = stage
        self._show_step = show_step
        self._abandoned = Event()

    def follow(self, days: int) -> DemoRun:
        """Load the year, then train, forecast, plan and replay every site."""
        with ThreadPoolExecutor() as pool:
            try:
                [demo] = self._watch(
                    [
                        pool.submit(
                            self._call, DemoLoadRequest(), "load the year", timeout=LOAD_TIMEOUT
                        )
                    ]
                )
                run = DemoRun(demo, DemoWindow.of(demo, days), self._stage.folder)
                self._watch(
                    [pool.submit(self._follow_site, run, each.site.name) for each in demo.sites]
                )
            finally:
                # After a failure the other threads stop waiting for replies.
                self._abandoned.set()
        return run

    def _watch(self, futures: Sequence[Future[Any]]) -> list[Any]:
        """Return all results; raise the first error, or that of a dead worker."""
        waiting = set(futures)
        while waiting:
            finished, waiting = wait(waiting, timeout=CHECK_SECONDS)
            for future in finished:
                future.result()
            self._stage.check()
        return [future.result() for future in futures]

    def _follow_site(self, run: DemoRun, site_id: str) -> None:
        """Train, promote, forecast, plan (only ``PLANNED_SITE``) and replay one site."""
        window = run.window
        self._call(TrainRequest(site_id=site_id, until=window.start), f"{site_id}: train")
        self._call(
            PromoteRequest(
                site_id=site_id, forecast_version=FORECAST_VERSION, reason="promoted for the demo"
            ),
            f"{site_id}: promote",
        )
        self._call(
            IssueRequest(site_id=site_id, at=window.start, to=window.end - timedelta(hours=1)),
            f"{site_id}: forecast",
        )
        if site_id == PLANNED_SITE:
            state = StateMessage(
                batteries={
                    battery.name: BatteryState(soc=START_SOC)
                    for battery in run.demo.sites[0].site.batteries
                }
            )
            run.plan = self._call(
                PlanRequest(site_id=site_id, start=window.plan_start, state=state),
                f"{site_id}: plan",
            )
        request = ReplayRequest(
            site_id=site_id,
            from_day=window.first_day,
            to_day=window.last_day,
            forecast_version=FORECAST_VERSION,
            # The report shows the cost of forecast errors for this site only; it takes a third more
            # plans.
            explain_loss=site_id == PLANNED_SITE,
        )
        run.replays[site_id] = self._call(request, f"{site_id}: replay")

    def _call(self, request: Request, name: str, *, timeout: timedelta = STEP_TIMEOUT) -> Any:
        """Send ``request`` and return the reply, with its progress shown."""
        with self._show_step(name) as show:
            return self._stage.client.call(
                request,
                timeout=timeout,
                on_progress=lambda progress: show(progress.done, progress.total, progress.label),
                abandoned=self._abandoned,
                patience=PATIENCE,
            )


def compose_report(run: DemoRun, language: Language) -> ReportInput:
    """Return the input of the report."""
    assert run.plan is not None  # noqa: S101 - the course has planned
    window = run.window
    main = run.demo.sites[0]
    results = [
        SiteResult(
            each.site,
            run.replays[each.site.name],
            window.first_day,
            window.last_day,
            each.yearly_load_kwh,
        )
        for each in run.demo.sites
    ]
    records = [
        run.demo.price_provenance,
        *(record for each in run.demo.sites for record in each.provenance),
    ]
    return ReportInput(
        plan=run.plan,
        results=results,
        origins=[translate(record, language) for record in records],
        commands=commands(run),
        created_at=SystemClock().now(),
        took_seconds=run.seconds,
        language=language,
        without_soc=trace_without_luna(run.plan, main.site),
    )


def _pick(texts: Bilingual, language: Language) -> str:
    return texts.get(language, texts[ENGLISH])


def translate(record: Provenance, language: Language) -> Origin:
    """Return a record of provenance in one language."""
    return Origin(
        series=_pick(record.series, language),
        source=_pick(record.source, language),
        licence=_pick(record.licence, language),
        period=_pick(record.period, language),
        changes=_pick(record.changes, language),
        quality=_pick(record.quality, language),
        sha256=record.sha256,
    )


def commands(run: DemoRun) -> list[str]:
    """Return the commands that reproduce the report's figures."""
    if run.folder is None:
        return [
            f"luna demo --on-servers --days {(run.window.last_day - run.window.first_day).days + 1}"
        ]
    window = f"--from {run.window.first_day} --to {run.window.last_day}"
    return [
        "make demo",
        *(
            f"LUNA_DATA_FOLDER={run.folder} luna replay --site {each.site.name} {window}"
            for each in run.demo.sites
        ),
    ]


def trace_without_luna(plan: PlanReply, site: Site) -> list[float] | None:
    """Return the batteries' joint state of charge at the end of each planned slot under
    self-consumption alone; None without batteries.
    """
    if not site.batteries:
        return None
    slots = [slot for slot in plan.slots if slot.start < plan.slots[0].start + CHART_SPAN]
    timeline = Timeline(plan.slots[0].start, timedelta(minutes=plan.slot_minutes), len(slots))
    load, pv, bought, sold = (
        np.array([getattr(slot, name) for slot in slots])
        for name in ("load_kwh", "pv_kwh", "import_price", "export_price")
    )
    policy = PlainPolicy(Mode.SELF_CONSUMPTION, site_curtailment(site, bought, sold))
    soc = read_starting_soc(slots, site)
    capacity = sum(battery.capacity_kwh for battery in site.batteries)
    stored = np.array([[soc[battery.name] * battery.capacity_kwh] for battery in site.batteries])
    trajectory = simulate(
        policy, Actuals(timeline, load, pv), limits=SiteLimits.of(site), stored_kwh=stored
    )
    shares: list[float] = (trajectory.flows.stored_kwh.sum(axis=(0, 1)) / capacity).tolist()
    return shares
