"""Which services a worker takes up."""

import sys
from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from luna.platform.queue.services import import_tasks, load_services


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "complete_tasks", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "fault",
    [
        "import a_library_nobody_has",
        "raise OSError('libgomp.so.1: cannot open shared object file')",
        "raise ImportError('libz.so.1: cannot open shared object file')",
    ],
    ids=["library", "system library of a library", "system library of an extension"],
)
def test_a_service_that_lacks_a_library_is_left_out_and_the_next_one_taken_up(
    modules: Path, fault: str
) -> None:
    (modules / "lacking_tasks.py").write_text(fault)
    (modules / "complete_tasks.py").write_text(
        "from pathlib import Path\ndef prepare():\n    "
        "Path(__file__).with_name('prepared').touch()\n"
    )
    import_tasks(["lacking_tasks", "complete_tasks"])
    assert (modules / "prepared").exists()


def test_a_module_of_lunas_own_that_is_missing_is_a_fault(modules: Path) -> None:
    (modules / "faulty_tasks.py").write_text("import luna.module_nobody_wrote")
    with pytest.raises(ModuleNotFoundError, match="nobody_wrote"):
        import_tasks(["faulty_tasks"])


def test_a_service_without_tasks_has_its_queue_and_what_it_needs() -> None:
    assert load_services(["rag", "agent"]) == {
        "rag": ("database", "redis", "objects", "vectors", "language"),
        "agent": ("database", "redis", "objects"),
    }


def test_a_module_serves_the_queues_of_the_tasks_it_declares() -> None:
    assert load_services(modules=["tests.integration.sample_tasks"]) == {
        "sample": ("database", "redis")
    }


@pytest.mark.parametrize("queues", [["kitchen"], ["agent", "kitchen"]])
def test_a_queue_that_nothing_serves_is_named(queues: list[str]) -> None:
    with pytest.raises(MachineError) as raised:
        load_services(queues)
    assert raised.value.value == "kitchen"


def test_what_only_jobs_need_is_loaded_beforehand_unless_memory_is_spared(modules: Path) -> None:
    (modules / "complete_tasks.py").write_text(
        "from pathlib import Path\ndef prepare_jobs():\n    "
        "Path(__file__).with_name('prepared').touch()\n"
    )
    import_tasks(["complete_tasks"], with_jobs=False)
    assert not (modules / "prepared").exists()
    import_tasks(["complete_tasks"])
    assert (modules / "prepared").exists()
