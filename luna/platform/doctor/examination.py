"""All checks in one go: those that need nothing first, so that they are said also where nothing else answers."""

from collections.abc import Iterator

from luna.energy.errors import LunaError
from luna.platform.clock import Clock
from luna.platform.doctor import machine, platform
from luna.platform.doctor.finding import DoctorFinding
from luna.platform.embedded import running
from luna.platform.settings import Settings, load_settings
from luna.platform.settings.stored import describe_settings


def examine(*, addresses: tuple[str, ...] = (), clock: Clock) -> list[DoctorFinding]:
    """Return what was found; no fault of the installation keeps this from ending.

    Args:
        addresses: further ones whose certificates are looked at, such as ``https://luna.example.org``.
        clock: this machine's.
    """
    try:
        settings = load_settings()
    except LunaError as error:
        return [*machine.check_versions(), DoctorFinding.of_error("configuration", error)]
    return [
        *machine.check_versions(),
        *_check_configuration(settings),
        *machine.check_permissions(settings),
        *machine.check_disk(settings),
        *machine.check_clock(),
        *machine.check_certificates(settings, addresses=addresses, now=clock.now()),
        *_check_servers(settings, clock),
    ]


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


def _check_servers(settings: Settings, clock: Clock) -> Iterator[DoctorFinding]:
    try:
        with running(settings) as there:
            yield from platform.check_database(there.database_url, settings, clock=clock)
            yield from platform.check_queue(there.redis_url, clock=clock)
            yield from platform.check_dependencies(settings, there)
    except LunaError as error:
        yield DoctorFinding.of_error("database", error)
