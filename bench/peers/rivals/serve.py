"""The process of a rival.

It builds an index or loads a saved one, prints one line of JSON with what that
has cost, and then answers each line of JSON on its standard input with one on
its standard output, until the input ends:

    {"op": "search", "setting": {"ef": 100}, "threads": 1, "latency": true}
    {"op": "filter", "setting": {"ef": 100}, "allowed": FILE, "truth": FILE}
    {"op": "inserts", "count": 20000}

An answer has "error" where the operation failed and "unsupported" where the
library has none such.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import mmap
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from rivals import measure, process
from rivals.base import Rival, Unsupported
from rivals.truth import Truth


def arguments() -> argparse.Namespace:
    """Reads the command line that all rivals share."""
    p = argparse.ArgumentParser()
    for name in ("--variant", "--base", "--queries", "--truth", "--cache"):
        p.add_argument(name, required=True)
    p.add_argument("--threads", type=int, default=1, help="threads of the build")
    p.add_argument("--build-only", action="store_true")
    p.add_argument("--settings", default="", help="used by adapters of programs")
    return p.parse_args()


class Peer:
    """A library behind the protocol."""

    def __init__(self, kind: type[Rival], args: argparse.Namespace) -> None:
        self.queries = np.ascontiguousarray(np.load(args.queries), dtype=np.float32)
        self.truth = Truth(Path(args.truth))
        self.base = np.load(args.base, mmap_mode="r")
        self.folder = Path(args.cache)
        self.make = lambda: kind(args.variant, self.base.shape[1], args.threads)
        self.rival = self.make()
        self.package = kind.package

    def describe(self) -> dict[str, Any]:
        """Returns what is known before anything is built."""
        return {
            "version": f"{self.package} {importlib.metadata.version(self.package)}",
            "saves": self.rival.can_save,
            "settings": self.rival.settings(),
            "build_settings": self.rival.build_settings(),
            "build_threads": self.rival.threads,
        }

    def build(self) -> dict[str, Any]:
        """Builds and saves, and returns the cost of it."""
        base = np.array(self.base, dtype=np.float32)
        self.release()
        gc.collect()
        process.reset_peak()
        before = process.memory("VmRSS")
        t, c = time.perf_counter(), time.process_time()
        self.rival.build(base)
        facts: dict[str, Any] = {"build_seconds": time.perf_counter() - t, "build_cpu_seconds": time.process_time() - c}
        facts["peak_over_input_bytes"] = process.memory("VmHWM") - before
        facts["built_rss_bytes"] = process.memory("VmRSS") - before
        if self.rival.can_save:
            # Some libraries write the names of their files into them, so the
            # folder is the final one, and a file tells that it is complete.
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self.rival.save(self.folder)
            facts["disk_bytes"] = process.size_of(self.folder)
            (self.folder / "complete").touch()
        return facts

    def load(self) -> dict[str, Any]:
        """Loads the saved index, asks a query of it, and returns the cost."""
        gc.collect()
        before = process.memory("VmRSS")
        t = time.perf_counter()
        self.rival.load(self.folder, self.base)
        facts = {"load_seconds": time.perf_counter() - t}
        self.rival.prepare(self.rival.settings()[0], 1)
        self.rival.search(self.queries)
        self.release()
        gc.collect()
        return facts | {"rss_added_bytes": process.memory("VmRSS") - before}

    def release(self) -> None:
        """Gives the mapped pages of the raw vectors back."""
        mapped = getattr(self.base, "_mmap", None)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)

    def start(self, build_only: bool) -> dict[str, Any]:
        """Builds or loads as is needed, and returns the facts for the driver."""
        if build_only or not self.rival.can_save:
            return self.build()
        return self.load()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answers one request."""
        op = request["op"]
        if op == "search":
            return measure.search(self.rival, self.queries, self.truth, request)
        if op == "filter":
            truth = Truth(Path(request["truth"]))
            self.rival.filter(np.load(request["allowed"]))
            try:
                return measure.search(self.rival, self.queries, truth, request)
            finally:
                self.rival.unfilter()
        if op == "inserts":
            return measure.inserts(self.make(), np.array(self.base[: request["count"]]))
        raise Unsupported(op)


def loop(peer: Any, args: argparse.Namespace, out: int) -> None:
    """Speaks the protocol until the input ends."""

    def say(line: dict[str, Any]) -> None:
        os.write(out, (json.dumps(line) + "\n").encode())

    say(peer.describe() | peer.start(args.build_only))
    if args.build_only:
        return
    for line in sys.stdin:
        try:
            say(peer.answer(json.loads(line)))
        except Unsupported:
            say({"unsupported": True})
        except Exception as e:  # a rival's failure is a result
            say({"error": f"{type(e).__name__}: {e}"})


def main(kind: type[Rival]) -> None:
    """Runs the process of a library."""
    out = process.claim_stdout()
    args = arguments()
    try:
        loop(Peer(kind, args), args, out)
    except Exception as e:
        message = str(e).strip().splitlines() or [""]
        os.write(out, (json.dumps({"error": f"{type(e).__name__}: {message[-1]}"}) + "\n").encode())
        raise
