"""The measurements that a process makes of its library."""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np

from rivals.base import Rival
from rivals.truth import Truth

Answer = dict[str, Any]


def rate(ask: Callable[[], Any], queries: int, at_least: float) -> Answer:
    """Asks all queries again and again for at_least seconds."""
    rounds, wall, cpu = 0, 0.0, 0.0
    while wall < at_least:
        t, c = time.perf_counter(), time.process_time()
        ask()
        wall += time.perf_counter() - t
        cpu += time.process_time() - c
        rounds += 1
    asked = rounds * queries
    return {"qps": asked / wall, "qps_cpu": asked / max(cpu, 1e-9), "rounds": rounds}


def search(rival: Rival, queries: np.ndarray, truth: Truth, request: dict[str, Any]) -> Answer:
    """Measures one setting: recall, then the rate, then single queries."""
    rival.prepare(request.get("setting", {}), request.get("threads", 1))
    answer: Answer = {"recall": truth.recall(rival.search(queries))}
    answer |= rate(lambda: rival.search(queries), len(queries), request.get("seconds", 0.3))
    if request.get("latency"):
        answer |= latency(rival, queries)
    return answer


def latency(rival: Rival, queries: np.ndarray) -> Answer:
    """Times each query in a call of its own, Python's part included."""
    times = np.empty(len(queries))
    for i, query in enumerate(queries):
        t = time.perf_counter()
        rival.search_one(query)
        times[i] = time.perf_counter() - t
    return {"p50_us": float(np.percentile(times, 50) * 1e6), "p99_us": float(np.percentile(times, 99) * 1e6)}


def inserts(rival: Rival, base: np.ndarray) -> Answer:
    """Inserts rows one by one."""
    base = np.ascontiguousarray(base)
    t, c = time.perf_counter(), time.process_time()
    rival.insert_each(base)
    wall, cpu = time.perf_counter() - t, time.process_time() - c
    return {"inserted": len(base), "inserts": len(base) / wall, "inserts_cpu": len(base) / cpu}
