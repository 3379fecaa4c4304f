"""Every subset of refused addresses among up to twenty: is all sent that can be, and in how many
calls?

Run ``python -m benchmarks.every_subset`` from the root of the checkout. It uses the Clerk in a few
lines of the tests, and their judge: each address has one result, the true one, nobody is mailed
twice, and no more calls are made than ``InviteWorker`` promises. By default the million subsets of
twenty, each refused address for a reason of its own; ``--kinds``, ``--atomicities`` and
``--count`` choose others. The tests try all subsets of ten, and a sample of these.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator

import django

CHUNK = 4096

Order = tuple[str, str, int, range]


def orders(kind: str, atomicity: str, count: int) -> Iterator[Order]:
    """Yield the subsets, in portions."""
    for start in range(0, 1 << count, CHUNK):
        yield kind, atomicity, count, range(start, min(start + CHUNK, 1 << count))


def measure(order: Order) -> tuple[Counter[int], float, int]:
    """Judge some subsets; return the calls of each, the share of the bound, and the listings."""
    from org_invitations.clerk import BULK_SIZE
    from tests.sending_world import World, chosen, judge_without_faults, run

    kind, atomicity, count, masks = order
    calls: Counter[int] = Counter()
    share, listings = 0.0, 0
    for mask in masks:
        kinds = chosen(mask, count, kind)
        world = World(kinds, atomicity=atomicity)
        judge_without_faults(world, count, run(world, count))
        calls[len(world.calls)] += 1
        if kinds:
            extra = len(world.calls) - -(-count // BULK_SIZE)
            share = max(share, extra / (8 * len(kinds)))
        listings = max(listings, world.listings)
    return calls, share, listings


def prepare() -> None:
    """Set Django up: the services are part of an app."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()


def main() -> None:
    """Try them all, and say what it took."""
    prepare()
    from tests.sending_world import ADDRESS_KINDS, ATOMICITIES

    parser = argparse.ArgumentParser(description=__doc__)
    kinds = [*ADDRESS_KINDS, "mixed"]
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=["mixed"])
    parser.add_argument("--atomicities", nargs="+", choices=ATOMICITIES, default=ATOMICITIES)
    parser.add_argument("--count", type=int, default=20)
    asked = parser.parse_args()
    with multiprocessing.Pool(initializer=prepare) as pool:
        for atomicity in asked.atomicities:
            for kind in asked.kinds:
                started = time.perf_counter()
                calls: Counter[int] = Counter()
                share, listings = 0.0, 0
                for part in pool.imap_unordered(measure, orders(kind, atomicity, asked.count)):
                    calls += part[0]
                    share, listings = max(share, part[1]), max(listings, part[2])
                total = calls.total()
                mean = sum(number * times for number, times in calls.items()) / total
                print(
                    f"{kind} refused, a refused bulk call makes {atomicity}: {total} subsets of "
                    f"{asked.count}, {mean:.1f} calls on average, {max(calls)} at most "
                    f"({share:.0%} of the bound), {listings} listings at most, "
                    f"{time.perf_counter() - started:.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
