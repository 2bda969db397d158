"""What a reader pays in hops: what one plan runs through, what has one caller or one importer, how
long functions are, what knows a kind of device.
"""

import ast
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import grimp
import numpy as np

from luna.contracts.plan import PlanRequest
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from tests.unit.test_device_mentions import KINDS, list_mentions

ROOT = Path(__file__).parents[1]
PACKAGES = ("luna", "services")
EXAMPLE = ROOT / "examples" / "plan_request.json"


def measure() -> dict[str, Any]:
    """Return the figures of the product's modules and functions, and of the path of one plan of one
    battery.
    """
    files = sorted(
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "/migrations/" not in str(path)
    )
    texts = [path.read_text(encoding="utf-8") for path in files]
    functions = [function for text in texts for function in list_functions(ast.parse(text))]
    lengths = [each.lines for each in functions]
    once = sum(each.has_one_caller for each in functions)
    single = _count_single_imports()
    return {
        "lines": sum(text.count("\n") for text in texts),
        "modules": len(files),
        "functions": len(functions),
        "function_lines": {
            "median": float(np.median(lengths)),
            "p90": float(np.percentile(lengths, 90)),
            "longest": max(lengths),
        },
        "file_lines_p90": float(np.percentile([text.count("\n") for text in texts], 90)),
        "private_with_one_caller": {"count": once, "share": once / len(functions)},
        "modules_with_one_importer": {"count": single, "share": single / len(files)},
        "files_that_know": dict(
            Counter(dict.fromkeys(KINDS, 0))
            + Counter(line.partition(" ")[0] for line in list_mentions())
        ),
        "plan": trace_plan(),
    }


@dataclass(frozen=True, slots=True)
class Function:
    """A function's lines, and whether it is private and named once beside its definition."""

    lines: int
    has_one_caller: bool


def list_functions(module: ast.Module) -> Iterator[Function]:
    """Yield the functions of a module.

    What is private is called in its own module or not at all.
    """
    nodes = list(ast.walk(module))
    named = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in nodes
        if isinstance(node, ast.Name | ast.Attribute)
    )
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            private = node.name.startswith("_") and not node.name.startswith("__")
            yield Function(
                (node.end_lineno or node.lineno) - node.lineno + 1,
                private and named[node.name] == 1,
            )


def _count_single_imports() -> int:
    """Return how many modules, packages aside, are imported by one other alone."""
    graph = grimp.build_graph(*PACKAGES)
    return sum(
        len(graph.find_modules_that_directly_import(name)) == 1
        for name in graph.modules
        if ".migrations" not in name and not graph.find_children(name)
    )


def trace_plan() -> dict[str, int]:
    """Return how many functions of the product, in how many files and how deep, one plan of one
    battery calls, from its request to its reply as JSON.
    """
    text = EXAMPLE.read_text(encoding="utf-8")
    solver = Solver()

    def plan() -> None:
        plan_request(
            PlanRequest.model_validate_json(text), now=datetime.now(UTC), solver=solver
        ).model_dump_json(by_alias=True)

    # What is compiled, read and remembered once is no part of the path.
    plan()
    functions = set[tuple[str, str]]()
    files = set[str]()
    calls = 0
    depth = 0
    deepest = 0
    folders = tuple(f"{ROOT / package}/" for package in PACKAGES)

    def follow(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls, depth, deepest
        name = frame.f_code.co_filename
        if not name.startswith(folders):
            return
        if event == "call":
            calls = calls + 1
            depth = depth + 1
            deepest = max(deepest, depth)
            functions.add((name, frame.f_code.co_qualname))
            files.add(name)
        elif event == "return":
            depth -= 1

    sys.setprofile(follow)
    try:
        plan()
    finally:
        sys.setprofile(None)
    return {"functions": len(functions), "files": len(files), "calls": calls, "deep": deepest}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
