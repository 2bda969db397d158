"""One version, wherever it is stated."""

import re
import tomllib
from importlib.metadata import version

import yaml

from tests.support.command_line.call import Luna
from tests.support.documentation.pages import ROOT

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_newest_heading_of_the_changelog_is_the_version_below_what_is_unreleased() -> None:
    headings = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[:2] == ["Unreleased", VERSION]
    assert len(set(headings)) == len(headings)


def test_everything_that_states_the_version_states_the_same() -> None:
    app = yaml.safe_load(read("infra/home-assistant/luna/config.yaml"))["version"]
    [of_app, *_] = re.findall(
        r"^## (\S+)", read("infra/home-assistant/luna/CHANGELOG.md"), re.MULTILINE
    )
    images = {
        *re.findall(
            r"\$\{LUNA_VERSION:-([^}]+)\}",
            read("docker-compose.yml") + read("docker-compose.lab.yml"),
        )
    }
    rendered = {
        *re.findall(
            r"image: (?:\S+/)?luna-[\w-]+:(\S+)",
            read("infra/kubernetes/luna.yaml") + read("infra/swarm/stack.yml"),
        )
    }
    [of_env] = re.findall(r"^LUNA_VERSION=(\S+)", read(".env.example"), re.MULTILINE)
    stated = {app, of_app, of_env, *images, *rendered, version("luna-energy")}
    assert stated == {VERSION}


def test_the_command_says_the_version(luna: Luna) -> None:
    assert luna("--version").out == f"{VERSION}\n"
