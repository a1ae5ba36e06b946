"""ScaNN: a partitioning tree, anisotropic 4-bit codes and float32 reordering."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import scann

from rivals.base import K, Rival, Setting
from rivals.serve import main


class Scann(Rival):
    """sqrt(n) leaves, two numbers a code, threshold 0.2."""

    package = "scann"
    variants = ("tree-ah",)
    leaves, reorder, parallel = 1, K, False

    def build_settings(self) -> Setting:
        return {"leaves": "sqrt(n)", "dimensions_per_block": 2, "threshold": 0.2}

    def settings(self) -> list[Setting]:
        return [
            {"leaves": n, "reorder": r}
            for n, r in ((2, 30), (4, 50), (8, 50), (12, 75), (20, 100), (30, 150), (50, 200), (75, 300), (100, 400), (150, 600))
        ]

    def build(self, base: np.ndarray) -> None:
        builder = scann.scann_ops_pybind.builder(base, K, "dot_product").set_n_training_threads(self.threads)
        leaves = int(math.sqrt(len(base)))
        builder = builder.tree(num_leaves=leaves, num_leaves_to_search=max(1, leaves // 10), training_sample_size=min(len(base), 250_000))
        self.index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()

    def save(self, folder: Path) -> None:
        self.index.serialize(str(folder))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.index = scann.scann_ops_pybind.load_searcher(str(folder))

    def prepare(self, setting: Setting, threads: int) -> None:
        self.leaves, self.reorder, self.parallel = setting["leaves"], setting["reorder"], threads > 1
        if self.parallel:
            self.index.set_num_threads(threads)

    def search(self, queries: np.ndarray) -> np.ndarray:
        ask = self.index.search_batched_parallel if self.parallel else self.index.search_batched
        return ask(queries, K, self.reorder, self.leaves)[0]

    def search_one(self, query: np.ndarray) -> object:
        return self.index.search(query, K, self.reorder, self.leaves)


if __name__ == "__main__":
    main(Scann)
