"""Samples of requests for the API documentation."""

import json
import re
import shlex
from typing import Any
from urllib.parse import quote, urlencode

ADDRESS = "http://127.0.0.1:8080"
_JSON = "application/json"
_FILES = "multipart/form-data"


def write_curl(method: str, path: str, operation: dict[str, Any]) -> str:
    """Return a request of an operation for a shell, with the examples of its parameters and body.

    Args:
        method: of the request.
        path: with parameters in braces.
        operation: as in OpenAPI, with security and examples.
    """
    parameters = operation.get("parameters", [])
    required = [parameter for parameter in parameters if parameter.get("required")]
    headers = []
    for parameter in required:
        if parameter["in"] == "header":
            headers.append(f"{parameter['name']}: {parameter.get('example', 'VALUE')}")
    query = _examples_of(required, "query")
    address = f"{ADDRESS}{_fill_path(path, _examples_of(parameters, 'path'))}"
    if query:
        address = f"{address}?{urlencode(query)}"
    command = "curl" if method == "get" else f"curl -X {method.upper()}"
    lines = [f"{command} {shlex.quote(address)}"]
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $LUNA_KEY"')
    lines += [f"-H {shlex.quote(header)}" for header in headers]
    content = operation.get("requestBody", {}).get("content", {})
    if _JSON in content:
        body = json.dumps(content[_JSON]["example"], ensure_ascii=False)
        lines += [f"-H 'Content-Type: {_JSON}'", f"-d {shlex.quote(body)}"]
    elif _FILES in content:
        for name, value in content[_FILES]["example"].items():
            mark = "@" if name == "file" else ""
            lines.append(f"-F {name}={mark}{value}")
    return " \\\n  ".join(lines)


def _examples_of(parameters: list[dict[str, Any]], place: str) -> dict[str, Any]:
    """Return the example of each parameter in a place, else its name."""
    inside = [parameter for parameter in parameters if parameter["in"] == place]
    return {parameter["name"]: parameter.get("example", parameter["name"]) for parameter in inside}


def _fill_path(path: str, examples: dict[str, Any]) -> str:
    def fill(match: re.Match[str]) -> str:
        return quote(str(examples.get(match[1], match[1])), safe="")

    return re.sub(r"\{(\w+)(?::path)?\}", fill, path)
