"""The frame around every command: what is loaded, what is said, and with which code it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.main import COMMANDS, build
from tests.support.command_line.call import Luna
from tests.support.suite.tables import each_row

LUNA = [sys.executable, "-c", "from services.cli.main import main; main()"]
# Runs a command line and writes on stderr which of the libraries named first were loaded.
LOADED = """
import sys
from services.cli.main import run
run(sys.argv[2:])
print(sorted(set(sys.argv[1].split(",")) & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    """A plan request for four hours of a house without a battery."""
    series = {"load_kwh": 0.1, "pv_kwh": 0.0, "import_price": 0.25, "export_price": 0.07}
    document = {
        "site": {"name": "home", "timezone": "Europe/Berlin"},
        "start": "2024-02-01T00:00:00Z",
        "outlook": {name: [value] * 16 for name, value in series.items()},
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@each_row("name", COMMANDS)
def test_every_command_of_the_list_is_there(name: str) -> None:
    app = build(name)
    called = [each.name for each in app.registered_groups if each.name == name] + [
        each.name for each in app.registered_commands if each.name == name
    ]
    assert called == [name]


def test_the_list_of_commands_loads_no_library_of_any_service() -> None:
    heavy = "numpy,numba,highspy,lightgbm,polars,pydantic,sqlalchemy,celery,fastapi"
    done = subprocess.run(
        [sys.executable, "-c", LOADED, heavy, "--help"], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
    assert all(f" {name} " in done.stdout for name in COMMANDS)


def test_declared_commands_load_no_other_capability() -> None:
    names = [name for name, entry in COMMANDS.items() if entry.place is None]
    others = ",".join(
        f"luna.house.capabilities.{each}"
        for each in ("device_search", "edge", "history", "replays")
    )
    # The last one is run by the script itself.
    script = (
        f"from services.cli.main import run\nfor name in {names[:-1]}: run([name, '--help'])\n"
        f"{LOADED}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, others, names[-1], "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"


def test_a_plan_from_a_file_loads_neither_database_nor_queue_nor_gateway(
    request_file: Path,
) -> None:
    heavy = "lightgbm,polars,sqlalchemy,psycopg,celery,redis,fastapi,uvicorn"
    done = subprocess.run(
        [sys.executable, "-c", LOADED, heavy, "plan", "--request", request_file, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"
    assert len(json.loads(done.stdout)["slots"]) == 16


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["plan", "--nope"], "--nope", None),
        (["replay", "--site", "home", "--every", "often"], "--every", "often"),
        (["data", "load", "--site", "home"], "file", None),
        (["nothing"], None, None),
        (["plan", "--json"], "--request", None),
        (["jobs", "list", "--status", "asleep"], "--status", "asleep"),
    ],
    ids=[
        "unknown option",
        "wrong value",
        "missing argument",
        "unknown command",
        "one of two options",
        "wrong choice",
    ],
)
def test_a_wrong_command_line_is_a_problem_that_names_the_option_and_where_to_read_on(
    luna: Luna, words: list[str], field: str | None, value: str | None
) -> None:
    said = luna(*words)
    assert (said.code, said.out, said.problem.get("field"), said.problem.get("value")) == (
        2,
        "",
        field,
        value,
    )
    assert "--help" in said.problem["remedy"]


def test_an_error_is_text_and_with_json_a_problem_document(luna: Luna) -> None:
    words = ["replay", "--site", "home", "--every", "often"]
    text = luna(*words).err
    document = luna(*words, "--json").err
    assert text.startswith("Invalid input: --every: ")
    assert json.loads(document)["field"] == "--every"


DAYS = ["--from", "2023-01-01", "--to", "2023-01-02"]


@pytest.mark.parametrize(
    ("words", "field", "reason"),
    [
        (["replay", "--site", "home", "--from", "2023-02-30"], "--from", "expected-day"),
        (["replay", "--site", "home", *DAYS, "--policies", ""], "policies", "too-short"),
        (["plan", "--request", "unknown_field.json"], "horizon", "extra-forbidden"),
        (["plan", "--request", "wrong_zone.json"], "site.timezone", "no-such-time-zone"),
        (
            ["plan", "--request", "request.json", "--pareto", "cost,luck"],
            "figures.1",
            "expected-choice",
        ),
        (
            ["site", "add", "--file", "site.yaml"],
            "site.yaml.batteries.0.capacity_kwh",
            "greater-than",
        ),
    ],
    ids=["day", "policies", "unknown field", "time zone", "aim", "site file"],
)
def test_a_refused_value_is_named_with_the_reason(
    luna: Luna,
    request_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    field: str,
    reason: str,
) -> None:
    folder = request_file.parent
    request = json.loads(request_file.read_text(encoding="utf-8"))
    wrong_zone = request | {"site": {"name": "home", "timezone": "Mars/Olympus"}}
    site = "name: home\ntimezone: UTC\nbatteries:\n  - { capacity_kwh: -1, charge_limit_kw: 5 }\n"
    unknown_field = request | {"horizon": 1}
    (folder / "unknown_field.json").write_text(json.dumps(unknown_field), encoding="utf-8")
    (folder / "wrong_zone.json").write_text(json.dumps(wrong_zone), encoding="utf-8")
    (folder / "site.yaml").write_text(site, encoding="utf-8")
    monkeypatch.chdir(folder)
    said = luna(*words)
    problem = said.problem
    assert (said.code, said.out) == (2, "")
    assert (problem["type"], problem["status"]) == ("urn:luna:problem:invalid-input", 422)
    assert (problem["field"], problem["reason"]) == (field, reason)
    assert problem["remedy"]


def test_a_library_that_is_not_installed_is_named_with_its_remedy(request_file: Path) -> None:
    without_numba = [
        sys.executable,
        "-c",
        "import sys; sys.modules['numba'] = None; from services.cli.main import main; main()",
    ]
    done = subprocess.run(
        [*without_numba, "plan", "--request", request_file, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    problem = json.loads(done.stderr)
    assert (done.returncode, problem["field"]) == (1, "numba")
    assert "pip install" in problem["remedy"]


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*LUNA, "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_ctrl_c_ends_the_command_quietly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "request")
    with (
        subprocess.Popen(
            [*LUNA, "plan", "--request", tmp_path / "request"], stderr=subprocess.PIPE
        ) as luna,
        (tmp_path / "request").open("w"),
    ):
        # Whoever opens a pipe for writing waits until it is being read.
        luna.send_signal(signal.SIGINT)
        assert luna.communicate(timeout=60)[1] == b""
    assert luna.returncode == 130
