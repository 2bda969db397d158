"""Store passwords and tokens of devices, a file each that its owner alone can read.

The files lie below the data folder; a site refers to one by name.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from luna.drivers import DEVICES_FOLDER
from luna.energy.refusals import refuse
from luna.platform.private_folders import make_private

# Below the data folder.
SECRETS_FOLDER = f"{DEVICES_FOLDER}/secrets"


class DeviceSecret(NamedTuple):
    """Credentials of a device; a token has the password alone."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Hide the secret: a representation may end in a log."""
        return "DeviceSecret(***)"


def store_device_secret(secret: DeviceSecret, place: str, data_folder: Path) -> str:
    """Store the credentials for a network address in a file and return its name.

    An earlier file for the address is replaced.
    """
    name = name_secret(place)
    path = data_folder / SECRETS_FOLDER / name
    make_private(path.parent)
    path.unlink(missing_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(f"{secret.user}:{secret.password}")
    return name


def name_secret(place: str) -> str:
    """Return the name of the file with the credentials for an address."""
    return ("at-" + re.sub(r"[^a-z0-9]+", "-", place.lower()).strip("-"))[:64]


def read_device_secret(name: str, data_folder: Path) -> DeviceSecret:
    """Read the credentials in a file: ``user:password``, or a token.

    Raises:
        InvalidInputError: the file is missing, empty, or readable by other users.
    """
    path = data_folder / SECRETS_FOLDER / name
    try:
        text = path.read_text(encoding="utf-8").strip()
        is_open = path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as exc:
        raise refuse(
            "device-secret-missing", field="via.secret", value=name, path=str(path)
        ) from exc
    if not text:
        raise refuse("device-secret-missing", field="via.secret", value=name, path=str(path))
    if is_open:
        raise refuse("device-secret-open", field="via.secret", value=name, path=str(path))
    return parse_device_secret(text)


def parse_device_secret(text: str) -> DeviceSecret:
    """Parse ``user:password``, or a token."""
    user, separator, password = text.partition(":")
    return DeviceSecret(user, password) if separator else DeviceSecret("", text)
