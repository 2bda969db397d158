"""Run all checks: of this machine, which need no server, then of database, queue and services."""

import ctypes
import os
import shutil
import ssl
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, text

from luna.contracts.health import ControlSign, NodeSign
from luna.contracts.message import interactive_queue_of
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.policy import REPLAN_AGE
from luna.energy.timeline import SLOT
from luna.house.doctor.finding import DoctorFinding, Severity
from luna.platform.address_policy import OWN_SERVER, open_connection
from luna.platform.clock import Clock
from luna.platform.database import (
    control,
    engine,
    forecast_issues,
    jobs,
    plans,
    recorded_span,
    revision,
    sites,
    unreadable_rows,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.prices import StoredSeries
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.health.probes import probes_for
from luna.platform.health.readiness import check_all
from luna.platform.own_secrets import FOLDER, OWNER_TOKEN, TOKEN_KEY
from luna.platform.queue import Client
from luna.platform.queue.services import SERVICES
from luna.platform.settings import Settings, load_settings
from luna.platform.settings.model import STORED_FILE
from luna.platform.settings.stored import describe_settings

# Two machines' clocks may differ by this much without harm: set-points change each quarter-hour.
CLOCK_TOLERANCE = timedelta(seconds=5)
# As the alerts of the same names have them.
BACKLOG = 100
LONG_OPEN = timedelta(minutes=15)


class _Freshness(NamedTuple):
    """The longest age of what Luna issues, and the codes where it is missing or older."""

    longest: timedelta
    missing: str
    old: str


FORECASTS = _Freshness(timedelta(hours=3), "forecast-missing", "forecast-old")
# An executor asks for a new plan of an armed site when the last one is this old.
PLANS = _Freshness(REPLAN_AGE + 2 * SLOT, "plan-missing", "plan-old")
PRICES_AHEAD = timedelta(hours=9, minutes=15)
# Commands that mend what is found.
START_AGAIN = "luna up / docker compose up -d"
UPGRADE = "luna db upgrade"
LIST_JOBS = "luna jobs list"
GIB = 2**30
# As the alert "Disk filling up" has it; below the second bound PostgreSQL and Redis are close to
# refusing to write.
DISK_LOW_SHARE = 0.1
DISK_FULL_BYTES = GIB
CERTIFICATE_WARNING = timedelta(days=14)
CONNECT_SECONDS = 3.0
# Schemes of encrypted connections, with their usual ports.
_ENCRYPTED = {"https": 443, "rediss": 6379, "mqtts": 8883, "wss": 443}
# Source: adjtimex(2). The kernel's answer while its clock is not synchronised, and the size of the
# structure.
_TIME_ERROR = 5
_TIMEX_BYTES = 256
# Where containers have their secrets: nobody else is in there.
_SHUT_OFF = Path("/run/secrets")


def examine(*, addresses: tuple[str, ...] = (), clock: Clock) -> list[DoctorFinding]:
    """Return the findings on this installation, whatever is wrong with it.

    Args:
        addresses: further servers whose certificates are checked, such as
            ``https://luna.example.org``.
        clock: this machine's.
    """
    findings = [*check_versions()]
    try:
        settings = load_settings()
    except LunaError as error:
        return [*findings, DoctorFinding.of_error("configuration", error)]
    findings += _check_configuration(settings)
    findings += check_permissions(settings)
    findings += check_disk(settings)
    findings += check_clock()
    findings += check_certificates(settings, addresses=addresses, now=clock.now())
    try:
        with running(settings) as servers:
            findings += check_database(servers.database_url, settings, clock=clock)
            findings += check_queue(servers.redis_url, clock=clock)
            findings += check_dependencies(settings, servers)
    except LunaError as error:
        findings.append(DoctorFinding.of_error("database", error))
    return findings


def _check_configuration(settings: Settings) -> Iterator[DoctorFinding]:
    set_by_hand = [
        state for state in describe_settings(settings) if state.source not in {"default", "page"}
    ]
    figures: dict[str, Any] = {"count": len(set_by_hand)}
    if settings.database_url and settings.redis_url:
        yield DoctorFinding("configuration", "ok", "settings-named-servers", figures)
    else:
        figures["folder"] = str(settings.data_folder)
        yield DoctorFinding("configuration", "ok", "settings-own-servers", figures)
    if (settings.database_url is None) != (settings.redis_url is None):
        yield DoctorFinding("configuration", "warning", "one-server-only")
    lacks_user = settings.admin_password is None and settings.token_key is None
    if lacks_user and not settings.listens_here_alone:
        yield DoctorFinding("configuration", "warning", "no-user", command="luna user add")


def check_versions() -> Iterator[DoctorFinding]:
    """Yield the versions of Luna and Python."""
    figures = {
        "luna": version("luna-energy"),
        "python": sys.version.split()[0],
        "platform": sys.platform,
    }
    yield DoctorFinding("versions", "ok", "luna-version", figures)


def check_disk(settings: Settings, *, full_bytes: int = DISK_FULL_BYTES) -> Iterator[DoctorFinding]:
    """Yield the free space of the folders that Luna writes, each disk once."""
    devices: set[int] = set()
    for folder in (settings.data_folder, settings.cache):
        existing = _nearest(folder)
        device = existing.stat().st_dev
        if device in devices:
            continue
        devices.add(device)
        space = shutil.disk_usage(existing)
        figures = {
            "free": space.free / GIB,
            "total": round(space.total / GIB),
            "folder": str(folder),
        }
        if space.free < full_bytes:
            yield DoctorFinding("disk", "fault", "disk-full", figures)
        elif space.free < DISK_LOW_SHARE * space.total:
            yield DoctorFinding("disk", "warning", "disk-low", figures)
        else:
            yield DoctorFinding("disk", "ok", "disk-well", figures)


def check_clock() -> Iterator[DoctorFinding]:
    """Yield whether the kernel's clock is synchronised, where the kernel tells."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError):
        return
    if state == _TIME_ERROR:
        yield DoctorFinding("clock", "warning", "clock-unset")
    elif state >= 0:
        yield DoctorFinding("clock", "ok", "clock-set")


def check_permissions(settings: Settings) -> Iterator[DoctorFinding]:
    """Yield whether Luna can write its folders, and whether others can read secrets."""
    folder = _nearest(settings.data_folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        figures = {"folder": str(folder)}
        yield DoctorFinding("permissions", "fault", "folder-unwritable", figures)
    open_to_others = [path for path in _secret_files(settings) if _is_open_to_others(path)]
    for path in open_to_others:
        yield DoctorFinding(
            "permissions",
            "warning",
            "secrets-open",
            {"file": str(path)},
            command=f"chmod o-rwx {path}",
        )
    unreadable = [
        path for path in _secret_files(settings) if path.exists() and not os.access(path, os.R_OK)
    ]
    for path in unreadable:
        yield DoctorFinding("permissions", "fault", "file-unreadable", {"file": str(path)})
    if os.access(folder, os.W_OK | os.X_OK) and not open_to_others and not unreadable:
        yield DoctorFinding("permissions", "ok", "permissions-well")


def check_certificates(
    settings: Settings, *, addresses: tuple[str, ...] = (), now: datetime
) -> Iterator[DoctorFinding]:
    """Yield the expiry of certificates: of ``addresses``, and of all servers in the settings."""
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    named = (
        redis_url,
        settings.objects_url,
        settings.vectors_url,
        settings.language_url,
        settings.home_assistant_url,
        settings.mqtt_url,
    )
    parts = [urlsplit(url) for url in (*addresses, *filter(None, named))]
    places: dict[tuple[str, int], None] = {}
    for part in parts:
        if part.scheme in _ENCRYPTED and part.hostname:
            places[part.hostname, part.port or _ENCRYPTED[part.scheme]] = None
    for host, port in places:
        server = f"{host}:{port}"
        try:
            with (
                open_connection(OWN_SERVER, host, port, CONNECT_SECONDS) as plain,
                ssl.create_default_context().wrap_socket(plain, server_hostname=host) as tls,
            ):
                certificate = tls.getpeercert() or {}
        except ssl.SSLCertVerificationError as exc:
            figures = {"server": server, "why": exc.verify_message}
            yield DoctorFinding("certificates", "fault", "certificate-invalid", figures)
            continue
        except OSError as exc:
            figures = {"server": server, "why": str(exc.strerror or exc)}
            yield DoctorFinding("certificates", "warning", "certificate-away", figures)
            continue
        ends = datetime.fromtimestamp(
            ssl.cert_time_to_seconds(str(certificate["notAfter"])), tz=UTC
        )
        valid: dict[str, Any] = {"server": server, "day": ends.date()}
        if ends - now < CERTIFICATE_WARNING:
            yield DoctorFinding("certificates", "warning", "certificate-ends", valid)
        else:
            yield DoctorFinding("certificates", "ok", "certificate-valid", valid)


def _secret_files(settings: Settings) -> Iterator[Path]:
    yield from (
        Path(".env"),
        settings.data_folder / STORED_FILE,
        settings.data_folder / FOLDER / TOKEN_KEY,
        settings.data_folder / FOLDER / OWNER_TOKEN,
        settings.data_folder / "servers" / "servers.json",
    )
    for name in Settings.model_fields:
        named = os.environ.get(f"LUNA_{name.upper()}_FILE")
        if named and _SHUT_OFF not in Path(named).parents:
            yield Path(named)


def _is_open_to_others(path: Path) -> bool:
    if not path.is_file() or not path.stat().st_mode & stat.S_IROTH:
        return False
    # Nobody reaches a file below a folder that others may not enter.
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest existing one above it."""
    folder = folder.resolve()
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def check_database(url: str, settings: Settings, *, clock: Clock) -> Iterator[DoctorFinding]:
    """Yield the state of the database and of its data."""
    pool = engine.create(url, application_name="luna-doctor", pool_size=1)
    try:
        yield from _check_schema(pool, clock)
        with unit_of_work(pool) as connection:
            if revision.current(connection) == revision.head():
                yield from _check_jobs(connection)
                yield from _check_sites(connection, settings, clock.now())
    except LunaError as error:
        yield DoctorFinding.of_error("database", error)
    finally:
        pool.dispose()


def _check_schema(pool: Engine, clock: Clock) -> Iterator[DoctorFinding]:
    with unit_of_work(pool) as connection:
        current = revision.current(connection)
        server = str(connection.scalar(text("SHOW server_version")))
        database_now: datetime = connection.scalar(text("SELECT clock_timestamp()"))
        apart = abs(database_now - clock.now())
    version_figures = {"version": server.split(maxsplit=1)[0]}
    yield DoctorFinding("versions", "ok", "database-version", version_figures)
    head = revision.head()
    figures = {"current": current, "head": head}
    if current == head:
        yield DoctorFinding("database", "ok", "schema-current", figures)
    elif current is None:
        yield DoctorFinding("database", "fault", "schema-missing", figures, command=UPGRADE)
    elif current not in revision.list_revisions():
        yield DoctorFinding("database", "fault", "schema-newer", figures)
    else:
        yield DoctorFinding("database", "fault", "schema-older", figures, command=UPGRADE)
    seconds = {"seconds": apart.total_seconds()}
    if apart <= CLOCK_TOLERANCE:
        yield DoctorFinding("clock", "ok", "clocks-near", seconds)
    else:
        yield DoctorFinding("clock", "fault", "clocks-apart", seconds)


def _check_jobs(connection: Connection) -> Iterator[DoctorFinding]:
    counted = jobs.count(connection)
    oldest = timedelta(seconds=counted.oldest_open_seconds)
    figures = {
        "queued": round(counted.queued),
        "running": round(counted.running),
        "seconds": round(oldest.total_seconds()),
    }
    if oldest <= LONG_OPEN:
        yield DoctorFinding("queues", "ok", "jobs-open", figures)
    else:
        command = "luna jobs list --status open"
        yield DoctorFinding("queues", "warning", "jobs-late", figures, command=command)
    if counted.dead:
        yield DoctorFinding(
            "queues",
            "warning",
            "jobs-dead",
            {"count": round(counted.dead)},
            command="luna jobs list --status dead / luna jobs retry ID",
        )


def _check_sites(
    connection: Connection, settings: Settings, now: datetime
) -> Iterator[DoctorFinding]:
    names = sites.names(connection)
    if not names:
        yield DoctorFinding("freshness", "ok", "no-home")
    armed = {state.site for state in control.load_active(connection) if state.armed_at is not None}
    yield from _check_unreadable_sites(connection, armed)
    for kind in unreadable_rows.count_unreadable(connection, names, now=now):
        yield DoctorFinding(
            "configuration",
            "warning",
            "unreadable-rows",
            {"count": kind.rows, "kind": kind.kind, "reason": kind.reason},
            command=kind.command,
        )
    forecast_at = forecast_issues.last_of_each_site(connection)
    for name in names:
        span = recorded_span.of_site(connection, name)
        if span is None:
            yield DoctorFinding("freshness", "ok", "home-unmeasured", {"site": name})
        else:
            yield DoctorFinding("freshness", "ok", "home-measured", {"site": name, "at": span[1]})
        yield from _check_age(name, forecast_at.get(name), FORECASTS, now=now)
        if name in armed:
            issued_at = plans.issued_last(connection, name)
            yield from _check_age(name, issued_at, PLANS, now=now)
    if settings.outside_services:
        named = sites.price_series(connection)
        spans = recorded_span.of_markets(connection, named)
        for market in named:
            until = spans[market][1] if market in spans else None
            yield _check_prices(market, until, now)


def _check_unreadable_sites(connection: Connection, armed: set[str]) -> Iterator[DoctorFinding]:
    unreadable = sites.list_unreadable(connection)
    uncontrolled = sites.find_uncontrolled(connection, unreadable, armed)
    for site in unreadable:
        yield DoctorFinding.of_error("configuration", site.error)
        if site.name in uncontrolled:
            yield DoctorFinding(
                "configuration",
                "fault",
                "site-uncontrolled",
                {"site": site.name},
                command="luna site add --file FILE",
            )
        elif site.name in armed:
            yield DoctorFinding(
                "configuration",
                "warning",
                "site-unreadable",
                {"site": site.name},
                command=f"luna control disarm --site {site.name}",
            )


def _check_age(
    site: str, issued_at: datetime | None, expected: _Freshness, *, now: datetime
) -> Iterator[DoctorFinding]:
    """Yield that the last forecast or plan of a site is too old, or missing."""
    if issued_at is None:
        yield DoctorFinding(
            "freshness", "warning", expected.missing, {"site": site}, command=LIST_JOBS
        )
    elif now - issued_at > expected.longest:
        figures = {"site": site, "at": issued_at}
        yield DoctorFinding("freshness", "warning", expected.old, figures, command=LIST_JOBS)


def _check_prices(series: StoredSeries, until: datetime | None, now: datetime) -> DoctorFinding:
    market, currency = series
    known = {"market": market, "at": until}
    if until is not None and until - now >= PRICES_AHEAD:
        return DoctorFinding("freshness", "ok", "prices-known", known)
    command = f"luna data prices --market {market} --currency {currency}"
    if market.startswith("site:"):
        command = "luna data load --kind prices"
    if until is not None:
        return DoctorFinding("freshness", "warning", "prices-short", known, command=command)
    figures = {"market": market, "currency": currency}
    return DoctorFinding("freshness", "warning", "prices-missing", figures, command=command)


def check_queue(url: str, *, clock: Clock) -> Iterator[DoctorFinding]:
    """Yield the queue's state: workers and their versions, beat, waiting and dead tasks."""
    with closing(Client(url)) as client:
        try:
            nodes = client.heartbeats.nodes()
            yield from _check_workers(client, nodes)
            beat = client.heartbeats.beat()
            steering = client.heartbeats.steering()
            others = (
                beat,
                client.heartbeats.recorder(),
                client.heartbeats.executor(),
                steering,
                client.heartbeats.home_assistant(),
            )
            own_version = version("luna-energy")
            signs = [sign for sign in (*nodes.values(), *others) if sign is not None]
            differing = sorted({sign.version for sign in signs} - {own_version})
            if differing:
                figures = {"releases": ", ".join(differing), "own": own_version}
                yield DoctorFinding("versions", "warning", "other-releases", figures)
            if beat is None:
                yield DoctorFinding("queues", "fault", "beat-missing", command=START_AGAIN)
            elif beat.is_late(clock.now()):
                late = {"seconds": round(beat.age(clock.now()).total_seconds())}
                yield DoctorFinding("queues", "fault", "beat-late", late, command=START_AGAIN)
            if steering is not None and steering.sites:
                yield describe_steering(steering, now=clock.now())
            dead = client.tasks.dead()
            if dead:
                tasks = ", ".join(sorted({task.task for task in dead}))
                counted = {"count": len(dead), "tasks": tasks}
                yield DoctorFinding("queues", "warning", "tasks-dead", counted)
        except UnavailableError as error:
            yield DoctorFinding.of_error("queues", error)


def describe_steering(sign: ControlSign, *, now: datetime) -> DoctorFinding:
    """Return whether steering runs, with its sites and the blind ones."""
    names = ", ".join(site.site for site in sign.sites)
    if sign.is_late(now):
        late = {"sites": names, "seconds": round(sign.age(now).total_seconds())}
        return DoctorFinding("steering", "fault", "steering-late", late, command=START_AGAIN)
    blind = ", ".join(site.site for site in sign.sites if site.blind_since is not None)
    if blind:
        return DoctorFinding("steering", "fault", "steering-blind", {"sites": blind})
    return DoctorFinding("steering", "ok", "steering-works", {"sites": names})


def _check_workers(client: Client, nodes: dict[str, NodeSign]) -> Iterator[DoctorFinding]:
    served = {queue for sign in nodes.values() for queue in sign.queues}
    queues: list[str] = []
    for service in SERVICES:
        queues += [interactive_queue_of(service), service]
    unserved = [queue for queue in queues if queue not in served]
    if not served:
        yield DoctorFinding("queues", "fault", "no-worker", command=START_AGAIN)
    elif unserved:
        figures = {"queues": ", ".join(unserved)}
        yield DoctorFinding("queues", "fault", "queues-unserved", figures, command=START_AGAIN)
    else:
        yield DoctorFinding("queues", "ok", "workers", {"count": len(nodes)})
    for queue in sorted(served | set(SERVICES)):
        waiting = client.tasks.waiting(queue)
        if waiting > BACKLOG:
            yield DoctorFinding("queues", "warning", "backlog", {"count": waiting, "queue": queue})
    for name, sign in nodes.items():
        for check in sign.checks:
            if not check.ok:
                yield DoctorFinding.of_failed_check("fault", "worker-lacks", check, worker=name)


def check_dependencies(settings: Settings, addresses: Addresses) -> Iterator[DoctorFinding]:
    """Yield whether the settings' other servers answer: objects, vectors and language model."""
    named = {
        "objects": settings.objects_url,
        "vectors": settings.vectors_url,
        "language": settings.language_url,
    }
    needs = [name for name, url in named.items() if url is not None]
    try:
        probes = probes_for(needs, settings, addresses)
    except LunaError as error:
        yield DoctorFinding.of_error("dependencies", error)
        return
    for check in check_all(probes):
        if check.ok:
            yield DoctorFinding("dependencies", "ok", "dependency-well", {"check": check.name})
        else:
            # Answers without a language model are plainer, not wrong.
            severity: Severity = "warning" if check.name == "language" else "fault"
            yield DoctorFinding.of_failed_check(severity, "dependency-away", check)
