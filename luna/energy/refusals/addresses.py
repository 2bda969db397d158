"""Refusal reasons of URLs and addresses.

They are those of pages and files on the internet, of a home's broker and of its Home Assistant.
"""

from luna.energy.errors import UnavailableError
from luna.energy.refusals.reason import RefusalReason

_PUBLIC = "Give the address of a public page or file."
_HOME = "Write its name, or its address in your network such as 192.168.1.20."
_LATER = "Try again later, or download the file and add it."
_BROKER = (
    "Give it as mqtt://user@host:1883, or mqtts://user@host:8883 for TLS; a discovery prefix "
    "other than homeassistant stands behind the port."
)

REASONS: dict[str, RefusalReason] = {
    "address-unreadable": RefusalReason("is not a web address", _PUBLIC),
    "address-scheme": RefusalReason("the address must begin with http:// or https://", _PUBLIC),
    "address-with-password": RefusalReason(
        "the address contains a user name or password", "Give the address without them."
    ),
    "address-odd-number": RefusalReason(
        "the address has a number in place of a server name", _PUBLIC
    ),
    "address-inward": RefusalReason(
        "the address is not on the public internet, or its port is not one of web pages",
        _PUBLIC,
    ),
    "host-refused": RefusalReason("Luna does not connect to this address", _HOME),
    "host-unreadable": RefusalReason("is not a network address", _HOME),
    "address-leads-on": RefusalReason(
        "the address redirects more than {most} times", "Give the address where the redirects end."
    ),
    "address-unknown": RefusalReason(
        "there is no server at this address",
        "Check the spelling of the address.",
        error=UnavailableError,
    ),
    "page-server-silent": RefusalReason(
        "the server does not answer, or not in time", _LATER, error=UnavailableError
    ),
    "page-server-busy": RefusalReason(
        "the server answers with status {status}", _LATER, error=UnavailableError
    ),
    "page-server-refuses": RefusalReason(
        "the server answers with status {status}",
        "Check that the address opens without signing in.",
    ),
    "page-too-large": RefusalReason(
        "the file is larger than {most:,} bytes",
        "Give the address of a smaller file.",
        kinds={"most": "bytes"},
    ),
    "home-assistant-without-token": RefusalReason(
        "the access token for Home Assistant is missing",
        "Create a long-lived access token in your Home Assistant profile, under Security.",
    ),
}
