"""Any set in BEIR layout: read line by line, ranked by words and by vectors.

Measures of a ranking, against values worked out by hand.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from services.rag.embedding import FloatArray, Role
from services.rag.evaluation import evaluate_set, mean_measures, ndcg, recall

PASSAGES = [
    {"_id": "1", "title": "Battery", "text": "The battery charges at night."},
    {"_id": "2", "title": "", "text": "Feed-in tariffs are paid for twenty years."},
    {
        "_id": "3",
        "title": "Wallbox",
        "text": "The wallbox charges the car.",
        "metadata": {"language": "en"},
    },
]
QUESTIONS = [
    {"_id": "q1", "text": "When does the battery charge?"},
    {"_id": "q2", "text": "feed-in tariff"},
    {"_id": "q3", "text": "never judged"},
]
JUDGED = ["query-id\tcorpus-id\tscore", "q1\t1\t2", "q1\t3\t1", "q2\t2\t1"]


class LetterEmbedder:
    """A model whose vectors are the share of each letter."""

    model = "letters"
    dimensions = 26
    speaks_one_language = False

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        counts = np.array(
            [
                [text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"]
                for text in texts
            ],
            np.float32,
        )
        return np.asarray(
            counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9), np.float32
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    write_rows(tmp_path / "corpus.jsonl", PASSAGES)
    write_rows(tmp_path / "queries.jsonl", QUESTIONS)
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(JUDGED) + "\n")
    return tmp_path


def write_rows(path: Path, rows: Sequence[dict[str, object]]) -> None:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")


def be_silent(done: int, total: int, label: str) -> None:
    pass


def test_words_alone_rank_a_set_where_there_is_no_embedding_model(folder: Path) -> None:
    found = evaluate_set(folder, None, progress=be_silent)

    # q1 finds 1 before 3, q2 finds 2 first: both ideal. q3 is not judged and does not count.
    assert found["ndcg_at_10"] == {"dense": None, "sparse": 1.0, "fused": 1.0}
    assert found["recall_at_10"] == {"dense": None, "sparse": 1.0, "fused": 1.0}
    assert (found["documents"], found["queries"], found["model"]) == (3, 2, None)


def test_vectors_words_and_both_are_measured_with_a_model(folder: Path) -> None:
    found = evaluate_set(folder, LetterEmbedder(), progress=be_silent)

    assert set(found["ndcg_at_10"]) == {"dense", "sparse", "fused"}
    # With three passages every one is among ten.
    assert found["recall_at_10"]["dense"] == found["recall_at_10"]["fused"] == 1.0
    assert all(value > 0 for value in found["milliseconds_per_query"].values())


def test_judgements_may_lie_beside_the_corpus_and_ids_may_be_numbers(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").unlink()
    (folder / "qrels.tsv").write_text("q2\t2\t1\n")
    write_rows(folder / "corpus.jsonl", [PASSAGES[1] | {"_id": 2}])

    assert evaluate_set(folder, None, progress=be_silent)["ndcg_at_10"]["sparse"] == 1.0


def test_progress_ends_with_all_passages_and_all_questions(folder: Path) -> None:
    said: list[tuple[int, int, str]] = []
    evaluate_set(
        folder, None, progress=lambda done, total, label: said.append((done, total, label))
    )

    assert (3, 3, "passages") in said
    assert said[-1] == (2, 2, "questions")


@pytest.mark.parametrize(
    ("name", "content", "field", "message"),
    [
        ("corpus.jsonl", '{"_id": "1", "text": "a"}\n{"_id": "2"', "corpus.jsonl:2", "not JSON"),
        ("corpus.jsonl", '{"_id": "1", "title": "no text"}\n', "corpus.jsonl:1", "text is missing"),
        (
            "corpus.jsonl",
            '{"_id": "1", "text": "a"}\n{"_id": "1", "text": "b"}\n',
            "corpus.jsonl",
            "two passages have one id",
        ),
        (
            "queries.jsonl",
            '{"_id": "q1", "text": "a"}\n\n{"_id": "q1", "text": "b"}\n',
            "queries.jsonl:3",
            "stood on a line before",
        ),
        ("queries.jsonl", '["q1"]\n', "queries.jsonl:1", "no JSON object"),
        ("queries.jsonl", '{"_id": null, "text": "a"}\n', "queries.jsonl:1", "_id is missing"),
        (
            "qrels/test.tsv",
            "query-id\tcorpus-id\tscore\nq1\t1\tmuch\n",
            "test.tsv:2",
            "no whole number",
        ),
        ("qrels/test.tsv", "q1 1 1\n", "test.tsv:1", "1 columns"),
        ("qrels/test.tsv", "nobody\t1\t1\n", "qrels", "no question has a relevant passage"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_a_remedy(
    folder: Path, name: str, content: str, field: str, message: str
) -> None:
    (folder / name).write_text(content)

    with pytest.raises(InvalidInputError, match=message) as refused:
        evaluate_set(folder, None, progress=be_silent)

    assert str(refused.value.field).endswith(field)
    assert refused.value.remedy


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(InvalidInputError, match=name):
        evaluate_set(folder, None, progress=be_silent)


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "queries.jsonl").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InvalidInputError, match="not UTF-8"):
        evaluate_set(folder, None, progress=be_silent)


def test_ndcg_counts_grades_linearly_and_discounts_by_the_logarithm_of_the_rank() -> None:
    # Found: grade 1 at rank 1, nothing at 2, grade 2 at 3: 1/log2(2) + 2/log2(4) = 1 + 1 = 2.
    # Ideal: 2, 1, 1: 2/log2(2) + 1/log2(3) + 1/log2(4) = 2 + 0.63093 + 0.5 = 3.13093. As
    # pytrec_eval counts it: 0.63879.
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1, "c": 1}) == pytest.approx(
        2 / (2.5 + 1 / math.log2(3))
    )
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1, "c": 1}) == pytest.approx(0.63879, abs=1e-5)


def test_only_the_first_ten_count() -> None:
    ranked = [f"x{number}" for number in range(10)]

    assert (ndcg([*ranked, "a"], {"a": 1}), recall([*ranked, "a"], {"a": 1})) == (0.0, 0.0)
    # At rank 10: 1/log2(11) = 0.28906 of an ideal of 1.
    assert ndcg([*ranked[:9], "a"], {"a": 1}) == pytest.approx(0.28906, abs=1e-5)


def test_a_passage_judged_irrelevant_or_below_zero_counts_as_nothing() -> None:
    assert ndcg(["bad", "a"], {"a": 1, "bad": -1, "poor": 0}) == pytest.approx(1 / math.log2(3))
    assert recall(["bad", "a"], {"a": 1, "bad": -1, "poor": 0}) == 1.0


def test_a_relevant_passage_that_is_not_in_the_corpus_still_belongs_to_the_ideal() -> None:
    # 1 of 1 + 0.63093.
    assert ndcg(["a"], {"a": 1, "gone": 1}) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert recall(["a"], {"a": 1, "gone": 1}) == 0.5


def test_means_are_taken_over_questions() -> None:
    judged = {"q": {"a": 1}, "r": {"b": 1}}

    assert mean_measures({"q": ["a"], "r": ["a"]}, judged, ["q", "r"]) == (0.5, 0.5)
    with pytest.raises(InvalidInputError, match="relevant passage"):
        mean_measures({}, judged, [])


@given(
    st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(-1, 3)),
    st.permutations("abcdefghijkl"),
)
def test_no_order_is_better_than_the_ideal_one(
    relevance: dict[str, int], ranked: list[str]
) -> None:
    ideal = sorted(relevance, key=lambda key: -relevance[key])
    some = any(grade > 0 for grade in relevance.values())

    assert 0 <= ndcg(ranked, relevance) <= 1 + 1e-12
    assert ndcg(ideal, relevance) == pytest.approx(float(some))
