"""``luna rag evaluate`` on a set of somebody else's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.platform.settings import load_settings
from services.cli.main import main, run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path / "var"))
    monkeypatch.setenv("LUNA_EMBEDDING_DOWNLOAD", "false")
    passages = [
        {"_id": "a", "title": "Battery", "text": "It charges at night."},
        {"_id": "b", "title": "Kettle", "text": "It boils water."},
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, passages)))
    (tmp_path / "queries.jsonl").write_text(
        json.dumps({"_id": "q", "text": "charging the battery"})
    )
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    # A process reads its settings once.
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()


def test_a_set_is_measured_as_one_json_document(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["rag", "evaluate", "--set", str(folder), "--json"])
    found = json.loads(capsys.readouterr().out)

    assert code == 0
    assert found["ndcg_at_10"] == {"dense": None, "sparse": 1.0, "fused": 1.0}
    assert (found["documents"], found["queries"]) == (2, 1)


def test_a_bad_line_ends_with_its_place_and_a_remedy(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "qrels.tsv").write_text("q\ta\tyes\n")
    with pytest.raises(SystemExit) as ended:
        main(["rag", "evaluate", "--set", str(folder), "--json"])
    problem = json.loads(capsys.readouterr().err)

    assert ended.value.code == 2
    assert problem["field"].endswith("qrels.tsv:1")
    assert "tabs" in problem["remedy"]
