"""Health of every service, from the gateway's own checks and the heartbeats of the others."""

import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version

from luna.contracts.health import (
    Check,
    ExecutorSign,
    InstanceReply,
    NodeSign,
    RecorderSign,
    ServiceReply,
    ServicesReply,
    TurningSign,
    UnreadableSiteReply,
)
from luna.contracts.message import interactive_queue_of
from luna.energy.errors import UnavailableError
from luna.platform.capabilities.sites import describe_unreadable
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.health.readiness import ALIVE, TAKES
from luna.platform.queue.services import SERVICES
from services.api.gateway import Gateway


def service_status(
    gateway: Gateway, *, now: datetime, has_site: Callable[[str], bool] = lambda _name: True
) -> ServicesReply:
    """Return the status of the gateway and, by their last heartbeats, of all other services.

    Only sites for which ``has_site`` holds are named.
    """
    armed = list[str]()
    unreadable_sites = list[UnreadableSiteReply]()
    # The checks below report a database that is away.
    with suppress(UnavailableError), unit_of_work(gateway.database) as connection:
        armed = control.list_armed(connection)
        unreadable = [each for each in sites.list_unreadable(connection) if has_site(each.name)]
        untold = sites.find_untold(connection, unreadable, armed)
        unreadable_sites = [
            describe_unreadable(each, armed=each.name in armed, untold=each.name in untold)
            for each in unreadable
        ]
    checks = gateway.readiness.look()
    ready = all(check.ok for check in checks)
    package = version("luna-energy")
    own = _service(
        "api",
        [
            InstanceReply(
                name=platform.node(),
                version=package,
                started_at=gateway.started_at,
                ready=ready,
                checks=checks,
            )
        ],
    )
    try:
        signs = gateway.queue.heartbeats
        nodes = signs.nodes()
        beat = signs.beat()
        recorder = signs.recorder()
        executor = signs.executor()
        home_assistant = signs.home_assistant()
    except UnavailableError:
        services = [
            own,
            *(
                ServiceReply(service=name, ready=False, missing=("redis",), instances=())
                for name in (*SERVICES, "beat")
            ),
        ]
    else:
        services = [
            own,
            *(_worked(name, nodes) for name in SERVICES),
            _service("beat", _turning(beat, now)),
        ]
        # A recorder has to run only where the settings name a source.
        if recorder is not None or gateway.settings.home_assistant_url or gateway.settings.mqtt_url:
            services.append(_service("recorder", _recorders(recorder, now)))
        # An executor has to run only where a site is armed.
        if executor is not None or armed:
            visible = (
                None
                if executor is None
                else executor.model_copy(
                    update={"sites": tuple(site for site in executor.sites if has_site(site.site))}
                )
            )
            services.append(_service("executor", _recorders(visible, now)))
        if home_assistant is not None or gateway.settings.mqtt_publish != "off":
            services.append(_service("home_assistant", _recorders(home_assistant, now)))
    ready = all(service.ready for service in services)
    return ServicesReply(
        ready=ready, services=tuple(services), unreadable_sites=tuple(unreadable_sites)
    )


def _service(name: str, instances: list[InstanceReply]) -> ServiceReply:
    missing = dict.fromkeys(
        check.name for instance in instances for check in instance.checks if not check.ok
    )
    ready = any(instance.ready for instance in instances)
    return ServiceReply(
        service=name,
        ready=ready,
        missing=tuple(missing) if instances else ("instance",),
        instances=tuple(instances),
    )


def _worked(name: str, nodes: Mapping[str, NodeSign]) -> ServiceReply:
    """Return the status of a service with workers: ready where both of its queues, interactive and
    jobs, have a ready worker.
    """
    halves = []
    for queue in (interactive_queue_of(name), name):
        serving: list[InstanceReply] = []
        for node, sign in nodes.items():
            if queue in sign.queues:
                # A worker may serve several services: only the checks that this queue needs count.
                by_name = {check.name: check for check in sign.checks}
                needs = (ALIVE, TAKES, *sign.queues[queue])
                checks = tuple(
                    by_name.get(need)
                    or Check(need, ok=False, latency_ms=0.0, detail="not looked at yet")
                    for need in needs
                )
                ready = all(check.ok for check in checks)
                queues = tuple(sorted(sign.queues))
                serving.append(
                    InstanceReply(
                        name=node,
                        queues=queues,
                        version=sign.version,
                        started_at=sign.started_at,
                        ready=ready,
                        checks=checks,
                    )
                )
        halves.append(_service(name, serving))
    interactive, jobs = halves
    instances = {instance.name: instance for instance in (*interactive.instances, *jobs.instances)}
    missing = tuple(dict.fromkeys((*interactive.missing, *jobs.missing)))
    return ServiceReply(
        service=name,
        ready=interactive.ready and jobs.ready,
        missing=missing,
        instances=tuple(instances.values()),
    )


def _recorders(sign: RecorderSign | None, now: datetime) -> list[InstanceReply]:
    if sign is None or sign.is_late(now):
        return _turning(sign, now)
    ready = all(check.ok for check in sign.checks)
    driven = sign.sites if isinstance(sign, ExecutorSign) else ()
    return [
        InstanceReply(
            name=sign.name,
            version=sign.version,
            started_at=sign.started_at,
            ready=ready,
            checks=sign.checks,
            sites=driven,
        )
    ]


def _turning(sign: TurningSign | None, now: datetime) -> list[InstanceReply]:
    if sign is None:
        return []
    turned = Check(
        ALIVE,
        ok=not sign.is_late(now),
        latency_ms=0.0,
        detail=f"last turn {sign.age(now).total_seconds():.1f} s ago",
    )
    return [
        InstanceReply(
            name=sign.name,
            version=sign.version,
            started_at=sign.started_at,
            ready=turned.ok,
            checks=(turned,),
        )
    ]
