"""Passwords of charge points, and the certificate of the port.

A charge point shows its password when it connects (OCPP security profiles 1 and 2). Each has a file
below ``devices/secrets``, named as that of any device's password; one without a file needs none.
"""

import base64
import binascii
import hmac
import ssl
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path

import structlog

from luna.drivers.device_secrets import (
    SECRETS_FOLDER,
    name_secret,
    read_device_secret,
)
from luna.energy.errors import LunaError

# Certificate and key of the port, in one file; with it charge points connect by wss://.
CERTIFICATE_FILE = "ocpp-tls.pem"
_BASIC = "basic "
# Wrong passwords of one address within that time, and addresses that are remembered.
MOST_WRONG = 5
WRONG_SECONDS = 60.0
MOST_ADDRESSES = 1024

log = structlog.get_logger("luna.ocpp")


class WrongPasswords:
    """Counts wrong passwords by the address that showed them.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._shown_at: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, address: str) -> None:
        """Count a wrong password; the address that showed none for longest is forgotten."""
        shown_at = self._shown_at.setdefault(address, deque(maxlen=MOST_WRONG))
        shown_at.append(self._seconds())
        self._shown_at.move_to_end(address)
        if len(self._shown_at) > MOST_ADDRESSES:
            self._shown_at.popitem(last=False)

    def are_too_many(self, address: str) -> bool:
        """Return whether an address has to wait before it may show another one."""
        shown_at = self._shown_at.get(address)
        if shown_at is None or len(shown_at) < MOST_WRONG:
            return False
        return self._seconds() - shown_at[0] < WRONG_SECONDS


def needs_password(identity: str, data_folder: Path) -> bool:
    """Return whether a charge point has a password."""
    return (data_folder / SECRETS_FOLDER / name_secret(identity)).exists()


def may_connect(identity: str, authorization: str, data_folder: Path) -> bool:
    """Return whether a charge point shows the password that its file has.

    Args:
        identity: of the charge point, its user name.
        authorization: the header of its request, empty where there is none.
        data_folder: with the files.
    """
    try:
        secret = read_device_secret(name_secret(identity), data_folder)
    except LunaError as error:
        log.warning(
            "a charge point's password cannot be read", charge_point=identity, error=str(error)
        )
        return False
    user, password = _read_basic(authorization)
    is_user = hmac.compare_digest(user, identity.encode())
    return hmac.compare_digest(password, secret.password.encode()) and is_user


def _read_basic(authorization: str) -> tuple[bytes, bytes]:
    """Return user and password of a header, both empty where it has none."""
    if not authorization.casefold().startswith(_BASIC):
        return b"", b""
    try:
        text = base64.b64decode(authorization[len(_BASIC) :].strip(), validate=True)
    except (binascii.Error, ValueError):
        return b"", b""
    user, _, password = text.partition(b":")
    return user, password


def load_certificate(data_folder: Path) -> ssl.SSLContext | None:
    """Return the port's certificate, None where the owner gave it none.

    Raises:
        OSError: the file cannot be read, or is no certificate with its key.
    """
    path = data_folder / SECRETS_FOLDER / CERTIFICATE_FILE
    if not path.exists():
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
