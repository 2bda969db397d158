"""Who signs in, and with what: names, passwords, the set-up of the first person."""

from luna.energy.errors import ConflictError, ForbiddenError, UnauthenticatedError
from luna.energy.refusals.reason import PageText, RefusalReason

_FEW_WORDS = "Take a few words that nobody says together."
_BAD_PASSWORD = (
    PageText("Dieses Passwort ist zu kurz oder eins, das zuerst probiert wird.", "Nimm ein paar Wörter, die niemand zusammen sagt."),
    PageText("This password is too short, or one that is tried first.", _FEW_WORDS),
)

REASONS: dict[str, RefusalReason] = {
    "name-taken": RefusalReason(
        "the name is taken",
        "Take another one, or change that user.",
        PageText("Den Namen gibt es schon.", "Nimm einen anderen."),
        PageText("The name is taken.", "Take another one."),
        ConflictError,
    ),
    "password-length": RefusalReason("has fewer than {least} or more than {most} characters", _FEW_WORDS, *_BAD_PASSWORD),
    "password-well-known": RefusalReason("is one that is tried first", _FEW_WORDS, *_BAD_PASSWORD),
    "password-as-before": RefusalReason(
        "is the password as it was",
        "Take another one.",
        PageText("Das ist das bisherige Passwort.", "Nimm ein anderes."),
        PageText("This is the password as it was.", "Take another one."),
    ),
    "password-wrong": RefusalReason(
        "name or password is wrong",
        "Correct them; an admin can give you a new password.",
        PageText("Name oder Passwort ist falsch.", "Verbessere sie; wer Luna verwaltet, kann dir ein neues Passwort geben."),
        error=UnauthenticatedError,
    ),
    "set-up-already": RefusalReason(
        "Luna is set up already",
        "Sign in, or ask an admin for an account.",
        PageText("Luna ist schon eingerichtet.", "Melde dich an, oder frag, wer sich um Luna kümmert, nach einem Konto."),
        error=ConflictError,
    ),
    "set-up-code-wrong": RefusalReason(
        "the set-up code is missing or wrong",
        "It stands in the gateway's log: docker compose logs api.",
        PageText("Der Einrichtungscode fehlt oder ist falsch.", "Er steht im Protokoll: docker compose logs api."),
        error=ForbiddenError,
    ),
    "page-token-of-other-session": RefusalReason(
        "the page's token is missing or of another session",
        "Load the page again; GET /v1/auth/me names it.",
        PageText("Die Seite stammt aus einer anderen Anmeldung.", "Lade sie neu und wiederhole, was du getan hast."),
        PageText("The page is from another sign-in.", "Load it again, then repeat what you did."),
        ForbiddenError,
    ),
}
