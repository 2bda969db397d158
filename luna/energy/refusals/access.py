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

REASONS: dict[str, RefusalReason] = {
    "name-taken": RefusalReason(
        "this name is already taken",
        "Choose another name, or change what has this one.",
        error=ConflictError,
    ),
    "password-length": RefusalReason(
        "has fewer than {least} or more than {most} characters",
        "Choose a password of {least} to {most} characters.",
    ),
    "password-well-known": RefusalReason(
        "is too easy to guess", "Choose a few words that do not belong together."
    ),
    "password-as-before": RefusalReason("is already the password", "Choose another password."),
    "password-wrong": RefusalReason(
        "name or password is wrong",
        "Try again, or ask an admin for a new password.",
        error=UnauthenticatedError,
    ),
    "author-is-caller": RefusalReason(
        "you can only make changes in your own name, {name}",
        "Leave the name out, or sign in as that person.",
    ),
    "set-up-already": RefusalReason(
        "Luna is already set up", "Sign in, or ask an admin for an account.", error=ConflictError
    ),
    "set-up-code-wrong": RefusalReason(
        "the set-up code is missing or wrong",
        "Copy it from the gateway's log: docker compose logs api.",
        error=ForbiddenError,
    ),
    "page-token-of-other-session": RefusalReason(
        "the page's token is missing or belongs to another session",
        "Load the page again; GET /v1/auth/me returns its token.",
        error=ForbiddenError,
    ),
    "scope-missing": RefusalReason(
        "this needs the scope {scope}", "You have {yours}; ask an admin.", error=ForbiddenError
    ),
    "every-site-needed": RefusalReason(
        "this needs access to every site", "Ask an admin.", error=ForbiddenError
    ),
    "key-beyond-maker": RefusalReason(
        "a key cannot have more rights than you have",
        "Choose from yours: {yours}.",
        error=ForbiddenError,
    ),
    "no-such-page": RefusalReason(
        "this page does not exist", "Go to the start page: /", error=NotFoundError
    ),
    "passwords-waiting": RefusalReason(
        "too many people are signing in at once", "Try again in a moment.", error=UnavailableError
    ),
    "job-of-every-site": RefusalReason(
        "the job is for every site, and you have no access to some of them",
        "Name one of yours: {names}.",
        error=ForbiddenError,
    ),
    "password-just-changed": RefusalReason(
        "the password has just changed",
        "Sign in with the new password.",
        error=UnauthenticatedError,
    ),
    "last-admin": RefusalReason(
        "Luna needs at least one admin",
        "Make someone else an admin first.",
        error=ConflictError,
    ),
    "key-without-user": RefusalReason(
        "a key belongs to a user, and you are not signed in",
        "Create the first user: POST /v1/auth/setup.",
        error=ConflictError,
    ),
    "admin-has-every-site": RefusalReason(
        "an admin always has access to every site", "Leave out the sites or the scope administer."
    ),
    "key-without-sites": RefusalReason(
        "this key has no site that a new key could use",
        "Sign in to create a key.",
        error=ForbiddenError,
    ),
    "password-again": RefusalReason(
        "this needs your password again",
        "Send it to POST /v1/auth/confirm, or percent-encoded in the header X-Confirm-Password.",
        error=ConfirmationError,
    ),
    "page-of-other-origin": RefusalReason(
        "the request came from another website",
        "Use Luna's own pages. Behind a proxy, name it in LUNA_TRUSTED_PROXIES.",
        error=ForbiddenError,
    ),
    "credentials-expired": RefusalReason(
        "the credentials are wrong or have expired",
        "Sign in again (POST /v1/auth/login), or use another key.",
        error=UnauthenticatedError,
    ),
    "only-sign-in-confirmed": RefusalReason(
        "only a signed-in person can confirm this",
        "Send the password with the request, percent-encoded: X-Confirm-Password.",
        error=ConflictError,
    ),
    "password-without-sign-in": RefusalReason(
        "you must be signed in with your password to change it",
        "Sign in: POST /v1/auth/login.",
        error=ConflictError,
    ),
    "nobody-signed-in": RefusalReason(
        "you are not signed in", "{remedy}", error=UnauthenticatedError
    ),
}
