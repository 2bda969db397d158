"""The course of the demo: data, training, forecasts, plan and replay, each asked of its service through the queue."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from luna.contracts import DemoLoadReply, DemoLoadRequest, IssueRequest, PlanReply, PlanRequest, ReplayReply, ReplayRequest, Request, TrainRequest
from luna.contracts.forecast_versions import PromoteRequest
from luna.contracts.plan import BatteryState, StateMessage
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import local_midnight
from luna.platform.settings import load_settings
from services.demo.environment import PATIENCE, ShowStep, Stage, named_stage, own_stage

STEP_TIMEOUT = timedelta(minutes=10)
# What a slow line needs for the packages, once.
LOAD_TIMEOUT = timedelta(hours=1)
# In the afternoon tomorrow's prices are known: the plan shows what they are worth.
PLAN_AT = time(14)
PLANNED_SITE = "home"
# The demo shows the model; an owner's site is planned from a baseline until the model has proven better there.
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
        """Return the first ``days`` days that no model of the demo learns from.

        Raises:
            InvalidInputError: there are fewer.
        """
        most = (demo.test_last_day - demo.test_first_day).days + 1
        if days > most:
            raise InvalidInputError("the demo's year has fewer unseen days", field="--days", value=days, remedy=f"Ask for {most} at most.")
        return cls(demo.test_first_day, demo.test_first_day + timedelta(days=days - 1), ZoneInfo(demo.sites[0].site.timezone))

    @property
    def start(self) -> datetime:
        """When the first replayed day begins: everything before it may be learned."""
        return local_midnight(self.first_day, self.zone)

    @property
    def end(self) -> datetime:
        """When the last replayed day ends."""
        return local_midnight(self.last_day + timedelta(days=1), self.zone)

    @property
    def plan_start(self) -> datetime:
        """When the plan that is shown begins: on the last replayed day."""
        return datetime.combine(self.last_day, PLAN_AT, self.zone)


@dataclass(slots=True)
class DemoRun:
    """What the demo found out; ``folder`` holds the data of its own servers, if it had any."""

    demo: DemoLoadReply
    window: DemoWindow
    folder: Path | None = None
    replays: dict[str, ReplayReply] = field(default_factory=dict)
    plan: PlanReply | None = None
    seconds: float = 0.0


def run_demo(days: int, show_step: ShowStep, *, on_servers: bool = False) -> DemoRun:
    """Return what plan and replay say over the first ``days`` test days.

    Args:
        days: how many.
        show_step: shows each step.
        on_servers: use the servers that the settings name and the workers there; default: own ones, of which nothing is left running.

    Raises:
        MachineError: data, servers or worker cannot be had on this machine.
        ConflictError: the servers hold an owner's site in the place of one of the demo's.
        UnavailableError: a server or a worker is away.
    """
    begun = perf_counter()
    open_stage = named_stage if on_servers else own_stage
    with open_stage(load_settings(), show_step) as stage:
        run = Course(stage, show_step).follow(days)
    run.seconds = perf_counter() - begun
    return run


class Course:
    """The requests to the services behind one queue, in order; those that sites do not share run side by side."""

    def __init__(self, stage: Stage, show_step: ShowStep) -> None:
        self._stage = stage
        self._show_step = show_step
        self._abandoned = Event()

    def follow(self, days: int) -> DemoRun:
        """Load the year, then train, forecast, plan and replay every site."""
        with ThreadPoolExecutor() as pool:
            try:
                [demo] = self._watch([pool.submit(self._call, DemoLoadRequest(), "load the year", timeout=LOAD_TIMEOUT)])
                run = DemoRun(demo, DemoWindow.of(demo, days), self._stage.folder)
                self._watch([pool.submit(self._follow_site, run, each.site.name) for each in demo.sites])
            finally:
                # Where one has failed the others need not wait for their replies.
                self._abandoned.set()
        return run

    def _watch(self, futures: Sequence[Future[Any]]) -> list[Any]:
        """Return the results when all are there; raise the first error, or why none can come."""
        waiting = set(futures)
        while waiting:
            finished, waiting = wait(waiting, timeout=CHECK_SECONDS)
            for future in finished:
                future.result()
            self._stage.check()
        return [future.result() for future in futures]

    def _follow_site(self, run: DemoRun, site_id: str) -> None:
        """Train, promote, forecast, plan (the site that is shown) and replay one site."""
        window = run.window
        self._call(TrainRequest(site_id=site_id, until=window.start), f"{site_id}: train")
        self._call(PromoteRequest(site_id=site_id, forecast_version=FORECAST_VERSION, reason="promoted for the demo"), f"{site_id}: promote")
        self._call(IssueRequest(site_id=site_id, at=window.start, to=window.end - timedelta(hours=1)), f"{site_id}: forecast")
        if site_id == PLANNED_SITE:
            state = StateMessage(batteries={battery.name: BatteryState(soc=START_SOC) for battery in run.demo.sites[0].site.batteries})
            run.plan = self._call(PlanRequest(site_id=site_id, start=window.plan_start, state=state), f"{site_id}: plan")
        request = ReplayRequest(
            site_id=site_id,
            from_day=window.first_day,
            to_day=window.last_day,
            forecast_version=FORECAST_VERSION,
            # The report says what forecast errors cost the site that it shows; to say it of another a third more would be planned.
            explain_loss=site_id == PLANNED_SITE,
        )
        run.replays[site_id] = self._call(request, f"{site_id}: replay")

    def _call(self, request: Request, name: str, *, timeout: timedelta = STEP_TIMEOUT) -> Any:
        """Return the reply to ``request``, its progress on a bar."""
        with self._show_step(name) as show:
            return self._stage.client.call(
                request,
                timeout=timeout,
                on_progress=lambda progress: show(progress.done, progress.total, progress.label),
                abandoned=self._abandoned,
                patience=PATIENCE,
            )
