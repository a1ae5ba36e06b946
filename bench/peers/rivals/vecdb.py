"""vecdb itself, by its command `vecdb bench`.

The command builds the index and sweeps all settings in one run, so a
repetition is a run of it: the first question of a repetition starts the run,
and the others are answered from its output. How that output reads is known to
parse alone.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from rivals import process
from rivals.base import EFS, Unsupported
from rivals.serve import arguments, loop

# The driver binds this process later; builds may use what it has now.
PROCESSORS = os.sched_getaffinity(0)

PROJECT = Path(os.environ["VECDB_PROJECT"])
BINARY = os.environ.get("VECDB_BINARY", str(PROJECT / "bin" / "vecdb"))


def parse(text: str, mode: str) -> dict[int, dict[str, Any]]:
    """Reads the lines of `vecdb bench --jsonl` as points of a mode, one an ef."""
    points: dict[int, dict[str, Any]] = {}
    for line in text.splitlines():
        line = line.strip()
        if not line.startswith("{"):
            continue
        p = json.loads(line)
        name, _, ef = p.get("setting", "").partition("=")
        if name != "ef" or p.get("mode", "search") != mode:
            continue
        point = {"recall": p["recall_at_10"], "qps": p["qps"], "p50_us": p["p50_us"], "p99_us": p["p99_us"], "_run": p}
        if p.get("queries_per_cpu_second"):
            point["qps_cpu"] = p["queries_per_cpu_second"]
        points[int(ef)] = point
    return points


def build_facts(run: dict[str, Any]) -> dict[str, Any]:
    """Takes what the build has cost from one point of the output."""
    n = run.get("vectors", 0)
    return {
        "build_seconds": run.get("build_seconds"),
        "build_cpu_seconds": run.get("build_cpu_seconds"),
        "built_rss_bytes": run.get("rss_added_bytes"),
        "peak_over_input_bytes": max(0, run.get("peak_rss_bytes", 0) - 4 * n * run.get("dimension", 0)) or None,
    }


class Vecdb:
    """The command behind the protocol."""

    def __init__(self, args: Any) -> None:
        self.args = args
        self.points: dict[int, dict[str, Any]] = {}
        self.asked: set[int] = set()
        self.shape: Any = None

    def describe(self) -> dict[str, Any]:
        """Returns what is known before anything is built."""
        return {
            "version": f"vecdb {self.version()}", "saves": False, "settings": EFS,
            "build_settings": {"index": self.args.variant}, "build_threads": self.args.threads,
        }

    def version(self) -> str:
        """Returns the commit that the binary was likely built from."""
        done = subprocess.run(["git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
        return done.stdout.strip() or "unknown"

    def run(self, efs: list[int], threads: int, seconds: float, share: float | None = None) -> dict[int, dict[str, Any]]:
        """Runs the command once over the given settings.

        With a share the searches are restricted to so much of the vectors,
        which the command draws itself.
        """
        more = ["--truth", self.args.truth, "--build-threads", str(self.args.threads), "--threads", str(threads), "--seconds", str(seconds)]
        if share is not None:
            more += ["--filter", str(share), "--filter-kind", "random"]
        return self.bench(efs, more, PROCESSORS, "search" if share is None else "filtered")

    def bench(self, efs: list[int], more: list[str], processors: set[int], mode: str) -> dict[int, dict[str, Any]]:
        """Runs the command with further options on some processors."""
        a = self.args
        command = [
            BINARY, "bench", "--base", a.base, "--queries", a.queries, "--index", a.variant, "--ef", ",".join(map(str, efs)),
            "--repeat", "1", "--jsonl", "--cpu", ",".join(map(str, os.sched_getaffinity(0))), *more,
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        points = parse(done.stdout, mode)
        if done.returncode != 0 or not points:
            reason = (done.stderr.strip().splitlines() or ["it printed no points"])[-1]
            raise RuntimeError(f"vecdb bench: {reason}")
        return points

    def start(self, build_only: bool) -> dict[str, Any]:
        """Runs the command with one setting, for the cost of the build."""
        if not build_only:
            return {}
        points = self.run([EFS[0]["ef"]], self.args.threads, 0.3)
        return build_facts(next(iter(points.values()))["_run"])

    def insert_each(self, count: int) -> dict[str, Any]:
        """Builds an index of the first rows one by one, with one thread."""
        more = ["--limit", str(count), "--count", "1", "--build-batch", "1", "--build-threads", "1"]
        points = self.bench([EFS[0]["ef"]], more, os.sched_getaffinity(0), "search")
        built = next(iter(points.values()))["_run"]
        return {"inserted": count, "inserts": count / built["build_seconds"], "inserts_cpu": count / built["build_cpu_seconds"]}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answers a search from the run of this repetition, or measures insertions."""
        if request["op"] == "inserts":
            return self.insert_each(request["count"])
        if request["op"] not in ("search", "filter"):
            raise Unsupported(request["op"])
        ef, shape = request["setting"]["ef"], (request["threads"], request["seconds"], request.get("share"))
        if ef in self.asked or shape != self.shape or ef not in self.points:
            self.points, self.asked, self.shape = self.run([s["ef"] for s in EFS if s["ef"] >= ef], *shape), set(), shape
        self.asked.add(ef)
        return {k: v for k, v in self.points[ef].items() if k != "_run"}


def main() -> None:
    """Runs the adapter."""
    out = process.claim_stdout()
    args = arguments()
    try:
        loop(Vecdb(args), args, out)
    except (RuntimeError, OSError) as e:
        os.write(out, (json.dumps({"error": str(e)}) + "\n").encode())


if __name__ == "__main__":
    main()
