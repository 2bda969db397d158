"""The course of the demo: servers, data, training, forecasts, plan and replay; everything that works goes through the queue."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import cast
from zoneinfo import ZoneInfo

from luna import embedded
from luna.contracts import IssueRequest, Message, PlanReply, PlanRequest, ReplayReply, ReplayRequest, Request, TrainRequest
from luna.contracts.plan import BatteryState, StateMessage
from luna.database import engine, migrate, observations, prices, sites
from luna.queue import Client
from luna.settings import load_settings
from luna.timeline import local_midnight
from services.cli.demo.bars import Bars
from services.cli.demo.worker import Worker, run_worker
from services.ingest.demo_data import TEST_FIRST_DAY, DemoData, load_demo

STEP_TIMEOUT = timedelta(minutes=10)
# In the afternoon tomorrow's prices are known: the plan shows what they are worth.
PLAN_AT = time(14)
PLANNED_SITE = "home"
START_SOC = 0.5
CHECK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Window:
    """The replayed days of one site, and the instants that follow from them."""

    first_day: date
    last_day: date
    zone: ZoneInfo

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
    """What the demo found out."""

    demo: DemoData
    window: Window
    folder: Path
    replays: dict[str, ReplayReply] = field(default_factory=dict)
    plan: PlanReply | None = None
    seconds: float = 0.0


def run_demo(days: int) -> DemoRun:
    """Return what plan and replay say over the first ``days`` test days; nothing is left running.

    Raises:
        MachineError: data, servers or worker cannot be had on this machine.
    """
    begun = perf_counter()
    settings = load_settings()
    folder = settings.data_folder / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with Bars.shown() as bars:
        with bars.step("read the year") as bar:
            demo = load_demo(settings.data_folder / "cache", progress=bar)
        zone = ZoneInfo(demo.sites[0].site.timezone)
        run = DemoRun(demo, Window(TEST_FIRST_DAY, TEST_FIRST_DAY + timedelta(days=days - 1), zone), folder)
        with start_servers(folder, bars) as servers, run_worker(servers, folder) as worker:
            store(demo, servers.database_url, bars)
            follow_sites(run, servers.redis_url, worker, bars)
    run.seconds = perf_counter() - begun
    return run


def start_servers(folder: Path, bars: Bars) -> embedded.Servers:
    """Return the demo's own servers: the owner's data lies elsewhere and stays untouched."""
    with bars.step("start the servers"):
        return embedded.start(folder / "servers")


def store(demo: DemoData, database_url: str, bars: Bars) -> None:
    """Put prices, sites and observations into the database; a second time changes nothing."""
    with bars.step("store the year") as bar:
        migrate.upgrade(database_url)
        pool = engine.create(database_url, application_name="luna-demo")
        with engine.unit_of_work(pool) as connection:
            market = demo.prices
            prices.upsert(connection, market.market, starts=market.starts, price=market.price, currency=market.currency, published_at=market.published_at)
            for done, each in enumerate(demo.sites):
                bar(done, len(demo.sites), each.site.name)
                sites.save(connection, each.site)
                observations.upsert(connection, each.site.name, each.observations)
        pool.dispose()


def follow_sites(run: DemoRun, redis_url: str, worker: Worker, bars: Bars) -> None:
    """Train, forecast, plan and replay every site, side by side, and put what comes back into ``run``."""
    client = Client(redis_url)
    with bars.step("start the worker"):
        worker.wait_until_ready(client)
    names = [each.site.name for each in run.demo.sites]
    pool = ThreadPoolExecutor(len(names))
    try:
        watch([pool.submit(follow_site, run, name, client, bars) for name in names], worker)
    finally:
        # Without a worker the calls still wait for replies; the servers' end wakes them.
        pool.shutdown(wait=False, cancel_futures=True)
    client.close()


def watch(futures: list[Future[None]], worker: Worker) -> None:
    """Return when all are done; raise the first error, or why the worker has ended."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=CHECK_SECONDS)
        for future in done:
            future.result()
        worker.check()


def follow_site(run: DemoRun, site_id: str, client: Client, bars: Bars) -> None:
    """Train, forecast, plan (the site that is shown) and replay one site."""
    window = run.window
    ask(client, TrainRequest(site_id=site_id, until=window.start), bars, f"{site_id}: train")
    ask(client, IssueRequest(site_id=site_id, at=window.start, to=window.end - timedelta(hours=1)), bars, f"{site_id}: forecast")
    if site_id == PLANNED_SITE:
        state = StateMessage(batteries={battery.name: BatteryState(soc=START_SOC) for battery in run.demo.sites[0].site.batteries})
        run.plan = cast("PlanReply", ask(client, PlanRequest(site_id=site_id, start=window.plan_start, state=state), bars, f"{site_id}: plan"))
    request = ReplayRequest(site_id=site_id, from_day=window.first_day, to_day=window.last_day)
    run.replays[site_id] = cast("ReplayReply", ask(client, request, bars, f"{site_id}: replay"))


def ask(client: Client, request: Request, bars: Bars, name: str) -> Message:
    """Return the reply to ``request``, its progress on a bar."""
    with bars.step(name) as bar:
        reply: Message = client.call(request, timeout=STEP_TIMEOUT, on_progress=lambda progress: bar(progress.done, progress.total, progress.label))
        return reply
