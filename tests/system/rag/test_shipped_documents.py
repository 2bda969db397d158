"""The documents that ship with Luna are in its wheel."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from services.rag.examples import list_examples

ROOT = Path(__file__).parents[3]
LIST = """
import json
from services.rag.examples import list_examples
print(json.dumps([[str(each.path), each.name, each.path.is_file()] for each in list_examples()]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Luna as its wheel lays it out."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_an_installed_luna_has_the_examples_and_its_guide(installed: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    found = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    documents = json.loads(found.stdout)

    assert all(path.startswith(str(installed)) and there for path, _, there in documents)
    assert {each.name for each in list_examples()} <= {name for _, name, _ in documents}
    assert {"guide/de/plan.md", "guide/en/plan.md"} <= {name for _, name, _ in documents}
