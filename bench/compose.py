"""The containers: cold start to all healthy, ``POST /plan`` through them, memory of each at rest,
what each image adds to its base.

Run as ``make bench-compose``; needs Docker. The containers run under a project name of their own
and are taken down at the end.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.timing import describe
from luna.energy.errors import MachineError
from luna.energy.timeline import FloatArray
from tests.compose.stack import ROOT, Stack, build_images, run, start_engine

PLANS = 200
REST_SECONDS = 30
UNITS = {"B": 2.0**-20, "KiB": 2.0**-10, "MiB": 1.0, "GiB": 2.0**10}
WORKERS = (
    "planner",
    "planner-jobs",
    "forecaster",
    "forecaster-interactive",
    "ingest",
    "agent",
    "agent-interactive",
    "rag",
    "rag-interactive",
)


def measure() -> dict[str, Any]:
    """Return the figures.

    Raises:
        MachineError: there is no Docker, or the containers do not become healthy.
    """
    stack = Stack("luna-bench", ROOT / "var/bench/compose")
    try:
        stack.prepare()
        start_engine(stack)
        build_images(stack)
        stack.down()
        return _measure(stack)
    except RuntimeError as exc:
        raise MachineError(
            f"the containers cannot be measured: {exc}",
            field="docker",
            remedy="Install and start Docker.",
        ) from exc
    finally:
        stack.down()


def _measure(stack: Stack) -> dict[str, Any]:
    figures: dict[str, Any] = {"cold_start_s": stack.up()}
    time.sleep(REST_SECONDS)
    memory = _memory(stack)
    figures["idle_mib"] = memory | {"worker": max(memory[name] for name in WORKERS)}
    figures["post_plan"] = _time_plans(stack)
    figures["image_mb"] = _sizes(stack)
    return figures


def _time_plans(stack: Stack) -> dict[str, float]:
    document = json.loads((ROOT / "examples/plan_request.json").read_text(encoding="utf-8"))
    whole: FloatArray = np.empty(PLANS)
    own: FloatArray = np.empty(PLANS)
    with stack.client() as client:
        for index in range(-10, PLANS):
            begun = time.perf_counter()
            reply = client.post("/plan", json=document).raise_for_status()
            if index >= 0:
                whole[index] = (time.perf_counter() - begun) * 1000
                own[index] = sum(reply.json()["timing_ms"].values())
    return describe(whole) | {"over_planner_p50_ms": float(np.median(whole - own))}


def _memory(stack: Stack) -> dict[str, float]:
    names = {
        each["Name"]: each["Service"] for each in stack.containers() if each["State"] == "running"
    }
    rows = run(
        "docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names
    ).splitlines()
    found = [re.match(r"(\S+) ([\d.]+)([A-Za-z]+)", row) for row in rows]
    return {names[row[1]]: float(row[2]) * UNITS[row[3]] for row in found if row}


def _sizes(stack: Stack) -> dict[str, float]:
    base = _size(
        re.search(
            r"^ARG PYTHON=(\S+)$",
            Path(ROOT / "infra/Dockerfile").read_text(encoding="utf-8"),
            re.MULTILINE,
        )[1]
    )  # type: ignore[index]
    images = {
        line
        for line in stack.compose("--profile", "*", "config", "--images").split()
        if line.startswith("luna-") and "fluent-bit" not in line
    }
    return {
        image.partition(":")[0].removeprefix("luna-"): (_size(image) - base) / 1e6
        for image in sorted(images)
    }


def _size(image: str) -> int:
    return int(run("docker", "image", "inspect", image, "--format", "{{.Size}}"))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
