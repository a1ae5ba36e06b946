"""glass, in its own packaging of 2023: HNSW for AVX-512 processors.

The package exists for Python 3.10 alone, and ends with an illegal instruction
on processors without AVX-512.
"""

from __future__ import annotations

from pathlib import Path

import glassppy
import numpy as np

from rivals.base import K, Rival, Setting
from rivals.serve import main

LEVELS = {"f32": 0, "sq8": 1, "sq4": 2}


class Glassppy(Rival):
    """HNSW of degree 32, walked over codes and refined."""

    package = "glassppy"
    variants = ("sq8", "sq4")
    count = 1

    def build_settings(self) -> Setting:
        return {"R": 32, "L": 200}

    def build(self, base: np.ndarray) -> None:
        glassppy.set_num_threads(self.threads)
        self.graph = glassppy.Index("HNSW", self.dim, "L2", R=32, L=200).build(base)

    def save(self, folder: Path) -> None:
        self.graph.save(str(folder / "graph"))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.graph = glassppy.Graph(str(folder / "graph"))
        self.searcher = glassppy.Searcher(self.graph, np.asarray(base), "L2", LEVELS[self.variant])
        self.searcher.set_ef(64)
        self.searcher.optimize(1)

    def prepare(self, setting: Setting, threads: int) -> None:
        self.searcher.set_ef(setting["ef"])
        self.count = threads

    def search(self, queries: np.ndarray) -> np.ndarray:
        return np.asarray(self.searcher.batch_search(queries, K, self.count)).reshape(len(queries), -1)

    def search_one(self, query: np.ndarray) -> object:
        return self.searcher.search(query, K)


if __name__ == "__main__":
    main(Glassppy)
