"""What is compiled is loaded before anybody waits for a plan."""

import subprocess
import sys
import textwrap

# In a process of its own: what other tests have planned has loaded its loops already.
PLAN = """
    import sys

    import numpy as np
    from numba.core.dispatcher import Dispatcher

    from bench.cases import add_scenarios, generate_cases, generate_full_cases
    from luna.contracts.plan import PlanRequest
    from services.planner.compiled import load_kernels
    from services.planner.milp.solver import Solver
    from services.planner.reply.reply import plan_request

    def loaded():
        modules = [module for name, module in sys.modules.items() if name.startswith("services.")]
        found = set()
        for module in modules:
            for loop in vars(module).values():
                if isinstance(loop, Dispatcher):
                    name = loop.py_func.__qualname__
                    found |= {(name, signature) for signature in loop.signatures}
        return found

    rng = np.random.default_rng(7)
    plain, full = generate_cases(rng)[0], generate_full_cases(rng)[0]
    scenarios = add_scenarios(plain, rng, count=3)
    cautious = scenarios | {"options": scenarios["options"] | {"risk": 0.5}}
    load_kernels()
    before = loaded()
    for case in (plain, full, scenarios, cautious):
        request = PlanRequest.model_validate(case)
        plan_request(request, now=request.start, solver=Solver())
    print(sorted(name for name, _ in loaded() - before))
"""


def test_plans_of_every_kind_find_their_loops_loaded() -> None:
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PLAN)], capture_output=True, text=True, check=False
    )
    assert found.stdout == "[]\n", found.stderr
