"""Replay stored sites, resume interrupted replays from their checkpoint, and store the results.

Used by tasks and commands.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
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
from luna.house.missing_forecasts import find_missing_issues
from luna.platform.database import replays, scores, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.episodes import EpisodeStep
from luna.platform.database.forecast_activations import find_active
from luna.platform.database.forecast_status import describe_driving
from luna.platform.database.replays import OracleResult
from luna.platform.database.savings import read_savings
from luna.platform.spool.row_kind import EpisodeKind
from services.planner.replay import (
    DayLog,
    DayResult,
    OracleDay,
    PolicyDay,
    Progress,
    ReplayData,
    ReplaySpec,
    Rules,
    compose_episode,
    run,
)
from services.planner.replay.policies import MakePlan, plans_from_forecasts
from services.planner.service.assumptions import note_tariff
from services.planner.service.inputs import read_scene

# Replays of this system count as the site's own: their oracle days and episodes are stored.
SIMULATION = "simulation"
# Local hours of little load with the day before complete; two, because an hourly message may just
# miss one.
NIGHT_HOURS = (4, 5)
# The month that the page Savings shows.
LOOK_BACK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Store:
    """A replay's transactions.

    ``part`` commits each day by itself, ``whole`` commits the results with the reply.
    """

    part: Callable[[], AbstractContextManager[Connection]]
    whole: Callable[[], Connection]

    @classmethod
    def within(cls, connection: Connection) -> Self:
        """Return the store of one transaction: an interrupted replay stores nothing."""
        return cls(lambda: nullcontext(connection), lambda: connection)

    @classmethod
    def beside(cls, engine: Engine, whole: Callable[[], Connection]) -> Self:
        """Return the store that commits each day as it is simulated."""
        return cls(lambda: unit_of_work(engine), whole)


def replay_site(
    connection: Connection, request: ReplayRequest, *, progress: Progress | None = None
) -> ReplayReply:
    """Replay a stored site over the window and store the results, in one transaction.

    Raises:
        NotFoundError: no such site, or no forecasts for the window.
        InvalidInputError: observations or prices are missing, the window is reversed, a policy is
            unknown.
    """
    return replay_on(Store.within(connection), request, progress=progress)


@dataclass(frozen=True, slots=True)
class ReplayAgent:
    """A trained policy in a replay.

    Its planning function depends on the training ``run_id`` alone.
    """

    make: MakePlan
    run_id: str


def replay_on(
    store: Store,
    request: ReplayRequest,
    *,
    agents: Mapping[str, ReplayAgent] | None = None,
    progress: Progress | None = None,
) -> ReplayReply:
    """Replay a stored site over the window, from its checkpoint on, and store the results.

    Daily costs go to ``daily_scores``; of ``simulation`` the oracle's days go to
    ``oracle_daily_results`` and those of the policy ``episodes`` to ``antares_learning``: all by
    natural keys, so that a repetition changes nothing. ``agents`` are trained policies by their
    names in the request.

    Raises:
        NotFoundError: no such site, or no forecasts for the window.
        InvalidInputError: observations or prices are missing, the window is reversed, a policy is
            unknown.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        forecasts = request.forecast_version or find_active(connection, site).forecast_version
        driving = describe_driving(
            connection, site, at=local_midnight(request.to_day, ZoneInfo(site.timezone))
        )
        scene = read_scene(connection, request, forecasts)
        notes = note_tariff(connection, site, scene.timeline)
    trained = agents or {}
    makers = {name: policy.make for name, policy in trained.items()}
    every = max(timedelta(minutes=request.every_minutes) // SLOT, 1)
    spec = ReplaySpec(
        request.policies, every, request.faults, request.seed, makers, request.explain_loss
    )
    checkpoint = Checkpoint(store, request, scene, spec, _fingerprint(request, scene, trained))
    replayed = run(scene, spec, book=checkpoint.book(), progress=progress)
    policies = dict(replayed.reply.policies)
    for name, policy in trained.items():
        policies[name] = policies[name].model_copy(update={"run_id": policy.run_id})
    reply = replayed.reply.model_copy(
        update={
            "policies": policies,
            "forecast_version": forecasts,
            "driving": driving,
            "notes": notes,
        }
    )
    scores.upsert_daily(store.whole(), request.site_id, system_id=request.system_id, replay=reply)
    if request.system_id == SIMULATION:
        oracle_days = [_result(day, reply.currency) for day in replayed.oracle]
        replays.upsert_oracle(store.whole(), request.site_id, oracle_days)
    replays.forget(store.whole(), request.site_id, checkpoint.replay)
    return reply


def find_missing(connection: Connection, request: ReplayRequest) -> EnsureForecastsRequest | None:
    """Return the request for forecasts that a replay lacks, or None.

    Raises:
        NotFoundError: no such site.
    """
    if not plans_from_forecasts(request.policies):
        return None
    return find_missing_issues(connection, request)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The stored days of one replay.

    ``replay`` is the fingerprint of its inputs, so that a changed input starts anew.
    """

    store: Store
    request: ReplayRequest
    scene: ReplayData
    spec: ReplaySpec
    replay: str

    def book(self) -> DayLog:
        """Return the log of the stored days up to the first gap; it stores further ones."""
        with self.store.part() as connection:
            records = replays.read_days(connection, self.request.site_id, self.replay)
        days = []
        for day in dict.fromkeys(local_dates(self.scene.timeline, self.scene.zone)):
            if day not in records:
                break
            policy_days = {}
            for label, record in records[day].items():
                policy_days[label] = PolicyDay.model_validate(record)
            days.append(policy_days)
        return DayLog(days, self._keep)

    def _keep(self, lived: DayResult) -> None:
        records = {label: record.model_dump(mode="json") for label, record in lived.records.items()}
        with self.store.part() as connection:
            replays.keep_day(
                connection, self.request.site_id, self.replay, day=lived.day, records=records
            )
            policy = self.request.episodes
            is_simulation = self.request.system_id == SIMULATION
            if policy is not None and policy in self.request.policies and is_simulation:
                kind = EpisodeKind()
                timeline = self.scene.timeline
                state, action, reward = compose_episode(
                    self.scene, Rules.of(self.scene), lived, policy=policy, every=self.spec.every
                )
                step = EpisodeStep(
                    self.request.system_id,
                    timeline.start + lived.slots[0] * timeline.step,
                    state,
                    action,
                    reward,
                )
                kind.store(connection, self.request.site_id, [kind.encode(step)])


def _fingerprint(
    request: ReplayRequest, scene: ReplayData, agents: Mapping[str, ReplayAgent]
) -> str:
    """Return a digest of a replay's inputs.

    They are request, site, actual energies, prices, forecasts, training runs, what the tariff's
    running periods had drawn, and the release. Of forecasts the expected energies count: no policy
    reads their quantiles.
    """
    parts: list[Any] = [
        request.model_dump_json(by_alias=True),
        scene.site.model_dump_json(by_alias=True),
        version("luna-energy"),
    ]
    parts += [f"{name} {policy.run_id}" for name, policy in sorted(agents.items())]
    parts += [f"{key} {kwh!r}" for key, kwh in sorted(scene.drawn_kwh.items())]
    arrays: list[NDArray[Any]] = [scene.foresight.load_kwh, scene.foresight.pv_kwh]
    if scene.carbon_g_per_kwh is not None:
        arrays.append(scene.carbon_g_per_kwh)
    for market, book in sorted(scene.prices.books.items()):
        parts.append(market)
        arrays += [book.slot, book.published_at, book.price]
    carbon = scene.prices.carbon
    if carbon:
        arrays += [carbon.slot, carbon.issued_at, carbon.g_per_kwh]
    for forecast in scene.forecasts.forecasts:
        parts.append(
            f"{forecast.version} {forecast.issued_at.isoformat()} "
            f"{forecast.timeline.start.isoformat()}"
        )
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


def replay_sites(
    engine: Engine, request: ReplaySitesRequest, *, ask: Callable[[Request], Job], now: datetime
) -> ReplaySitesReply:
    """Submit replays of each site as separate jobs.

    They run in parallel, and resume one by one after a worker's death.

    Raises:
        NotFoundError: no such site.
    """
    with unit_of_work(engine) as connection:
        site_list = [sites.load(connection, name) for name in request.site_ids]
        if not site_list:
            site_list = sites.load_all(connection).sites
        spans = {site.name: _choose_spans(connection, site, request, now=now) for site in site_list}
    rules = request.model_dump(exclude={"site_ids", "from_day", "to_day"})
    last_jobs = {}
    for name, spans_of_site in spans.items():
        for first, last in spans_of_site:
            replay = ReplayRequest(site_id=name, from_day=first, to_day=last, **rules)
            last_jobs[name] = ask(choose_replay(replay)).job_id
    return ReplaySitesReply(jobs=last_jobs)


def _choose_spans(
    connection: Connection, site: Site, request: ReplaySitesRequest, *, now: datetime
) -> list[tuple[date, date]]:
    """Return the requested days, else the missing ones of the last month.

    Sites that the request does not name only in ``NIGHT_HOURS``.
    """
    if request.from_day is not None and request.to_day is not None:
        return [(request.from_day, request.to_day)]
    local = now.astimezone(parse_zone(site.timezone))
    if not request.site_ids and local.hour not in NIGHT_HOURS:
        return []
    yesterday = local.date() - timedelta(days=1)
    return read_savings(
        connection, site, first=yesterday - timedelta(days=LOOK_BACK_DAYS - 1), last=yesterday
    ).find_missing_spans()
