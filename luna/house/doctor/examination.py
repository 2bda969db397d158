"""Run all checks: of this machine, which need no server, then of database, queue and services."""

import ctypes
import os
import shutil
import ssl
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
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
FORECAST_OLD = timedelta(hours=3)
# An executor asks for a new plan of an armed site when the last one is this old.
PLAN_OLD = REPLAN_AGE + 2 * SLOT
PRICES_AHEAD = timedelta(hours=9, minutes=15)
START_AGAIN = "Start Luna: luna up, or docker compose up -d with containers."
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
    if settings.database_url and settings.redis_url:
        place = "Luna uses the servers in the settings"
    else:
        place = f"Luna runs its own servers in {settings.data_folder}"
    yield DoctorFinding("configuration", "ok", f"{len(set_by_hand)} settings are changed. {place}")
    if (settings.database_url is None) != (settings.redis_url is None):
        remedy = "Set both LUNA_DATABASE_URL and LUNA_REDIS_URL, or neither."
        yield DoctorFinding(
            "configuration",
            "warning",
            "only one of database and queue has its own server; other computers cannot reach the "
            "other one",
            remedy,
        )
    lacks_user = settings.admin_password is None and settings.token_key is None
    if lacks_user and not settings.listens_here_alone:
        remedy = "Add a user: luna user add. Or set LUNA_ADMIN_PASSWORD_FILE."
        yield DoctorFinding(
            "configuration",
            "warning",
            "other computers can reach Luna, but there is no user with a password",
            remedy,
        )


def check_versions() -> Iterator[DoctorFinding]:
    """Yield the versions of Luna and Python."""
    yield DoctorFinding(
        "versions",
        "ok",
        f"Luna {version('luna-energy')}, Python {sys.version.split()[0]} on {sys.platform}",
    )


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
        message = (
            f"{space.free / GIB:.1f} GiB of {space.total / GIB:.0f} GiB are free on the disk of "
            f"{folder}"
        )
        if space.free < full_bytes:
            yield DoctorFinding(
                "disk", "fault", message, "Free some space now. The database stops on a full disk."
            )
        elif space.free < DISK_LOW_SHARE * space.total:
            yield DoctorFinding(
                "disk",
                "warning",
                message,
                "Free some space, or keep data for a shorter time: LUNA_FORECAST_RETENTION, "
                "LUNA_PLAN_RETENTION, LUNA_READING_RETENTION.",
            )
        else:
            yield DoctorFinding("disk", "ok", message)


