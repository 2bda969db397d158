"""The connections that routes work with.

Database, queue, object store, and what is computed from them.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from hashlib import blake2b
from typing import Annotated, Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Response
from sqlalchemy import Connection, Engine

from luna.contracts import PlanRequest
from luna.contracts.live_flow import LIVE_FOR, LiveFlow
from luna.contracts.live_steering import LiveSteering
from luna.contracts.message import Message, interactive_queue_of
from luna.contracts.message import Request as RequestMessage
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.house.capability import Capability, CapabilityCall
from luna.platform.clock import Clock, SystemClock
from luna.platform.database import jobs, pulse, sites
from luna.platform.database.engine import after_commit, do_in_unit, unit_of_work
from luna.platform.database.idempotency import LockedKeys
from luna.platform.health.probes import probe_database
from luna.platform.health.readiness import TAKES, Readiness
from luna.platform.objects import ObjectStore, open_objects
from luna.platform.queue import Client, Progress
from luna.platform.queue.jobs import submit_job
from luna.platform.settings import Settings
from services.api.events import StreamLimit
from services.api.identity.audit import describe_request
from services.api.identity.caller import Caller
from services.api.shared_reads import JobState, JobWatch, LatestPlans, SitePulse
from services.api.site_metrics import SiteMetrics
from services.api.timeline.memory import PlanMemory
from services.api.uploads import Uploads

ResultT = TypeVar("ResultT")
ReplyT = TypeVar("ReplyT", bound=Message)

# The planner's queue of requests that a person or a page waits for.
PLANS = interactive_queue_of(PlanRequest.queue())
# Calls that may wait for a worker at the same time; each occupies one thread and one connection.
MAX_WAITING = 64

_IDEMPOTENCY_KEY: ContextVar[str | None] = ContextVar("idempotency_key", default=None)


@contextmanager
def deduplicated(idempotency_key: str) -> Iterator[None]:
    """Send at most one message per kind of task in all blocks of a key, across processes.

    A repeated one gets the reply of the first.
    """
    token = _IDEMPOTENCY_KEY.set(idempotency_key)
    try:
        yield
    finally:
        _IDEMPOTENCY_KEY.reset(token)


@dataclass
class Gateway:
    """The gateway's connections, made once per process."""

    settings: Settings
    database: Engine
    queue: Client
    clock: Clock = field(default_factory=SystemClock)
    started_at: datetime = field(default_factory=SystemClock().now)
    plan_memory: PlanMemory = field(default_factory=PlanMemory)
    site_metrics: SiteMetrics = field(default_factory=SiteMetrics)
    streams: StreamLimit = field(default_factory=StreamLimit)
    _waiting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_WAITING))

    async def ask(
        self,
        request: RequestMessage,
        *,
        status: int = 200,
        patience: timedelta | None = None,
        http_request: Request | None = None,
    ) -> Response:
        """Return a worker's reply to ``request`` as the response, without blocking other requests.

        Neither is parsed here: the caller has validated the request, and the worker wrote the reply
        from its model.

        Args:
            request: the message of a service's task.
            status: of the response.
            patience: how long to wait for the reply; default: as long as for a plan.
            http_request: given where the task writes to the database: the audit log's entry is then
                committed with it.

        Raises:
            UnavailableError: too many calls wait already, Redis is away, or no reply came in time.
            LunaError: what the service raised.
        """
        if self._waiting.available_tokens < 1:
            raise refuse("requests-waiting", most=MAX_WAITING, more="workers")
        idempotency_key = _IDEMPOTENCY_KEY.get()
        shared_task_id = None
        if idempotency_key is not None:
            shared_task_id = uuid5(NAMESPACE_URL, f"{request.task} {idempotency_key}").hex
        entry = None
        # A shared task may be another request's: its commit says nothing about this one.
        if http_request is not None and shared_task_id is None:
            entry = describe_request(http_request.scope, status)
        patience = patience or self.settings.plan_timeout
        call = partial(
            self.queue.ask_retained,
            request,
            timeout=patience,
            shared_task_id=shared_task_id,
            entry=entry,
        )
        task_id, text = await to_thread.run_sync(
            call, limiter=self._waiting, abandon_on_cancel=True
        )
        if http_request is not None and entry is not None:
            http_request.state.stored_entry = status
        if shared_task_id is None:
            # Not awaited: the response need not wait for Redis once more.
            asyncio.get_running_loop().run_in_executor(
                None, partial(self.queue.expire_reply, task_id, after=patience)
            )
        else:
            # Until the response is stored under its key, a repeated request reads the reply itself.
            after_commit(self.database, partial(self.queue.expire_reply, task_id))
        return Response(text, status_code=status, media_type="application/json")

    async def ask_or_refusal(
        self, request: RequestMessage, reply: type[ReplyT], *, patience: timedelta | None = None
    ) -> tuple[ReplyT | None, LunaError | None]:
        """Return the reply to a request, or the error, for pages that show the rest without it."""
        try:
            response = await self.ask(request, patience=patience)
        except LunaError as error:
            return None, error
        return reply.model_validate_json(bytes(response.body)), None

    async def in_unit(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Do ``work`` in one unit of work, without blocking other requests."""
        return await to_thread.run_sync(do_in_unit, self.database, work)

    def load_site(self, site_id: str) -> Site:
        """Return a stored site.

        Raises:
            NotFoundError: no such site.
        """
        with unit_of_work(self.database) as connection:
            return sites.load(connection, site_id)

    def open_call(self, caller: Caller, *, by: str = "") -> CapabilityCall:
        """Return the call of a capability by a caller.

        ``by``: recorded as author of the changes, default: the caller.

        Raises:
            InvalidInputError: ``by`` is another than the caller.
        """
        call = CapabilityCall(
            by=caller.signature,
            now=self.clock.now(),
            database=lambda: self.database,
            queue=lambda: self.queue,
            objects=lambda: self.objects,
            data_folder=lambda: self.settings.data_folder,
            name=caller.name,
            sites=caller.sites,
            scopes=caller.scopes,
            user_id=caller.user_id,
            by_key=caller.means == "key",
        )
        call.by = call.author(by or None)
        return call

    def carry_out(
        self, capability: Capability, caller: Caller, *, by: str = "", **arguments: Any
    ) -> Any:
        """Return the reply of a capability to a caller; ``by`` as of ``open_call``."""
        with self.open_call(caller, by=by) as call:
            return capability(call, **arguments)

    def accept(
        self, capability: Capability, caller: Caller, *, by: str = "", **arguments: Any
    ) -> Message:
        """Return the reply of a capability; a worker's request is submitted as a job.

        ``by``: as of ``open_call``.
        """
        accepted: Message = self.carry_out(capability, caller, by=by, **arguments)
        if isinstance(accepted, RequestMessage):
            return submit_job(self.database, self.queue, accepted)
        return accepted

    @property
    def answer_timeout(self) -> timedelta:
        """The longest time for an answer from documents: a plan's and the language model's."""
        if self.settings.language_url is None:
            return self.settings.plan_timeout
        return self.settings.plan_timeout + self.settings.language_timeout

    @cached_property
    def objects(self) -> ObjectStore:
        """The store of objects."""
        return open_objects(self.settings)

    @cached_property
    def uploads(self) -> Uploads:
        """Receives uploaded files."""
        return Uploads(lambda: self.objects)

    @cached_property
    def locked_keys(self) -> LockedKeys:
        """The idempotency keys whose requests this process is answering."""
        return LockedKeys(self.database)

    @cached_property
    def latest_plans(self) -> LatestPlans:
        """The current plan of each site, as stored."""
        return LatestPlans(self.database, self.clock)

    @cached_property
    def job_watch(self) -> JobWatch:
        """Sends changed job states to subscribers."""
        return JobWatch(self.read_states)

    @cached_property
    def pulse(self) -> SitePulse:
        """Notifies pages when data of a site change."""
        return SitePulse(self._read_pulse)

    def _read_pulse(self, site_id: str) -> str:
        with unit_of_work(self.database) as connection:
            return self.read_marks(connection, site_id)

    def read_marks(self, connection: Connection, site_id: str) -> str:
        """Return a JSON object with a digest for each kind of a site's data.

        It changes with the data: ``slot`` with the clock, ``live`` with each live value.

        Raises:
            NotFoundError: no such site.
        """
        marks = {
            "slot": floor_to(self.clock.now(), SLOT).isoformat(),
            "live": self._read_live_mark(site_id),
            **pulse.read(connection, site_id),
        }
        digests = {}
        for kind, mark in marks.items():
            digests[kind] = blake2b(mark.encode(), digest_size=4).hexdigest()
        return json.dumps(digests)

    def _read_live_mark(self, site_id: str) -> str:
        with suppress(UnavailableError):
            return self.queue.live.read_text(site_id)
        return ""

    def read_live_flow(self, site_id: str) -> LiveFlow | None:
        """Return what flows in a site at this moment.

        None where that is not known, or Redis is away.
        """
        with suppress(UnavailableError):
            flow = self.queue.live.read(site_id)
            if flow is not None and self.clock.now() - flow.at <= LIVE_FOR:
                return flow
        return None

    def read_live_steering(self, site_id: str) -> LiveSteering | None:
        """Return what steering does at a site, None where nothing is steered or Redis is away."""
        with suppress(UnavailableError):
            return self.queue.live.read_steering(site_id)
        return None

    def read_states(self, job_ids: Iterable[str]) -> dict[str, JobState]:
        """Return the states of jobs by id, running ones with their progress while Redis is there.

        Raises:
            UnavailableError: the database is away.
        """
        with unit_of_work(self.database) as connection:
            summaries = jobs.load_summaries(connection, job_ids)
        running = [job_id for job_id, job in summaries.items() if job.status == "running"]
        progress: dict[str, Progress] = {}
        # The row is authoritative; progress alone is missing while Redis is away.
        with suppress(UnavailableError):
            progress = self.queue.tasks.progress_of(running)
        states = {}
        for job_id, job in summaries.items():
            states[job_id] = JobState(**dict(job), progress=progress.get(job_id))
        return states

    @cached_property
    def readiness(self) -> Readiness:
        """Checks what planning needs: database, queue, a worker.

        Neither the document store nor a language model.
        """
        return Readiness(
            {
                "database": partial(probe_database, self.database),
                "redis": self._probe_redis,
                "worker": self._probe_worker,
            }
        )

    def close(self) -> None:
        """Close every connection."""
        self.locked_keys.close()
        self.queue.close()
        self.database.dispose()

    def _probe_redis(self) -> str:
        self.queue.ping()
        return f"{self.queue.tasks.waiting(PLANS)} plans wait"

    def _probe_worker(self) -> str:
        nodes = self.queue.heartbeats.nodes().values()
        heartbeats = [heartbeat for heartbeat in nodes if PLANS in heartbeat.queues]
        if not heartbeats:
            raise refuse("no-worker-of-planner")
        blocked: list[str] = []
        for heartbeat in heartbeats:
            for check in heartbeat.checks:
                if check.name == TAKES and not check.ok:
                    blocked.append(check.detail)
        if len(blocked) == len(heartbeats):
            raise refuse("worker-takes-no-plans", why=blocked[0])
        waited = self.queue.tasks.oldest_waiting(PLANS, now=SystemClock().now())
        if waited > self.settings.plan_timeout / 2:
            raise refuse("plan-waits", seconds=round(waited.total_seconds()))
        return f"{len(heartbeats)} live"


async def _current(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


CurrentGateway = Annotated[Gateway, Depends(_current)]
