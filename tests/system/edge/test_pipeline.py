"""The camera lab from outside: all stages by one command, gone on with.

As jobs of workers that share the object store alone; a batch on workers.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, delete

from luna.contracts.edge import (
    EdgeRunRequest,
    LabelScenariosRequest,
    TrainControllersRequest,
)
from luna.contracts.edge_summary import EdgeSummary
from luna.contracts.message import Request
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.work import jobs as job_table
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from services.edge.row_files import read_rows
from tests.support.command_line.call import Luna
from tests.support.database.object_servers import run_moto
from tests.support.suite.depth import LONG
from tests.support.worker.workers import wait_for, worker_process

SCENARIOS = 600 if LONG else 150
CONFIG: dict[str, Any] = {
    "training_data": {"num_scenarios": SCENARIOS, "batch_size": SCENARIOS // 3},
    # Each network is trained by a process of its own, which loads PyTorch for seconds.
    "controller_training": {
        "model": {"ensemble_size": 2 if LONG else 1},
        "training": {"epochs": 3, "checkpoint_interval": 1},
    },
    "simulation": {"duration_days": 0.5},
    "batch_simulation": {"duration_days": 1, "variations": {"num_variations": 1}},
    "data_sources": {"locations": ["CA", "NW"], "seasons": ["winter"]},
    "results": {"visualization": {"plot_formats": ["png"]}},
}
RUNS = 2 * 6
PATIENCE = timedelta(minutes=5).total_seconds()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.jsonc"
    path.write_text(f"// A small lab.\n{json.dumps(CONFIG)}", encoding="utf-8")
    return path


def test_all_stages_are_done_by_one_command_and_not_again_by_the_next(
    luna: Luna, config: Path, tmp_path: Path
) -> None:
    command = (
        "edge",
        "run",
        "--config",
        str(config),
        "--out",
        str(tmp_path / "out"),
        "--seed",
        "4",
        "--json",
    )
    first = luna(*command)
    assert first.code == 0, first.err
    stages = first.document["stages"]
    assert all(figures["stand_ins"] == ["CA", "NW"] for figures in stages.values())
    assert list(stages) == ["label", "train", "simulate", "batch", "report"]
    assert (
        stages["label"]["made_now"],
        stages["batch"]["made_now"],
        stages["batch"]["failed"],
    ) == (SCENARIOS, RUNS, 0)
    runs = list(read_rows(tmp_path / "out" / "batch", "runs"))
    assert len({run["run_id"] for run in runs}) == RUNS
    assert all(run["stand_in"] for run in runs)
    assert EdgeSummary.model_validate(stages["report"]["summary"]).runs == RUNS
    events = [
        json.loads(line)["event"]
        for line in (tmp_path / "out" / "logs" / "edge.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    assert events.count("stage is done") == 5

    again = luna(*command[:-3], "--json")
    assert again.code == 0, again.err
    assert again.document["seed"] == 4
    assert (
        again.document["stages"]["label"]["made_now"],
        again.document["stages"]["batch"]["made_now"],
    ) == (0, 0)
    assert list(read_rows(tmp_path / "out" / "batch", "runs")) == runs
    assert luna(*command[:-3], "--seed", "5").code == 1


def test_a_stage_says_what_has_to_be_done_before(luna: Luna, config: Path, tmp_path: Path) -> None:
    said = luna("edge", "train", "--config", str(config), "--out", str(tmp_path / "out"), "--json")
    assert said.code == 1
    assert "luna edge label" in said.problem["detail"]
    assert luna("edge", "report", "--config", str(config), "--out", str(tmp_path / "out")).code == 1


def test_a_key_that_nobody_knows_is_named(luna: Luna, config: Path, tmp_path: Path) -> None:
    config.write_text('{"global": {"wrokers": 2}}', encoding="utf-8")
    said = luna("edge", "run", "--config", str(config), "--out", str(tmp_path / "out"))
    assert (said.code, said.problem["field"]) == (2, "global.wrokers")


class TestWorkers:
    """The lab's tasks, done by worker processes."""

    @pytest.fixture
    def client(self, redis_url: str, database: Engine) -> Iterator[Client]:
        with redis.Redis.from_url(redis_url) as admin:
            admin.flushdb()
        with closing(Client(redis_url)) as client:
            yield client
        with unit_of_work(database) as connection:
            connection.execute(delete(job_table).where(job_table.c.task.startswith("edge.")))

    def do(self, database: Engine, client: Client, request: Request) -> Any:
        """Have a job done and return its reply."""

        def ended() -> Any:
            with unit_of_work(database) as connection:
                found = jobs.load(connection, job.job_id)
            return found if found.status not in ("queued", "running") else None

        job = submit_job(database, client, request)
        wait_for(lambda: ended() is not None, PATIENCE)
        job = ended()
        assert job.status == "done", job.error
        return type(request).reply.model_validate(job.reply)

    def test_machines_that_share_the_object_store_alone_go_on_with_a_run_and_do_its_batch(
        self,
        luna_on_servers: Luna,
        database: Engine,
        client: Client,
        database_url: str,
        redis_url: str,
        config: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        asked: dict[str, Any] = {"run_id": "apart", "config": CONFIG, "seed": 4}
        out = ("--config", str(config), "--out", str(tmp_path / "out"), "--seed", "4", "--json")
        with run_moto(tmp_path / "moto.log") as objects:
            for name, value in {
                "URL": objects.url,
                "BUCKET": objects.bucket,
                "ACCESS_KEY": objects.access_key,
                "SECRET_KEY": objects.secret_key,
            }.items():
                monkeypatch.setenv(f"LUNA_OBJECTS_{name}", value)
            for machine, request in (
                ("one", LabelScenariosRequest(**asked)),
                ("other", TrainControllersRequest(**asked)),
            ):
                monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path / machine))
                with worker_process(redis_url, database_url, "services.edge.tasks"):
                    self.do(database, client, request)
            monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path / "one"))
            with worker_process(redis_url, database_url, "services.edge.tasks"):
                reply = self.do(database, client, EdgeRunRequest(**asked))
                made_now = [reply.figures[stage].get("made_now") for stage in ("label", "batch")]
                assert (made_now, reply.figures["batch"]["failed"]) == ([0, RUNS], 0)
                assert reply.summary.runs == RUNS
                batch = Path(str(reply.figures["batch"]["folder"]))
                # With the same labels and networks.
                shutil.copytree(
                    batch.parent, tmp_path / "out", ignore=shutil.ignore_patterns(batch.name)
                )
                shared = luna_on_servers("edge", "batch", *out, "--on-workers")
                assert shared.code == 0, shared.err
            stored = {entry.key for entry in objects.list_all()}
        assert {
            "edge/apart/batch/runs-0001.jsonl",
            "edge/apart/controller/current.json",
            "edge/apart/training/training-0001.jsonl",
        } <= stored
        here = list(read_rows(tmp_path / "out" / "batch", "runs"))
        there = list(read_rows(batch, "runs"))
        order = lambda row: row["run_id"]  # noqa: E731 - of two lists
        assert sorted(here, key=order) == sorted(there, key=order)
        assert len(here) == RUNS

    def test_a_worker_reads_its_own_folder_alone(
        self, database: Engine, client: Client, database_url: str, redis_url: str
    ) -> None:
        config = {"data_sources": {"power_profiles_file": "/etc/passwd"}}
        with worker_process(redis_url, database_url, "services.edge.tasks"):
            job = submit_job(
                database, client, LabelScenariosRequest(run_id="outside", config=config)
            )

            def status() -> str:
                with unit_of_work(database) as connection:
                    return jobs.load(connection, job.job_id).status

            wait_for(lambda: status() == "failed", PATIENCE)
            with unit_of_work(database) as connection:
                assert "own folder alone" in str(jobs.load(connection, job.job_id).error)
