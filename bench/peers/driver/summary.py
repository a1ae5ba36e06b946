"""Medians, interpolation between measured points, and tables."""

from __future__ import annotations

import json
import math
from statistics import median
from typing import Any, Iterable

from driver.data import FILTERS
from driver.store import Line, Store

TARGETS = (0.90, 0.95, 0.98, 0.99)
FILTERED_TARGETS = (0.95, 0.99)
NUMBERS = ("recall", "qps", "qps_cpu", "p50_us", "p99_us", "inserts", "inserts_cpu")


def medians(points: Store) -> list[Line]:
    """Returns one line a setting, with the medians of its repetitions."""
    groups: dict[str, list[Line]] = {}
    for line in points.lines:
        if line["phase"] == "failure" or line.get("unsupported"):
            continue
        key = json.dumps([line["peer"], line["phase"], line.get("share"), line.get("setting")])
        groups.setdefault(key, []).append(line)
    out = []
    for lines in groups.values():
        first = lines[0]
        line = {k: first[k] for k in ("peer", "phase", "share", "setting") if k in first}
        line |= {k: rounded(median(x[k] for x in lines)) for k in NUMBERS if k in first}
        out.append(line | {"repetitions": len(lines)})
    return out


def rounded(x: float) -> float:
    """Keeps five digits, which is more than the measurement has."""
    return float(f"{x:.5g}")


def frontier(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Returns the points (recall, rate) that no other beats in both."""
    out: list[tuple[float, float]] = []
    for recall, rate in sorted(points, reverse=True):
        if not out or rate > out[-1][1]:
            out.append((recall, rate))
    return out[::-1]


def at_recall(points: Iterable[tuple[float, float]], target: float) -> float | None:
    """Returns the rate at a recall, None where it is not reached.

    Between the two points beside the target the logarithm of the rate is
    taken as linear in the logarithm of the error, 1 - recall.
    """
    curve = frontier(points)
    above = [p for p in curve if p[0] >= target]
    below = [p for p in curve if p[0] < target]
    if not above:
        return None
    if not below or above[0][0] == target:
        return above[0][1]

    def x(recall: float) -> float:
        return -math.log(max(1 - recall, 1e-5))

    (r0, q0), (r1, q1) = below[-1], above[0]
    part = (x(target) - x(r0)) / (x(r1) - x(r0))
    return math.exp(math.log(q0) + part * (math.log(q1) - math.log(q0)))


def rate_of(line: Line) -> float:
    """Returns queries per processor second, or per second where it is unknown."""
    return line.get("qps_cpu") or line["qps"]


def curve_of(lines: list[Line], peer: str, phase: str, rate: Any = rate_of, **wanted: Any) -> list[tuple[float, float]]:
    """Returns (recall, rate) of a rival's settings in a phase."""
    return [
        (x["recall"], rate(x))
        for x in lines
        if x["peer"] == peer and x["phase"] == phase and all(x.get(k) == v for k, v in wanted.items())
    ]


def number(x: float | None, digits: int = 0) -> str:
    """Writes a number for a table."""
    return "—" if x is None else f"{x:,.{digits}f}"


def table(header: list[str], body: Iterable[list[str]]) -> str:
    """Writes a Markdown table."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def peers_of(builds: Store) -> list[str]:
    """Returns the names of all rivals that were tried, in their order."""
    return list(dict.fromkeys(line["peer"] for line in builds.lines))


def mega(x: float | None) -> str:
    """Writes bytes as megabytes."""
    return number(None if x is None else x / 1e6)


def latency_at(lines: list[Line], peer: str, target: float) -> str:
    """Returns p50/p99 of the fastest setting that reaches a recall."""
    fit = [x for x in lines if x["peer"] == peer and x["phase"] == "search" and x["recall"] >= target and x.get("p50_us")]
    if not fit:
        return "—"
    best = min(fit, key=lambda x: x["p50_us"])
    return f"{best['p50_us']:,.0f}/{best['p99_us']:,.0f}"


def search_table(lines: list[Line], builds: Store) -> str:
    """The main table: rates at recalls, latency, and what the build costs."""
    body = []
    for peer in peers_of(builds):
        curve = curve_of(lines, peer, "search")
        if not curve:
            continue
        built, loaded = builds.find(peer=peer, loaded=None) or {}, builds.find(peer=peer, loaded=True) or {}
        body.append([
            peer, built.get("version", ""), *(number(at_recall(curve, t)) for t in TARGETS), latency_at(lines, peer, 0.95), latency_at(lines, peer, 0.99),
            number(built.get("build_cpu_seconds"), 1), number(built.get("build_seconds"), 1),
            mega(built.get("peak_over_input_bytes")), mega(loaded.get("rss_added_bytes", built.get("built_rss_bytes"))),
            mega(built.get("disk_bytes")),
        ])
    header = ["index", "version", *(f"recall {t:g}" for t in TARGETS), "p50/p99 µs at .95", "at .99", "build CPU s", "wall s", "peak MB", "resident MB", "disk MB"]
    return table(header, body)


def threads_table(lines: list[Line], builds: Store) -> str:
    """Rates with two threads, by wall time."""
    body = []
    for peer in peers_of(builds):
        curve = curve_of(lines, peer, "threads", rate=lambda x: x["qps"])
        if curve:
            body.append([peer, *(number(at_recall(curve, t)) for t in TARGETS)])
    return table(["two threads, queries/s", *(f"recall {t:g}" for t in TARGETS)], body) if body else ""


def filters_table(lines: list[Line], builds: Store) -> str:
    """Rates under filters, with the best recall where one is not reached."""
    body = []
    for peer in peers_of(builds):
        cells = []
        for share in FILTERS:
            curve = curve_of(lines, peer, "filters", share=share)
            best = max(curve, default=None)
            for target in FILTERED_TARGETS:
                rate = at_recall(curve, target)
                cells.append(number(rate) if rate or not best else f"recall {best[0]:.3f} at {best[1]:,.0f}")
        if any(c != "—" for c in cells):
            body.append([peer, *cells])
    header = ["under a filter", *(f"{s:.1%} allowed, recall {t}" for s in FILTERS for t in FILTERED_TARGETS)]
    return table(header, body) if body else ""


def inserts_table(lines: list[Line]) -> str:
    """Insertions one by one."""
    body = [[x["peer"], number(x["inserts_cpu"]), number(x["inserts"])] for x in lines if x["phase"] == "inserts"]
    return table(["inserts one by one", "per CPU second", "per second"], body) if body else ""


def missing(builds: Store, points: Store) -> str:
    """Lists what did not run, with the reasons."""
    out = []
    for peer in peers_of(builds):
        last = builds.find(peer=peer, loaded=None) or {}
        if "unavailable" in last:
            out.append(f"- {peer}: not available here: {last['unavailable']}")
        failed = points.find(peer=peer) or {}
        if failed.get("phase") == "failure":  # and nothing since
            out.append(f"- {peer}: failed: {failed['error']}")
    return "\n".join(out)


def markdown(lines: list[Line], builds: Store, points: Store, title: str) -> str:
    """Returns the whole summary."""
    parts = [
        title, search_table(lines, builds), threads_table(lines, builds), filters_table(lines, builds),
        inserts_table(lines), missing(builds, points),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"
