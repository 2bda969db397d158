"""The folder that Home Assistant installs Luna from: valid by the published schemas, its options
known, its translations whole.
"""

import importlib.util
import re
import struct
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from luna.platform.settings import Settings
from luna.words.catalogue import CATALOGUE

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "infra/home-assistant"
APP = FOLDER / "luna"

Text = Annotated[str, StringConstraints(min_length=1)]
Arch = Literal["aarch64", "amd64"]
# Source: developers.home-assistant.io, "App configuration", options and schema;
# supervisor/addons/options.py: RE_SCHEMA_ELEMENT.
ELEMENT = re.compile(
    r"(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?"
    r":\(\d*,\d*\))?"
    r"|int(?:\(-?\d*,-?\d*\))?|float(?:\([\d.-]*,[\d.-]*\))?|match\(.*\)|list\(.+\))\??"
)
# Source: supervisor/addons/validate.py: RE_DOCKER_IMAGE_BUILD.
IMAGE = re.compile(r"([a-zA-Z\-\.:\d{}]+/)*?([\-\w{}]+)/([\-\w{}]+)(:[\.\-\w{}]+)?")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AppConfig(Strict):
    """config.yaml.

    Source: developers.home-assistant.io, "App configuration"; supervisor/addons/validate.py; those
    of its fields that are used here.
    """

    name: Text
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    slug: Annotated[str, StringConstraints(pattern=r"^[-_.A-Za-z0-9]+$")]
    description: Text
    arch: Annotated[list[Arch], Field(min_length=1)]
    init: bool
    startup: Literal["initialize", "system", "services", "application", "once"]
    backup: Literal["hot", "cold"]
    timeout: Annotated[int, Field(ge=10, le=300)]
    homeassistant_api: bool
    services: list[Annotated[str, StringConstraints(pattern=r"^(mqtt|mysql):(provide|want|need)$")]]
    ingress: bool
    ingress_port: Annotated[int, Field(ge=0, le=65_535)]
    ingress_stream: bool
    panel_icon: Annotated[str, StringConstraints(pattern=r"^mdi:[a-z-]+$")]
    panel_title: Text
    watchdog: Annotated[
        str,
        StringConstraints(
            pattern=r"^(?:https?|\[PROTO:\w+\]|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*$"
        ),
    ]
    options: dict[str, Any]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class BuildConfig(Strict):
    """build.yaml. Source: supervisor/addons/validate.py: SCHEMA_BUILD_CONFIG."""

    build_from: dict[Arch, str]


class Repository(Strict):
    """repository.yaml. Source: supervisor/store/validate.py: SCHEMA_REPOSITORY_CONFIG."""

    name: Text
    maintainer: Text
    url: str | None = None


def load(path: str) -> Any:
    return yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))


