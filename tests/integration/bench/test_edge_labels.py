"""The benches of the camera lab's labels, with a few scenarios each."""

from pathlib import Path

import numpy as np

from bench.edge_horizons import draw_run, follow, use_energy
from bench.edge_labels import open_training, solve_single_step, time_exact
from services.edge.config import EdgeConfig
from services.edge.lab import DataFolders, open_lab
from services.edge.labels.problem import build_problem
from services.edge.scenarios import draw_batch


def test_the_old_way_takes_the_smallest_model_that_fulfils() -> None:
    lab = open_training(Path("unwritten"), 200)
    assert time_exact(lab)["labels"] == 200
    problem = build_problem(lab, draw_batch(lab, 0), every_model=True)
    assert solve_single_step(problem, int(np.argmax(problem.stored)))[0] == 0


def test_who_decides_by_labels_keeps_part_of_the_whole_futures_worth_and_misses_nothing() -> None:
    config = EdgeConfig.model_validate({"global": {"random_seed": 1}, "data_sources": {"locations": ["CA"], "seasons": ["spring", "fall"]}})
    lab = open_lab(config, DataFolders(Path("unwritten")), out=Path("unwritten"))
    run = draw_run(lab, cameras=1, days=1)
    mean = (1 - run.shares[:, : run.slots]).mean(axis=1)
    cost = follow(lab, run, mean)
    # A miss costs more than all that a camera uses in a minute.
    assert 0 < cost.sum() < (use_energy(lab, run) * mean).sum()
