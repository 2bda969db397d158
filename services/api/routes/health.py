"""Routes of health checks: liveness, readiness for plans, and the status of every service."""

from dataclasses import asdict
from typing import Any

from anyio import to_thread
from fastapi import Response

from luna.contracts.health import ServicesReply
from luna.platform.clock import SystemClock
from luna.platform.health.readiness import not_ready
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.operation import Operation
from services.api.problems import problem_response
from services.api.routing import ResourceRouter
from services.api.service_status import service_status

router = ResourceRouter("health")


@router.operation(
    "Whether the gateway runs",
    Operation("GET", "/health/live", "public", alone="what a monitor asks"),
)
async def live() -> dict[str, str]:
    """Answer as long as the process does."""
    return {"status": "live"}


@router.operation(
    "Whether plans can be made",
    Operation("GET", "/health/ready", "public", alone="what a monitor asks"),
    response_model=None,
)
async def ready(gateway: CurrentGateway) -> Response | dict[str, Any]:
    """Check database, queue and worker; 503 where one of them fails."""
    checks = await to_thread.run_sync(gateway.readiness.look)
    document = [asdict(check) for check in checks]
    error = not_ready(checks)
    if error:
        return problem_response(error, checks=document)
    return {"status": "ready", "checks": document}


@router.operation(
    "How every service is",
    Operation("GET", "/health/services", "read", alone="what a monitor asks", monitor=True),
)
def list_services(gateway: CurrentGateway, caller: CurrentCaller) -> ServicesReply:
    """List every service with its live instances and what each needs.

    A report, so 200 also where something is missing.
    """
    return service_status(gateway, now=SystemClock().now(), has_site=caller.has_site)
