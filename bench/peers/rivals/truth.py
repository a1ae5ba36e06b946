"""The exact neighbours, and the recall of answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rivals.base import K

TIE = 1e-6


class Truth:
    """The nearest rows of each query with their similarities, best first."""

    def __init__(self, path: Path) -> None:
        self.ids = np.load(path)
        sims = np.load(path.with_suffix(".sims.npy"))
        # Rows as near as the tenth are as good as the tenth.
        self.good = [
            set(row[sim >= sim[K - 1] - TIE].tolist()) for row, sim in zip(self.ids, sims)
        ]

    def recall(self, found: np.ndarray) -> float:
        """Returns recall@10 of the answers to all queries."""
        hits = sum(
            min(K, len(good.intersection(row[:K])))
            for good, row in zip(self.good, np.asarray(found).tolist())
        )
        return hits / (K * len(self.good))
