"""Refusal reasons of HTTP requests before their content is read.

They concern body, precondition (version) and idempotency key.
"""

from luna.energy.errors import ConflictError, UnconditionalError, UnsupportedMediaError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "body-no-utf-8": RefusalReason("the body is not UTF-8 text", "Send JSON in UTF-8."),
    "body-no-json": RefusalReason("Invalid JSON: {why}", "Correct line {line}, column {column}."),
    "number-too-long": RefusalReason("a number has too many digits", "Give a shorter number."),
    "json-wanted": RefusalReason(
        "this route takes only JSON",
        "Send JSON with the header Content-Type: application/json",
        error=UnsupportedMediaError,
    ),
    "json-other-charset": RefusalReason(
        "JSON must be UTF-8", "Send it as UTF-8, without a charset.", error=UnsupportedMediaError
    ),
    "field-name-unusable": RefusalReason(
        "a field name contains an invalid character", "Correct the name."
    ),
    "text-unusable": RefusalReason(
        "contains a NUL or half a character (a lone surrogate)", "Remove it."
    ),
    "number-too-large": RefusalReason("is too large", "Give a whole number of at most {most}."),
    "body-too-deep": RefusalReason(
        "is nested deeper than {most} levels",
        "Send fewer levels.",
    ),
    "version-unsaid": RefusalReason(
        "the version to change is missing",
        'Read the site and send its ETag: If-Match: "3"',
        error=UnconditionalError,
    ),
    "no-version-of-site": RefusalReason(
        "is not a version of a site", 'Read the site and send its ETag: If-Match: "3"'
    ),
    "no-request-key": RefusalReason(
        "is not a valid key", "Send 1 to 200 visible ASCII characters, such as a random UUID."
    ),
    "key-of-other-request": RefusalReason(
        "the key was already used for another request",
        "Use a new key for each request; repeat a key only with the same address and body.",
    ),
    "key-never-answered": RefusalReason(
        "the first request with this key got no answer",
        "Check whether it was done; if not, send it with a new key.",
        error=ConflictError,
    ),
    "key-answered-meanwhile": RefusalReason(
        "another request with this key was just answered",
        "Try again in a moment.",
        error=ConflictError,
    ),
}
