"""What a report writes: the files that the configuration asks for, a page that asks nobody for
anything, damage by file and line, stand-in data by name.
"""

import csv
import gzip
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luna.contracts.edge_summary import EdgeSummary
from luna.energy.errors import InvalidInputError
from services.edge.analytics.report import write_report
from services.edge.camera import CameraModels
from services.edge.config import EdgeConfig, ResultsSection
from services.edge.lab import Lab
from tests.support.cameras.results import Batch, Planted, draw_runs, write_runs
from tests.support.words.wording import wording

MODELS = CameraModels(("YOLOv10_N",), np.array([3e-4]), np.array([2.0]), np.array([0.4]))
PLAIN = {"visualization": {"enabled": False}}


def open_folder(folder: Path, **results: Any) -> Lab:
    return Lab(
        EdgeConfig(results=ResultsSection.model_validate(results)),
        MODELS,
        {},
        folder,
        seed=7,
        workers=1,
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = open_folder(tmp_path_factory.mktemp("lab"))
    write_runs(lab.batch, draw_runs(Batch()))
    return lab


@pytest.fixture(scope="module")
def figures(lab: Lab) -> dict[str, Any]:
    return write_report(lab)


class Markup(HTMLParser):
    """Which elements stay open, and what is loaded from where."""

    VOID = frozenset({"meta", "link", "img", "br", "source"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in {"src", "srcset", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_every_format_that_is_asked_for_is_written(lab: Lab, figures: dict[str, Any]) -> None:
    assert sorted(path.name for path in lab.report.iterdir()) == sorted(figures["files"])
    pictures = {"clean_share", "misses", "oracle_difference", "places", "days", "pareto"}
    assert {f"{name}.{form}" for name in pictures for form in ("png", "pdf")} < set(
        figures["files"]
    )
    assert (lab.report / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert (lab.report / "pareto.pdf").read_bytes().startswith(b"%PDF")
    assert EdgeSummary.model_validate(figures["summary"]).runs == 576


def test_tables_hold_the_summary(lab: Lab, figures: dict[str, Any]) -> None:
    rows = list(
        csv.DictReader((lab.report / "controllers.csv").read_text(encoding="utf-8").splitlines())
    )
    whole = {row["controller"]: row for row in rows if not row["location"] and not row["season"]}
    told = {each["controller"]: each for each in figures["summary"]["controllers"]}
    assert {name: float(row["clean_share_low"]) for name, row in whole.items()} == {
        name: each["clean_share"]["low"] for name, each in told.items()
    }
    assert {row["stand_in"] for row in rows} == {"True"}
    document = json.loads((lab.report / "summary.json").read_text(encoding="utf-8"))
    assert document["stand_in"].startswith("STAND-IN DATA")
    assert len(document["insights_en"]) == len(document["insights"])


def test_every_run_is_told_beside_the_oracle(lab: Lab, figures: dict[str, Any]) -> None:
    rows = [
        json.loads(line)
        for line in (lab.report / "run_figures-0001.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(rows) == figures["runs"]
    assert {row["objective_over_oracle_wh"] for row in rows if row["controller"] == "oracle"} == {
        0.0
    }


def test_the_report_asks_nobody_for_anything_and_is_whole(
    lab: Lab, figures: dict[str, Any]
) -> None:
    text = (lab.report / "report.html").read_text(encoding="utf-8")
    markup = Markup()
    markup.feed(text)
    assert (markup.open, markup.wrong) == ([], [])
    assert markup.sources == []
    assert text.count("<svg ") == 6
    assert "url(" not in text
    assert "<script" not in text
    assert "STAND-IN DATA: clean shares of California, Florida, Northwest, New York" in text
    assert not re.search(r"\{\w*\}", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))


def test_the_same_rows_and_seed_write_the_same_bytes(lab: Lab, figures: dict[str, Any]) -> None:
    before = {name: (lab.report / name).read_bytes() for name in figures["files"]}
    write_report(lab)
    assert {name: (lab.report / name).read_bytes() for name in figures["files"]} == before


def test_measured_places_are_not_called_stand_ins(tmp_path: Path) -> None:
    lab = open_folder(tmp_path, **PLAIN)
    write_runs(lab.batch, draw_runs(Batch(stand_in=False, weeks=1, variations=1)))
    write_runs(
        lab.batch,
        iter([{"run_id": "CA-winter-w06048-v003-custom", "reason": "killed"}]),
        name="failed-0001.jsonl",
    )
    assert write_report(lab)["stand_in_locations"] == []
    text = (lab.report / "report.html").read_text(encoding="utf-8")
    assert "STAND-IN" not in text
    assert wording("camera_lab", "insight_runs_failed", runs=1) in html.unescape(text)


def test_damage_is_named_by_file_and_line_wherever_it_stands(tmp_path: Path) -> None:
    lab = open_folder(tmp_path, **PLAIN)
    rows = list(
        draw_runs(
            Batch(
                controllers={"rule": Planted(), "oracle": Planted()},
                locations=("CA",),
                weeks=1,
                variations=1,
            )
        )
    )
    first = write_runs(lab.batch, iter(rows[:4]))
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(
        lines[0] + b'{"location": "CA"}\n' + lines[1] + b"\xff\xfe no json\n" + lines[2] + lines[3]
    )
    packed = gzip.compress("".join(json.dumps(row) + "\n" for row in rows[4:6]).encode())
    (lab.batch / "runs-0002.jsonl.gz").write_bytes(packed[:-12])
    last = write_runs(lab.batch, iter(rows[6:]), name="runs-0003.jsonl")
    last.write_bytes(last.read_bytes()[:-20])
    summary = EdgeSummary.model_validate(write_report(lab)["summary"])
    assert [(each.file, each.line) for each in summary.damage][:2] == [
        ("runs-0001.jsonl", 2),
        ("runs-0001.jsonl", 4),
    ]
    assert {each.file for each in summary.damage} == {
        "runs-0001.jsonl",
        "runs-0002.jsonl.gz",
        "runs-0003.jsonl",
    }
    assert summary.damage[-1].reason == "half a line"
    # Rows 1, 2, 3, 4 of the first file, at most two of the packed one, one of the last.
    assert 5 <= summary.runs <= 7


def test_what_is_not_asked_for_is_not_written(tmp_path: Path) -> None:
    lab = open_folder(
        tmp_path,
        output_formats=["csv"],
        visualization={"save_plots": False},
        export={"summary_csv": False},
    )
    write_runs(lab.batch, draw_runs(Batch(weeks=1, variations=1)))
    assert write_report(lab)["files"] == []
    (lab.report / "notes.txt").write_text("mine", encoding="utf-8")
    for formats in (["json", "csv"], ["json"]):
        again = open_folder(
            tmp_path, **PLAIN, output_formats=formats, export={"detailed_json": False}
        )
        written = write_report(again)["files"]
    # What an earlier report left there would contradict this one.
    assert written == ["summary.json"]
    assert sorted(path.name for path in lab.report.iterdir()) == ["notes.txt", "summary.json"]


def test_large_files_are_split(tmp_path: Path) -> None:
    wanted = PLAIN | {"output_formats": ["json"], "export": {"max_file_size_mb": 0.1}}
    lab = open_folder(tmp_path, **wanted)
    write_runs(lab.batch, draw_runs(Batch(variations=4, days=1)))
    files = [name for name in write_report(lab)["files"] if name.startswith("run_figures")]
    assert len(files) > 1
    whole = open_folder(
        tmp_path, **(wanted | {"export": {"max_file_size_mb": 0.1, "split_large_files": False}})
    )
    assert [name for name in write_report(whole)["files"] if name.startswith("run_figures")] == [
        "run_figures-0001.jsonl"
    ]


def test_without_a_batch_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="luna edge batch"):
        write_report(open_folder(tmp_path))
