"""Probes of dependencies: each returns what it observed, or raises the fault."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine

from luna.energy.errors import UnavailableError
from luna.platform.database import engine, revision
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.objects import open_objects
from luna.platform.settings import Settings

Probe = Callable[[], str]

PATIENCE = timedelta(seconds=2)
_SECONDS = PATIENCE.total_seconds()


def probes_for(needs: Iterable[str], settings: Settings, addresses: Addresses) -> dict[str, Probe]:
    """Return a probe for each of ``needs``.

    Known are ``database``, ``redis``, ``objects``, ``vectors`` and ``language``.

    A dependency without an address in the settings is embedded, and so available.
    """
    return {need: _open_probe(need, settings, addresses) for need in needs}


def _open_probe(need: str, settings: Settings, addresses: Addresses) -> Probe:
    match need:
        case "database":
            database = engine.create(
                addresses.database_url, application_name="luna-health", pool_size=1
            )
            return partial(probe_database, database)
        case "redis":
            client = redis.Redis.from_url(
                addresses.redis_url,
                socket_connect_timeout=_SECONDS,
                socket_timeout=_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
            return partial(_probe_redis, client)
        case "objects":
            return partial(_probe_objects, settings)
        case "vectors":
            return partial(_probe_vectors, settings)
        case "language":
            return partial(_probe_language, settings)
    raise KeyError(need)


def _probe_objects(settings: Settings) -> str:
    # Uses a separate process, because a worker's main process forks: see luna.platform.objects.
    return open_objects(settings).probe()


def probe_database(database: Engine) -> str:
    """Return the revision of the tables.

    Raises:
        UnavailableError: the database is away, or its tables are older than this version.
    """
    with unit_of_work(database) as connection:
        current = revision.current(connection)
    # Newer tables belong to a running update; this version works on them until it is replaced.
    if current is None or current < revision.head():
        raise UnavailableError(
            f"the tables are at revision {current}, wanted {revision.head()}",
            remedy="Run: luna db upgrade",
        ).because("tables-outdated", {"current": current or "0", "head": revision.head()})
    return f"revision {current}"


def _probe_redis(client: "redis.Redis") -> str:
    """Return that Redis answers.

    Raises:
        UnavailableError: it does not answer, or refuses the login.
    """
    try:
        client.ping()
    except redis.RedisError as exc:
        raise UnavailableError(
            f"does not answer: {exc}",
            field="redis_url",
            remedy="Check that Redis runs and takes the password.",
        ) from exc
    return "answers"


def _probe_vectors(settings: Settings) -> str:
    """Return that Qdrant is ready.

    Raises:
        UnavailableError: it is away, or not ready yet.
    """
    if settings.vectors_url is None:
        return "embedded"
    headers = (
        {"api-key": settings.vectors_api_key.get_secret_value()} if settings.vectors_api_key else {}
    )
    status, _ = ask(settings.vectors_url, "/readyz", timeout_seconds=_SECONDS, headers=headers)
    if status != HTTPStatus.OK:
        raise UnavailableError(
            f"Qdrant is not ready, it answers {status}",
            field="vectors_url",
            value=settings.vectors_url,
            remedy="See its log.",
        ).because("vectors-starting", {})
    return "answers"


def _probe_language(settings: Settings) -> str:
    """Return which models Ollama has.

    A missing one is no failure, because Luna then answers without it.

    Raises:
        UnavailableError: Ollama is away, or another server answers at its address.
    """
    if settings.language_url is None:
        return "none: answers are worded without a language model"
    if settings.language_api == "openai":
        headers: dict[str, str] = {}
        if settings.language_key:
            headers["Authorization"] = f"Bearer {settings.language_key.get_secret_value()}"
        status, _ = ask(
            settings.language_url.rstrip("/").removesuffix("/v1"),
            "/v1/models",
            timeout_seconds=_SECONDS,
            headers=headers,
        )
        if status != HTTPStatus.OK:
            remedy = "Check LUNA_LANGUAGE_URL and the key."
            raise UnavailableError(
                f"no list of models, it answers {status}",
                field="language_url",
                value=settings.language_url,
                remedy=remedy,
            ).because("language-refused", {"status": status})
        return "answers"
    status, body = ask(settings.language_url, "/api/tags", timeout_seconds=_SECONDS)
    names: set[str] | None = None
    try:
        if status == HTTPStatus.OK:
            names = {_tagged(model["name"]) for model in json.loads(body)["models"]}
    except (ValueError, KeyError, TypeError):
        names = None
    if names is None:
        remedy = "Check that this is Ollama's address."
        raise UnavailableError(
            f"no list of models, it answers {status}",
            field="language_url",
            value=settings.language_url,
            remedy=remedy,
        ).because("language-refused", {"status": status})
    configured = (settings.language_model, settings.embedding_model)
    absent = [name for name in configured if _tagged(name) not in names]
    if not absent:
        return "both models are there"
    pulls = "; ".join(f"ollama pull {name}" for name in absent)
    return (
        f"{', '.join(absent)} not pulled yet, until then Luna answers without; pull with: {pulls}"
    )


def _tagged(model: str) -> str:
    # Ollama takes a name without a tag for the latest.
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


# Larger than any expected answer.
MAX_BYTES = 4_000_000


def ask(
    url: str, path: str, *, timeout_seconds: float, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Return status and body of ``GET url/path``.

    Raises:
        UnavailableError: ``url`` is no address, nothing answers there, or what answers does not
            speak HTTP.
    """
    try:
        parts = urlsplit(url)
        kind = {"http": HTTPConnection, "https": HTTPSConnection}[parts.scheme]
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_seconds)
    except (KeyError, ValueError) as exc:
        raise UnavailableError(
            "this is no address of a server", value=url, remedy="Write it as http://host:port."
        ) from exc
    try:
        connection.request("GET", parts.path.rstrip("/") + path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_BYTES)
    except (OSError, HTTPException) as exc:
        raise UnavailableError(
            f"does not answer: {str(exc) or type(exc).__name__}",
            value=url,
            remedy="Check that it runs and is reached from here.",
        ) from exc
    finally:
        connection.close()
