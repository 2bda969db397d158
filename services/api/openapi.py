"""OpenAPI document of the gateway.

It is FastAPI's, with groups, credentials, problem documents for errors, field descriptions and
examples.
"""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import yaml
from fastapi import FastAPI

from luna.energy.errors import (
    ConflictError,
    InvalidInputError,
    LunaError,
    NotFoundError,
    UnavailableError,
    UnsupportedMediaError,
)
from luna.words.catalogue import ENGLISH
from luna.words.devices import FIELDS
from services.api.code_samples import write_curl
from services.api.idempotency import HEADER
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.problems import MEDIA_TYPE

Schema = dict[str, Any]
_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
# Routes that never answer 503: they need neither database nor queue, or report an outage instead of
# failing.
_ALONE = ("/health/live", "/health/services", "/metrics")
# Browsers send a session's cookie instead, which programs do not.
_BEARER = "bearer"
_CREDENTIALS = {
    _BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key that luna key add makes, an access token of POST /v1/auth/login, "
        "or the owner's token that luna open --token prints. "
        "Beside it an operation names the scope that it needs.",
    }
}
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "the same key with the same request is carried out once within a day: a second one "
        "gets the first one's answer"
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
# Descriptions by the suffix of a field's name.
_UNITS = {
    "_kwh": "energy, kWh",
    "_kw": "power, kW",
    "_g": "grams",
    "_soc": "state of charge, 0–1",
    "_c": "degrees Celsius",
    "_minutes": "minutes",
    "_hours": "hours",
    "_ms": "milliseconds",
    "_milliseconds": "milliseconds",
    "_seconds": "seconds",
    "_s": "seconds",
    "_price": "currency/kWh",
    "_share": "a share, 0–1",
    "_factor": "a factor",
    "_a": "amperes",
    "_deg": "degrees",
    "_day": "a local day of the site, or per day",
    "_days": "days",
    "_at": "an instant",
    "_until": "an instant",
    "_count": "how many",
}


def describe(app: FastAPI) -> Schema:
    """Return the OpenAPI document of ``app``."""
    document = FastAPI.openapi(app)
    document["tags"] = []
    for name, words in _read_words("operation_groups.txt").items():
        document["tags"].append({"name": name, "description": words})
    document["components"]["securitySchemes"] = _CREDENTIALS
    routes = [route for route in app.routes if isinstance(route, CheckedRoute)]
    declared = {route.operation.name: route.operation for route in routes}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            declaration = declared[operation["operationId"]]
            operation["security"] = _name_credentials(declaration)
            content = operation.get("requestBody", {}).get("content", {})
            if declaration.takes_key and "multipart/form-data" not in content:
                operation.setdefault("parameters", []).append(_KEY)
            _add_errors(path, operation)
            _add_examples(operation)
            curl = write_curl(method, path, operation)
            operation["x-codeSamples"] = [{"lang": "shell", "label": "curl", "source": curl}]
    models = document["components"]["schemas"]
    for model in models.values():
        for field, schema in model.get("properties", {}).items():
            _complete_field(field, schema, models)
    return document


def _complete_field(field: str, schema: Schema, models: Mapping[str, Schema]) -> None:
    """Add the description of a field's name, or else that of its type, if it has none."""
    kind = models.get(schema.get("$ref", "").rpartition("/")[2], {})
    summary = kind.get("description", "").partition("\n\n")[0].replace("\n", " ")
    words = schema.get("description") or _describe_field(field) or summary
    if words:
        schema["description"] = words
    # Client generators reject an object as a default; these are empty and mean the same as none.
    if isinstance(schema.get("default"), dict):
        del schema["default"]


def _name_credentials(operation: Operation) -> list[dict[str, list[str]]]:
    """Return the credentials that an operation needs with their scope.

    None of a public one, and either way of one for monitors.

    Source: OpenAPI 3.1, security requirement object: a list of role names.
    """
    if operation.scope == "public":
        return []
    needed = {_BEARER: [str(operation.scope)]}
    return [needed, {}] if operation.monitor else [needed]


def _add_errors(path: str, operation: Schema) -> None:
    """Add the error responses that a route may give."""
    takes_body = "requestBody" in operation
    parameters = operation.get("parameters", [])
    takes_input = takes_body or bool(parameters)
    errors: list[type[LunaError]] = []
    if any(parameter["name"] == HEADER for parameter in parameters):
        errors.append(ConflictError)
    if takes_input:
        errors += [InvalidInputError, NotFoundError]
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        errors.append(UnsupportedMediaError)
    if path not in _ALONE:
        errors.append(UnavailableError)
    errors.append(LunaError)
    responses = operation["responses"]
    for error in errors:
        responses[str(error.status)] = {"description": error.title}
    if takes_body:
        for status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            responses[str(status.value)] = {"description": status.phrase}
    for status, response in responses.items():
        if status == "default" or int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {MEDIA_TYPE: _PROBLEM}


def _add_examples(operation: Schema) -> None:
    name = operation["operationId"]
    examples = _read_examples()
    body = operation.get("requestBody", {}).get("content", {})
    if name in examples["bodies"]:
        next(iter(body.values()))["example"] = examples["bodies"][name]
    for parameter in operation.get("parameters", []):
        field = parameter["name"]
        if "description" not in parameter:
            parameter["description"] = _describe_field(field) or field.replace("_", " ")
        if field in examples["parameters"] and parameter["in"] != "header":
            parameter["example"] = examples["parameters"][field]
    if name in examples["answers"]:
        success = operation["responses"].get("200") or operation["responses"]["202"]
        next(iter(success["content"].values()))["example"] = examples["answers"][name]


@cache
def _read_examples() -> dict[str, Schema]:
    text = Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8")
    # As safe as ``safe_load``, which takes ten times as long.
    return cast("dict[str, Schema]", yaml.load(text, Loader=yaml.CSafeLoader))


def _describe_field(name: str) -> str | None:
    """Return the description of a field by its name, which means one thing everywhere.

    It is that of ``field_words.txt``, of the devices' words, or by its unit.
    """
    words = _read_words("field_words.txt").get(name)
    if words is not None:
        return words
    if name in FIELDS:
        return FIELDS.say(name, ENGLISH)
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            quantity = name.removesuffix(suffix).replace("_", " ")
            return f"{quantity}: {unit}"
    return None


@cache
def _read_words(file: str) -> dict[str, str]:
    """Return the descriptions of a file of this folder by name, in its order."""
    lines = Path(__file__).with_name(file).read_text(encoding="utf-8").splitlines()
    return dict(line.split(" = ", 1) for line in lines if not line.startswith("#"))
