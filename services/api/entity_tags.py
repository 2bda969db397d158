"""Entity tags: a caller that has the newest form of a thing is told so, and one that has not cannot overwrite it. Source: RFC 9110, 8.8.3, 12.5.3 and 13."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Request, Response

from luna.energy.refusals import refuse

# What is stored may change at any time, so an answer is asked about before it is used again.
CACHE_CONTROL = "private, no-cache"
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="ETags the caller has: 304 where one of them holds")]


def respond_tagged(request: Request, body: bytes, tag: str, *, packed: bytes | None = None, media_type: str = "application/json") -> Response:
    """Return ``body`` with its tag (with its quotes), or 304 where the caller has it; ``packed`` is the body by gzip, for who takes that."""
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if packed is not None:
        # One tag for both forms says that they mean the same, not that they are the same bytes.
        headers |= {"ETag": f"W/{tag}", "Vary": "Accept-Encoding"}
    if {tag, "*"} & {entry.strip().removeprefix("W/") for entry in request.headers.get("If-None-Match", "").split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    if packed is not None and "gzip" in accepted_encodings(request):
        return Response(packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
    return Response(body, headers=headers, media_type=media_type)


def accepted_encodings(request: Request) -> set[str]:
    """Return the content codings that the caller takes."""
    codings = [each.replace(" ", "").partition(";q=") for each in request.headers.get("Accept-Encoding", "").split(",")]
    return {coding for coding, _, weight in codings if weight.strip("0.") or not weight}


def read_version(request: Request) -> int:
    """Return the version that the caller read, from ``If-Match``.

    Raises:
        UnconditionalError: it does not say which.
        InvalidInputError: it says something else.
    """
    text = request.headers.get("If-Match")
    if text is None:
        raise refuse("version-unsaid", field="If-Match")
    number = text.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise refuse("no-version-of-site", field="If-Match", value=text[:100])
    return int(number)
