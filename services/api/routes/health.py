"""Whether the gateway lives, and whether all it needs is there."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from anyio import create_task_group, move_on_after, to_thread
from fastapi import APIRouter, Response

from luna.contracts import PlanRequest
from luna.database import migrate
from luna.database.engine import unit_of_work
from luna.errors import UnavailableError
from luna.telemetry import Check, check_health
from services.api.gateway import CurrentGateway, Gateway
from services.api.problems import problem_response

router = APIRouter(prefix="/health", tags=["health"])

PATIENCE_SECONDS = 2.0


@router.get("/live", summary="Whether the gateway runs")
async def live() -> dict[str, str]:
    """Answer as long as the process does."""
    return {"status": "live"}


@router.get("/ready", response_model=None, summary="Whether plans can be made")
async def ready(gateway: CurrentGateway) -> Response | dict[str, Any]:
    """Check database, queue and worker; 503 where one of them fails."""
    checks = await _check_all({"database": _probe_database, "redis": _probe_redis, "worker": _probe_worker}, gateway)
    failed = [check.name for check in checks if not check.ok]
    document = [asdict(check) for check in checks]
    if failed:
        error = UnavailableError(f"not ready: {', '.join(failed)}", remedy="The checks say what is wrong with each.")
        return problem_response(error, checks=document)
    return {"status": "ready", "checks": document}


async def _check_all(probes: dict[str, Callable[[Gateway], str]], gateway: Gateway) -> list[Check]:
    checks = {name: Check(name, ok=False, latency_ms=PATIENCE_SECONDS * 1000, detail=f"no answer within {PATIENCE_SECONDS:g} s") for name in probes}

    async def run(name: str, probe: Callable[[Gateway], str]) -> None:
        with move_on_after(PATIENCE_SECONDS):
            checks[name] = await to_thread.run_sync(check_health, name, partial(probe, gateway), abandon_on_cancel=True)

    async with create_task_group() as group:
        for name, probe in probes.items():
            group.start_soon(run, name, probe)
    return list(checks.values())


def _probe_database(gateway: Gateway) -> str:
    with unit_of_work(gateway.database) as connection:
        revision = migrate.current(connection)
    if revision != migrate.head():
        raise UnavailableError(f"the tables are at revision {revision}, wanted {migrate.head()}", remedy="Run: luna db upgrade")
    return f"revision {revision}"


def _probe_redis(gateway: Gateway) -> str:
    gateway.queue.ping()
    return f"{gateway.queue.waiting(PlanRequest.queue())} plans wait"


def _probe_worker(gateway: Gateway) -> str:
    planners = [name for name, queues in gateway.queue.workers().items() if PlanRequest.queue() in queues]
    if not planners:
        raise UnavailableError("no worker serves the planner's queue", remedy="Run: python -m luna.queue.worker")
    return f"{len(planners)} live"
