"""Log in to a device by challenge and response; each request carries the session's number.

Source: AVM, "Login to the FRITZ!Box Web Interface", version 2 (PBKDF2), and
"AHA-HTTP-Interface": 403 where the session has expired.
"""

import hashlib
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.transports import SessionLogin
from luna.energy.refusals import refuse

_NUMBER = re.compile(rb"<SID>([0-9a-f]{16})</SID>")
_NO_SESSION = "0" * 16
# Iterations and salt, twice: a device may not keep Luna busy for more than a second.
_CHALLENGE = re.compile(
    rb"<Challenge>2\$(\d{1,6})\$([0-9a-fA-F]{2,128})\$(\d{1,6})\$([0-9a-fA-F]{2,128})</Challenge>"
)
# Seconds in which every login fails, doubled by each wrong password.
_BLOCKED = re.compile(rb"<BlockTime>(\d{1,5})</BlockTime>")


class HttpSession:
    """A session at a device.

    Args:
        login: of the profile.
        secret: user and password.
        ask: returns the answer to a path.
        place: the device's address for error messages.
    """

    def __init__(
        self, login: SessionLogin, secret: DeviceSecret, ask: Callable[[str], bytes], place: str
    ) -> None:
        self._login = login
        self._secret = secret
        self._ask = ask
        self._place = place
        self._number: str | None = None
        self._blocked_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is a session, which may have expired."""
        return self._number is not None

    def sign(self, path: str) -> str:
        """Return a path with the session's number, which is asked for where there is none.

        Raises:
            UnavailableError: the device refuses the credentials, or knows no such login.
        """
        if self._number is None:
            self._number = self._log_in()
        return _extend(path, {self._login.parameter: self._number})

    def forget(self) -> None:
        """Log in anew with the next request."""
        self._number = None

    def _log_in(self) -> str:
        if time.monotonic() < self._blocked_until:
            raise refuse("device-unauthorized", field="via.secret", value=self._place)
        challenge = _CHALLENGE.search(self._ask(self._login.at))
        if challenge is None:
            raise refuse(
                "device-answer-unreadable", field="via", value=self._place, at=self._login.at
            )
        response = answer_challenge(self._secret.password, *challenge.groups())
        fields = {"username": self._secret.user, "response": response}
        answer = self._ask(_extend(self._login.at, fields))
        found = _NUMBER.search(answer)
        number = _NO_SESSION if found is None else found[1].decode()
        if number == _NO_SESSION:
            blocked = _BLOCKED.search(answer)
            block_s = 0 if blocked is None else int(blocked[1])
            self._blocked_until = time.monotonic() + block_s
            raise refuse("device-unauthorized", field="via.secret", value=self._place)
        return number


def answer_challenge(password: str, *challenge: bytes) -> str:
    """Return the answer to a challenge: iterations and salt of both hashes."""
    first_count, first_salt, second_count, second_salt = (part.decode() for part in challenge)
    secret = password.encode()
    for count, salt in ((first_count, first_salt), (second_count, second_salt)):
        secret = hashlib.pbkdf2_hmac("sha256", secret, bytes.fromhex(salt), max(int(count), 1))
    return f"{second_salt}${secret.hex()}"


def _extend(path: str, fields: dict[str, str]) -> str:
    separator = "&" if "?" in path else "?"
    return f"{path}{separator}{urlencode(fields)}"
