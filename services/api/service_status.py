"""Health of every service, from the gateway's own checks and the heartbeats of the others."""

import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version

from luna.contracts.health import (
    Check,
    ControlSign,
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
from luna.house.capabilities.sites import describe_unreadable
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
    armed: list[str] = []
    steered: list[str] = []
    unreadable_sites: list[UnreadableSiteReply] = []
    # The checks below report a database that is away.
    with suppress(UnavailableError), unit_of_work(gateway.database) as connection:
        armed = control.list_armed(connection)
        steered = sites.list_steered(connection, armed)
        unreadable = [site for site in sites.list_unreadable(connection) if has_site(site.name)]
        uncontrolled = sites.find_uncontrolled(connection, unreadable, armed)
        for site in unreadable:
            reply = describe_unreadable(
                site, armed=site.name in armed, untold=site.name in uncontrolled
            )
            unreadable_sites.append(reply)
    services = [_describe_gateway(gateway)]
    try:
        services += _list_others(gateway, now, armed=armed, steered=steered, has_site=has_site)
    except UnavailableError:
        for name in (*SERVICES, "beat"):
            away = ServiceReply(service=name, ready=False, missing=("redis",), instances=())
            services.append(away)
    return ServicesReply(
        ready=all(service.ready for service in services),
        services=tuple(services),
        unreadable_sites=tuple(unreadable_sites),
    )


def _describe_gateway(gateway: Gateway) -> ServiceReply:
    checks = gateway.readiness.look()
    instance = InstanceReply(
        name=platform.node(),
        version=version("luna-energy"),
        started_at=gateway.started_at,
        ready=all(check.ok for check in checks),
        checks=checks,
    )
    return _service("api", [instance])


def _list_others(
    gateway: Gateway,
    now: datetime,
    *,
    armed: list[str],
    steered: list[str],
    has_site: Callable[[str], bool],
) -> list[ServiceReply]:
    """Return the status of all services but the gateway.

    ``steered`` are the armed sites whose devices follow the meters.

    Raises:
        UnavailableError: Redis is away.
    """
    signs = gateway.queue.heartbeats
    settings = gateway.settings
    nodes = signs.nodes()
    beat = signs.beat()
    recorder = signs.recorder()
    executor = signs.executor()
    steering = signs.steering()
    home_assistant = signs.home_assistant()
    services = [_worked(name, nodes) for name in SERVICES]
    services.append(_service("beat", _turning(beat, now)))
    # A recorder has to run only where the settings name a source.
    if recorder is not None or settings.home_assistant_url or settings.mqtt_url:
        services.append(_service("recorder", _recorders(recorder, now)))
    # An executor has to run only where a site is armed.
    if executor is not None or armed:
        services.append(_service("executor", _recorders(_show_sites(executor, has_site), now)))
    # Steering has to run only where an armed site's devices follow the meters.
    if steered or (steering is not None and steering.sites):
        services.append(_service("steering", _recorders(_show_sites(steering, has_site), now)))
    if home_assistant is not None or settings.mqtt_publish != "off":
        services.append(_service("home_assistant", _recorders(home_assistant, now)))
    return services


def _show_sites(sign: ControlSign | None, has_site: Callable[[str], bool]) -> ControlSign | None:
    """Return a sign with the sites that the caller may see."""
    if sign is None:
        return None
    visible = tuple(site for site in sign.sites if has_site(site.site))
    return sign.model_copy(update={"sites": visible})


def _service(name: str, instances: list[InstanceReply]) -> ServiceReply:
    missing: dict[str, None] = {}
    for instance in instances:
        for check in instance.checks:
            if not check.ok:
                missing[check.name] = None
    ready = any(instance.ready for instance in instances)
    return ServiceReply(
        service=name,
        ready=ready,
        missing=tuple(missing) if instances else ("instance",),
        instances=tuple(instances),
    )


def _worked(name: str, nodes: Mapping[str, NodeSign]) -> ServiceReply:
    """Return the status of a service with workers.

    It is ready where both of its queues, interactive and jobs, have a ready worker.
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
                    or Check(
                        need, ok=False, latency_ms=0.0, detail="not looked at yet", code="pending"
                    )
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
    driven = sign.sites if isinstance(sign, ControlSign) else ()
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
