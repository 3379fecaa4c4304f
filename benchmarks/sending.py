"""Ten thousand addresses of three hundred organizations, sent by three workers that are killed.

``python -m benchmarks.sending --seed 1`` takes minutes for fifteen hours: a clock of its own drives
them. It prints what came of it, and fails where a promise of docs/scaling.md is not kept.
"""

from __future__ import annotations

import argparse
import os
import sys

import pytest

TEST = "tests/test_simulation.py::test_ten_thousand_of_three_hundred_organizations"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance")
    parser.add_argument("--reserved", type=int, default=10, help="percent kept for people")
    options = parser.parse_args()
    os.environ["SENDING_SEED"] = str(options.seed)
    os.environ["SENDING_RESERVED"] = str(options.reserved)
    return pytest.main(["-q", "-s", "-p", "no:xdist", "-p", "no:randomly", TEST])


if __name__ == "__main__":
    sys.exit(main())
