"""Read all configuration once.

Environment, ``*_FILE`` secrets, ``.env``, and what the pages stored.
"""

import json
import os
from datetime import timedelta
from functools import cache
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from luna.energy.errors import InvalidInputError
from luna.energy.site import invalid_input
from luna.words.language import Language

Profile = Literal["", "obs", "llm", "obs,llm", "tls", "obs,tls", "llm,tls", "obs,llm,tls"]


class Deployment(BaseModel):
    """The variables of the compose file, with its own defaults; a test compares the two."""

    model_config = ConfigDict(frozen=True)

    compose_profiles: Annotated[
        Profile,
        Field(
            description=(
                "obs: metrics, logs, alerts, Grafana; llm: pulls the language models (5 GB); "
                "tls: https; several: obs,tls; without this line none"
            )
        ),
    ] = "obs"
    luna_grafana_port: Annotated[
        int, Field(ge=1, le=65_535, description="port of Grafana, on the gateway's address")
    ] = 3000
    luna_domain: Annotated[
        str, Field(description="name under which the profile tls serves https")
    ] = "localhost"
    luna_cpus: Annotated[
        float,
        Field(
            gt=0,
            description=(
                "CPUs that database, planner, forecaster or language model may each use; no "
                "more than there are"
            ),
        ),
    ] = 2
    luna_secrets_folder: Annotated[
        str,
        Field(
            description=(
                "folder with a file per secret; empty until `make secrets` has made one and "
                "filled it in here"
            )
        ),
    ] = ""
    luna_version: Annotated[str, Field(description="version of Luna's images")] = "0.1.0"


DAY = timedelta(days=1)
# Marks a secret that another server gives out: `make secrets` makes its file empty, for the owner
# to fill in.
ISSUED_ELSEWHERE = "given out by another server"
# Marks a setting that an owner may change in the pages; what an operator sets by hand goes before.
CHANGEABLE = "may be changed in the pages"
STORED_FILE = "settings.json"


class _NamedFields(EnvSettingsSource):
    """Looks at the settings that variables name, and at no other.

    Their kinds are worked out anew at every reading: for all of them it takes 2 ms.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if self.env_prefix.lower() + field_name not in self.env_vars:
            # As if its kind were known, so that nothing looks for it.
            return None, field_name, True
        return super().get_field_value(field, field_name)

    def prepare_field_value(
        self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool
    ) -> Any:
        if value is None:
            return None
        return super().prepare_field_value(field_name, field, value, value_is_complex)


class EnvironmentVariables(_NamedFields):
    """Reads ``LUNA_<NAME>`` of the environment."""


class EnvironmentFile(_NamedFields, DotEnvSettingsSource):
    """Reads ``LUNA_<NAME>`` of the file ``.env``."""


class FileSecrets(PydanticBaseSettingsSource):
    """Reads ``LUNA_<NAME>_FILE``: the value stands in the named file.

    Newlines at its end do not count, and an empty file says nothing.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"LUNA_{field_name.upper()}_FILE")
        return (_read_secret(Path(path), field_name) or None if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}


