"""The benches of the camera lab's labels, with a few scenarios each."""

from pathlib import Path

import numpy as np

from bench.edge_labels import open_training, solve_single_step, time_exact
from services.edge.labels.problem import build_problem
from services.edge.scenarios import draw_batch


def test_the_old_way_takes_the_smallest_model_that_fulfils() -> None:
    lab = open_training(Path("unwritten"), 200)
    assert time_exact(lab)["labels"] == 200
    problem = build_problem(lab, draw_batch(lab, 0), every_model=True)
    assert solve_single_step(problem, int(np.argmax(problem.stored)))[0] == 0
