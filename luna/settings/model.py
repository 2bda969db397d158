"""All configuration, read once: environment, ``.env``, and ``*_FILE`` secrets."""

import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from luna.errors import InvalidInputError
from luna.site import invalid_input

Profile = Literal["", "obs", "llm", "obs,llm"]


class Deployment(BaseModel):
    """The variables of the compose file, with its own defaults; a test compares the two."""

    model_config = ConfigDict(frozen=True)

    compose_profiles: Annotated[
        Profile, Field(description="obs: metrics, logs, alerts, Grafana; llm: pulls the language models (5 GB); both: obs,llm; without this line neither")
    ] = "obs"
    luna_grafana_port: Annotated[int, Field(ge=1, le=65_535, description="port of Grafana, on the gateway's address")] = 3000
    luna_cpus: Annotated[float, Field(gt=0, description="CPUs that database, planner, forecaster or language model may each use; no more than there are")] = 2
    luna_secrets_folder: Annotated[str, Field(description="folder with a file per secret; empty until `make secrets` has made one and filled it in here")] = ""
    luna_version: Annotated[str, Field(description="version of Luna's images")] = "0.1.0"


DAY = timedelta(days=1)
# Marks a secret that another server gives out: `make secrets` makes its file empty, for the owner to fill in.
GIVEN_OUT = "given out by another server"


