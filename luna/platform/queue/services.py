"""Which services a worker takes up: their task modules, their queues, and what their tasks need."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Literal

import structlog

from luna.contracts.message import interactive_queue_of
from luna.energy.refusals import refuse
from luna.platform.queue.task import definitions

SERVICES = ("planner", "forecaster", "ingest", "agent", "rag", "notifier")
# Nobody misses a worker of these where none is wanted.
OPTIONAL_SERVICES = ("edge",)
_NEEDS = ("database", "redis")
Share = Literal["interactive", "jobs"]

log = structlog.get_logger("luna.queue")


def load_services(queues: Sequence[str] = (), *, modules: Sequence[str] = (), only: Share | None = None, sparing: bool = False) -> dict[str, tuple[str, ...]]:
    """Import what serves ``queues`` (none: every service) and return the queues served, each with the dependencies that its tasks need.

    A service whose domain is still to come declares no task; its queue is served all the same. A service's module names its
    dependencies as ``NEEDS``.

    Args:
        queues: services to work for.
        modules: modules that declare tasks, in place of those of the services.
        only: what the worker is to serve; None: everything.
        sparing: what only jobs need is loaded by the process that is given one.

    Raises:
        MachineError: nothing installed serves one of ``queues``.
    """
    served: dict[str, tuple[str, ...]] = {}
    for module in import_tasks(
        modules or [f"services.{queue}.tasks" for queue in queues or (*SERVICES, *OPTIONAL_SERVICES)], with_jobs=not sparing and only != "interactive"
    ):
        needs: tuple[str, ...] = getattr(module, "NEEDS", _NEEDS)
        # A module that declares no task serves its service's queue.
        declared = {definition.request.queue() for definition in definitions().values() if definition.body.__module__ == module.__name__}
        served |= dict.fromkeys(declared or {module.__name__.split(".")[-2]}, needs)
    absent = sorted(set(queues) - set(served))
    if absent or not served:
        raise refuse("no-service-of-queue", field="queue", value=", ".join(absent) or "all")
    return {queue: served[queue] for queue in queues or sorted(served)}


def choose_queues(served: Mapping[str, tuple[str, ...]], only: Share | None) -> dict[str, tuple[str, ...]]:
    """Return the queues to take messages from, each with what its tasks need: those of what somebody waits for, those of jobs, or both (None)."""
    interactive = {interactive_queue_of(service): needs for service, needs in served.items()}
    return {**(served if only != "interactive" else {}), **(interactive if only != "jobs" else {})}


def import_tasks(modules: Sequence[str], *, with_jobs: bool = True) -> list[ModuleType]:
    """Import the modules that declare tasks; a service whose libraries or system libraries are missing is left out, and they are named.

    A module may offer ``prepare``: what its tasks share is loaded once, before the worker's processes are forked. ``prepare_jobs`` is left out unless
    ``with_jobs``: what is asked for now and then is loaded by who asks first, and costs no memory until then.
    """
    imported = []
    for name in modules:
        try:
            module = import_module(name)
        except (ImportError, OSError) as exc:
            # Something of our own that is missing inside a service is a fault, not an extra or a system library left out.
            absent = getattr(exc, "name", None) or ""
            if absent.partition(".")[0] in ("luna", "services") and not name.startswith(absent):
                raise
            log.warning("service left out", module=name, missing=str(exc))
            continue
        for step in ("prepare", "prepare_jobs") if with_jobs else ("prepare",):
            getattr(module, step, lambda: None)()
        imported.append(module)
    return imported
