"""Store settings that an owner changes in the pages.

They are in a file beside the data; whatever an operator sets by hand takes precedence. The file
holds tokens in plain text, as ``.env`` does; nobody but its owner may read it.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr, TypeAdapter, ValidationError

from luna.energy.durations import format_duration, parse_duration
from luna.energy.errors import InvalidInputError, MachineError
from luna.energy.site import invalid_input
from luna.platform.settings.model import (
    CHANGEABLE,
    STORED_FILE,
    EnvironmentFile,
    EnvironmentVariables,
    FileSecrets,
    Settings,
    read_stored,
)

# The first source that names a setting counts.
SettingSource = Literal["environment", "secret_file", "dotenv", "page", "start", "default"]
# The user's name goes with it: it is half of what logs in.
_PASSWORD_IN_URL = re.compile(r"://[^\s/@]+@")
Plain = str | int | float | bool | None


class SettingState(NamedTuple):
    """A setting in force.

    Attributes:
        value: as text; a secret is masked.
        default: likewise.
        changeable: a page may store another value.
    """

    name: str
    value: str
    default: str
    source: SettingSource
    changeable: bool
    secret: bool
    description: str


def is_changeable(name: str) -> bool:
    """Return whether a page may store this setting."""
    return name in Settings.model_fields and CHANGEABLE in Settings.model_fields[name].metadata


def store_settings(settings: Settings, changes: Mapping[str, Plain]) -> Settings:
    """Store ``changes`` and return the new settings; None restores a default.

    Raises:
        InvalidInputError: a setting that no page may change, that an operator has set by hand, or a
            value out of bounds; nothing is stored.
        MachineError: the file cannot be written.
    """
    values = {name: _validate(settings, name, value) for name, value in changes.items()}
    plain = {name: _plain(values[name], value) for name, value in changes.items()}
    merged = read_stored(settings.data_folder) | plain
    stored = {name: value for name, value in merged.items() if value is not None}
    _write(settings.data_folder, stored)
    return settings.model_copy(update=values)


def refresh_settings(settings: Settings, previous: bytes) -> tuple[Settings, bytes]:
    """Return the settings with the file's present values, and the file's content.

    The same settings where the content is still ``previous``.
    """
    path = settings.data_folder / STORED_FILE
    content = path.read_bytes() if path.exists() else b""
    if content == previous:
        return settings, previous
    stored = read_stored(settings.data_folder)
    sources = _operator_sources()
    values = {}
    for name in {*stored, *json.loads(previous or b"{}")}:
        is_set_by_hand = any(name in source for source in sources.values())
        if not is_changeable(name) or is_set_by_hand:
            continue
        values[name] = Settings.model_fields[name].default
        if name in stored:
            values[name] = _parse(name, stored[name])
    return settings.model_copy(update=values), content


def describe_settings(settings: Settings) -> list[SettingState]:
    """Return every setting with its source; secrets are masked."""
    sources = _operator_sources() | {"page": read_stored(settings.data_folder)}
    return [_describe(settings, name, sources) for name in Settings.model_fields]


def find_source(settings: Settings, name: str) -> SettingSource:
    """Return where a setting comes from."""
    sources = _operator_sources() | {"page": read_stored(settings.data_folder)}
    return _find_source(settings, name, sources)


def _describe(
    settings: Settings, name: str, sources: Mapping[SettingSource, Mapping[str, Any]]
) -> SettingState:
    field = Settings.model_fields[name]
    value = getattr(settings, name)
    secret = isinstance(value, SecretStr) or "SecretStr" in str(field.annotation)
    source = _find_source(settings, name, sources)
    changeable = is_changeable(name) and source in {"page", "default"}
    return SettingState(
        name,
        _show(value),
        _show(field.default),
        source,
        changeable,
        secret,
        field.description or "",
    )


def _find_source(
    settings: Settings, name: str, sources: Mapping[SettingSource, Mapping[str, Any]]
) -> SettingSource:
    by_operator = next((source for source, values in sources.items() if name in values), None)
    if by_operator is not None:
        return by_operator
    return "default" if getattr(settings, name) == Settings.model_fields[name].default else "start"


def _plain(value: object, given: Plain) -> Plain:
    """Return what the file holds for a value: durations in ISO 8601, all else as given."""
    if given is None or not isinstance(value, timedelta):
        return given
    return TypeAdapter(timedelta).dump_python(value, mode="json")  # type: ignore[no-any-return]


def _show(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, SecretStr):
        return "***"
    plain = TypeAdapter(type(value)).dump_python(value, mode="json")
    if isinstance(plain, bool):
        return str(plain).lower()
    return _PASSWORD_IN_URL.sub("://***@", str(plain))


def _operator_sources() -> dict[SettingSource, Mapping[str, Any]]:
    return {
        "environment": EnvironmentVariables(Settings)(),
        "secret_file": FileSecrets(Settings)(),
        "dotenv": EnvironmentFile(Settings)(),
    }


def _validate(settings: Settings, name: str, value: Plain) -> object:
    if not is_changeable(name):
        raise InvalidInputError(
            "no page changes this setting",
            field=name,
            remedy=f"Set LUNA_{name.upper()} in the environment and start again.",
        )
    source = find_source(settings, name)
    if source in {"environment", "secret_file", "dotenv"}:
        raise InvalidInputError(
            f"is set by hand ({source})",
            field=name,
            remedy=f"Change LUNA_{name.upper()} there, or take it out and start again.",
        )
    return Settings.model_fields[name].default if value is None else _parse(name, value)


def _parse(name: str, value: Plain) -> object:
    field = Settings.model_fields[name]
    given: object = value
    if isinstance(value, str) and "timedelta" in str(field.annotation):
        # An owner writes "90 s", files and the environment ISO 8601.
        given = parse_duration(value) or value
    try:
        return TypeAdapter[Any](field.rebuild_annotation()).validate_python(given)
    except ValidationError as exc:
        raise invalid_input(exc, field=name) from exc


def _write(folder: Path, values: Mapping[str, Plain]) -> None:
    """Write the file whole or not at all, readable by its owner alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=folder, prefix=f"{STORED_FILE}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(folder / STORED_FILE)
    except OSError as exc:
        raise MachineError(
            f"settings cannot be stored: {exc.strerror}",
            field="data_folder",
            value=str(folder),
            remedy="Make it writable.",
        ) from exc
