"""Texts without what is secret: every value that this installation knows as such, and whatever looks like a key."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from luna.energy.errors import LunaError
from luna.platform.drivers.device_secrets import SECRETS_FOLDER
from luna.platform.own_secrets import FOLDER, OWNER_TOKEN, TOKEN_KEY
from luna.platform.settings import Settings
from luna.platform.settings.model import read_stored
from luna.platform.telemetry import HIDDEN, without_secrets

# A shorter value would be found within ordinary words.
SHORTEST = 6
# Keys by how they look, whoever gave them out: signed tokens, Luna's own keys, those of language models and forges, blocks of PEM, long hexadecimal numbers.
KEY_PATTERNS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\bluna_[A-Za-z0-9]{4,}_?[A-Za-z0-9_-]{16,}"
    r"|\b(?:sk|pk|ghp|gho|glpat|xox[abp])[-_][A-Za-z0-9_-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"
    r"|\b[0-9a-f]{48,}\b",
    re.DOTALL,
)


class Redaction:
    """Takes what is secret out of texts.

    Args:
        settings: whose secrets are known; so are those that Luna made for itself below the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self.known = frozenset(word for word in known_secrets(settings) if len(word) >= SHORTEST)
        # The longest first: one may begin with another.
        words = sorted(self.known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, words))) if words else None

    def apply(self, text: str) -> str:
        """Return ``text`` without secrets; applied again nothing changes."""
        bare = self._known.sub(HIDDEN, text) if self._known else text
        return str(without_secrets(KEY_PATTERNS.sub(HIDDEN, bare)))


def known_secrets(settings: Settings) -> Iterator[str]:
    """Yield every secret of this installation: of the settings, within their addresses, stored by pages, made by Luna for itself."""
    for name in Settings.model_fields:
        value = getattr(settings, name)
        yield from _words(value.get_secret_value() if isinstance(value, SecretStr) else value, secret=isinstance(value, SecretStr))
    with suppress(LunaError):
        for name, value in read_stored(settings.data_folder).items():
            yield from _words(value, secret="SecretStr" in str(Settings.model_fields[name].annotation))
    own: list[tuple[Path, Callable[[str], str]]] = [(settings.data_folder / FOLDER / name, str.strip) for name in (TOKEN_KEY, OWNER_TOKEN)]
    for path, read in ((settings.data_folder / "servers" / "servers.json", _read_password), *own):
        with suppress(OSError, ValueError, KeyError):
            yield read(path.read_text(encoding="utf-8"))
    with suppress(OSError, UnicodeDecodeError):
        for path in (settings.data_folder / SECRETS_FOLDER).iterdir():
            text = path.read_text(encoding="utf-8").strip()
            # Of user:password the password; of a token all of it.
            yield text.partition(":")[2] or text


def _read_password(text: str) -> str:
    return str(json.loads(text)["password"])


def _words(value: object, *, secret: bool) -> Iterator[str]:
    """Yield a secret setting's value, line by line where it has several, and the password within an address."""
    if not isinstance(value, str):
        return
    for line in value.splitlines():
        address = line[line.find("=") + 1 :] if "://" in line and "=" in line.partition("://")[0] else line
        if "://" not in address:
            if secret:
                yield line
            continue
        if secret:
            yield address
        with suppress(ValueError):
            password = urlsplit(address).password
            if password:
                yield from (password, unquote(password))
