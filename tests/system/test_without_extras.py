"""What demo, gateway and workers import stands without any extra that is installed at first use."""

import subprocess
import sys
from pathlib import Path

from luna.platform.extras import DRAWING, LAB, MDNS, QDRANT, TRAINING

ROOT = Path(__file__).parents[2]
# What only these modules import: each stands behind ``require_extra``, or is asked for by who has
# installed it.
BEHIND_EXTRAS = (
    "services.agent.environment.env",
    "services.agent.reinforcement.ppo",
    "services.edge.controller.training",
    "services.edge.labels.mixed_integer",
    "services.rag.retrieval.vectors.qdrant_server",
)
IMPORT_ALL = """
import sys
from importlib import import_module

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT, modules = set(sys.argv[1].split(",")), sys.argv[2].split(",")
sys.meta_path.insert(0, Absent())
for name in modules:
    import_module(name)
"""


def test_every_module_but_those_behind_extras_is_imported_without_them() -> None:
    absent = {
        *(module for extra in (LAB, DRAWING, MDNS, QDRANT, TRAINING) for module in extra.modules),
        "gymnasium",
        "grpc",
        "huggingface_hub",
    }
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("luna", "services")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]
    # Migrations are run by Alembic alone.
    left_out = (*BEHIND_EXTRAS, "luna.platform.database.migrations")
    modules = [
        name.removesuffix(".__init__")
        for name in modules
        if not name.startswith(left_out) and not name.endswith("__main__")
    ]
    assert len(modules) > 500
    subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(sorted(absent)), ",".join(modules)],
        check=True,
        cwd=ROOT,
    )
