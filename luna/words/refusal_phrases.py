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