def check_clock() -> Iterator[DoctorFinding]:
    """Yield whether the kernel's clock is synchronised, where the kernel tells."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError):
        return
    if state == _TIME_ERROR:
        remedy = (
            "Turn on automatic time, such as systemd-timesyncd or chrony. Plans follow the "
            "quarter-hour."
        )
        yield DoctorFinding(
            "clock", "warning", "this computer does not set its clock automatically", remedy
        )
    elif state >= 0:
        yield DoctorFinding("clock", "ok", "this computer sets its clock automatically")


def check_permissions(settings: Settings) -> Iterator[DoctorFinding]:
    """Yield whether Luna can write its folders, and whether others can read secrets."""
    folder = _nearest(settings.data_folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        yield DoctorFinding(
            "permissions",
            "fault",
            f"Luna cannot write to {folder}",
            "Allow Luna to write there, or set LUNA_DATA_FOLDER to another folder.",
        )
    open_to_others = [path for path in _secret_files(settings) if _is_open_to_others(path)]
    for path in open_to_others:
        yield DoctorFinding(
            "permissions",
            "warning",
            f"{path} holds secrets, and everybody on this computer may read it",
            f"Run: chmod o-rwx {path}",
        )
    unreadable = [
        path for path in _secret_files(settings) if path.exists() and not os.access(path, os.R_OK)
    ]
    for path in unreadable:
        yield DoctorFinding(
            "permissions",
            "fault",
            f"Luna cannot read {path}",
            "Allow the account that Luna runs under to read it.",
        )
    if os.access(folder, os.W_OK | os.X_OK) and not open_to_others and not unreadable:
        yield DoctorFinding(
            "permissions", "ok", "Luna can write its folders, and only Luna can read the secrets"
        )


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
        try:
            with (
                open_connection(OWN_SERVER, host, port, CONNECT_SECONDS) as plain,
                ssl.create_default_context().wrap_socket(plain, server_hostname=host) as tls,
            ):
                certificate = tls.getpeercert() or {}
        except ssl.SSLCertVerificationError as exc:
            remedy = "Renew it, or trust its issuer on this computer (SSL_CERT_FILE)."
            yield DoctorFinding(
                "certificates",
                "fault",
                f"the certificate of {host}:{port} is not valid: {exc.verify_message}",
                remedy,
            )
            continue
        except OSError as exc:
            message = f"{host}:{port} does not answer: {exc.strerror or exc}"
            yield DoctorFinding(
                "certificates", "warning", message, "Check that it runs and can be reached."
            )
            continue
        ends = datetime.fromtimestamp(
            ssl.cert_time_to_seconds(str(certificate["notAfter"])), tz=UTC
        )
        message = f"the certificate of {host}:{port} is valid until {ends:%Y-%m-%d}"
        if ends - now < CERTIFICATE_WARNING:
            yield DoctorFinding(
                "certificates",
                "warning",
                message,
                "Renew it. If a program renews it automatically, check its log.",
            )
        else:
            yield DoctorFinding("certificates", "ok", message)


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
    yield DoctorFinding("versions", "ok", f"PostgreSQL {server.split(maxsplit=1)[0]}")
    head = revision.head()
    if current == head:
        yield DoctorFinding(
            "database", "ok", f"the database has the version that Luna needs ({current})"
        )
    elif current is not None and current not in revision.list_revisions():
        message = (
            f"the database has version {current}, but this release of Luna knows only versions up "
            f"to {head}"
        )
        yield DoctorFinding(
            "database", "fault", message, "Run the newer release again, or restore a backup."
        )
    else:
        message = f"the database has version {current or 'none'}, Luna needs version {head}"
        yield DoctorFinding("database", "fault", message, "Run: luna db upgrade")
    message = f"the clocks of Luna and the database differ by {apart.total_seconds():.1f} s"
    remedy = "Turn on automatic time on both computers, such as systemd-timesyncd or chrony."
    if apart <= CLOCK_TOLERANCE:
        yield DoctorFinding("clock", "ok", message)
    else:
        yield DoctorFinding("clock", "fault", message, remedy)


def _check_jobs(connection: Connection) -> Iterator[DoctorFinding]:
    counted = jobs.count(connection)
    oldest = timedelta(seconds=counted.oldest_open_seconds)
    message = (
        f"{counted.queued:.0f} jobs wait, {counted.running:.0f} run, the oldest for "
        f"{oldest.total_seconds():.0f} s"
    )
    remedy = "See them: luna jobs list --status open"
    if oldest <= LONG_OPEN:
        yield DoctorFinding("queues", "ok", message)
    else:
        yield DoctorFinding("queues", "warning", message, remedy)
    if counted.dead:
        yield DoctorFinding(
            "queues",
            "warning",
            f"{counted.dead:.0f} jobs stopped unexpectedly",
            "See why: luna jobs list --status dead. Try again: luna jobs retry ID",
        )


def _check_sites(
    connection: Connection, settings: Settings, now: datetime
) -> Iterator[DoctorFinding]:
    names = sites.names(connection)
    if not names:
        yield DoctorFinding("freshness", "ok", "no home is set up yet")
    armed = {state.site for state in control.load_active(connection) if state.armed_at is not None}
    yield from _check_unreadable_sites(connection, armed)
    for kind in unreadable_rows.count_unreadable(connection, names, now=now):
        yield DoctorFinding(
            "configuration",
            "warning",
            f"{kind.rows} {kind.kind} cannot be read by this release of Luna ({kind.reason})",
            kind.remedy,
        )
    forecast_at = forecast_issues.last_of_each_site(connection)
    for name in names:
        span = recorded_span.of_site(connection, name)
        issued = [(forecast_at.get(name), FORECAST_OLD, "forecast")]
        if name in armed:
            issued.append((plans.issued_last(connection, name), PLAN_OLD, "plan"))
        yield _check_freshness(name, None if span is None else span[1], issued, now)
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
            message = (
                f"Luna cannot read the settings of {site.name}, so it sends its devices no "
                "commands. They keep their last command"
            )
            remedy = (
                "Set the devices by hand now. Then run the newer release again, or save the home "
                "again: luna site add --file FILE."
            )
            yield DoctorFinding("configuration", "fault", message, remedy)
        elif site.name in armed:
            message = (
                f"Luna cannot read the settings of {site.name}. Until it can, the devices run on "
                "their own"
            )
            yield DoctorFinding(
                "configuration",
                "warning",
                message,
                "Correct the settings, or turn control off: "
                f"luna control disarm --site {site.name}",
            )


def _check_freshness(
    name: str,
    measured_until: datetime | None,
    issued: Sequence[tuple[datetime | None, timedelta, str]],
    now: datetime,
) -> DoctorFinding:
    """Return whether a site's forecasts and plans are fresh.

    Args:
        name: of the site.
        measured_until: the end of its measurements, None without any.
        issued: the last issue (None: none), its longest age, and its name.
        now: the instant.
    """
    measured = "no measurements yet"
    if measured_until is not None:
        measured = f"measured until {measured_until:%Y-%m-%d %H:%M} UTC"
    late = []
    for at, most_age, name_of_issue in issued:
        if at is None:
            late.append(f"no {name_of_issue} yet")
        elif now - at > most_age:
            late.append(f"the last {name_of_issue} is from {at:%Y-%m-%d %H:%M} UTC")
    if not late:
        return DoctorFinding("freshness", "ok", f"{name}: {measured}; all is up to date")
    remedy = "Check above that Luna's services run. If they do, see luna jobs list and the log."
    return DoctorFinding("freshness", "warning", f"{name}: {measured}; {'; '.join(late)}", remedy)


def _check_prices(series: StoredSeries, until: datetime | None, now: datetime) -> DoctorFinding:
    market, currency = series
    if until is not None and until - now >= PRICES_AHEAD:
        return DoctorFinding(
            "freshness", "ok", f"{market}: prices are known until {until:%Y-%m-%d %H:%M} UTC"
        )
    if market.startswith("site:"):
        remedy = "Load them: luna data load --kind prices"
    else:
        remedy = f"Fetch them: luna data prices --market {market} --currency {currency}"
    message = f"no prices in {currency}"
    if until is not None:
        message = f"prices are known until {until:%Y-%m-%d %H:%M} UTC"
    return DoctorFinding("freshness", "warning", f"{market}: {message}", remedy)


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
                releases = ", ".join(differing)
                message = f"other releases of Luna also run: {releases}; this is {own_version}"
                yield DoctorFinding(
                    "versions", "warning", message, "Update all to one release and restart them."
                )
            if beat is None or beat.is_late(clock.now()):
                message = "the timer (beat) does not run"
                if beat is not None:
                    seconds = beat.age(clock.now()).total_seconds()
                    message = f"the timer (beat) last ran {seconds:.0f} s ago"
                yield DoctorFinding(
                    "queues", "fault", f"{message}: nothing new is planned", START_AGAIN
                )
            if steering is not None and steering.sites:
                yield describe_steering(steering, now=clock.now())
            dead = client.tasks.dead()
            if dead:
                tasks = ", ".join(sorted({task.task for task in dead}))
                yield DoctorFinding(
                    "queues",
                    "warning",
                    f"{len(dead)} tasks crashed their worker each time: {tasks}",
                    "See the worker's log at that time.",
                )
        except UnavailableError as error:
            yield DoctorFinding.of_error("queues", error)


def describe_steering(sign: ControlSign, *, now: datetime) -> DoctorFinding:
    """Return whether steering runs, with its sites and the blind ones."""
    names = ", ".join(site.site for site in sign.sites)
    if sign.is_late(now):
        seconds = sign.age(now).total_seconds()
        message = f"fast control (steering) of {names} last ran {seconds:.0f} s ago"
        return DoctorFinding("steering", "fault", message, START_AGAIN)
    blind = []
    for site in sign.sites:
        if site.blind_since is not None:
            blind.append(f"{site.site} since {site.blind_since:%Y-%m-%d %H:%M:%S} UTC")
    if blind:
        return DoctorFinding(
            "steering",
            "fault",
            f"fast control (steering) has no new meter values of {', '.join(blind)}",
            "Check the meters and the recorder's log. Until then the devices are in their safe "
            "state.",
        )
    cycles = []
    for site in sign.sites:
        if site.cycled_at is not None:
            cycles.append(f"{site.site} at {site.cycled_at:%H:%M:%S} UTC")
    last = f"; last cycle: {', '.join(cycles)}" if cycles else ""
    return DoctorFinding("steering", "ok", f"fast control (steering) works for {names}{last}")


def _check_workers(client: Client, nodes: dict[str, NodeSign]) -> Iterator[DoctorFinding]:
    served = {queue for sign in nodes.values() for queue in sign.queues}
    queues: list[str] = []
    for service in SERVICES:
        queues += [interactive_queue_of(service), service]
    unserved = [queue for queue in queues if queue not in served]
    if unserved:
        message = "no worker runs"
        if served:
            message = f"no worker takes {', '.join(unserved)}"
        yield DoctorFinding("queues", "fault", message, START_AGAIN)
    else:
        yield DoctorFinding("queues", "ok", f"{len(nodes)} workers run and take all work")
    for queue in sorted(served | set(SERVICES)):
        waiting = client.tasks.waiting(queue)
        if waiting > BACKLOG:
            yield DoctorFinding(
                "queues",
                "warning",
                f"{waiting} tasks wait for {queue}",
                "Run more workers: raise LUNA_WORKER_PROCESSES, or add a replica.",
            )
    for name, sign in nodes.items():
        for check in sign.checks:
            if not check.ok:
                yield DoctorFinding(
                    "dependencies",
                    "fault",
                    f"worker {name} does not reach {check.name}: {check.detail}",
                    "See its log.",
                )


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
        message = f"{check.name}: {check.detail}"
        remedy = f"Check LUNA_{check.name.upper()}_URL, and that its server runs."
        # Answers without a language model are plainer, not wrong.
        bad: Severity = "warning" if check.name == "language" else "fault"
        if check.ok:
            yield DoctorFinding("dependencies", "ok", message)
        else:
            yield DoctorFinding("dependencies", bad, message, remedy)
