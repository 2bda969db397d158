"""What this machine shows by itself, whether or not any server answers: space, clock, permissions, certificates."""

import ctypes
import os
import shutil
import socket
import ssl
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from luna.platform.doctor.finding import DoctorFinding
from luna.platform.own_secrets import FOLDER, OWNER_TOKEN, TOKEN_KEY
from luna.platform.settings import Settings
from luna.platform.settings.model import STORED_FILE

GIB = 2**30
# As the alert "Disk filling up" has it; below the second bound PostgreSQL and Redis are close to refusing to write.
DISK_LOW_SHARE = 0.1
DISK_FULL_BYTES = GIB
CERTIFICATE_WARNING = timedelta(days=14)
CONNECT_SECONDS = 3.0
# Addresses that are spoken to encrypted, with the port where none is named.
_ENCRYPTED = {"https": 443, "rediss": 6379, "mqtts": 8883, "wss": 443}
# Source: adjtimex(2); what the kernel answers while nobody keeps its clock in step, and the size of what it fills in.
_TIME_ERROR, _TIMEX_BYTES = 5, 256
# Where containers have their secrets: nobody else is in there.
_SHUT_OFF = Path("/run/secrets")


def check_versions() -> Iterator[DoctorFinding]:
    """Yield what runs here."""
    yield DoctorFinding("versions", "ok", f"Luna {version('luna-energy')}, Python {sys.version.split()[0]} on {sys.platform}")


def check_disk(settings: Settings, *, full_bytes: int = DISK_FULL_BYTES) -> Iterator[DoctorFinding]:
    """Yield how much room the folders that Luna writes have, each disk once."""
    devices: set[int] = set()
    for folder in (settings.data_folder, settings.cache):
        there = _nearest(folder)
        if (device := there.stat().st_dev) in devices:
            continue
        devices.add(device)
        space = shutil.disk_usage(there)
        message = f"{space.free / GIB:.1f} GiB of {space.total / GIB:.0f} GiB are free where {folder} lies"
        if space.free < full_bytes:
            yield DoctorFinding("disk", "fault", message, "Make room now: databases stop where the disk is full.")
        elif space.free < DISK_LOW_SHARE * space.total:
            yield DoctorFinding("disk", "warning", message, "Make room, or shorten LUNA_FORECAST_RETENTION, LUNA_PLAN_RETENTION and LUNA_READING_RETENTION.")
        else:
            yield DoctorFinding("disk", "ok", message)


def check_clock() -> Iterator[DoctorFinding]:
    """Yield whether the kernel's clock is kept in step with the world's, where the kernel says so."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError):
        return
    if state == _TIME_ERROR:
        remedy = "Have it set from the network, such as by systemd-timesyncd or chrony; plans follow the quarter-hour."
        yield DoctorFinding("clock", "warning", "nobody keeps this machine's clock in step, the kernel says", remedy)
    elif state >= 0:
        yield DoctorFinding("clock", "ok", "the clock is kept in step")


def check_permissions(settings: Settings) -> Iterator[DoctorFinding]:
    """Yield whether Luna may write where it has to, and whether others may read what is secret."""
    there = _nearest(settings.data_folder)
    if not os.access(there, os.W_OK | os.X_OK):
        yield DoctorFinding("permissions", "fault", f"{there} cannot be written", "Make it writable for Luna, or set LUNA_DATA_FOLDER to another folder.")
    open_to_others = [
        path
        for path in _secret_files(settings)
        if path.is_file()
        and path.stat().st_mode & stat.S_IROTH
        # A folder that is shut keeps all that is in it.
        and all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
    ]
    for path in open_to_others:
        yield DoctorFinding("permissions", "warning", f"{path} holds secrets and everybody on this machine may read it", f"Run: chmod o-rwx {path}")
    unreadable = [path for path in _secret_files(settings) if path.exists() and not os.access(path, os.R_OK)]
    for path in unreadable:
        yield DoctorFinding("permissions", "fault", f"{path} cannot be read", "Let the account that Luna runs under read it.")
    if os.access(there, os.W_OK | os.X_OK) and not open_to_others and not unreadable:
        yield DoctorFinding("permissions", "ok", "folders can be written, secrets are shut to others")


def check_certificates(settings: Settings, *, addresses: tuple[str, ...] = (), now: datetime) -> Iterator[DoctorFinding]:
    """Yield how long the certificates hold of ``addresses`` and of all servers that the settings name by an encrypted address."""
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    named = (redis_url, settings.objects_url, settings.vectors_url, settings.language_url, settings.home_assistant_url, settings.mqtt_url)
    parts = [urlsplit(url) for url in (*addresses, *filter(None, named))]
    places = {(each.hostname, each.port or _ENCRYPTED[each.scheme]): None for each in parts if each.scheme in _ENCRYPTED and each.hostname}
    for host, port in places:
        try:
            with (
                socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain,
                ssl.create_default_context().wrap_socket(plain, server_hostname=host) as tls,
            ):
                certificate = tls.getpeercert() or {}
        except ssl.SSLCertVerificationError as exc:
            remedy = "Renew it, or trust its issuer on this machine (SSL_CERT_FILE)."
            yield DoctorFinding("certificates", "fault", f"the certificate of {host}:{port} does not hold: {exc.verify_message}", remedy)
            continue
        except OSError as exc:
            message = f"{host}:{port} does not answer: {exc.strerror or exc}"
            yield DoctorFinding("certificates", "warning", message, "Check that it runs and is reached from here.")
            continue
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), tz=UTC)
        message = f"the certificate of {host}:{port} holds until {ends:%Y-%m-%d}"
        if ends - now < CERTIFICATE_WARNING:
            yield DoctorFinding("certificates", "warning", message, "Renew it; whoever renews it by itself should have done so, see its log.")
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
    named = (os.environ.get(f"LUNA_{name.upper()}_FILE") for name in Settings.model_fields)
    yield from (path for path in map(Path, filter(None, named)) if _SHUT_OFF not in path.parents)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    folder = folder.resolve()
    return next(each for each in (folder, *folder.parents) if each.is_dir())
