"""What pages say of refusals without a reason (``luna.energy.refusals``): by what the error says, else by its code.

A pattern is held against message and remedy, a line each; its groups are figures.
"""

from typing import NamedTuple


class Phrase(NamedTuple):
    """What is said in each language; figures stand in braces."""

    en: str
    de: str


class RefusalPhrases(NamedTuple):
    """What is told of errors that ``pattern`` fits; ``quotes``: the error itself stands beside it, for it says more."""

    pattern: str
    sentence: Phrase
    remedy: Phrase
    quotes: bool = False


_RELOAD = Phrase("Load the page again.", "Lade die Seite neu.")
_SHORTLY = Phrase("Try again shortly.", "Versuch es gleich noch einmal.")
_INSTALLATION = Phrase(
    "Try again shortly. If it stays so, the page Installation says what is away.",
    "Versuch es gleich noch einmal. Bleibt es so, sagt die Seite Installation, was fehlt.",
)

DAYS = (
    RefusalPhrases(
        r"nothing was measured in the window\n.*",
        Phrase("Something of these days is unknown.", "Von diesen Tagen ist etwas unbekannt."),
        Phrase("Choose days without gaps; the page Data shows them.", "Wähl Tage ohne Lücken; die Seite Daten zeigt sie."),
        quotes=True,
    ),
)

ENTERING = (
    RefusalPhrases(
        r"(this takes the scope|this task takes the scope|only who has every site|the job is for every site|a key may no more).*\n.*",
        Phrase("Your account may not do this.", "Dein Konto darf das nicht."),
        Phrase("Ask whoever looks after Luna.", "Frag, wer sich um Luna kümmert."),
    ),
    RefusalPhrases(
        r"there is no such page\n.*", Phrase("There is no such page.", "Diese Seite gibt es nicht."), Phrase("Begin at the start page.", "Geh zur Startseite.")
    ),
)

AWAY = (
    RefusalPhrases(
        r"no reply within (?P<number>\S+) s\n.*",
        Phrase("Nobody answered within {number} seconds.", "Niemand hat innerhalb von {number} Sekunden geantwortet."),
        _INSTALLATION,
    ),
    RefusalPhrases(
        r"(\d+ requests wait already|the task waited too long to begin|too many passwords are being checked|\d+ streams are open already)\n.*",
        Phrase("There is too much to do just now.", "Gerade ist zu viel zu tun."),
        _SHORTLY,
    ),
    RefusalPhrases(
        r"the task took (longer|more memory) than .*\n.*",
        Phrase("This took too long or too much.", "Das hat zu lange gedauert oder zu viel gebraucht."),
        Phrase("Ask for less at once.", "Verlange weniger auf einmal."),
    ),
)

PATTERNS = (*DAYS, *ENTERING, *AWAY)

# Where nothing above fits: what kind of error it is, by its code. The error itself stands beside it.
CODES: dict[str, tuple[Phrase, Phrase]] = {
    "invalid-input": (
        Phrase("This cannot be used.", "Diese Angabe lässt sich nicht verwenden."),
        Phrase("Correct it, then send it again.", "Verbessere sie und schick sie noch einmal."),
    ),
    "unauthenticated": (Phrase("Nobody is signed in.", "Niemand ist angemeldet."), Phrase("Sign in.", "Melde dich an.")),
    "forbidden": (Phrase("This is not allowed.", "Das ist nicht erlaubt."), Phrase("Ask whoever looks after Luna.", "Frag, wer sich um Luna kümmert.")),
    "not-found": (Phrase("This is not there, or not any more.", "Das gibt es nicht oder nicht mehr."), _RELOAD),
    "conflict": (
        Phrase("This contradicts what is there.", "Das widerspricht dem, was da ist."),
        Phrase("Load the page again; it shows how things stand.", "Lade die Seite neu; sie zeigt, wie es steht."),
    ),
    "unreadable": (
        Phrase("What is stored has a form that this release of Luna does not know.", "Das ist in einer Form gespeichert, die diese Luna nicht kennt."),
        Phrase("Update Luna again; what is stored is kept.", "Aktualisiere Luna wieder; Gespeichertes bleibt."),
    ),
    "too-many-requests": (Phrase("That was too often in a short time.", "Das war zu oft in kurzer Zeit."), Phrase("Wait a minute.", "Warte eine Minute.")),
    "unavailable": (Phrase("Something that is needed is away just now.", "Gerade fehlt etwas, das dafür nötig ist."), _INSTALLATION),
    "full": (
        Phrase("A disk is full; nothing was changed.", "Ein Datenträger ist voll; geändert wurde nichts."),
        Phrase("Free some space on Luna's machine, then try again.", "Schaff Platz auf Lunas Rechner, dann versuch es noch einmal."),
    ),
    "internal": (
        Phrase("Something went wrong inside Luna.", "In Luna ist etwas schiefgegangen."),
        Phrase("Try again; if it happens again, report the number below.", "Versuch es noch einmal; geschieht es wieder, nenne die Nummer unten."),
    ),
}

# The fields of forms as people call them.
FIELDS: dict[str, Phrase] = {
    "from": Phrase("from", "von"),
    "from_day": Phrase("from", "von"),
    "to": Phrase("to", "bis"),
    "to_day": Phrase("to", "bis"),
    "until": Phrase("until", "bis"),
    "power_kw": Phrase("power", "Leistung"),
    "device": Phrase("device", "Gerät"),
    "action": Phrase("action", "Aktion"),
    "mode": Phrase("mode", "Betriebsart"),
    "arrival_soc": Phrase("charge on arrival", "Ladestand bei Ankunft"),
    "arrival": Phrase("charge on arrival", "Ladestand bei Ankunft"),
    "target_soc": Phrase("charge on departure", "Ladestand bei Abfahrt"),
    "target": Phrase("charge on departure", "Ladestand bei Abfahrt"),
    "hours": Phrase("hours", "Stunden"),
    "month": Phrase("month", "Monat"),
    "file": Phrase("file", "Datei"),
    "url": Phrase("address", "Adresse"),
    "kind": Phrase("what it holds", "Inhalt"),
    "timezone": Phrase("time zone", "Zeitzone"),
    "name": Phrase("name", "Name"),
    "password": Phrase("password", "Passwort"),
    "days": Phrase("days", "Tage"),
    "battery": Phrase("battery", "Batterie"),
    "fixed_price": Phrase("price", "Preis"),
    "investment": Phrase("investment", "Anschaffung"),
    "expert": Phrase("document", "Dokument"),
    "manual": Phrase("what is fixed", "Festgelegtes"),
    "site": Phrase("site", "Standort"),
}
