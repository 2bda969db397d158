"""Refusal reasons of HTTP requests before their content is read.

They concern body, precondition (version) and idempotency key.
"""

from luna.energy.errors import ConflictError, UnconditionalError, UnsupportedMediaError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "body-no-utf-8": RefusalReason("the body is no UTF-8 text", "Send JSON in UTF-8."),
    "body-no-json": RefusalReason(
        "Invalid JSON: {why}", "Correct the JSON at line {line}, column {column}."
    ),
    "number-too-long": RefusalReason(
        "a number has too many digits", "Give a number that can be meant."
    ),
    "json-wanted": RefusalReason(
        "this route takes JSON",
        "Send JSON and say so: Content-Type: application/json",
        error=UnsupportedMediaError,
    ),
    "json-other-charset": RefusalReason(
        "JSON is UTF-8", "Send it as UTF-8, without a charset.", error=UnsupportedMediaError
    ),
    "address-with-nul": RefusalReason("holds a NUL", "Leave the NUL out."),
    "field-name-unusable": RefusalReason(
        "a field's name holds a character that is none", "Correct the name."
    ),
    "text-unusable": RefusalReason(
        "holds a NUL or half a character (a lone surrogate)", "Send text without it."
    ),
    "number-not-finite": RefusalReason("is no finite number", "Give a finite number."),
    "number-too-large": RefusalReason("is too large", "Give a whole number of at most {most}."),
    "body-too-deep": RefusalReason(
        "is nested deeper than {most} levels",
        "Send a flatter document; no message of Luna is nested so deep.",
    ),
    "request-unstorable": RefusalReason(
        "holds a character that cannot be stored", "Leave out \\u0000."
    ),
    "version-unsaid": RefusalReason(
        "a change must say which version it changes",
        'Read the site and send its ETag: If-Match: "3"',
        error=UnconditionalError,
    ),
    "no-version-of-site": RefusalReason(
        "is no version of a site", 'Read the site and send its ETag: If-Match: "3"'
    ),
    "no-request-key": RefusalReason(
        "is no key", "Send 1 to 200 visible characters of ASCII, such as a random UUID."
    ),
    "key-of-other-request": RefusalReason(
        "the key came with another request",
        "Send a new key with every new request; the same one only with the same address and body.",
    ),
    "key-never-answered": RefusalReason(
        "the first request of this key was never answered",
        "See whether it was carried out; if not, send it with a new key.",
        error=ConflictError,
    ),
    "key-answered-meanwhile": RefusalReason(
        "another request of this key was answered meanwhile",
        "Ask again in a moment.",
        error=ConflictError,
    ),
}
