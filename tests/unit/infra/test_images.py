"""What each image may hold, read from its lock, and how the Dockerfile makes it."""

import re
from importlib.util import find_spec
from pathlib import Path

from tests.support.suite.tables import each_row

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "infra/Dockerfile").read_text(encoding="utf-8")
LOCKS = {
    path.stem: path
    for path in [ROOT / "locks/kernel.txt", *sorted((ROOT / "locks/images").glob("*.txt"))]
}


def packages(lock: Path) -> dict[str, str]:
    """Name → version of everything a lock installs."""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


@each_row(
    ("library", "holders"),
    [
        ("torch", set()),
        ("lightgbm", {"agent", "forecaster"}),
        ("pvlib", {"agent", "forecaster"}),
        ("holidays", {"kernel"}),
        ("highspy", {"agent", "planner"}),
        ("numba", {"agent", "edge", "planner"}),
        ("gymnasium", set()),
        ("matplotlib", set()),
        ("svglib", {"edge"}),
        ("ortools", {"edge"}),
        ("qdrant-client", {"rag"}),
        ("optuna", {"edge"}),
        ("polars", {"ingest"}),
        ("typer", {"cli"}),
        ("opentelemetry-sdk", {"kernel"}),
        ("nanoarrow", {"api"}),
        ("obstore", {"agent", "api", "backup", "edge", "forecaster", "ingest", "rag"}),
    ],
)
def test_a_heavy_library_is_in_the_images_of_its_service_alone(
    library: str, holders: set[str]
) -> None:
    assert {name for name, lock in LOCKS.items() if library in packages(lock)} == holders


@each_row("name", LOCKS)
def test_images_run_the_versions_that_are_tested(name: str) -> None:
    tested = packages(ROOT / "locks/test.txt")
    assert {
        (package, version)
        for package, version in packages(LOCKS[name]).items()
        if tested[package] != version
    } == set()


@each_row("name", sorted(set(LOCKS) - {"kernel"}))
def test_an_image_adds_to_the_kernels_layer_and_repeats_nothing_of_it(name: str) -> None:
    assert packages(LOCKS[name])
    assert packages(LOCKS["kernel"]).keys().isdisjoint(packages(LOCKS[name]))


@each_row("name", sorted(set(LOCKS) - {"kernel"}))
def test_what_an_image_imports_while_it_is_built_exists(name: str) -> None:
    script = (ROOT / "infra/precompile").read_text(encoding="utf-8")
    branches = dict(re.findall(r'^ *(\S+)\) modules="(.+)" ;;$', script, re.MULTILINE))
    modules = branches.get(name, branches["*"]).replace("$1", name).split()
    assert [module for module in modules if find_spec(module) is None] == []


def test_libraries_are_installed_before_the_code_is_copied() -> None:
    assert DOCKERFILE.index("--require-hashes -r locks/kernel.txt") < DOCKERFILE.index(
        "FROM tools AS wheel"
    )
    libraries = DOCKERFILE[DOCKERFILE.index("AS kernel") : DOCKERFILE.index("AS wheel")]
    assert "COPY luna" not in libraries
    # The page's scripts are built beside: their sources change no library.
    assert re.findall(r"COPY (services\S*)", libraries) == ["services/api/frontend"]


def test_the_image_ends_as_an_ordinary_user_below_a_first_process_that_passes_signals_on() -> None:
    assert DOCKERFILE.rindex("\nUSER luna\n") > DOCKERFILE.index("AS runtime")
    assert '\nENTRYPOINT ["tini", "--", "entrypoint"]\n' in DOCKERFILE


def test_the_base_is_pinned_and_nothing_needs_another_builder() -> None:
    assert re.search(
        r"^ARG PYTHON=python:\d+\.\d+\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?$",
        DOCKERFILE,
        re.MULTILINE,
    )
    assert "latest" not in DOCKERFILE


def test_pytorch_is_in_no_image_unless_asked_for() -> None:
    assert re.search(r"^ARG PYTORCH=$", DOCKERFILE, re.MULTILINE)
    asking = [
        path.name
        for path in ROOT.glob("docker-compose*.yml")
        if "PYTORCH" in path.read_text(encoding="utf-8")
    ]
    assert sorted(asking) == ["docker-compose.lab.yml", "docker-compose.training.yml"]


def test_what_is_added_for_training_repeats_nothing_of_the_agents_libraries() -> None:
    training = packages(ROOT / "locks/training.txt")
    assert {"tensorboard", "sympy"} <= training.keys()
    assert training.keys().isdisjoint({**packages(LOCKS["kernel"]), **packages(LOCKS["agent"])})
