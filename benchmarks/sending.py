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
    parser.add_argument("--organizations", type=int, default=300)
    parser.add_argument("--addresses", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=8, help="within which they come")
    parser.add_argument("--trouble", type=float, default=1, help="times as many kills and faults")
    for name, value in vars(parser.parse_args()).items():
        os.environ[f"SENDING_{name.upper()}"] = str(value)
    return pytest.main(["-q", "-s", "-p", "no:xdist", "-p", "no:randomly", TEST])


if __name__ == "__main__":
    sys.exit(main())