class FileSecrets(PydanticBaseSettingsSource):
    """Reads ``LUNA_<NAME>_FILE``: the value stands in the named file; newlines at its end do not count, and an empty file says nothing."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"LUNA_{field_name.upper()}_FILE")
        return (_read_secret(Path(path), field_name) or None if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def _read_secret(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8 text"
        raise InvalidInputError(
            f"the secret cannot be read: {reason}", field=f"LUNA_{name.upper()}_FILE", value=str(path), remedy="Name a readable file."
        ) from exc


class Settings(BaseSettings):
    """Every setting of Luna. Without server addresses, Luna runs its own embedded servers under ``data_folder``."""

    model_config = SettingsConfigDict(env_prefix="LUNA_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    data_folder: Annotated[Path, Field(description="where the embedded servers, caches and reports live")] = Path("var")
    cache_folder: Annotated[Path | None, Field(description="where downloads are kept; empty: the folder cache below data_folder")] = None
    database_url: Annotated[SecretStr | None, Field(description="PostgreSQL; empty means the embedded one")] = None
    database_password: Annotated[SecretStr | None, Field(description="joined to database_url")] = None
    redis_url: Annotated[SecretStr | None, Field(description="Redis; empty means the embedded one")] = None
    redis_password: Annotated[SecretStr | None, Field(description="joined to redis_url")] = None
    objects_url: Annotated[str | None, Field(description="S3 server; empty means files under data_folder")] = None
    objects_bucket: Annotated[str, Field(description="bucket of the S3 server")] = "luna"
    objects_region: Annotated[str, Field(description="region of the S3 server; most servers of one's own take any")] = "us-east-1"
    objects_access_key: Annotated[str, Field(description="user of the S3 server")] = "luna"
    objects_secret_key: Annotated[SecretStr | None, Field(description="password of the S3 server's user")] = None
    vectors_url: Annotated[str | None, Field(description="Qdrant; empty means the embedded one")] = None
    vectors_api_key: Annotated[SecretStr | None, Field(description="key of Qdrant")] = None
    language_url: Annotated[str | None, Field(description="Ollama; empty means answers without a language model")] = None
    language_model: Annotated[str, Field(description="model that words answers")] = "llama3.1:8b-instruct"
    embedding_model: Annotated[str, Field(description="model that turns text into vectors")] = "nomic-embed-text"
    home_assistant_url: Annotated[str | None, Field(description="Home Assistant, such as http://homeassistant.local:8123; empty: none")] = None
    home_assistant_token: Annotated[SecretStr | None, Field(description="long-lived access token of Home Assistant"), GIVEN_OUT] = None
    mqtt_url: Annotated[str | None, Field(description="MQTT broker, such as mqtt://luna@broker:1883; empty: none")] = None
    mqtt_password: Annotated[SecretStr | None, Field(description="password of the broker's user"), GIVEN_OUT] = None
    outside_services: Annotated[bool, Field(description="whether prices and weather that sites need are fetched from the services that publish them")] = True
    entsoe_token: Annotated[SecretStr | None, Field(description="token of the ENTSO-E Transparency Platform"), GIVEN_OUT] = None
    tibber_token: Annotated[SecretStr | None, Field(description="access token of Tibber"), GIVEN_OUT] = None
    api_host: Annotated[str, Field(description="address the gateway listens on; 0.0.0.0 opens it to the whole network")] = "127.0.0.1"
    api_port: Annotated[int, Field(ge=1, le=65_535, description="port the gateway listens on")] = 8080
    heartbeat_file: Annotated[Path | None, Field(description="file whose age says whether a worker or beat still turns")] = None
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="least severe log line written")] = "INFO"
    worker_processes: Annotated[int, Field(ge=1, le=256, description="processes of one worker")] = 2
    job_memory_bytes: Annotated[
        int | None, Field(ge=64_000_000, description="bytes that a task may take; empty: half of the machine's or container's memory, shared by the processes")
    ] = None
    plan_timeout: Annotated[timedelta, Field(gt=timedelta(0), description="how long the gateway waits for a plan")] = timedelta(seconds=30)
    plan_max_age: Annotated[timedelta, Field(gt=timedelta(0), description="age at which a plan is no longer followed")] = timedelta(hours=3)
    load_max_bytes: Annotated[int, Field(ge=1_000_000, description="bytes that a file to be loaded may have, unpacked")] = 8_000_000_000
    load_max_rows: Annotated[int, Field(ge=1000, description="rows that a file to be loaded may have")] = 10_000_000
    load_max_line_bytes: Annotated[int, Field(ge=1000, le=100_000_000, description="bytes that a line of a file to be loaded may have")] = 1_000_000
    compress_after: Annotated[timedelta, Field(ge=timedelta(days=1), description="age at which series are compressed, where TimescaleDB can")] = timedelta(
        days=30
    )
    forecast_retention: Annotated[timedelta | None, Field(ge=35 * DAY, description="age at which forecasts are deleted")] = 400 * DAY
    reading_retention: Annotated[timedelta | None, Field(ge=35 * DAY, description="age at which raw readings are deleted; empty keeps them")] = None
    job_retention: Annotated[timedelta, Field(ge=DAY, description="age at which jobs that are done, failed or cancelled are deleted")] = 90 * DAY
    dead_job_retention: Annotated[timedelta, Field(ge=DAY, description="age at which jobs that never came to an end are deleted")] = 365 * DAY

    @property
    def cache(self) -> Path:
        """Where downloads are kept."""
        return self.cache_folder or self.data_folder / "cache"

    @model_validator(mode="before")
    @classmethod
    def _join_passwords(cls, values: dict[str, Any]) -> dict[str, Any]:
        joined = {f"{server}_url": _with_password(values.get(f"{server}_url"), values.get(f"{server}_password")) for server in ("database", "redis")}
        return values | {name: url for name, url in joined.items() if url is not None}

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSecrets(settings_cls), dotenv_settings


def _with_password(url: SecretStr | str | None, password: SecretStr | str | None) -> str | None:
    """Return ``url`` with ``password`` in it, None where there is nothing to join."""
    plain, word = (value.get_secret_value() if isinstance(value, SecretStr) else value for value in (url, password))
    if not plain or not word:
        return plain
    parts = urlsplit(plain)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{quote(word, safe='')}@{place}"))


@cache
def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        InvalidInputError: a setting is wrong, or a secret's file cannot be read; names the variable, its value and the bound.
    """
    try:
        return Settings()
    except ValidationError as exc:
        wrong = invalid_input(exc, field="")
        variable = f"LUNA_{wrong.field}".upper()
        value = os.environ.get(variable, wrong.value)
        raise InvalidInputError(wrong.message, field=variable, value=value, remedy="Correct it in the environment, its file or .env.") from exc
