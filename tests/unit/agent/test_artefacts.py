"""A trained agent as an object: the same comes back, and what is damaged, foreign or of another
version is refused with a remedy.
"""

import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from luna.energy.site import Site
from luna.platform.objects import FileObjects
from services.agent.artefacts import (
    Artefact,
    ArtefactError,
    Header,
    SiteFacts,
    load_artefact,
    require_fit,
    save_artefact,
)
from tests.support.planning.problems import describe_site

_PARTS = {"trees.txt": b"tree\nlines\n", "table.safetensors": bytes(range(256))}


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    return FileObjects(tmp_path)


def _artefact(site: Site | None = None, **changes: Any) -> Artefact:
    facts = SiteFacts.of(site or describe_site({}))
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    end = datetime(2024, 3, 1, tzinfo=UTC)
    header = Header(
        kind="network",
        state_version="v1.1",
        site=facts,
        data_from=begin,
        data_until=end,
        seed=3,
        metrics={"score": 0.9},
    )
    return Artefact(header.model_copy(update=changes), _PARTS)


def test_what_was_stored_comes_back(objects: FileObjects) -> None:
    key = save_artefact(_artefact(), objects)
    found = load_artefact(objects, key)

    assert dict(found.parts) == _PARTS
    assert found.header.model_copy(update={"parts": {}}) == _artefact().header


def test_the_same_twice_is_one_object(objects: FileObjects) -> None:
    assert save_artefact(_artefact(), objects) == save_artefact(_artefact(), objects)


def test_an_artefact_holds_no_pickle(objects: FileObjects) -> None:
    unpacked = gzip.decompress(objects.get(save_artefact(_artefact(), objects)))
    line, _, rest = unpacked.partition(b"\n")

    assert json.loads(line)["parts"] == {name: len(part) for name, part in _PARTS.items()}
    assert rest == b"".join(_PARTS.values())


def test_a_missing_artefact_says_what_to_do(objects: FileObjects) -> None:
    with pytest.raises(ArtefactError, match="missing") as caught:
        load_artefact(objects, "agent/0000.agent.gz")
    assert caught.value.remedy == "Train again with `luna agent train`."


def test_a_damaged_artefact_is_refused(objects: FileObjects) -> None:
    key = save_artefact(_artefact(), objects)
    objects.put(key, objects.get(key)[:-1] + b"x")

    with pytest.raises(ArtefactError, match="damaged"):
        load_artefact(objects, key)


def _store(objects: FileObjects, packed: bytes) -> str:
    key = f"agent/{hashlib.sha256(packed).hexdigest()}.agent.gz"
    objects.put(key, packed)
    return key


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"no gzip at all", "is no trained agent"),
        (gzip.compress(b"no json\nrest"), "is no trained agent"),
        (gzip.compress(b"[1]\nrest"), "is no trained agent"),
        (gzip.compress(b'{"format": 99}\n'), "another format"),
        (gzip.compress(b'{"format": 1, "kind": "magic"}\n'), "header"),
    ],
    ids=["bytes", "text", "list", "later_format", "unknown_kind"],
)
def test_what_is_no_artefact_is_refused(objects: FileObjects, packed: bytes, said: str) -> None:
    with pytest.raises(ArtefactError, match=said):
        load_artefact(objects, _store(objects, packed))


def test_parts_of_another_length_than_the_header_says_are_refused(objects: FileObjects) -> None:
    whole = gzip.decompress(objects.get(save_artefact(_artefact(), objects)))

    with pytest.raises(ArtefactError, match="another length"):
        load_artefact(objects, _store(objects, gzip.compress(whole[:-1], mtime=0)))


def _fit(artefact: Artefact, site: Site | None = None, *, state_version: str = "v1.1") -> Artefact:
    return require_fit(
        artefact, "key", kind="network", state_version=state_version, site=site or describe_site({})
    )


def test_an_artefact_speaks_for_its_site() -> None:
    artefact = _artefact()
    assert _fit(artefact) is artefact


def test_an_artefact_of_any_site_speaks_for_all() -> None:
    artefact = _artefact(site=None)
    assert (
        _fit(
            Artefact(artefact.header.model_copy(update={"site": None}), _PARTS),
            describe_site({"capacity_kwh": 3}),
        ).parts
        == _PARTS
    )


def test_another_state_version_is_refused() -> None:
    with pytest.raises(ArtefactError, match="version than v2") as caught:
        _fit(_artefact(), state_version="v2")
    assert caught.value.value == "v1.1"


def test_another_kind_is_refused() -> None:
    with pytest.raises(ArtefactError, match="kind than network"):
        _fit(_artefact(kind="rl"))


def test_another_site_is_refused() -> None:
    with pytest.raises(ArtefactError, match="site than home"):
        _fit(_artefact(describe_site({}).model_copy(update={"name": "elsewhere"})))


def test_other_batteries_are_refused() -> None:
    with pytest.raises(ArtefactError, match="other batteries"):
        _fit(_artefact(), describe_site({"capacity_kwh": 12}))
