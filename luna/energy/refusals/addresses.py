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
    "address-unreadable": RefusalReason("The address cannot be read", _PUBLIC),
    "address-scheme": RefusalReason("Only http and https addresses are fetched", _PUBLIC),
    "address-with-password": RefusalReason("The address holds a user or password", _PUBLIC),
    "address-odd-number": RefusalReason(
        "The address names its host by a number in an unusual form", _PUBLIC
    ),
    "address-inward": RefusalReason(
        "The address leads to a private network, this machine, or a port that pages are not on",
        _PUBLIC,
    ),
    "host-refused": RefusalReason(
        "The address lies where Luna connects to nothing for this purpose", _HOME
    ),
    "host-odd-number": RefusalReason("The address is a number in an unusual form", _HOME),
    "host-unreadable": RefusalReason("The address cannot be read", _HOME),
    "address-leads-on": RefusalReason(
        "The address leads on more than {most} times", "Give the address it ends at."
    ),
    "address-unknown": RefusalReason(
        "The host of the address is not known", "Check the address.", error=UnavailableError
    ),
    "page-server-silent": RefusalReason(
        "The server did not answer, or not in time", _LATER, error=UnavailableError
    ),
    "page-server-busy": RefusalReason(
        "The server answers with status {status}", _LATER, error=UnavailableError
    ),
    "page-server-refuses": RefusalReason(
        "The server answers with status {status}",
        "Check that the address opens without signing in.",
    ),
    "page-too-large": RefusalReason(
        "The address holds more than {most:,} bytes", "Give the address of a smaller file."
    ),
    "page-compressed": RefusalReason(
        "The server sends the content in a compression that was not asked for", None
    ),
    "page-damaged": RefusalReason("The content's compression is damaged", None),
    "no-broker-address": RefusalReason("is no address of an MQTT broker", _BROKER),
    "broker-port": RefusalReason("has no usable port", _BROKER),
    "no-home-assistant-address": RefusalReason(
        "no address of a Home Assistant", "Write it like http://homeassistant.local:8123."
    ),
    "home-assistant-without-token": RefusalReason(
        "Home Assistant needs a token",
        "Make a long-lived access token in your Home Assistant profile, under Security.",
    ),
}
