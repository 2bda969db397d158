"""All configuration, read once: environment, ``.env``, and ``*_FILE`` secrets."""

import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from luna.errors import InvalidInputError
from luna.site import invalid_input


class FileSecrets(PydanticBaseSettingsSource):
    """Reads ``LUNA_<NAME>_FILE``: the value stands in the named file; newlines at its end do not count."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"LUNA_{field_name.upper()}_FILE")
        return (_read_secret(Path(path), field_name) if path else None), field_name, False

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
    database_url: Annotated[SecretStr | None, Field(description="PostgreSQL; empty means the embedded one")] = None
    redis_url: Annotated[SecretStr | None, Field(description="Redis; empty means the embedded one")] = None
    api_host: Annotated[str, Field(description="address the gateway listens on")] = "127.0.0.1"
    api_port: Annotated[int, Field(ge=1, le=65_535, description="port the gateway listens on")] = 8080
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="least severe log line written")] = "INFO"
    worker_processes: Annotated[int, Field(ge=1, le=256, description="processes of one worker")] = 2
    plan_timeout: Annotated[timedelta, Field(gt=timedelta(0), description="how long the gateway waits for a plan")] = timedelta(seconds=30)

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
