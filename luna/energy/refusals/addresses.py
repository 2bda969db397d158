"""Addresses: pages and files that are fetched from the internet, and the servers of a home itself, its broker and its Home Assistant."""

from luna.energy.errors import UnavailableError
from luna.energy.refusals.reason import PageText, RefusalReason

_PUBLIC = "Give the address of a public page or file."
_LATER = "Try again later, or download the file and add it."
_PUBLIC_DE, _LATER_DE = (
    "Gib die Adresse einer öffentlichen Seite oder Datei an.",
    "Versuch es später noch einmal, oder lade die Datei herunter und füg sie hinzu.",
)
_UNUSABLE = (PageText("Diese Adresse lässt sich nicht verwenden.", _PUBLIC_DE), PageText("This address cannot be used.", _PUBLIC))
_UNREADABLE = (
    PageText("Was der Server der Seite schickt, lässt sich nicht lesen.", "Lade die Datei herunter und füg sie hinzu."),
    PageText("What the page's server sends cannot be read.", "Download the file and add it."),
)
_BROKER = "Give it as mqtt://user@host:1883, or mqtts://user@host:8883 for TLS; a discovery prefix other than homeassistant stands behind the port."
_BROKER_DE = "Gib sie an wie mqtt://name@rechner:1883, mit TLS mqtts://name@rechner:8883; ein anderes Präfix als homeassistant steht hinter dem Port."

REASONS: dict[str, RefusalReason] = {
    "address-unreadable": RefusalReason("The address cannot be read", _PUBLIC, *_UNUSABLE),
    "address-scheme": RefusalReason("Only http and https addresses are fetched", _PUBLIC, *_UNUSABLE),
    "address-with-password": RefusalReason("The address holds a user or password", _PUBLIC, *_UNUSABLE),
    "address-odd-number": RefusalReason("The address names its host by a number in an unusual form", _PUBLIC, *_UNUSABLE),
    "address-inward": RefusalReason(
        "The address leads to a private network, this machine, or a port that pages are not on",
        _PUBLIC,
        PageText("Diese Adresse führt in ein privates Netz; von dort wird nichts geholt.", _PUBLIC_DE),
        PageText("This address leads into a private network; from there nothing is fetched.", _PUBLIC),
    ),
    "address-leads-on": RefusalReason(
        "The address leads on more than {most} times",
        "Give the address it ends at.",
        PageText("Diese Adresse führt immer weiter.", "Gib die Adresse an, bei der sie endet."),
        PageText("This address leads on and on.", "Give the address it ends at."),
    ),
    "address-unknown": RefusalReason(
        "The host of the address is not known",
        "Check the address.",
        PageText("Diese Adresse kennt gerade niemand.", "Prüf, wie sie geschrieben ist."),
        PageText("Nobody knows this address just now.", "Check how it is written."),
        UnavailableError,
    ),
    "page-server-silent": RefusalReason(
        "The server did not answer, or not in time",
        _LATER,
        PageText("Der Server der Seite antwortet nicht.", _LATER_DE),
        PageText("The page's server does not answer.", _LATER),
        UnavailableError,
    ),
    "page-server-busy": RefusalReason(
        "The server answers with status {status}",
        _LATER,
        PageText("Der Server der Seite ist überlastet (Status {status}).", _LATER_DE),
        PageText("The page's server is busy (status {status}).", _LATER),
        UnavailableError,
    ),
    "page-server-refuses": RefusalReason(
        "The server answers with status {status}",
        "Check that the address opens without signing in.",
        PageText("Der Server der Seite gibt sie nicht heraus (Status {status}).", "Prüf, ob sich die Adresse ohne Anmeldung öffnet."),
        PageText("The page's server does not give it (status {status}).", "Check that the address opens without signing in."),
    ),
    "page-too-large": RefusalReason(
        "The address holds more than {most:,} bytes",
        "Give the address of a smaller file.",
        PageText("Die Datei ist zu groß.", "Gib die Adresse einer kleineren an."),
        PageText("The file is too large.", "Give the address of a smaller one."),
    ),
    "page-compressed": RefusalReason("The server sends the content in a compression that was not asked for", None, *_UNREADABLE),
    "page-damaged": RefusalReason("The content's compression is damaged", None, *_UNREADABLE),
    "no-broker-address": RefusalReason("is no address of an MQTT broker", _BROKER, PageText("Das ist keine Adresse eines MQTT-Brokers.", _BROKER_DE)),
    "broker-port": RefusalReason("has no usable port", _BROKER, PageText("Der Port in der Adresse des Brokers ist keiner.", _BROKER_DE)),
    "no-home-assistant-address": RefusalReason(
        "no address of a Home Assistant",
        "Write it like http://homeassistant.local:8123.",
        PageText("Das ist keine Adresse eines Home Assistant.", "Schreib sie wie http://homeassistant.local:8123."),
    ),
    "home-assistant-without-token": RefusalReason(
        "Home Assistant needs a token",
        "Make a long-lived access token in your Home Assistant profile, under Security.",
        PageText("Home Assistant braucht ein Token.", "Mach in deinem Profil von Home Assistant unter Sicherheit ein langlebiges Zugangstoken."),
    ),
}
