"""The gateway's description of itself: FastAPI's, with each error as it leaves and an example of each body."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from luna.errors import InvalidInputError, LunaError, NotFoundError, UnavailableError, UnsupportedMediaError
from services.api.problems import MEDIA_TYPE

Schema = dict[str, Any]
_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
# Routes that ask neither database nor queue for anything, or report what is away instead of failing.
_ALONE = ("/health/live", "/health/services", "/metrics")
_SITE = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "batteries": [{"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "tariff": {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.08}},
}
_PLAN = {
    "site": _SITE,
    "start": "2024-03-12T00:00:00+01:00",
    "slot_minutes": 60,
    "outlook": {"load_kwh": [0.4, 0.5, 1.2], "pv_kwh": [0.0, 0.3, 0.9], "import_price": [0.3, 0.3, 0.3], "export_price": [0.08, 0.08, 0.08]},
    "state": {"batteries": {"battery": {"soc": 0.5}}},
}
_LARGER = {"name": "twice the battery", "site": {"batteries": {"battery": {"capacity_kwh": 20}}}}
EXAMPLES: dict[str, Schema] = {
    "/plan": _PLAN,
    "/plan/pareto": {"plan": _PLAN, "figures": ["cost", "self_sufficiency"], "points": 3},
    "/plans/{plan_id}/why-not": {"slot": "2024-03-12T01:00:00+01:00", "mode": "charge", "power_kw": 2},
    "/plans/{plan_id}/what-if": {"variant": _LARGER},
    "/what-if": {"site_id": "home", "from_day": "2024-03-01", "to_day": "2024-03-31", "variants": [_LARGER]},
    "/jobs": {"task": "planner.replay.run", "request": {"site_id": "home", "from_day": "2024-03-18", "to_day": "2024-03-24"}},
    "/sites/{site_id}/manual": {"from": "2024-03-12T18:00:00+01:00", "to": "2024-03-12T21:00:00+01:00", "device": "battery", "action": "hold"},
    "/sites/{site}/forecast-versions/promote": {"forecast_version": "aurora_v1.0", "reason": "it did better for a month"},
    "/quarantine/{quarantine_id}/correct": {"values": {"load_kwh": 0.4}},
    "/v1/auth/setup": {"name": "admin", "password": "lantern orchard nine winters"},
    "/v1/auth/login": {"name": "admin", "password": "lantern orchard nine winters", "form": "tokens"},
    "/v1/auth/refresh": {"refresh_token": "M1dB5cV0rW8Yq2kZ7pXn4sT9uJ6hG3fD1aL0eQ5iOyE"},
    "/v1/auth/confirm": {"password": "lantern orchard nine winters"},
    "/v1/auth/password": {"password": "lantern orchard nine winters", "new_password": "harbour copper thistle rain"},
    "/v1/users": {"name": "anna", "password": "harbour copper thistle rain", "role": "user", "sites": ["home"]},
    "/v1/users/{name}": {"role": "analyst", "sites": ["home"]},
    "/v1/keys": {"name": "home automation", "scopes": ["read", "operate"], "sites": ["home"], "days": 365},
}


def describe(app: FastAPI) -> Schema:
    """Return the OpenAPI document of ``app``."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for path, methods in document["paths"].items():
            for operation in methods.values():
                _add_errors(path, operation)
                _add_example(path, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _add_errors(path: str, operation: Schema) -> None:
    responses = operation["responses"]
    responses |= {str(status): {"description": title} for status, title in _list_errors(path, operation)}
    for status, response in responses.items():
        if status == "default" or int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {MEDIA_TYPE: _PROBLEM}


def _list_errors(path: str, operation: Schema) -> Iterator[tuple[int, str]]:
    """Yield the statuses with which a route may refuse or fail, each with its title."""
    takes_body, asked = "requestBody" in operation, _takes_anything(operation)
    errors: list[tuple[type[LunaError], bool]] = [
        (InvalidInputError, asked),
        (NotFoundError, asked),
        (UnsupportedMediaError, "application/json" in operation.get("requestBody", {}).get("content", {})),
        (UnavailableError, path not in _ALONE),
        (LunaError, True),
    ]
    yield from ((error.status, error.title) for error, may_be in errors if may_be)
    if takes_body:
        yield from ((status.value, status.phrase) for status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))


def _takes_anything(operation: Schema) -> bool:
    return "requestBody" in operation or bool(operation.get("parameters"))


def _add_example(path: str, operation: Schema) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    if path in EXAMPLES and "application/json" in content:
        content["application/json"]["example"] = EXAMPLES[path]
