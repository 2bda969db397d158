"""What an S3 server's refusals mean. obstore gives them as text: the status, and the body with the server's own code.

Source: Amazon S3 API Reference, "Error responses"; MinIO, cmd/api-errors.go.
"""

import re
from dataclasses import dataclass

from luna.errors import LunaError, MachineError, UnavailableError
from luna.objects.store import full, missing

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_FULL = {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"}
# What obstore says where an answer lacks what every S3 server sends.
_FOREIGN = "Unable to extract metadata"
_WRONG_REGION = "incorrectly configured region"
# Per code: the setting to look at, what is wrong, and what to do.
_REFUSALS = {
    "NoSuchBucket": ("bucket", "the S3 server has no such bucket", "Create it there, or name one that exists."),
    "InvalidBucketName": ("bucket", "this is no bucket's name", "Name one in lower-case letters, digits and hyphens."),
    "InvalidAccessKeyId": ("access_key", "the S3 server does not know this user", "Name a user of that server."),
    "SignatureDoesNotMatch": ("secret_key", "the S3 server takes another password for this user", "Set the password that the server was given."),
    "AuthorizationHeaderMalformed": ("region", "the S3 server is in another region", "Name the server's region."),
    "PermanentRedirect": ("region", "the bucket is in another region", "Name the bucket's region and its address."),
    "RequestTimeTooSkewed": ("url", "the S3 server's clock differs from this machine's", "Set both clocks."),
}
_DENIED = ("access_key", "the S3 server refuses this user", "Give that user the right to read, write and list the bucket; check its password.")
_NO_S3 = ("url", "what answers here is no S3 server", "Give the address of the server's S3 interface, not that of its console.")


@dataclass(frozen=True)
class Address:
    """What may be said about where objects are: everything but the password."""

    url: str
    bucket: str
    access_key: str
    region: str


def translate(answer: str, address: Address, key: str) -> LunaError:
    """Return the error that an answer about ``key`` stands for; what it says holds no secret, for nothing of the answer but codes is repeated."""
    status, code = _find(_STATUS, answer), _find(_CODE, answer)
    if status == "507" or code in _FULL:
        return full(f"bucket {address.bucket} at {address.url}")
    if code == "NoSuchKey":
        return missing(key)
    if status.startswith("5") or status == "429":
        return away(address, f"it answers {status}")
    if _WRONG_REGION in answer:
        return _refusal(status, "PermanentRedirect", address)
    if answer and not status and _FOREIGN not in answer:
        return away(address, "it does not answer")
    return _refusal(status, code, address)


def away(address: Address, reason: str) -> UnavailableError:
    """Return the error about a server that does not answer for now."""
    remedy = "Try again later; see that the server runs and can be reached."
    return UnavailableError(f"the S3 server is away: {reason}", field="LUNA_OBJECTS_URL", value=address.url, remedy=remedy)


def _refusal(status: str, code: str, address: Address) -> MachineError:
    unknown = "url", f"the S3 server refuses the request with {code}", "See the server's log."
    name, message, remedy = _REFUSALS.get(code, _DENIED if status in {"401", "403"} else unknown if code else _NO_S3)
    # The password is no part of an address, so it is not shown.
    return MachineError(message, field=f"LUNA_OBJECTS_{name.upper()}", value=getattr(address, name, None), remedy=remedy)


def _find(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
