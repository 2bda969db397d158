"""Access tokens: who a program is, signed by this installation, for some minutes. Source: RFC 7519, RFC 8725, RFC 9068."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import jwt
from jwt.types import Options

from luna.contracts.identity import ACCESS_TOKEN_LIFE
from luna.errors import MachineError
from luna.private_folders import make_private
from luna.settings import Settings

# Nothing else is ever taken, whatever a token says of itself.
ALGORITHM = "HS256"
ISSUER, AUDIENCE, KIND = "luna", "luna-api", "at+jwt"
LONGEST_TOKEN, MOST_DIGITS = 2048, 18
# The end is judged by the clock that everything else goes by.
OPTIONS: Options = {"require": ["iss", "aud", "sub", "iat", "exp"], "verify_exp": False, "verify_iat": False}


@dataclass(frozen=True)
class AccessTokens:
    """Makes and reads access tokens with one key."""

    key: str

    def make(self, session_id: int, *, now: datetime) -> str:
        """Return a token of a sign-in; who that is, and what they may, is read from the database each time."""
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(session_id), "iat": now, "exp": now + ACCESS_TOKEN_LIFE, "jti": secrets.token_hex(8)}
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"typ": KIND})

    def read(self, token: str, *, now: datetime) -> int | None:
        """Return whose sign-in a token is of; None where it is none of ours, or has ended."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            parts = jwt.decode_complete(token, self.key, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options=OPTIONS)
        except (jwt.InvalidTokenError, ValueError):
            return None
        claims, said = parts["payload"], str(parts["payload"]["sub"])
        # A number that no row has is that of no sign-in.
        names_one = said.isascii() and said.isdecimal() and len(said) <= MOST_DIGITS
        stands = isinstance(claims["exp"], int) and now.timestamp() < claims["exp"]
        return int(said) if names_one and stands and parts["header"].get("typ") == KIND else None


def open_key(settings: Settings) -> str:
    """Return the key of this installation: the setting's, else the one made at the first start, which its owner alone can read.

    Raises:
        MachineError: it can be neither read nor made.
    """
    if settings.token_key is not None:
        return settings.token_key.get_secret_value()
    path = settings.data_folder / "identity" / "token_key"
    try:
        make_private(path.parent)
        _make_key(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as exc:
        remedy = "Name a folder that the gateway may write as LUNA_DATA_FOLDER, or a file with a key as LUNA_TOKEN_KEY_FILE."
        raise MachineError(f"the key of access tokens cannot be kept: {exc.strerror}", field=str(path), remedy=remedy) from exc


def _make_key(path: Path) -> None:
    """Write a new key where none is; of processes that start at once one does, and nobody reads half of it."""
    if path.exists():
        return
    mine = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    mine.touch(mode=0o600)
    mine.write_text(secrets.token_hex(32), encoding="ascii")
    try:
        path.hardlink_to(mine)
    except FileExistsError:
        return
    finally:
        mine.unlink()
