"""Generate an installation's own secrets, readable by its owner alone.

Signing key of access tokens, owner token, sign-in link.
"""

import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings

FOLDER = "identity"
TOKEN_KEY = "token_key"  # noqa: S105
OWNER_TOKEN = "owner_token"  # noqa: S105
LINK = "link"
# The link itself, where there is no terminal to show it on.
LINK_ADDRESS = "link_address"
# Long enough for a break between the start and the click.
LINK_LIFE = timedelta(hours=1)


def open_token_key(settings: Settings) -> str:
    """Return the key that signs access tokens.

    The setting's, else the one generated at the first start.

    Raises:
        MachineError: it can be neither read nor created.
    """
    if settings.token_key is not None:
        return settings.token_key.get_secret_value()
    return _open(settings, TOKEN_KEY)


def open_owner_token(settings: Settings) -> str:
    """Return the token of this machine's own programs until a user exists.

    The setting's, else the one generated at the first start.

    A gateway that accepts none stores nothing, as it may have no writable folder: it gets an
    unknown random token.

    Raises:
        MachineError: it can be neither read nor created.
    """
    if not settings.takes_owner_token:
        return secrets.token_hex(32)
    if settings.owner_token is not None:
        return settings.owner_token.get_secret_value()
    return _open(settings, OWNER_TOKEN)


def make_link(settings: Settings, *, now: datetime) -> str:
    """Return a single-use URL that signs a browser in; it invalidates the previous one.

    Raises:
        MachineError: the link's digest cannot be stored.
    """
    code = secrets.token_urlsafe(24)
    path = _path(settings, LINK)
    try:
        make_private(path.parent)
        _write_beside(
            path, json.dumps({"digest": _digest(code), "until": (now + LINK_LIFE).isoformat()})
        ).replace(path)
    except OSError as exc:
        raise _cannot_keep(path, exc) from exc
    return (
        f"http://{'[::1]' if settings.api_host == '::1' else settings.api_host}"
        f":{settings.api_port}/ui/open?code={code}"
    )


def keep_link(settings: Settings, address: str) -> Path:
    """Write a link to a file that its owner alone can read; return the file.

    Raises:
        MachineError: it cannot be stored.
    """
    path = _path(settings, LINK_ADDRESS)
    try:
        make_private(path.parent)
        _write_beside(path, f"{address}\n").replace(path)
    except OSError as exc:
        raise _cannot_keep(path, exc) from exc
    return path


def use_link(settings: Settings, code: str, *, now: datetime) -> bool:
    """Redeem a link's code; return whether it is the newest link's, unused and unexpired."""
    path = _path(settings, LINK)
    try:
        link = json.loads(path.read_text(encoding="ascii"))
        if not hmac.compare_digest(_digest(code), link["digest"]):
            return False
        # Of concurrent requests only one removes it.
        path.unlink()
        _path(settings, LINK_ADDRESS).unlink(missing_ok=True)
    except (OSError, ValueError, KeyError):
        return False
    return now < datetime.fromisoformat(link["until"])


def _open(settings: Settings, name: str) -> str:
    path = _path(settings, name)
    try:
        make_private(path.parent)
        if not path.exists():
            make_secret(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()
    except OSError as exc:
        raise _cannot_keep(path, exc) from exc


def make_secret(path: Path, text: str) -> None:
    """Write a secret where there is none, atomically: of concurrent processes one succeeds."""
    mine = _write_beside(path, text)
    try:
        path.hardlink_to(mine)
    except FileExistsError:
        return
    finally:
        mine.unlink()


def _write_beside(path: Path, text: str) -> Path:
    """Return a new file in the same folder, readable by its owner alone."""
    mine = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    mine.touch(mode=0o600)
    mine.write_text(text, encoding="ascii")
    return mine


def _path(settings: Settings, name: str) -> Path:
    return settings.data_folder / FOLDER / name


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).hexdigest()


def _cannot_keep(path: Path, exc: OSError) -> LunaError:
    return refuse(
        "secret-not-kept",
        field=str(path),
        why=exc.strerror,
        setting=f"LUNA_{path.name.upper()}_FILE",
    )