class StoredSettings(PydanticBaseSettingsSource):
    """Reads the settings that pages stored, from the data folder that earlier sources name."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        folder = (
            self.current_state.get("data_folder")
            or self.settings_cls.model_fields["data_folder"].default
        )
        fields = self.settings_cls.model_fields
        stored = read_stored(Path(folder))
        return {name: stored[name] for name in stored if CHANGEABLE in fields[name].metadata}


def read_stored(folder: Path) -> dict[str, Any]:
    """Return the settings that the pages stored, by name; empty if they never did.

    Raises:
        InvalidInputError: the file cannot be read, or is none of ours.
    """
    path = folder / STORED_FILE
    remedy = "Correct the file or delete it; the pages write it anew."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise InvalidInputError(
            "the stored settings cannot be read", field="settings", value=str(path), remedy=remedy
        ) from exc
    if not isinstance(document, dict):
        raise InvalidInputError(
            "the stored settings are no object", field="settings", value=str(path), remedy=remedy
        )
    # A release before or after this one knows others.
    return {name: value for name, value in document.items() if name in Settings.model_fields}


def _read_secret(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8 text"
        raise InvalidInputError(
            f"the secret cannot be read: {reason}",
            field=f"LUNA_{name.upper()}_FILE",
            value=str(path),
            remedy="Name a readable file.",
        ) from exc


class Settings(BaseSettings):
    """Every setting of Luna.

    Without server addresses, Luna runs its own embedded servers under ``data_folder``.
    """

    model_config = SettingsConfigDict(
        env_prefix="LUNA_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_folder: Annotated[
        Path, Field(description="where the embedded servers, caches and reports live")
    ] = Path("var")
    cache_folder: Annotated[
        Path | None,
        Field(description="where downloads are kept; empty: the folder cache below data_folder"),
    ] = None
    database_url: Annotated[
        SecretStr | None, Field(description="PostgreSQL; empty means the embedded one")
    ] = None
    database_password: Annotated[SecretStr | None, Field(description="joined to database_url")] = (
        None
    )
    redis_url: Annotated[
        SecretStr | None, Field(description="Redis; empty means the embedded one")
    ] = None
    redis_password: Annotated[SecretStr | None, Field(description="joined to redis_url")] = None
    objects_url: Annotated[
        str | None, Field(description="S3 server; empty means files under data_folder")
    ] = None
    objects_bucket: Annotated[str, Field(description="bucket of the S3 server")] = "luna"
    objects_region: Annotated[
        str, Field(description="region of the S3 server; most servers of one's own take any")
    ] = "us-east-1"
    objects_access_key: Annotated[str, Field(description="user of the S3 server")] = "luna"
    objects_secret_key: Annotated[
        SecretStr | None, Field(description="password of the S3 server's user")
    ] = None
    vectors_url: Annotated[
        str | None, Field(description="Qdrant; empty means the embedded one")
    ] = None
    vectors_api_key: Annotated[SecretStr | None, Field(description="key of Qdrant")] = None
    language_url: Annotated[
        str | None,
        Field(
            description=(
                "Ollama, or a server of OpenAI's protocol; empty means answers without a "
                "language model"
            )
        ),
    ] = None
    language_api: Annotated[
        Literal["ollama", "openai"] | None,
        Field(
            validate_default=True,
            description=(
                "protocol of language_url; empty: openai where its address ends with /v1, else "
                "ollama"
            ),
        ),
    ] = None
    language_key: Annotated[
        SecretStr | None, Field(description="key of the language model's server"), ISSUED_ELSEWHERE
    ] = None
    language_timeout: Annotated[
        timedelta,
        Field(
            ge=timedelta(seconds=1),
            le=timedelta(minutes=10),
            description="how long the language model may take for an answer",
        ),
    ] = timedelta(seconds=90)
    language_concurrency: Annotated[
        int,
        Field(
            ge=1, le=64, description="answers that one process has the language model word at once"
        ),
    ] = 2
    language_model: Annotated[str, Field(description="model that words answers")] = (
        "llama3.1:8b-instruct"
    )
    embedding_model: Annotated[
        str, Field(description="model of the language model's server that turns text into vectors")
    ] = "nomic-embed-text"
    rerank_model: Annotated[
        str | None,
        Field(
            description=(
                "model of the language model's server that puts passages in order (POST "
                "/v1/rerank); empty: none"
            )
        ),
    ] = None
    embedding_download: Annotated[
        bool,
        Field(
            description=(
                "whether Luna's own embedding model (84 MB) is fetched once where there is no "
                "language model's server"
            )
        ),
    ] = True
    recommendation_policy: Annotated[
        Literal["linucb", "thompson"],
        Field(
            description=(
                "how recommendations are chosen: linucb, the highest upper bound; thompson, by "
                "chance and belief"
            )
        ),
    ] = "linucb"
    home_assistant_url: Annotated[
        str | None,
        Field(description="Home Assistant, such as http://homeassistant.local:8123; empty: none"),
        CHANGEABLE,
    ] = None
    home_assistant_token: Annotated[
        SecretStr | None,
        Field(description="long-lived access token of Home Assistant"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    mqtt_url: Annotated[
        str | None,
        Field(description="MQTT broker, such as mqtt://luna@broker:1883; empty: none"),
        CHANGEABLE,
    ] = None
    mqtt_password: Annotated[
        SecretStr | None,
        Field(description="password of the broker's user"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    mqtt_publish: Annotated[
        Literal["off", "sensors", "control"],
        Field(
            description=(
                "whether Home Assistant finds each site at the MQTT broker: off; sensors, to "
                "look at; control, also what can be switched"
            )
        ),
        CHANGEABLE,
    ] = "off"
    message_language: Annotated[
        Language,
        Field(
            description="language of what Luna says by itself: to Home Assistant, to phone and mail"
        ),
        CHANGEABLE,
    ] = "en"
    notify_urls: Annotated[
        SecretStr | None,
        Field(
            description=(
                "where messages go, a line each: an Apprise URL, or notify.NAME of Home "
                "Assistant; before it, events with commas and ="
            )
        ),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    notify_quiet_hours: Annotated[
        str,
        Field(
            pattern=r"^(off|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)$",
            description="in which messages wait that can, by the site's clock; off: none",
        ),
        CHANGEABLE,
    ] = "22:00-07:00"
    outside_services: Annotated[
        bool,
        Field(
            description=(
                "whether prices, weather and carbon intensities that sites need are fetched from "
                "the services that publish them"
            )
        ),
        CHANGEABLE,
    ] = True
    entsoe_token: Annotated[
        SecretStr | None,
        Field(description="token of the ENTSO-E Transparency Platform"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    tibber_token: Annotated[
        SecretStr | None, Field(description="access token of Tibber"), ISSUED_ELSEWHERE, CHANGEABLE
    ] = None
    esios_token: Annotated[
        SecretStr | None, Field(description="personal token of ESIOS"), ISSUED_ELSEWHERE, CHANGEABLE
    ] = None
    ostrom_token: Annotated[
        SecretStr | None,
        Field(description="API client of Ostrom, as client_id:client_secret"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    octopus_token: Annotated[
        SecretStr | None,
        Field(description="account and API key of Octopus Energy, as account:api_key"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    amber_token: Annotated[
        SecretStr | None, Field(description="access token of Amber"), ISSUED_ELSEWHERE, CHANGEABLE
    ] = None
    openadr_token: Annotated[
        SecretStr | None,
        Field(description="access token of the grid operator's OpenADR server"),
        ISSUED_ELSEWHERE,
    ] = None
    ieee2030_certificate: Annotated[
        SecretStr | None,
        Field(
            description=(
                "certificate and key, as PEM, for the grid operator's IEEE 2030.5 server, with "
                "the server's authority where it has its own"
            )
        ),
        ISSUED_ELSEWHERE,
    ] = None
    electricity_maps_token: Annotated[
        SecretStr | None,
        Field(description="token of Electricity Maps"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    solcast_token: Annotated[
        SecretStr | None,
        Field(description="roof and key at Solcast, as resource_id:api_key"),
        ISSUED_ELSEWHERE,
        CHANGEABLE,
    ] = None
    forecast_solar: Annotated[
        bool,
        Field(description="whether forecast.solar is asked for PV forecasts, by place and roof"),
        CHANGEABLE,
    ] = False
    api_host: Annotated[
        str,
        Field(description="address the gateway listens on; 0.0.0.0 opens it to the whole network"),
    ] = "127.0.0.1"
    api_port: Annotated[int, Field(ge=1, le=65_535, description="port the gateway listens on")] = (
        8080
    )
    ocpp_port: Annotated[
        int,
        Field(
            ge=0,
            le=65_535,
            description=(
                "port at which charge points connect to this machine by OCPP; 0: they cannot"
            ),
        ),
    ] = 8887
    api_ingress: Annotated[
        bool,
        Field(
            description=(
                "the gateway stands behind Home Assistant's ingress, and answers nobody else"
            )
        ),
    ] = False
    api_sign_in: Annotated[
        Literal["automatic", "optional", "required"],
        Field(
            description=(
                "optional: until somebody is set up, the owner's token opens everything; "
                "required: never; automatic: optional on 127.0.0.1 alone"
            )
        ),
    ] = "automatic"
    trusted_proxies: Annotated[
        str,
        Field(
            description=(
                "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses, "
                "networks, host names, separated by commas"
            )
        ),
    ] = ""
    admin_password: Annotated[
        SecretStr | None,
        Field(description="password of the first user, admin, who is made where nobody is set up"),
    ] = None
    token_key: Annotated[
        SecretStr | None,
        Field(
            description=(
                "key that signs access tokens, 32 characters and more; empty: made below "
                "data_folder"
            )
        ),
    ] = None
    owner_token: Annotated[
        SecretStr | None,
        Field(
            description=(
                "token that lets this machine's programs do everything until somebody is set "
                "up, 32 characters and more; empty: made by luna up"
            )
        ),
    ] = None
    monitor_token: Annotated[
        SecretStr | None,
        Field(description="token with which a monitor may read /metrics and /health/services"),
    ] = None
    session_idle: Annotated[
        timedelta, Field(ge=timedelta(minutes=5), description="how long a sign-in may go unused")
    ] = 7 * DAY
    session_life: Annotated[
        timedelta, Field(ge=timedelta(minutes=5), description="how long a sign-in lasts at most")
    ] = 30 * DAY
    requests_per_minute: Annotated[
        int,
        Field(
            ge=10,
            description=(
                "requests that one user, key or address may make in a minute; in all, twenty "
                "times as many"
            ),
        ),
    ] = 1200
    solves_per_minute: Annotated[
        int,
        Field(ge=1, description="plans, questions and jobs that one user may ask for in a minute"),
    ] = 60
    sign_ins_per_minute: Annotated[
        int,
        Field(
            ge=1,
            description=(
                "tries to sign in a minute from one address, and for one name; in all, twenty "
                "times as many"
            ),
        ),
    ] = 5
    frame_ancestors: Annotated[
        Literal["none", "self"],
        Field(
            description=(
                "who may show the pages in a frame: nobody, or pages of the same address, as "
                "those of Home Assistant"
            )
        ),
    ] = "none"
    heartbeat_file: Annotated[
        Path | None, Field(description="file whose age says whether a worker or beat still turns")
    ] = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="least severe log line written"),
    ] = "INFO"
    traces_url: Annotated[
        str | None,
        Field(
            description=(
                "collector of OpenTelemetry's traces (OTLP over HTTP), such as "
                "http://collector:4318; empty: no traces are made"
            )
        ),
    ] = None
    worker_processes: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description=(
                "processes of one worker; where nothing is set, luna up has one for jobs below "
                "1.6 GB of memory"
            ),
        ),
    ] = 2
    job_memory_bytes: Annotated[
        int | None,
        Field(
            ge=64_000_000,
            description=(
                "bytes that a task may take; empty: half of the machine's or container's "
                "memory, shared by the processes"
            ),
        ),
    ] = None
    plan_timeout: Annotated[
        timedelta,
        Field(gt=timedelta(0), description="how long the gateway waits for a plan"),
        CHANGEABLE,
    ] = timedelta(seconds=30)
    plan_max_age: Annotated[
        timedelta,
        Field(gt=timedelta(0), description="age at which a plan is no longer followed"),
        CHANGEABLE,
    ] = timedelta(hours=3)
    plan_search_limit: Annotated[
        timedelta,
        Field(
            ge=timedelta(0),
            le=timedelta(minutes=2),
            description=(
                "how long plans that may cost over 0.3 % or a cent too much are searched further "
                "in the background after each planning; 0: not at all"
            ),
        ),
        CHANGEABLE,
    ] = timedelta(seconds=3)
    plan_refresh: Annotated[
        Literal["armed", "all"],
        Field(
            description=(
                "which sites are planned when something of them changes and before their last "
                "plan is an hour old: all, or armed ones"
            )
        ),
    ] = "all"
    plan_batch_sites: Annotated[
        int, Field(ge=1, le=2000, description="sites that are planned by one task")
    ] = 50
    forecast_batch_sites: Annotated[
        int, Field(ge=1, le=2000, description="sites whose forecasts are issued by one task")
    ] = 50
    load_max_bytes: Annotated[
        int,
        Field(ge=1_000_000, description="bytes that a file to be loaded may have, unpacked"),
        CHANGEABLE,
    ] = 8_000_000_000
    load_max_rows: Annotated[
        int, Field(ge=1000, description="rows that a file to be loaded may have"), CHANGEABLE
    ] = 10_000_000
    load_max_line_bytes: Annotated[
        int,
        Field(
            ge=1000, le=100_000_000, description="bytes that a line of a file to be loaded may have"
        ),
        CHANGEABLE,
    ] = 1_000_000
    document_max_bytes: Annotated[
        int,
        Field(ge=1_000_000, le=1_000_000_000, description="bytes that a document may have"),
        CHANGEABLE,
    ] = 50_000_000
    document_max_pages: Annotated[
        int, Field(ge=1, le=100_000, description="pages that a document may have"), CHANGEABLE
    ] = 2000
    document_timeout: Annotated[
        timedelta,
        Field(
            ge=timedelta(seconds=5),
            le=timedelta(minutes=30),
            description="how long reading one document may take",
        ),
        CHANGEABLE,
    ] = timedelta(minutes=2)
    compress_after: Annotated[
        timedelta,
        Field(
            ge=timedelta(days=1),
            description="age at which series are compressed, where TimescaleDB can",
        ),
    ] = timedelta(days=30)
    forecast_retention: Annotated[
        timedelta | None,
        Field(ge=35 * DAY, description="age at which forecasts are deleted"),
        CHANGEABLE,
    ] = 400 * DAY
    plan_retention: Annotated[
        timedelta | None,
        Field(
            ge=35 * DAY,
            description="age at which plans are deleted, but for the newest of each site",
        ),
        CHANGEABLE,
    ] = 400 * DAY
    reading_retention: Annotated[
        timedelta | None,
        Field(ge=35 * DAY, description="age at which raw readings are deleted; empty keeps them"),
        CHANGEABLE,
    ] = None
    job_retention: Annotated[
        timedelta,
        Field(
            ge=DAY, description="age at which jobs that are done, failed or cancelled are deleted"
        ),
        CHANGEABLE,
    ] = 90 * DAY
    dead_job_retention: Annotated[
        timedelta,
        Field(ge=DAY, description="age at which jobs that never came to an end are deleted"),
        CHANGEABLE,
    ] = 365 * DAY
    audit_retention: Annotated[
        timedelta,
        Field(ge=30 * DAY, description="age at which entries of the audit log are deleted"),
    ] = 400 * DAY
    logs_url: Annotated[
        str | None,
        Field(
            description=(
                "Loki, whose lines are stored day by day in the store of objects, such as "
                "http://loki:3100; empty: none are"
            )
        ),
    ] = None
    log_retention: Annotated[
        timedelta, Field(ge=14 * DAY, description="age at which stored days of logs are deleted")
    ] = 400 * DAY
    answer_retention: Annotated[
        timedelta,
        Field(
            ge=DAY,
            description=(
                "age at which questions and their answers are deleted, and questions what "
                "would have been"
            ),
        ),
        CHANGEABLE,
    ] = 90 * DAY
    backup_folder: Annotated[
        Path | None,
        Field(
            description=(
                "where backups are kept, best on another disk; empty: the folder backups below "
                "data_folder"
            )
        ),
    ] = None
    backup_key: Annotated[
        SecretStr | None,
        Field(
            description=(
                "key of the backups, 32 characters and more, of which a copy belongs "
                "elsewhere; empty: made below data_folder"
            )
        ),
    ] = None
    backup_every: Annotated[
        timedelta | None,
        Field(ge=timedelta(hours=1), description="time between two backups; empty: none by itself"),
    ] = DAY
    backup_keep_daily: Annotated[
        int,
        Field(
            ge=1,
            le=366,
            description=(
                "days of which a backup is kept, and within which any instant can be restored"
            ),
        ),
    ] = 7
    backup_keep_weekly: Annotated[
        int, Field(ge=0, le=520, description="weeks of which a backup is kept")
    ] = 4
    backup_keep_monthly: Annotated[
        int, Field(ge=0, le=120, description="months of which a backup is kept")
    ] = 12
    drill_every: Annotated[
        timedelta | None,
        Field(
            ge=DAY,
            description=(
                "time between two trial restores of the newest backup; empty: none by itself"
            ),
        ),
    ] = 7 * DAY

    @property
    def cache(self) -> Path:
        return self.cache_folder or self.data_folder / "cache"

    @property
    def listens_here_alone(self) -> bool:
        """Whether the gateway can be reached from this machine alone."""
        return is_loopback(self.api_host)

    @property
    def takes_owner_token(self) -> bool:
        """Whether the owner's token opens the gateway until somebody is set up."""
        return self.api_sign_in != "required" and self.listens_here_alone

    @field_validator("language_api")
    @classmethod
    def _guess_protocol(cls, protocol: str | None, info: ValidationInfo) -> str | None:
        url = info.data.get("language_url")
        if protocol or url is None:
            return protocol or None
        return "openai" if url.rstrip("/").endswith("/v1") else "ollama"

    @field_validator("api_sign_in")
    @classmethod
    def _ask_elsewhere(cls, sign_in: str, info: ValidationInfo) -> str:
        if sign_in == "optional" and not is_loopback(info.data.get("api_host", "")):
            raise ValueError(
                "only a gateway on 127.0.0.1 may do without passwords; set it to required, "
                "or LUNA_API_HOST to 127.0.0.1"
            )
        return sign_in

    @field_validator("token_key", "owner_token", "backup_key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        # Source: RFC 7518, 3.2: a key of HS256 is as long as its hash. That of backups protects
        # everything there is.
        if key is not None and len(key.get_secret_value()) < 32:
            raise ValueError("has fewer than 32 characters")
        return key

    @model_validator(mode="before")
    @classmethod
    def _join_passwords(cls, values: dict[str, Any]) -> dict[str, Any]:
        joined = dict(values)
        for server in ("database", "redis"):
            url = _with_password(values.get(f"{server}_url"), values.get(f"{server}_password"))
            if url is not None:
                joined[f"{server}_url"] = url
        return joined

    @classmethod
    def settings_customise_sources(  # noqa: PLR0917
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            EnvironmentVariables(settings_cls),
            FileSecrets(settings_cls),
            EnvironmentFile(
                settings_cls, env_file=cast("DotEnvSettingsSource", dotenv_settings).env_file
            ),
            StoredSettings(settings_cls),
        )


# Settings that other servers give out: empty until their owner fills them in, so nobody asks how
# good they are. Alertmanager alone reads alert_url.
EXTERNAL_SECRETS = (
    *(name for name, field in Settings.model_fields.items() if ISSUED_ELSEWHERE in field.metadata),
    "alert_url",
)


def is_loopback(host: str) -> bool:
    """Return whether an address is this machine's own, which nobody else can reach."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _with_password(url: SecretStr | str | None, password: SecretStr | str | None) -> str | None:
    """Return ``url`` with ``password`` in it, None where there is nothing to join."""
    plain, word = (
        value.get_secret_value() if isinstance(value, SecretStr) else value
        for value in (url, password)
    )
    if not plain or not word:
        return plain
    parts = urlsplit(plain)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(
        parts._replace(netloc=f"{user.partition(':')[0]}:{quote(word, safe='')}@{place}")
    )


@cache
def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        InvalidInputError: a setting is wrong, or a secret's file cannot be read; names the
            variable, its value and the bound.
    """
    try:
        return Settings()
    except ValidationError as exc:
        wrong = invalid_input(exc, field="")
        variable = f"LUNA_{wrong.field}".upper()
        value = os.environ.get(variable, wrong.value)
        raise InvalidInputError(
            wrong.message,
            field=variable,
            value=value,
            remedy="Correct it in the environment, its file or .env.",
        ) from exc
