"""One plot of all curves."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (the back end comes first)

from driver.store import Line  # noqa: E402
from driver.summary import curve_of, frontier  # noqa: E402

TICKS = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
LOWEST = 0.8
MARKS = "osD^vP"


def x_of(recall: float) -> float:
    """Spreads the recalls near one, where indexes differ."""
    return -math.log10(max(1 - recall, 1e-4))


def draw(lines: list[Line], peers: list[str], title: str, target: Path) -> None:
    """Draws the rate over the recall, one curve a rival, vecdb the thickest."""
    plt.rcParams |= {"svg.hashsalt": "vecdb", "svg.fonttype": "none", "font.size": 9}
    figure, axes = plt.subplots(figsize=(10, 6))
    colours = plt.get_cmap("tab20").colors
    for i, peer in enumerate(peers):
        curve = [p for p in frontier(curve_of(lines, peer, "search")) if p[0] >= LOWEST]
        if not curve:
            continue
        ours = peer.startswith("vecdb")
        axes.plot(
            [x_of(r) for r, _ in curve], [q for _, q in curve], label=peer, marker=MARKS[i // 4 % len(MARKS)], markersize=4,
            color="black" if ours else colours[i % len(colours)], linewidth=3 if ours else 1.4, zorder=3 if ours else 2,
        )
    axes.set_yscale("log")
    axes.set_xticks([x_of(t) for t in TICKS], [f"{t:g}" for t in TICKS])
    axes.set_xlabel("recall@10")
    axes.set_ylabel("queries per processor second, one thread")
    axes.set_title(title)
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.savefig(target, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    plt.close(figure)
