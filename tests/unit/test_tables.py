"""Tables in place of parameters: every row is run, every row that fails is reported."""

import os
import subprocess
import sys
from pathlib import Path

SUITE = """
import pytest
from tests.support.suite.tables import each_row

@pytest.fixture
def base():
    return 10

@each_row("number", [1, 2], ids=["one", "two"])
@each_row(("added", "total"), [(0, 10), pytest.param(5, 16, id="wrong"), (7, 17), (8, 0)])
def test_sums(base, number, added, total):
    assert base + added == total, number

@each_row("number", [1, 2, 3])
def test_skips(number):
    if number == 2:
        pytest.skip("not here")
    assert number < 3

@each_row("number", range(3))
def test_passes(number, subtests):
    with subtests.test("inner"):
        assert number < 3
"""


def test_every_row_that_fails_is_reported_with_its_values(tmp_path: Path) -> None:
    (tmp_path / "test_rows.py").write_text(SUITE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(tmp_path),
        "-rs",
        str(tmp_path),
    ]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command,
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # Two rows are wrong, once for each of two numbers; inner tables fail within the row of the
    # outer one.
    assert [
        done.stdout.count(f" {name} _")
        for name in ("test_sums [wrong]", "test_sums [(8, 0)]", "test_skips [3]", "test_sums [one]")
    ] == [2, 2, 1, 0]
    assert "assert (10 + 5) == 16" in done.stdout
    assert "not here" in done.stdout
    assert done.returncode == 1
    assert "1 passed" in done.stdout
