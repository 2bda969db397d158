"""Images are pinned by the digest that their registry names.

A file with one that cannot be read stays as it is.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra.pin_images.__main__ import FILES, ROOT, Registries, list_images, main, pin_files
from tests.support.registry.server import ImageRegistry, serve_registry

COMPOSE = """# image: in/a-comment:1.0
services:
  db:  # the database
    image: {host}/timescale/timescaledb-ha:pg17.6
  again:
    image: "{host}/timescale/timescaledb-ha:pg17.6"  # twice
  cache: {{image: redis:8.2.3, read_only: true}}
  own:
    image: luna-api:${{LUNA_VERSION:-0.1.0}}
  theirs:
    image: ${{THEIRS}}
"""
DOCKERFILE = """# FROM nothing:1.0
ARG PYTHON=python:3.11.14-slim
FROM ${{PYTHON}} AS tools
FROM --platform=linux/amd64 {host}/fluent/fluent-bit:4.2.2 as engine
FROM engine
COPY --from=tools /a /b
COPY --chown=1:1 --from={host}/astral/uv:0.9 /uv /uv
FROM scratch
"""


@pytest.fixture
def registry() -> Iterator[ImageRegistry]:
    with serve_registry() as registry:
        for name in (
            "timescale/timescaledb-ha:pg17.6",
            "library/redis:8.2.3",
            "library/python:3.11.14-slim",
            "fluent/fluent-bit:4.2.2",
            "astral/uv:0.9",
        ):
            registry.push(name, name)
        yield registry


@pytest.fixture
def files(registry: ImageRegistry, tmp_path: Path) -> list[Path]:
    """A compose file and a Dockerfile."""
    compose = tmp_path / "docker-compose.yml"
    dockerfile = tmp_path / "Dockerfile"
    compose.write_text(COMPOSE.format(host=registry.host))
    dockerfile.write_text(DOCKERFILE.format(host=registry.host))
    compose.chmod(0o640)
    return [compose, dockerfile]


def run(registry: ImageRegistry, *words: str | Path) -> int:
    return main(["--default", f"http://{registry.host}", *map(str, words)])


def test_every_image_of_others_is_pinned_and_nothing_else_is_changed(
    registry: ImageRegistry, files: list[Path]
) -> None:
    before = [path.read_text() for path in files]
    assert run(registry, *files) == 0
    after = [path.read_text() for path in files]
    pinned = yaml.safe_load(after[0])["services"]
    digest = registry.digest_of("timescale/timescaledb-ha:pg17.6")
    assert (
        pinned["db"]["image"]
        == pinned["again"]["image"]
        == f"{registry.host}/timescale/timescaledb-ha:pg17.6@{digest}"
    )
    assert pinned["cache"]["image"] == f"redis:8.2.3@{registry.digest_of('library/redis:8.2.3')}"
    assert (
        f"ARG PYTHON=python:3.11.14-slim@{registry.digest_of('library/python:3.11.14-slim')}\n"
        in after[1]
    )
    assert (
        f"--from={registry.host}/astral/uv:0.9@{registry.digest_of('astral/uv:0.9')} /uv"
        in after[1]
    )
    for text in registry.images:
        after = [each.replace(f"@{registry.digest_of(text)}", "") for each in after]
    assert after == before
    assert files[0].stat().st_mode & 0o777 == 0o640


def test_done_twice_it_is_the_same_and_each_image_is_asked_once(
    registry: ImageRegistry, files: list[Path]
) -> None:
    assert run(registry, *files) == 0
    first = [path.read_text() for path in files]
    asked = [request for request in registry.requests if "timescaledb-ha" in request]
    assert (run(registry, *files), [path.read_text() for path in files], len(asked)) == (
        0,
        first,
        1,
    )


def test_a_tag_that_was_moved_is_pinned_anew_and_a_check_says_so(
    registry: ImageRegistry, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(registry, "--check", *files) == 1
    assert "is not pinned" in capsys.readouterr().err
    run(registry, *files)
    assert run(registry, "--check", *files) == 0
    moved = registry.push("library/redis:8.2.3", "other contents")
    before = files[0].read_text()
    assert (run(registry, "--check", *files), files[0].read_text()) == (1, before)
    assert moved in capsys.readouterr().err
    assert run(registry, *files) == 0
    assert f"redis:8.2.3@{moved}" in files[0].read_text()


def test_a_registry_that_wants_a_token_gives_one(
    registry: ImageRegistry, files: list[Path]
) -> None:
    registry.asks_token = True
    assert run(registry, *files) == 0
    assert any(request.startswith("GET /token?") for request in registry.requests)


def test_a_registry_that_names_no_digest_is_asked_for_the_manifest(
    registry: ImageRegistry, files: list[Path]
) -> None:
    registry.names_digest = False
    assert run(registry, *files) == 0
    assert registry.digest_of("library/redis:8.2.3") in files[0].read_text()


@pytest.mark.parametrize("status", [404, 403, 429, 500])
def test_a_file_with_an_image_that_cannot_be_read_stays_as_it_is(
    registry: ImageRegistry, files: list[Path], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.faults["library/redis:8.2.3"] = status
    before = files[0].read_text()
    assert (run(registry, *files), files[0].read_text()) == (1, before)
    assert "docker-compose.yml: redis:8.2.3" in capsys.readouterr().err
    # What another file names is pinned all the same.
    assert "@sha256:" in files[1].read_text()


def test_a_registry_that_is_away_and_one_that_nobody_names_are_said(tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_text(
        "services:\n  a: {image: 127.0.0.1:9/a:1.0}\n  b: {image: b:1.0}\n  c: {image: "
        "127.0.0.1:9/c}\n"
    )
    faults = pin_files([path], Registries(), check=False)
    assert [fault.split(": ")[1:3] for fault in faults] == [
        ["127.0.0.1:9/a:1.0", "the registry cannot be reached"],
        ["b:1.0", "names no registry"],
        ["127.0.0.1:9/c", "names no tag"],
    ]
    assert "@" not in path.read_text()


def test_every_file_of_luna_that_names_images_of_others_is_among_those_pinned() -> None:
    composed = {path.name for path in ROOT.glob("docker-compose*.yml")}
    dockerfiles = {str(path.relative_to(ROOT)) for path in (ROOT / "infra").rglob("Dockerfile")}
    # Home Assistant's schema allows no digest.
    assert set(FILES) == composed | dockerfiles - {"infra/home-assistant/luna/Dockerfile"}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
        "services"
    ].values()
    theirs = {service["image"] for service in compose if not service["image"].startswith("luna-")}
    found = list_images(
        (ROOT / "docker-compose.yml").read_text(encoding="utf-8"), is_dockerfile=False
    )
    assert {match["image"] for match in found} == theirs
