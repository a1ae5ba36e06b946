"""usearch: HNSW over float32 and over 8-bit integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from usearch.index import Index

from rivals.base import K, Rival, Setting, rows
from rivals.serve import main


class Usearch(Rival):
    """HNSW with connectivity 16 and expansion 200."""

    package = "usearch"
    variants = ("f32", "i8")
    batch = 1

    def build_settings(self) -> Setting:
        return {"connectivity": 16, "expansion_add": 200}

    def empty(self) -> Index:
        """Returns an index without vectors."""
        return Index(ndim=self.dim, metric="ip" if self.variant == "f32" else "cos", dtype=self.variant, connectivity=16, expansion_add=200)

    def build(self, base: np.ndarray) -> None:
        self.index = self.empty()
        self.index.add(np.arange(len(base)), base, threads=self.threads)

    def save(self, folder: Path) -> None:
        self.index.save(str(folder / "index"))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.index = self.empty()
        self.index.load(str(folder / "index"))

    def prepare(self, setting: Setting, threads: int) -> None:
        self.index.expansion_search = setting["ef"]
        self.batch = threads

    def search(self, queries: np.ndarray) -> np.ndarray:
        found = self.index.search(queries, K, threads=self.batch).keys
        return found if found.ndim == 2 else rows([found])

    def insert_each(self, base: np.ndarray) -> None:
        index = self.empty()
        for i, row in enumerate(base):
            index.add(i, row, threads=1)


if __name__ == "__main__":
    main(Usearch)
