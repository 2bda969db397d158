"""Pipeline of the demo, and the input of its report.

Data, training, forecasts, plan and replay are requests through the queue.
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
from luna.contracts.job import Bilingual, Progress
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
    """Results of the demo; ``folder`` has the data of its own servers, if any."""

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
                load = pool.submit(
                    self._call, DemoLoadRequest(), "load the year", timeout=LOAD_TIMEOUT
                )
                [demo] = self._watch([load])
                run = DemoRun(demo, DemoWindow.of(demo, days), self._stage.folder)
                names = [loaded.site.name for loaded in demo.sites]
                self._watch([pool.submit(self._follow_site, run, name) for name in names])
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
        train = TrainRequest(site_id=site_id, until=window.start)
        self._call(train, f"{site_id}: train")
        promote = PromoteRequest(
            site_id=site_id, forecast_version=FORECAST_VERSION, reason="promoted for the demo"
        )
        self._call(promote, f"{site_id}: promote")
        last_issue = window.end - timedelta(hours=1)
        issue = IssueRequest(site_id=site_id, at=window.start, to=last_issue)
        self._call(issue, f"{site_id}: forecast")
        if site_id == PLANNED_SITE:
            batteries = run.demo.sites[0].site.batteries
            start = {battery.name: BatteryState(soc=START_SOC) for battery in batteries}
            state = StateMessage(batteries=start)
            plan = PlanRequest(site_id=site_id, start=window.plan_start, state=state)
            run.plan = self._call(plan, f"{site_id}: plan")
        replay = ReplayRequest(
            site_id=site_id,
            from_day=window.first_day,
            to_day=window.last_day,
            forecast_version=FORECAST_VERSION,
            # The report shows the cost of forecast errors for this site only; it takes a third more
            # plans.
            explain_loss=site_id == PLANNED_SITE,
        )
        run.replays[site_id] = self._call(replay, f"{site_id}: replay")

    def _call(self, request: Request, name: str, *, timeout: timedelta = STEP_TIMEOUT) -> Any:
        """Send ``request`` and return the reply, with its progress shown."""
        with self._show_step(name) as show:

            def show_progress(progress: Progress) -> None:
                show(progress.done, progress.total, progress.label)

            return self._stage.client.call(
                request,
                timeout=timeout,
                on_progress=show_progress,
                abandoned=self._abandoned,
                patience=PATIENCE,
            )


def compose_report(run: DemoRun, language: Language) -> ReportInput:
    """Return the input of the report."""
    assert run.plan is not None  # noqa: S101 - the course has planned
    window = run.window
    main = run.demo.sites[0]
    results = []
    records = [run.demo.price_provenance]
    for loaded in run.demo.sites:
        result = SiteResult(
            loaded.site,
            run.replays[loaded.site.name],
            window.first_day,
            window.last_day,
            loaded.yearly_load_kwh,
        )
        results.append(result)
        records += loaded.provenance
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
        days = (run.window.last_day - run.window.first_day).days + 1
        return [f"luna demo --on-servers --days {days}"]
    window = f"--from {run.window.first_day} --to {run.window.last_day}"
    replay = f"LUNA_DATA_FOLDER={run.folder} luna replay --site"
    return ["make demo", *(f"{replay} {loaded.site.name} {window}" for loaded in run.demo.sites)]


def trace_without_luna(plan: PlanReply, site: Site) -> list[float] | None:
    """Return the state of charge under self-consumption alone.

    It is that of all batteries at the end of each planned slot; None without batteries.
    """
    if not site.batteries:
        return None
    slots = [slot for slot in plan.slots if slot.start < plan.slots[0].start + CHART_SPAN]
    timeline = Timeline(plan.slots[0].start, timedelta(minutes=plan.slot_minutes), len(slots))
    load = np.array([slot.load_kwh for slot in slots])
    pv = np.array([slot.pv_kwh for slot in slots])
    bought = np.array([slot.import_price for slot in slots])
    sold = np.array([slot.export_price for slot in slots])
    policy = PlainPolicy(Mode.SELF_CONSUMPTION, site_curtailment(site, bought, sold))
    soc = read_starting_soc(slots, site)
    capacity = sum(battery.capacity_kwh for battery in site.batteries)
    stored = np.array([[soc[battery.name] * battery.capacity_kwh] for battery in site.batteries])
    actuals = Actuals(timeline, load, pv)
    trajectory = simulate(policy, actuals, limits=SiteLimits.of(site), stored_kwh=stored)
    shares: list[float] = (trajectory.flows.stored_kwh.sum(axis=(0, 1)) / capacity).tolist()
    return shares
