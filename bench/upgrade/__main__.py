"""``python -m bench.upgrade``: the figures as JSON.

Ends with 1 where something was lost or is not as it was.
"""

import argparse
import json
import sys

from bench.targets import judge
from bench.upgrade import PLACES, measure
from luna.energy.errors import LunaError


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.upgrade")
    parser.add_argument(
        "--from", dest="reference", default="", help="the release before, as git names it"
    )
    parser.add_argument("--place", action="append", choices=PLACES, help="default: all")
    options = parser.parse_args()
    try:
        figures = measure(
            reference=options.reference or None, places=tuple(options.place or PLACES)
        )
    except LunaError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps(figures, indent=2, ensure_ascii=False))
    missed = [verdict for verdict in judge("upgrade", figures) if not verdict.met]
    for verdict in missed:
        print(f"{verdict.target.words}: {verdict.value:g}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
