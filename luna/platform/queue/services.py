"""Import the task modules of services, and list their queues and dependencies."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Literal

import structlog

from luna.contracts.message import interactive_queue_of
from luna.energy.refusals import refuse
from luna.platform.queue.task import definitions

SERVICES = ("planner", "forecaster", "ingest", "agent", "rag", "notifier")
# No worker is expected for these where they are not configured.
OPTIONAL_SERVICES = ("edge",)
_NEEDS = ("database", "redis")
Share = Literal["interactive", "jobs"]

log = structlog.get_logger("luna.queue")


def load_services(
    queues: Sequence[str] = (),
    *,
    modules: Sequence[str] = (),
    only: Share | None = None,
    sparing: bool = False,
) -> dict[str, tuple[str, ...]]:
    """Import the task modules of ``queues``, and return these queues with their dependencies.

    Without ``queues`` every service is imported.

    A service without declared tasks is served all the same. A task module lists its dependencies as
    ``NEEDS``.

    Args:
        queues: services to work for.
        modules: modules that declare tasks, instead of those of the services.
        only: the share of the work to serve; None: everything.
        sparing: leave libraries of jobs to the process that needs them.

    Raises:
        MachineError: nothing installed serves one of ``queues``.
    """
    served: dict[str, tuple[str, ...]] = {}
    for module in import_tasks(
        modules
        or [f"services.{queue}.tasks" for queue in queues or (*SERVICES, *OPTIONAL_SERVICES)],
        with_jobs=not sparing and only != "interactive",
    ):
        needs: tuple[str, ...] = getattr(module, "NEEDS", _NEEDS)
        # A module without tasks serves its service's queue.
        bodies = {definition.request: definition.body for definition in definitions().values()}
        own_requests = [
            request for request, body in bodies.items() if body.__module__ == module.__name__
        ]
        declared = {request.queue() for request in own_requests}
        served |= dict.fromkeys(declared or {module.__name__.split(".")[-2]}, needs)
    absent = sorted(set(queues) - set(served))
    if absent or not served:
        raise refuse("no-service-of-queue", field="queue", value=", ".join(absent) or "all")
    return {queue: served[queue] for queue in queues or sorted(served)}


def choose_queues(
    served: Mapping[str, tuple[str, ...]], only: Share | None
) -> dict[str, tuple[str, ...]]:
    """Return the queues to consume, each with its dependencies.

    The interactive ones, those of jobs, or both (None).
    """
    interactive = {interactive_queue_of(service): needs for service, needs in served.items()}
    if only == "interactive":
        return interactive
    if only == "jobs":
        return dict(served)
    return {**served, **interactive}


def import_tasks(modules: Sequence[str], *, with_jobs: bool = True) -> list[ModuleType]:
    """Import modules that declare tasks; a service with missing libraries is skipped and logged.

    A module's ``prepare`` loads once, before the fork, what its tasks share. ``prepare_jobs`` runs
    only ``with_jobs``: otherwise the first job loads it, and until then it takes no memory.
    """
    imported = []
    for name in modules:
        try:
            module = import_module(name)
        except (ImportError, OSError) as exc:
            # A missing module of our own is a fault, not an uninstalled extra or system library.
            absent = getattr(exc, "name", None) or ""
            if absent.partition(".")[0] in ("luna", "services") and not name.startswith(absent):
                raise
            log.warning("service left out", module=name, missing=str(exc))
            continue
        for step in ("prepare", "prepare_jobs") if with_jobs else ("prepare",):
            getattr(module, step, lambda: None)()
        imported.append(module)
    return imported
