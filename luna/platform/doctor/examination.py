"""All checks in one go: this machine's first, so that they are said also where nothing else answers; then what database, queue and services say."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from importlib.metadata import version

from sqlalchemy import Connection, Engine, text

from luna.contracts.health import NodeSign
from luna.contracts.message import interactive_queue_of
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.policy import REPLAN_AGE
from luna.energy.timeline import SLOT
from luna.platform.clock import Clock
from luna.platform.database import control, engine, forecast_issues, jobs, plans, recorded_span, revision, sites, unreadable_rows
from luna.platform.database.engine import unit_of_work
from luna.platform.database.prices import StoredSeries
from luna.platform.doctor import machine
from luna.platform.doctor.finding import DoctorFinding, Severity
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.health.probes import probes_for
from luna.platform.health.readiness import check_all
from luna.platform.queue import Client
from luna.platform.queue.services import SERVICES
from luna.platform.settings import Settings, load_settings
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
START_AGAIN = "Start it: luna up here, docker compose up -d with containers."


def examine(*, addresses: tuple[str, ...] = (), clock: Clock) -> list[DoctorFinding]:
    """Return what was found; no fault of the installation keeps this from ending.

    Args:
        addresses: further ones whose certificates are looked at, such as ``https://luna.example.org``.
        clock: this machine's.
    """
    found = [*machine.check_versions()]
    try:
        settings = load_settings()
    except LunaError as error:
        return [*found, DoctorFinding.of_error("configuration", error)]
    found += _check_configuration(settings)
    found += machine.check_permissions(settings)
    found += machine.check_disk(settings)
    found += machine.check_clock()
    found += machine.check_certificates(settings, addresses=addresses, now=clock.now())
    try:
        with running(settings) as there:
            found += check_database(there.database_url, settings, clock=clock)
            found += check_queue(there.redis_url, clock=clock)
            found += check_dependencies(settings, there)
    except LunaError as error:
        found.append(DoctorFinding.of_error("database", error))
    return found


def _check_configuration(settings: Settings) -> Iterator[DoctorFinding]:
    set_by_hand = [state for state in describe_settings(settings) if state.source not in {"default", "page"}]
    place = "servers that the settings name" if settings.database_url and settings.redis_url else f"embedded servers below {settings.data_folder}"
    yield DoctorFinding("configuration", "ok", f"{len(set_by_hand)} settings are set by hand; {place}")
    if (settings.database_url is None) != (settings.redis_url is None):
        remedy = "Name both LUNA_DATABASE_URL and LUNA_REDIS_URL, or neither."
        yield DoctorFinding(
            "configuration", "warning", "one of database and queue is a server's, the other one embedded: other machines reach half of it", remedy
        )
    if not settings.listens_here_alone and settings.admin_password is None and settings.token_key is None:
        remedy = "Set LUNA_ADMIN_PASSWORD_FILE, or set somebody up with luna user add."
        yield DoctorFinding("configuration", "warning", "the gateway listens on the network and no first user is set", remedy)


def check_database(url: str, settings: Settings, *, clock: Clock) -> Iterator[DoctorFinding]:
    """Yield how the database is: whether it answers, its schema, its clock, and how fresh what plans rest on is."""
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
        current, server = revision.current(connection), str(connection.scalar(text("SHOW server_version")))
        its_now: datetime = connection.scalar(text("SELECT clock_timestamp()"))
        apart = abs(its_now - clock.now())
    yield DoctorFinding("versions", "ok", f"PostgreSQL {server.split(maxsplit=1)[0]}")
    head = revision.head()
    if current == head:
        yield DoctorFinding("database", "ok", f"the tables are at revision {current}, which this release works with")
    elif current is not None and current not in revision.list_revisions():
        message = f"the tables are at revision {current}, which this release does not know: its newest is {head}"
        yield DoctorFinding("database", "fault", message, "Run the release that made them, or restore.")
    else:
        message = f"the tables are at revision {current or 'none'}, this release works with {head}"
        yield DoctorFinding("database", "fault", message, "Run: luna db upgrade")
    message = f"the clocks of this machine and the database are {apart.total_seconds():.1f} s apart"
    remedy = "Have both set from the network, such as by systemd-timesyncd or chrony."
    yield DoctorFinding("clock", "ok", message) if apart <= CLOCK_TOLERANCE else DoctorFinding("clock", "fault", message, remedy)


def _check_jobs(connection: Connection) -> Iterator[DoctorFinding]:
    counted = jobs.count(connection)
    oldest = timedelta(seconds=counted.oldest_open_seconds)
    message = f"{counted.queued:.0f} jobs are queued, {counted.running:.0f} run, the oldest is {oldest.total_seconds():.0f} s old"
    remedy = "See which: luna jobs list --status open"
    yield DoctorFinding("queues", "ok", message) if oldest <= LONG_OPEN else DoctorFinding("queues", "warning", message, remedy)
    if counted.dead:
        yield DoctorFinding(
            "queues", "warning", f"{counted.dead:.0f} jobs never came to an end", "See why: luna jobs list --status dead; again: luna jobs retry ID"
        )


def _check_sites(connection: Connection, settings: Settings, now: datetime) -> Iterator[DoctorFinding]:
    if not (names := sites.names(connection)):
        yield DoctorFinding("freshness", "ok", "no site is set up yet")
    armed = {state.site for state in control.load_active(connection) if state.armed_at is not None}
    unreadable = sites.list_unreadable(connection)
    untold = sites.find_untold(connection, unreadable, armed)
    for each in unreadable:
        yield DoctorFinding.of_error("configuration", each.error)
        if each.name in untold:
            message = f"{each.name} is armed and no version of it can be read: nobody tells its devices anything, they keep what they were told last"
            remedy = "Set the devices by hand now; then run the release again that stored the site, or store it anew: luna site add --file FILE."
            yield DoctorFinding("configuration", "fault", message, remedy)
        elif each.name in armed:
            message = f"{each.name} is armed: until it can be read again, its devices do what they do by themselves"
            yield DoctorFinding("configuration", "warning", message, f"Mend the site, or hand its devices back: luna control disarm --site {each.name}")
    for kind in unreadable_rows.count_unreadable(connection, names, now=now):
        yield DoctorFinding("configuration", "warning", f"{kind.rows} {kind.kind} cannot be read by this release ({kind.reason})", kind.remedy)
    forecast_at = forecast_issues.last_of_each_site(connection)
    for name in names:
        span = recorded_span.of_site(connection, name)
        measured = "nothing was ever measured" if span is None else f"measured until {span[1]:%Y-%m-%d %H:%M} UTC"
        issued = [(forecast_at.get(name), FORECAST_OLD, "forecast")]
        if name in armed:
            issued.append((plans.issued_last(connection, name), PLAN_OLD, "plan"))
        late = [
            f"no {what} yet" if at is None else f"the last {what} is of {at:%Y-%m-%d %H:%M} UTC" for at, age, what in issued if at is None or now - at > age
        ]
        if late:
            remedy = "Without workers and beat nothing is renewed; else: luna jobs list, and the log."
            yield DoctorFinding("freshness", "warning", f"{name}: {measured}; {'; '.join(late)}", remedy)
        else:
            yield DoctorFinding("freshness", "ok", f"{name}: {measured}; what drives it is fresh")
    if settings.outside_services:
        named = sites.price_series(connection)
        spans = recorded_span.of_markets(connection, named)
        yield from (_check_prices(market, spans[market][1] if market in spans else None, now) for market in named)


def _check_prices(series: StoredSeries, until: datetime | None, now: datetime) -> DoctorFinding:
    market, currency = series
    if until is None or until - now < PRICES_AHEAD:
        asking = f"Ask for them: luna data prices --market {market} --currency {currency}"
        remedy = "Load them: luna data load --kind prices" if market.startswith("site:") else asking
        message = f"no price is known in {currency}" if until is None else f"prices are known until {until:%Y-%m-%d %H:%M} UTC"
        return DoctorFinding("freshness", "warning", f"{market}: {message}", remedy)
    return DoctorFinding("freshness", "ok", f"{market}: prices are known until {until:%Y-%m-%d %H:%M} UTC")


def check_queue(url: str, *, clock: Clock) -> Iterator[DoctorFinding]:
    """Yield how the queue is: whether Redis answers, who is at work and in which version, what waits, what died."""
    with closing(Client(url)) as client:
        try:
            nodes = client.heartbeats.nodes()
            yield from _check_workers(client, nodes)
            beat = client.heartbeats.beat()
            others = (beat, client.heartbeats.recorder(), client.heartbeats.executor(), client.heartbeats.home_assistant())
            own = version("luna-energy")
            differing = sorted({sign.version for sign in (*nodes.values(), *others) if sign is not None} - {own})
            if differing:
                message = f"processes of other releases run: {', '.join(differing)}, this is {own}"
                yield DoctorFinding("versions", "warning", message, "Bring all to one release and restart them.")
            if beat is None or beat.is_late(clock.now()):
                message = "beat never turned" if beat is None else f"beat last turned {beat.age(clock.now()).total_seconds():.0f} s ago"
                yield DoctorFinding("queues", "fault", f"{message}: nothing recurring is asked for", START_AGAIN)
            if dead := client.tasks.dead():
                tasks = ", ".join(sorted({each.task for each in dead}))
                yield DoctorFinding(
                    "queues", "warning", f"{len(dead)} pieces of work ended their worker each time: {tasks}", "See the worker's log at that time."
                )
        except UnavailableError as error:
            yield DoctorFinding.of_error("queues", error)


def _check_workers(client: Client, nodes: dict[str, NodeSign]) -> Iterator[DoctorFinding]:
    served = {queue for sign in nodes.values() for queue in sign.queues}
    unserved = [queue for service in SERVICES for queue in (interactive_queue_of(service), service) if queue not in served]
    if unserved:
        message = "no worker lives" if not served else f"no worker serves {', '.join(unserved)}"
        yield DoctorFinding("queues", "fault", message, START_AGAIN)
    else:
        yield DoctorFinding("queues", "ok", f"{len(nodes)} workers live and serve every queue")
    for queue in sorted(served | set(SERVICES)):
        if (waiting := client.tasks.waiting(queue)) > BACKLOG:
            yield DoctorFinding(
                "queues", "warning", f"{waiting} tasks wait in the queue {queue}", "Run more workers: LUNA_WORKER_PROCESSES, or another replica."
            )
    for name, sign in nodes.items():
        for check in sign.checks:
            if not check.ok:
                yield DoctorFinding("dependencies", "fault", f"worker {name} lacks {check.name}: {check.detail}", "See its log.")


def check_dependencies(settings: Settings, addresses: Addresses) -> Iterator[DoctorFinding]:
    """Yield whether the servers answer that the settings name beside database and queue."""
    named = {"objects": settings.objects_url, "vectors": settings.vectors_url, "language": settings.language_url}
    try:
        probes = probes_for([name for name, url in named.items() if url is not None], settings, addresses)
    except LunaError as error:
        yield DoctorFinding.of_error("dependencies", error)
        return
    for check in check_all(probes):
        message = f"{check.name}: {check.detail}"
        remedy = f"Check that LUNA_{check.name.upper()}_URL is right and its server runs."
        # Answers without a language model are plainer, not wrong.
        bad: Severity = "warning" if check.name == "language" else "fault"
        yield DoctorFinding("dependencies", "ok", message) if check.ok else DoctorFinding("dependencies", bad, message, remedy)
