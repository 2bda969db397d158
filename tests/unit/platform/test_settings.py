"""Settings come from the environment, from secrets' files and from ``.env``.

A wrong one is named.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from luna.energy.errors import InvalidInputError
from luna.platform.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of this machine: an empty folder, no variables."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LUNA_{name.upper()}", raising=False)
        monkeypatch.delenv(f"LUNA_{name.upper()}_FILE", raising=False)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def read_database_url() -> str | None:
    url = load_settings().database_url
    return url.get_secret_value() if url is not None else None


def test_everything_has_a_default_that_needs_no_server() -> None:
    settings = load_settings()
    assert (settings.data_folder, settings.database_url, settings.redis_url) == (
        Path("var"),
        None,
        None,
    )
    assert (settings.api_host, settings.api_port, settings.plan_timeout) == (
        "127.0.0.1",
        8080,
        timedelta(seconds=30),
    )


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNA_API_PORT", "9090")
    monkeypatch.setenv("LUNA_DATABASE_URL", "postgresql://elsewhere/luna")
    monkeypatch.setenv("LUNA_PLAN_TIMEOUT", "PT45S")
    settings = load_settings()
    assert (settings.api_port, settings.plan_timeout) == (9090, timedelta(seconds=45))
    assert read_database_url() == "postgresql://elsewhere/luna"


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_settings()
    monkeypatch.setenv("LUNA_API_PORT", "9090")
    assert load_settings() is before


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("postgresql://user:word@db/luna\n")
    monkeypatch.setenv("LUNA_DATABASE_URL_FILE", str(tmp_path / "secret"))
    assert read_database_url() == "postgresql://user:word@db/luna"


def test_the_environment_outranks_a_secrets_file_and_that_outranks_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LUNA_DATABASE_URL=from-dotenv\n")
    assert Settings().database_url is not None
    (tmp_path / "secret").write_text("from-file")
    monkeypatch.setenv("LUNA_DATABASE_URL_FILE", str(tmp_path / "secret"))
    assert read_database_url() == "from-file"
    load_settings.cache_clear()
    monkeypatch.setenv("LUNA_DATABASE_URL", "from-environment")
    assert read_database_url() == "from-environment"


def test_an_empty_address_means_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNA_DATABASE_URL", "")
    monkeypatch.setenv("LUNA_REDIS_URL", "")
    assert (load_settings().database_url, load_settings().redis_url) == (None, None)


def test_an_empty_file_gives_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("\n")
    monkeypatch.setenv("LUNA_MQTT_PASSWORD_FILE", str(tmp_path / "password"))
    assert load_settings().mqtt_password is None


def test_an_empty_variable_does_not_hide_a_secrets_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from-file")
    monkeypatch.setenv("LUNA_DATABASE_URL", "")
    monkeypatch.setenv("LUNA_DATABASE_URL_FILE", str(tmp_path / "secret"))
    assert read_database_url() == "from-file"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNA_REDIS_URL", "redis://:hunter2@queue")
    assert "hunter2" not in repr(load_settings())
    assert "hunter2" not in str(load_settings().model_dump())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "0"),
        ("API_PORT", "70000"),
        ("API_PORT", "http"),
        ("LOG_LEVEL", "loud"),
        ("WORKER_PROCESSES", "0"),
        ("PLAN_TIMEOUT", "soon"),
        ("PLAN_TIMEOUT", "-PT5S"),
        ("PLAN_TIMEOUT", "PT0S"),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable_with_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LUNA_{name}", value)
    with pytest.raises(InvalidInputError, match=f"LUNA_{name}.*{value.lstrip('-P')}") as caught:
        load_settings()
    assert caught.value.field == f"LUNA_{name}"
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["missing", "binary", "."], ids=["missing", "no text", "a folder"])
def test_a_secrets_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("LUNA_DATABASE_URL_FILE", str(tmp_path / name))
    with pytest.raises(InvalidInputError) as caught:
        load_settings()
    assert (caught.value.field, caught.value.value) == (
        "LUNA_DATABASE_URL_FILE",
        str(tmp_path / name),
    )
    assert caught.value.remedy


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().api_port = 1  # type: ignore[misc]
