"""The command: measures rivals on the same files and reports."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from driver import data as files
from driver import report
from driver.peers import ALL, PROJECT, Peer
from driver.schedule import Run

PHASES = ("search", "threads", "filters", "inserts")


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    p = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__)
    p.add_argument("--base", type=Path, required=True, help="float32 vectors of unit length (.npy)")
    p.add_argument("--queries", type=Path, required=True, help="the vectors to search for (.npy)")
    p.add_argument("--truth", type=Path, help="ids of each query's nearest rows (.npy); default: computed")
    p.add_argument("--rivals", default=",".join(ALL), help="comma-separated, each a rival or rival/variant (%(default)s)")
    p.add_argument("--phases", default="search", help=f"comma-separated, of {', '.join(PHASES)} (%(default)s)")
    p.add_argument("--repeat", type=int, default=3, help="repetitions, of which the medians count (%(default)s)")
    p.add_argument("--seconds", type=float, default=0.3, help="shortest time of one measurement (%(default)s)")
    p.add_argument("--build-threads", type=int, default=os.cpu_count(), help="(%(default)s)")
    p.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="processor of the single-threaded phases (%(default)s)")
    p.add_argument("--one-at-a-time", action="store_true", help="load and stop a rival in each turn, for sets that fill the memory")
    p.add_argument("--fresh", action="store_true", help="measure again what is there; saved indexes are built again too")
    p.add_argument("--out", type=Path, help="folder of the results; default: below the cache")
    p.add_argument("--cache", type=Path, default=PROJECT / "build" / "peers", help="environments and indexes (%(default)s)")
    p.add_argument("--publish", metavar="NAME", help="write bench/results/NAME.jsonl, docs/bench-NAME.svg and the table in docs/bench.md")
    return p.parse_args()


def chosen(names: str) -> list[Peer]:
    """Returns the variants that a list names."""
    out = []
    for name in names.split(","):
        rival, _, variant = name.partition("/")
        if rival not in ALL or (variant and variant not in ALL[rival]):
            raise SystemExit(f"there is no rival {name!r}; there are: " + ", ".join(f"{r}/{v}" for r in ALL for v in ALL[r]))
        out += [Peer(rival, v) for v in ([variant] if variant else ALL[rival])]
    return out


def main() -> None:
    """Runs the phases and writes the reports."""
    a = arguments()
    phases = a.phases.split(",")
    if unknown := set(phases) - set(PHASES):
        raise SystemExit(f"there is no phase {', '.join(sorted(unknown))}; there are: {', '.join(PHASES)}")
    peers = chosen(a.rivals)
    cache = a.cache.resolve()
    data = files.open_data(a.base.resolve(), a.queries.resolve(), cache)
    print(f"{data.n} vectors of {data.dim} numbers; exact neighbours", flush=True)
    files.ensure_truth(data, a.truth)
    files.ensure_filters(data)
    out = (a.out or cache / "results" / data.folder.name).resolve()
    run = Run(data, cache, out, peers, a.repeat, a.seconds, a.build_threads, a.cpu, a.one_at_a_time, a.fresh)
    try:
        run.build_all()
        for phase in phases:
            getattr(run, phase)()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", flush=True)
    finally:
        run.close()
    report.write(run, a.publish)


main()
