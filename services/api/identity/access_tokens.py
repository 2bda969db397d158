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
        claims = parts["payload"]
        subject = str(parts["payload"]["sub"])
        # More digits would not fit the database's integer.
        names_one = subject.isascii() and subject.isdecimal() and len(subject) <= MOST_DIGITS
        # One that was issued while the clock ran ahead would stand for as long as it did.
        issued_until = (now + CLOCKS_DIFFER).timestamp()
        is_of_now = isinstance(claims["iat"], int) and claims["iat"] <= issued_until
        stands = is_of_now and isinstance(claims["exp"], int) and now.timestamp() < claims["exp"]
        return int(subject) if names_one and stands and parts["header"].get("typ") == KIND else None
