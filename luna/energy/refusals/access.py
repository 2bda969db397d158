"""Refusal reasons of sign-in: names, passwords, the set-up of the first person."""

from luna.energy.errors import (
    ConfirmationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from luna.energy.refusals.reason import RefusalReason

_FEW_WORDS = "Take a few words that nobody says together."

REASONS: dict[str, RefusalReason] = {
    "name-taken": RefusalReason(
        "the name is taken", "Take another one, or change that user.", error=ConflictError
    ),
    "password-length": RefusalReason(
        "has fewer than {least} or more than {most} characters", _FEW_WORDS
    ),
    "password-well-known": RefusalReason("is one that is tried first", _FEW_WORDS),
    "password-as-before": RefusalReason("is the password as it was", "Take another one."),
    "password-wrong": RefusalReason(
        "name or password is wrong",
        "Correct them; an admin can give you a new password.",
        error=UnauthenticatedError,
    ),
    "author-is-caller": RefusalReason(
        "a change is signed by who asks for it, {name}",
        "Leave the name out, or sign in as that person.",
    ),
    "set-up-already": RefusalReason(
        "Luna is set up already", "Sign in, or ask an admin for an account.", error=ConflictError
    ),
    "set-up-code-wrong": RefusalReason(
        "the set-up code is missing or wrong",
        "It stands in the gateway's log: docker compose logs api.",
        error=ForbiddenError,
    ),
    "page-token-of-other-session": RefusalReason(
        "the page's token is missing or of another session",
        "Load the page again; GET /v1/auth/me names it.",
        error=ForbiddenError,
    ),
    "scope-missing": RefusalReason(
        "this takes the scope {scope}", "Yours are {yours}; ask an admin.", error=ForbiddenError
    ),
    "task-scope-missing": RefusalReason(
        "this task takes the scope {scope}", "Ask an admin.", error=ForbiddenError
    ),
    "every-site-needed": RefusalReason(
        "only who has every site may do this", "Ask an admin.", error=ForbiddenError
    ),
    "key-beyond-maker": RefusalReason(
        "a key may no more than who makes it", "Yours are {yours}.", error=ForbiddenError
    ),
    "no-such-page": RefusalReason(
        "there is no such page", "Begin at the start page: /", error=NotFoundError
    ),
    "passwords-waiting": RefusalReason(
        "too many passwords are being checked", "Try again shortly.", error=UnavailableError
    ),
    "job-of-every-site": RefusalReason(
        "the job is for every site, and you do not have every site",
        "Name one of yours: {names}.",
        error=ForbiddenError,
    ),
    "password-just-changed": RefusalReason(
        "the password was changed just now", "Sign in with the new one.", error=UnauthenticatedError
    ),
    "sites-of-user-unknown": RefusalReason(
        "no such site", "List them: luna site list.", error=NotFoundError
    ),
    "no-such-user": RefusalReason(
        "no such user", "List them: luna user list.", error=NotFoundError
    ),
    "last-admin": RefusalReason(
        "nobody would be left who may administer Luna",
        "Make somebody else an admin first.",
        error=ConflictError,
    ),
    "no-such-key": RefusalReason("no such key", "List them: luna key list.", error=NotFoundError),
    "key-without-user": RefusalReason(
        "a key belongs to a user, and nobody is signed in",
        "Set up the first user: POST /v1/auth/setup.",
        error=ConflictError,
    ),
    "admin-has-every-site": RefusalReason(
        "who administers has every site", "Leave the sites or the scope administer out."
    ),
    "key-without-sites": RefusalReason(
        "this key has no site to hand on", "Sign in to make another key.", error=ForbiddenError
    ),
    "password-again": RefusalReason(
        "this asks for the password again",
        "POST /v1/auth/confirm with the password, or send it as X-Confirm-Password, "
        "percent-encoded.",
        error=ConfirmationError,
    ),
    "page-of-other-origin": RefusalReason(
        "a page of another site asked for this",
        "Use Luna's own pages; behind a proxy, name it in LUNA_TRUSTED_PROXIES.",
        error=ForbiddenError,
    ),
    "credentials-expired": RefusalReason(
        "the credentials do not hold (any more)",
        "Sign in again, or take a key that holds.",
        error=UnauthenticatedError,
    ),
    "refresh-token-expired": RefusalReason(
        "the refresh token does not hold (any more)",
        "Sign in again: POST /v1/auth/login.",
        error=UnauthenticatedError,
    ),
    "only-sign-in-confirmed": RefusalReason(
        "only a sign-in can be confirmed",
        "Send the password with what is critical: X-Confirm-Password, percent-encoded.",
        error=ConflictError,
    ),
    "password-without-sign-in": RefusalReason(
        "only who signed in with a password can change it",
        "Sign in: POST /v1/auth/login.",
        error=ConflictError,
    ),
    "nobody-signed-in": RefusalReason(
        "nobody is signed in", "{remedy}", error=UnauthenticatedError
    ),
    "no-such-reference": RefusalReason(
        "no such {kind}", "Take the id from the answer that gave it.", error=NotFoundError
    ),
}
