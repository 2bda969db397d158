"""Replays of stored sites: fetch, live on from where it was interrupted, store. Tasks and commands both come through here."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from itertools import takewhile
from typing import Any, Self
from zoneinfo import ZoneInfo

from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from luna.contracts.agent import choose_replay
from luna.contracts.forecast import EnsureForecastsRequest
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.replay import ReplayReply, ReplayRequest, ReplaySitesReply, ReplaySitesRequest
from luna.energy.site import Site
from luna.energy.timeline import SLOT, local_dates, local_midnight, parse_zone
from luna.platform.database import replays, scores, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.episodes import EpisodeStep
from luna.platform.database.forecast_activations import find_active
from luna.platform.database.forecast_status import describe_driving
from luna.platform.database.replays import OracleResult
from luna.platform.database.savings import read_savings
from luna.platform.driving_forecast import find_missing_issues
from luna.platform.spool.kind import EpisodeKind
from services.planner.replay import DayLog, DayResult, OracleDay, PolicyDay, Progress, ReplayData, ReplaySpec, Rules, compose_episode, run
from services.planner.replay.policies import MakePlan, plans_from_forecasts
from services.planner.service.assumptions import note_tariff
from services.planner.service.inputs import read_scene

# Whose replays are held to be what the site itself would have done: of them the optimum in hindsight and episodes are kept.
SIMULATION = "simulation"
# Local hours in which days are complete and nobody waits for a plan; two, because an hourly message may just miss one.
NIGHT_HOURS = (4, 5)
# The month that the page Savings shows.
LOOK_BACK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Store:
    """Where a replay writes: each day through ``part``, committed by itself; what came of it through ``whole``, committed with the answer."""

    part: Callable[[], AbstractContextManager[Connection]]
    whole: Callable[[], Connection]

    @classmethod
    def within(cls, connection: Connection) -> Self:
        """Return the store of one transaction: nothing is kept of a replay that does not end."""
        return cls(lambda: nullcontext(connection), lambda: connection)

    @classmethod
    def beside(cls, engine: Engine, whole: Callable[[], Connection]) -> Self:
        """Return the store whose days are safe as they are lived."""
        return cls(lambda: unit_of_work(engine), whole)


def replay_site(connection: Connection, request: ReplayRequest, *, progress: Progress | None = None) -> ReplayReply:
    """Return what every policy costs a stored site over the window, and store it, in one transaction.

    Raises:
        NotFoundError: no such site, or no forecasts for the window.
        InvalidInputError: observations or prices are missing, the window is upside down, a policy is unknown.
    """
    return replay_on(Store.within(connection), request, progress=progress)


@dataclass(frozen=True, slots=True)
class LearnedPolicy:
    """A trained policy as a replay takes it: ``run_id`` names the training, and what makes its plans depends on nothing else that was learned."""

    make: MakePlan
    run_id: str


def replay_on(store: Store, request: ReplayRequest, *, learned: Mapping[str, LearnedPolicy] | None = None, progress: Progress | None = None) -> ReplayReply:
    """Return what every policy costs a stored site over the window, going on from the days that were lived already.

    Daily costs go to ``daily_scores``, of ``simulation`` the oracle's days to ``oracle_daily_results``, those of the policy that ``episodes``
    names to ``antares_learning``: all by natural keys, so that twice changes nothing. Policies of ``learned`` take part under the names that the request
    knows them by.

    Raises:
        NotFoundError: no such site, or no forecasts for the window.
        InvalidInputError: observations or prices are missing, the window is upside down, a policy is unknown.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        forecasts = request.forecast_version or find_active(connection, site).forecast_version
        driving = describe_driving(connection, site, at=local_midnight(request.to_day, ZoneInfo(site.timezone)))
        scene = read_scene(connection, request, forecasts)
        notes = note_tariff(connection, site, scene.timeline)
    trained = learned or {}
    makers = {name: policy.make for name, policy in trained.items()}
    every = max(timedelta(minutes=request.every_minutes) // SLOT, 1)
    spec = ReplaySpec(request.policies, every, request.faults, request.seed, makers, request.explain_loss)
    checkpoint = Checkpoint(store, request, scene, spec, _fingerprint(request, scene, trained))
    replayed = run(scene, spec, book=checkpoint.book(), progress=progress)
    by_run = {name: replayed.reply.policies[name].model_copy(update={"run_id": policy.run_id}) for name, policy in trained.items()}
    reply = replayed.reply.model_copy(update={"policies": replayed.reply.policies | by_run, "forecast_version": forecasts, "driving": driving, "notes": notes})
    scores.upsert_daily(store.whole(), request.site_id, system_id=request.system_id, replay=reply)
    if request.system_id == SIMULATION:
        replays.upsert_oracle(store.whole(), request.site_id, [_result(day, reply.currency) for day in replayed.oracle])
    replays.forget(store.whole(), request.site_id, checkpoint.replay)
    return reply


def find_missing(connection: Connection, request: ReplayRequest) -> EnsureForecastsRequest | None:
    """Return what to have issued before a replay, None where it lacks nothing.

    Raises:
        NotFoundError: no such site.
    """
    if not plans_from_forecasts(request.policies):
        return None
    return find_missing_issues(connection, request)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The days of one replay: ``replay`` is the fingerprint of all it is made from, so a changed input begins anew."""

    store: Store
    request: ReplayRequest
    scene: ReplayData
    spec: ReplaySpec
    replay: str

    def book(self) -> DayLog:
        """Return the days lived already, up to the first gap, and where further ones are kept."""
        with self.store.part() as connection:
            records = replays.read_days(connection, self.request.site_id, self.replay)
        days = takewhile(records.__contains__, dict.fromkeys(local_dates(self.scene.timeline, self.scene.zone)))
        return DayLog([{label: PolicyDay.model_validate(record) for label, record in records[day].items()} for day in days], self._keep)

    def _keep(self, lived: DayResult) -> None:
        records = {label: record.model_dump(mode="json") for label, record in lived.records.items()}
        with self.store.part() as connection:
            replays.keep_day(connection, self.request.site_id, self.replay, day=lived.day, records=records)
            policy = self.request.episodes
            if policy is not None and policy in self.request.policies and self.request.system_id == SIMULATION:
                kind, timeline = EpisodeKind(), self.scene.timeline
                state, action, reward = compose_episode(self.scene, Rules.of(self.scene), lived, policy=policy, every=self.spec.every)
                step = EpisodeStep(self.request.system_id, timeline.start + lived.slots[0] * timeline.step, state, action, reward)
                kind.store(connection, self.request.site_id, [kind.encode(step)])


def _fingerprint(request: ReplayRequest, scene: ReplayData, learned: Mapping[str, LearnedPolicy]) -> str:
    """Return a digest of the question, everything known and learned, everything that happened, and the release."""
    parts: list[Any] = [request.model_dump_json(by_alias=True), scene.site.model_dump_json(by_alias=True), version("luna-energy")]
    parts += [f"{name} {policy.run_id}" for name, policy in sorted(learned.items())]
    arrays: list[NDArray[Any]] = [scene.foresight.load_kwh, scene.foresight.pv_kwh]
    arrays += [] if scene.carbon_g_per_kwh is None else [scene.carbon_g_per_kwh]
    for market, book in sorted(scene.prices.books.items()):
        parts.append(market)
        arrays += [book.slot, book.published_at, book.price]
    carbon = scene.prices.carbon
    arrays += [carbon.slot, carbon.issued_at, carbon.g_per_kwh] if carbon else []
    for forecast in scene.forecasts.forecasts:
        parts.append(f"{forecast.version} {forecast.issued_at.isoformat()} {forecast.timeline.start.isoformat()}")
        arrays += [forecast.load_kwh.expected, forecast.pv_kwh.expected]
    digest = hashlib.sha256("\n".join(parts).encode())
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _result(day: OracleDay, currency: str) -> OracleResult:
    return OracleResult(
        day=day.oracle.day,
        oracle_cost=day.oracle.cost,
        idle_cost=day.idle.cost,
        oracle_gain=day.oracle.value_gain,
        idle_gain=day.idle.value_gain,
        currency=currency,
        schedule={"slot_minutes": SLOT // timedelta(minutes=1), "mode": day.modes, "soc": day.soc},
    )


def replay_sites(engine: Engine, request: ReplaySitesRequest, *, ask: Callable[[Request], Job], now: datetime) -> ReplaySitesReply:
    """Ask for replays of each site, as jobs of their own: they run side by side, and each goes on by itself where its worker dies.

    Raises:
        NotFoundError: no such site.
    """
    with unit_of_work(engine) as connection:
        site_list = [sites.load(connection, name) for name in request.site_ids] or sites.load_all(connection).sites
        spans = {site.name: _choose_spans(connection, site, request, now=now) for site in site_list}
    rules = request.model_dump(exclude={"site_ids", "from_day", "to_day"})
    job_lists = {
        name: [ask(choose_replay(ReplayRequest(site_id=name, from_day=first, to_day=last, **rules))) for first, last in each] for name, each in spans.items()
    }
    return ReplaySitesReply(jobs={name: jobs[-1].job_id for name, jobs in job_lists.items() if jobs})


def _choose_spans(connection: Connection, site: Site, request: ReplaySitesRequest, *, now: datetime) -> list[tuple[date, date]]:
    """Return the days that are named, else those that are due: at once where the site is named, else in its night."""
    if request.from_day is not None and request.to_day is not None:
        return [(request.from_day, request.to_day)]
    local = now.astimezone(parse_zone(site.timezone))
    if not request.site_ids and local.hour not in NIGHT_HOURS:
        return []
    yesterday = local.date() - timedelta(days=1)
    return read_savings(connection, site, first=yesterday - timedelta(days=LOOK_BACK_DAYS - 1), last=yesterday).find_missing_spans()
