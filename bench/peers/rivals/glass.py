"""glass, in its portable packaging: HNSW with quantized traversal and refinement.

The wheel is compiled for AVX2; the older package with AVX-512 is the rival
glassppy.
"""

from __future__ import annotations

from pathlib import Path

import glass
import numpy as np

from rivals.base import K, Rival, Setting
from rivals.serve import main


class Glass(Rival):
    """One HNSW graph of degree 32, walked over 8-bit or 4-bit codes."""

    package = "pyglass-portable"
    variants = ("sq8u", "sq4u")
    count = 1

    def build_settings(self) -> Setting:
        return {"R": 32, "L": 200, "quantizer": self.variant.upper(), "refine": "FP32"}

    def build(self, base: np.ndarray) -> None:
        glass.set_num_threads(self.threads)
        index = glass.Index("HNSW", "L2", "SQ8U", R=32, L=200)
        self.graph = index.build(base)

    def save(self, folder: Path) -> None:
        self.graph.save(str(folder / "graph"))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.graph = glass.Graph(str(folder / "graph"))
        self.searcher = glass.Searcher(self.graph, np.asarray(base), "L2", self.variant.upper(), "FP32")
        self.searcher.set_ef(64)
        self.searcher.optimize(1)

    def prepare(self, setting: Setting, threads: int) -> None:
        self.searcher.set_ef(setting["ef"])
        self.count = threads

    def search(self, queries: np.ndarray) -> np.ndarray:
        return self.searcher.batch_search(queries, K, self.count)[0].reshape(len(queries), -1)

    def search_one(self, query: np.ndarray) -> object:
        return self.searcher.search(query, K)


if __name__ == "__main__":
    main(Glass)
