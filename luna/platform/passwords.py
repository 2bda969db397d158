"""Validates, hashes and verifies passwords.

Source: OWASP Password Storage Cheat Sheet (argon2id, 19 MiB, two passes, one lane) and NIST SP
800-63B (length before composition, well-known ones refused).
"""

import unicodedata
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from luna.energy.refusals import refuse

SHORTEST = 12
LONGEST = 128
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Passwords of 12 characters and more from lists of stolen ones, and variants of the product's name.
_WELL_KNOWN = frozenset(
    files("luna").joinpath("well_known_passwords.txt").read_text(encoding="utf-8").split()
)


def require_good(password: str, *, name: str, field: str = "password") -> None:
    """Check that ``name`` may have a password.

    Raises:
        InvalidInputError: it is too short, too long, well known, or consists of the name; the value
            is not shown.
    """
    if not SHORTEST <= len(_normal(password)) <= LONGEST:
        raise refuse("password-length", field=field, least=SHORTEST, most=LONGEST)
    plain = _normal(password).lower()
    if (
        plain in _WELL_KNOWN
        or len(set(plain)) < 4
        or plain.replace(name.lower(), "").strip("0123456789!. ") == ""
    ):
        raise refuse("password-well-known", field=field)


def hash_password(password: str) -> str:
    """Return the argon2id hash with its parameters and salt.

    Takes 19 MiB and some hundredths of a second.
    """
    return HASHER.hash(_normal(password))


def is_right(password: str, stored_hash: str | None) -> bool:
    """Return whether a password matches ``stored_hash``.

    None, for an unknown user, takes as long and never matches.
    """
    # No stored password is longer; skip the costly hash.
    if len(password) > LONGEST:
        return False
    try:
        return (
            HASHER.verify(stored_hash or hash_of_nobody(), _normal(password))
            and stored_hash is not None
        )
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored_hash: str) -> bool:
    """Return whether a hash has other parameters than today's.

    Then the password is hashed again at the next sign-in.
    """
    return HASHER.check_needs_rehash(stored_hash)


@cache
def hash_of_nobody() -> str:
    """Return the hash that stands in for an unknown user's."""
    return HASHER.hash("the password of nobody, so that it cannot be told by time who is there")


def _normal(password: str) -> str:
    # Two keyboards may encode the same letters differently.
    return unicodedata.normalize("NFC", password)
