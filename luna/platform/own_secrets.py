"""What an installation makes for itself and its owner alone can read: the key of access tokens, the owner's token, the link that opens a browser."""

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
TOKEN_KEY, OWNER_TOKEN, LINK = "token_key", "owner_token", "link"
# Long enough for a coffee between the start and the click.
LINK_LIFE = timedelta(hours=1)


def open_token_key(settings: Settings) -> str:
    """Return the key that signs access tokens: the setting's, else the one made at the first start.

    Raises:
        MachineError: it can be neither read nor made.
    """
    return settings.token_key.get_secret_value() if settings.token_key is not None else _open(settings, TOKEN_KEY)


def open_owner_token(settings: Settings) -> str:
    """Return what lets this machine's own programs in until somebody is set up: the setting's, else the one made at the first start.

    Of a gateway that takes none nothing is kept, for it may have no folder to write: what nobody knows is returned.

    Raises:
        MachineError: it can be neither read nor made.
    """
    if not settings.takes_owner_token:
        return secrets.token_hex(32)
    return settings.owner_token.get_secret_value() if settings.owner_token is not None else _open(settings, OWNER_TOKEN)


def make_link(settings: Settings, *, now: datetime) -> str:
    """Return the address that opens the page in a browser once; the one made before it opens nothing any more.

    Raises:
        MachineError: what proves it cannot be kept.
    """
    code, path = secrets.token_urlsafe(24), _path(settings, LINK)
    try:
        make_private(path.parent)
        _write_beside(path, json.dumps({"digest": _digest(code), "until": (now + LINK_LIFE).isoformat()})).replace(path)
    except OSError as exc:
        raise _cannot_keep(path, exc) from exc
    return f"http://{'[::1]' if settings.api_host == '::1' else settings.api_host}:{settings.api_port}/ui/open?code={code}"


def use_link(settings: Settings, code: str, *, now: datetime) -> bool:
    """Return whether a link's code opens the page: the newest one does, once, for as long as it holds."""
    path = _path(settings, LINK)
    try:
        link = json.loads(path.read_text(encoding="ascii"))
        if not hmac.compare_digest(_digest(code), link["digest"]):
            return False
        # Of those who ask at once one removes it.
        path.unlink()
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
    """Write a secret where none is; of processes that start at once one does, and nobody reads half of it."""
    mine = _write_beside(path, text)
    try:
        path.hardlink_to(mine)
    except FileExistsError:
        return
    finally:
        mine.unlink()


def _write_beside(path: Path, text: str) -> Path:
    """Return a new file beside a place, which its owner alone can read."""
    mine = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    mine.touch(mode=0o600)
    mine.write_text(text, encoding="ascii")
    return mine


def _path(settings: Settings, name: str) -> Path:
    return settings.data_folder / FOLDER / name


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).hexdigest()


def _cannot_keep(path: Path, exc: OSError) -> LunaError:
    return refuse("secret-not-kept", field=str(path), why=exc.strerror, setting=f"LUNA_{path.name.upper()}_FILE")
