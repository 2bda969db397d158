"""Access tokens: short-lived JWTs that name a sign-in session.

Source: RFC 7519, RFC 8725, RFC 9068.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from jwt.types import Options

from luna.contracts.identity import ACCESS_TOKEN_LIFE

# The only one accepted, whatever the token's header names.
ALGORITHM = "HS256"
ISSUER = "luna"
AUDIENCE = "luna-api"
KIND = "at+jwt"
LONGEST_TOKEN = 2048
MOST_DIGITS = 18
# By how much the clocks of two gateways may differ.
CLOCKS_DIFFER = timedelta(minutes=1)
# ``read`` checks the expiry itself, by Luna's clock.
OPTIONS: Options = {
    "require": ["iss", "aud", "sub", "iat", "exp"],
    "verify_exp": False,
    "verify_iat": False,
}


@dataclass(frozen=True)
class AccessTokens:
    """Signs and verifies access tokens with one key."""

    key: str

    def make(self, session_id: int, *, now: datetime) -> str:
        """Return a token of a session.

        It holds neither user nor permissions, which the database holds.
        """
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(session_id),
            "iat": now,
            "exp": now + ACCESS_TOKEN_LIFE,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"typ": KIND})

    def read(self, token: str, *, now: datetime) -> int | None:
        """Return the session id of a token; None if the token is invalid or has expired."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            parts = jwt.decode_complete(
                token,
                self.key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options=OPTIONS,
            )
        except (jwt.InvalidTokenError, ValueError):
            return None
        if parts["header"].get("typ") != KIND:
            return None
        claims = parts["payload"]
        issued_at = claims["iat"]
        expires_at = claims["exp"]
        if not isinstance(issued_at, int) or not isinstance(expires_at, int):
            return None
        # One that was issued while the clock ran ahead would be valid for as long as it did.
        if issued_at > (now + CLOCKS_DIFFER).timestamp() or expires_at <= now.timestamp():
            return None
        subject = str(claims["sub"])
        # More digits would not fit the database's integer.
        is_number = subject.isascii() and subject.isdecimal() and len(subject) <= MOST_DIGITS
        return int(subject) if is_number else None
