"""Entity tags: conditional reads (304) and optimistic locking of writes (``If-Match``).

Source: RFC 9110, 8.8.3, 12.5.3 and 13.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Request, Response

from luna.energy.refusals import refuse

# Stored data may change at any time, so a cached response has to be revalidated.
CACHE_CONTROL = "private, no-cache"
IfNoneMatch = Annotated[
    str | None,
    Header(max_length=1000, description="ETags the caller has: 304 where one of them holds"),
]


def respond_tagged(
    request: Request,
    body: bytes,
    tag: str,
    *,
    packed: bytes | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return ``body`` with its ``tag`` (quotes included), or 304 if the caller has it.

    ``packed`` is the body by gzip, for callers that accept it.
    """
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if packed is not None:
        # A weak tag: both encodings share it, and their bytes differ.
        headers |= {"ETag": f"W/{tag}", "Vary": "Accept-Encoding"}
    entries = request.headers.get("If-None-Match", "").split(",")
    known_tags = {entry.strip().removeprefix("W/") for entry in entries}
    if tag in known_tags or "*" in known_tags:
        return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    if packed is not None and "gzip" in accepted_encodings(request):
        return Response(
            packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type
        )
    return Response(body, headers=headers, media_type=media_type)


def accepted_encodings(request: Request) -> set[str]:
    """Return the content codings that the caller accepts."""
    accepted = set()
    for entry in request.headers.get("Accept-Encoding", "").split(","):
        coding, _, weight = entry.replace(" ", "").partition(";q=")
        # A weight of 0 refuses the coding.
        if not weight or weight.strip("0."):
            accepted.add(coding)
    return accepted


def read_version(request: Request) -> int:
    """Return the version that the caller read, from ``If-Match``.

    Raises:
        UnconditionalError: the header is missing.
        InvalidInputError: it is no version.
    """
    text = request.headers.get("If-Match")
    if text is None:
        raise refuse("version-unsaid", field="If-Match")
    number = text.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise refuse("no-version-of-site", field="If-Match", value=text[:100])
    return int(number)