CONFIG = AppConfig.model_validate(load("luna/config.yaml"))


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """What starts the app."""
    spec = importlib.util.spec_from_file_location("run", APP / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_repository_and_build_are_valid() -> None:
    Repository.model_validate(load("repository.yaml"))
    build = BuildConfig.model_validate(load("luna/build.yaml"))
    assert set(build.build_from) == set(CONFIG.arch)
    assert all(IMAGE.fullmatch(image) for image in build.build_from.values())
    assert 'version = "' + CONFIG.version + '"' in (ROOT / "pyproject.toml").read_text(
        encoding="utf-8"
    )


def test_every_option_has_a_kind_that_the_supervisor_knows_and_a_default_that_fits() -> None:
    kinds = [
        kind
        for each in CONFIG.schema_.values()
        for kind in (each if isinstance(each, list) else [each])
    ]
    assert [kind for kind in kinds if ELEMENT.fullmatch(kind) is None] == []
    optional = {
        name
        for name, kind in CONFIG.schema_.items()
        if isinstance(kind, str) and kind.endswith("?")
    }
    assert set(CONFIG.options) == set(CONFIG.schema_) - optional
    choices = {
        name: kind[5:-1].split("|")
        for name, kind in CONFIG.schema_.items()
        if isinstance(kind, str) and kind.startswith("list(")
    }
    # YAML takes a bare off for false.
    assert all(CONFIG.options[name] in words for name, words in choices.items())
    assert choices["language"] == [*CATALOGUE.languages]
    assert re.match(
        CONFIG.schema_["quiet_hours"].removeprefix("match(").removesuffix(")"),
        CONFIG.options["quiet_hours"],
    )


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_every_option_has_a_name_and_a_sentence_in_every_language(language: str) -> None:
    words = load(f"luna/translations/{language}.yaml")["configuration"]
    assert set(words) == set(CONFIG.schema_)
    assert all(
        set(each) == {"name", "description"} and all(each.values()) for each in words.values()
    )


@pytest.mark.parametrize(("picture", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_are_as_large_as_the_store_shows_them(picture: str, size: tuple[int, int]) -> None:
    header = (APP / picture).read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == size


def test_a_fresh_app_publishes_nothing_and_answers_ingress_alone(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read(run.name_settings(CONFIG.options, "token", None), monkeypatch)
    assert (settings.mqtt_publish, settings.mqtt_url, settings.notify_urls) == ("off", None, None)
    assert (settings.api_ingress, settings.api_port, settings.trusted_proxies) == (
        True,
        CONFIG.ingress_port,
        "172.30.32.2",
    )
    # No password is dispensed with: the address is none of this machine's own.
    assert (settings.api_sign_in, settings.listens_here_alone) == ("automatic", False)
    assert settings.home_assistant_url == "http://supervisor/core"


def test_every_option_becomes_a_setting(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = CONFIG.options | {
        name: f"{name}-value"
        for name, kind in CONFIG.schema_.items()
        if isinstance(kind, str) and kind.endswith("?")
    }
    chosen |= {
        "publish": "control",
        "language": "de",
        "quiet_hours": "off",
        "notify": ["notify.phone", "plan=json://here"],
        "outside_services": False,
    }
    settings = read(run.name_settings(chosen, None, None), monkeypatch)
    assert (
        settings.mqtt_publish,
        settings.message_language,
        settings.notify_quiet_hours,
        settings.outside_services,
    ) == ("control", "de", "off", False)
    secrets = {
        name: getattr(settings, name)
        for name in (
            "admin_password",
            "mqtt_password",
            "entsoe_token",
            "tibber_token",
            "esios_token",
            "ostrom_token",
            "octopus_token",
            "solcast_token",
            "amber_token",
            "electricity_maps_token",
        )
    }
    assert {name: secret.get_secret_value() for name, secret in secrets.items()} == {
        name: f"{name}-value" for name in secrets
    }
    assert settings.notify_urls is not None
    assert settings.notify_urls.get_secret_value().splitlines() == [
        "notify.phone",
        "plan=json://here",
    ]


@pytest.mark.parametrize(
    ("mqtt", "url"),
    [
        (
            {
                "host": "core-mosquitto",
                "port": 1883,
                "ssl": False,
                "username": "addons",
                "password": "p",
            },
            "mqtt://addons@core-mosquitto:1883",
        ),
        (
            {"host": "broker", "port": 8883, "ssl": True, "username": None, "password": None},
            "mqtts://broker:8883",
        ),
    ],
)
def test_the_supervisors_broker_serves_where_none_is_named(
    run: ModuleType, mqtt: dict[str, Any], url: str
) -> None:
    assert run.name_settings(CONFIG.options, "token", mqtt)["LUNA_MQTT_URL"] == url
    assert (
        run.name_settings(CONFIG.options | {"mqtt_url": "mqtt://own"}, "token", mqtt)[
            "LUNA_MQTT_URL"
        ]
        == "mqtt://own"
    )


def test_without_a_supervisor_there_is_no_broker(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.ask_broker(None) is None
    assert run.ask_broker("token", "http://127.0.0.1:1") is None
    assert "No MQTT broker" in capsys.readouterr().err


def test_the_script_is_understood_and_names_what_it_needs() -> None:
    said = subprocess.run([FOLDER / "assemble"], capture_output=True, text=True, check=False)
    assert (said.returncode, "Name the folder" in said.stderr) == (2, True)


def read(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings()
