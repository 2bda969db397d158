"""Settings that the pages store: kept for their owner alone, and below what an operator sets by
hand.
"""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from luna.energy.errors import InvalidInputError
from luna.platform.settings import Settings
from luna.platform.settings.stored import (
    describe_settings,
    find_source,
    is_changeable,
    refresh_settings,
    store_settings,
)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_stored_holds_at_the_next_start_and_nobody_else_may_read_it(data: Path) -> None:
    changed = store_settings(
        Settings(), {"home_assistant_url": "http://ha:8123", "home_assistant_token": "long-lived"}
    )
    assert (
        changed.home_assistant_token == Settings().home_assistant_token == SecretStr("long-lived")
    )
    assert stat.S_IMODE((data / "settings.json").stat().st_mode) == 0o600
    assert [file.name for file in data.iterdir()] == ["settings.json"]


def test_what_an_operator_sets_goes_before_and_cannot_be_changed_in_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store_settings(Settings(), {"home_assistant_url": "http://stored:8123"})
    monkeypatch.setenv("LUNA_HOME_ASSISTANT_URL", "http://by-hand:8123")
    assert Settings().home_assistant_url == "http://by-hand:8123"
    with pytest.raises(InvalidInputError, match="set by hand"):
        store_settings(Settings(), {"home_assistant_url": "http://stored:8123"})


def test_a_line_of_the_env_file_goes_before_too(data: Path) -> None:
    store_settings(Settings(), {"plan_timeout": "PT45S"})
    assert Settings().plan_timeout == timedelta(seconds=45)
    (data / ".env").write_text("LUNA_PLAN_TIMEOUT=PT20S\n", encoding="utf-8")
    assert Settings().plan_timeout == timedelta(seconds=20)


def test_a_value_out_of_bounds_is_refused_and_nothing_is_stored(data: Path) -> None:
    with pytest.raises(InvalidInputError) as refused:
        store_settings(Settings(), {"job_retention": "PT1H", "outside_services": False})
    assert refused.value.field == "job_retention"
    assert refused.value.parameters == {"ge": "1\u00a0d", "unit": ""}
    assert not (data / "settings.json").exists()


def test_addresses_of_servers_and_the_gateways_own_are_no_pages_business() -> None:
    for name in (
        "database_url",
        "redis_password",
        "data_folder",
        "api_host",
        "objects_secret_key",
        "no_such_setting",
    ):
        assert not is_changeable(name)
        with pytest.raises(InvalidInputError):
            store_settings(Settings(), {name: "x"})


def test_none_goes_back_to_the_default() -> None:
    store_settings(Settings(), {"outside_services": False})
    store_settings(Settings(), {"outside_services": None})
    assert Settings().outside_services
    assert find_source(Settings(), "outside_services") == "default"


def test_a_process_that_runs_sees_what_was_stored_and_what_was_taken_back() -> None:
    settings = Settings()
    seen = b""
    store_settings(settings, {"mqtt_url": "mqtt://broker"})
    settings, seen = refresh_settings(settings, seen)
    assert settings.mqtt_url == "mqtt://broker"
    assert refresh_settings(settings, seen)[0] is settings
    store_settings(settings, {"mqtt_url": None})
    assert refresh_settings(settings, seen)[0].mqtt_url is None


def test_a_description_names_every_setting_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNA_REDIS_PASSWORD", "hidden-in-environment")
    store_settings(Settings(), {"home_assistant_token": "hidden-in-file"})
    states = {state.name: state for state in describe_settings(Settings())}
    assert set(states) == set(Settings.model_fields)
    assert "hidden" not in str(states)
    assert (states["home_assistant_token"].source, states["redis_password"].source) == (
        "page",
        "environment",
    )
    assert states["plan_timeout"].value == "30\u00a0s"


@pytest.mark.parametrize("content", ["{", "[]", "\x00", '{"plan_timeout": "soon"}'])
def test_a_broken_file_is_named_or_its_value_is(data: Path, content: str) -> None:
    (data / "settings.json").write_text(content, encoding="utf-8")
    with pytest.raises((InvalidInputError, ValueError)):
        Settings()
