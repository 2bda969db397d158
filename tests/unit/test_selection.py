"""Which tests run for a change; on graphs of a few files, and on this repository."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.selection.__main__ import find_changed
from tests.selection.durations import TABLE, FileDuration, read_table, write_table
from tests.selection.graph import Repository
from tests.selection.ranking import Selection, mirrors, select_tests, split_words

ROOT = Path(__file__).parents[2]
DIRECT = {
    "luna/heat.py": {"tests/unit/test_boiler.py": 1, "luna/plan.py": 1},
    "luna/plan.py": {"tests/unit/test_plan.py": 1, "tests/unit/test_slow.py": 1},
}
TESTS = (
    "tests/unit/test_boiler.py",
    "tests/unit/test_plan.py",
    "tests/unit/test_slow.py",
    "tests/unit/test_other.py",
    "tests/system/test_days.py",
)


def _select(
    *changed: str,
    users: Mapping[str, Mapping[str, int]] = DIRECT,
    budget: float = 10.0,
    **seconds: float,
) -> Selection:
    durations = {f"tests/unit/test_{name}.py": value for name, value in seconds.items()}
    words = {test: split_words(test) for test in TESTS}
    return select_tests(
        changed, lambda path: users.get(path, {}), tests=words, durations=durations, budget=budget
    )


def _names(selection: Selection) -> list[str]:
    return [each.test.rpartition("test_")[2].removesuffix(".py") for each in selection.taken]


def test_the_nearest_run_first_and_of_equals_the_cheapest() -> None:
    assert _names(_select("luna/heat.py", slow=2.0)) == ["boiler", "plan", "slow"]


def test_what_does_not_fit_the_budget_is_left_out_unless_it_imports_the_change() -> None:
    selection = _select("luna/heat.py", budget=1.0, boiler=1.2, slow=5.0)
    assert _names(selection) == ["boiler"]
    assert [each.test for each in selection.left_out] == [
        "tests/unit/test_plan.py",
        "tests/unit/test_slow.py",
    ]


def test_a_changed_test_runs_whatever_it_takes() -> None:
    assert _names(_select("tests/unit/test_slow.py", budget=1.0, slow=100.0)) == ["slow"]


def test_the_system_suite_runs_where_it_imports_the_change_and_fits() -> None:
    users = {
        "luna/heat.py": {"tests/system/test_days.py": 1},
        "luna/grid.py": {"tests/system/test_days.py": 2},
    }
    assert _names(_select("luna/heat.py", users=users, budget=50.0)) == ["days"]
    assert _names(_select("luna/heat.py", users=users, budget=10.0)) == []
    assert _names(_select("luna/grid.py", users=users, budget=50.0)) == []


def test_a_change_of_the_common_fixtures_runs_a_sample_of_every_folder() -> None:
    assert _names(_select("tests/conftest.py", budget=0.7, boiler=0.1)) == [
        "boiler",
        "other",
        "plan",
    ]


@pytest.mark.parametrize(
    ("path", "test", "expected"),
    [
        ("services/planner/dp/value.py", "tests/unit/planner/dp/test_value.py", True),
        ("services/planner/dp/value.py", "tests/properties/test_value.py", True),
        ("services/planner/dp/value.py", "tests/unit/planner/dp/test_value_correction.py", True),
        ("luna/energy/economics/costs.py", "tests/unit/energy/test_economics.py", True),
        ("services/api/identity/guard.py", "tests/integration/test_api.py", False),
        ("services/cli/forecast.py", "tests/system/forecaster/test_forecast_batch.py", False),
        ("pyproject.toml", "tests/unit/test_docs.py", False),
    ],
)
def test_a_mirror_stands_where_its_module_stands(path: str, test: str, expected: bool) -> None:
    assert mirrors(path, test) is expected


TREE = {
    "luna/__init__.py": "",
    "luna/heat/__init__.py": "from luna.heat.pump import warm\nfrom luna.heat.boiler import boil\n",
    "luna/heat/pump.py": "def warm(): ...\n",
    "luna/heat/boiler.py": "def boil(): ...\n",
    "luna/page.py": 'TEMPLATE = "page.html.j2"\n',
    "luna/templates/page.html.j2": "{% extends 'base.html.j2' %}",
    "luna/templates/base.html.j2": "<html>",
    "luna/registry.py": (
        "from importlib import import_module\nload = lambda name: "
        'import_module(f"luna.kinds.{name}")\n'
    ),
    "luna/kinds/__init__.py": "",
    "luna/kinds/car.py": "",
    "tests/conftest.py": (
        "import pytest\n\n@pytest.fixture\ndef page():\n    from luna import page\n    return "
        "page\n"
    ),
    "tests/unit/test_warm.py": "from luna.heat import warm\n",
    "tests/unit/test_boil.py": "def test_boil():\n    from luna.heat import boil\n",
    "tests/unit/test_pages.py": "def test_title(page): ...\n",
    "tests/unit/test_registry.py": "from luna.registry import load\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def _list_selected(root: Path, *changed: str) -> list[str]:
    # Modules are found as Python finds them, so a tree that holds a ``luna`` of its own is read by
    # a process of its own.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{root}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.selection", "--list", "--files", *changed]
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True, text=True
    )
    return [Path(line).stem for line in done.stdout.splitlines()]


def test_a_package_hands_a_change_on_to_those_who_use_its_names_first(tree: Path) -> None:
    assert _list_selected(tree, "luna/heat/boiler.py") == ["test_boil", "test_warm"]


def test_names_and_fixtures_hand_a_change_on(tree: Path) -> None:
    changed = ("luna/templates/base.html.j2", "luna/kinds/car.py")
    assert sorted(_list_selected(tree, *changed)) == ["test_pages", "test_registry"]


def test_git_says_what_changed_and_what_is_new(tree: Path) -> None:
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *words], cwd=tree, check=True)
    assert find_changed(tree, "main") == []
    (tree / "luna/page.py").write_text("")
    (tree / "luna/new.py").write_text("")
    assert find_changed(tree, "main") == ["luna/new.py", "luna/page.py"]


def test_durations_of_a_run_are_written_and_trifles_left_out(tree: Path) -> None:
    table = tree / TABLE
    table.parent.mkdir(exist_ok=True)
    table.write_text("9.0 5.0 luna/page.py\n2.0 1.0 tests/unit/test_gone.py\n")
    timed = {
        "tests/unit/test_warm.py": FileDuration(0.72, 0.4),
        "tests/unit/test_boil.py": FileDuration(0.1, 0.1),
    }
    write_table(table, timed, root=tree)
    # What was not run keeps its line, what is no longer there loses it.
    assert read_table(table) == {
        "luna/page.py": FileDuration(9.0, 5.0),
        "tests/unit/test_warm.py": FileDuration(0.7, 0.4),
    }


@pytest.mark.long
def test_modules_of_this_repository_bring_their_mirrors() -> None:
    repository = Repository(ROOT)
    mirror = {
        "luna/energy/physics/safety.py": "tests/unit/energy/test_physics.py",
        "services/planner/dp/value.py": "tests/unit/planner/dp/test_value_correction.py",
        "services/planner/milp/rounding.py": "tests/unit/planner/milp/test_rounding.py",
        "services/planner/alternatives/plan_alternative.py": (
            "tests/unit/planner/alternatives/test_plan_alternative.py"
        ),
    }
    found = {
        path: select_tests(
            [path], repository.users_of, tests=repository.tests, durations={}, budget=5.0
        )
        for path in mirror
    }
    assert {
        path: test
        for path, test in mirror.items()
        if test not in {each.test for each in found[path].taken}
    } == {}
