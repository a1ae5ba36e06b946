"""Measures one embedder, in the library's own environment.

Prints a line of JSON for each file of texts, and writes the vectors of all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path


def cpu_seconds() -> float:
    """Returns the processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("lines", type=Path, nargs="+")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"

    from speed import embedders

    kind, _ = embedders.KINDS[args.kind]
    embedder = kind(args.model.resolve(), args.variant, args.threads)
    vectors = []
    for path in args.lines:
        texts = path.read_text(encoding="utf-8").splitlines()
        vectors.append(embedder.embed(texts))
        begin, cpu, done = time.perf_counter(), cpu_seconds(), 0
        while done == 0 or time.perf_counter() - begin < args.seconds:
            embedder.embed(texts)
            done += len(texts)
        wall, used = time.perf_counter() - begin, cpu_seconds() - cpu
        times: list[float] = []
        begin = time.perf_counter()
        while len(times) < 10 or len(times) < 1000 and time.perf_counter() - begin < args.seconds:
            start = time.perf_counter()
            embedder.embed([texts[len(times) % len(texts)]])
            times.append(time.perf_counter() - start)
        times.sort()
        line = {
            "version": embedders.version(args.kind),
            "texts_per_second": done / wall,
            "texts_per_cpu_second": done / used,
            "query_p50_us": times[len(times) // 2] * 1e6,
            "query_p99_us": times[min(len(times) - 1, len(times) * 99 // 100)] * 1e6,
        }
        print(json.dumps(line), flush=True)
    import numpy as np

    np.save(args.vectors, np.concatenate(vectors).astype(np.float32))


if __name__ == "__main__":
    sys.exit(main())
