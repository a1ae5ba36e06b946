"""hnswlib: the reference HNSW."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hnswlib
import numpy as np

from rivals.base import K, Rival, Setting
from rivals.serve import main


class Hnswlib(Rival):
    """HNSW over float32 with M 16 and efConstruction 200."""

    package = "hnswlib"
    variants = ("f32",)
    allowed: Any = None

    def build_settings(self) -> Setting:
        return {"M": 16, "efConstruction": 200}

    def empty(self, room: int) -> hnswlib.Index:
        """Returns an index without vectors."""
        index = hnswlib.Index(space="ip", dim=self.dim)
        index.init_index(max_elements=room, M=16, ef_construction=200, random_seed=1)
        return index

    def build(self, base: np.ndarray) -> None:
        self.index = self.empty(len(base))
        self.index.add_items(base, num_threads=self.threads)

    def save(self, folder: Path) -> None:
        self.index.save_index(str(folder / "index"))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.index = hnswlib.Index(space="ip", dim=self.dim)
        self.index.load_index(str(folder / "index"))

    def prepare(self, setting: Setting, threads: int) -> None:
        self.index.set_ef(setting["ef"])
        self.index.set_num_threads(threads)

    def search(self, queries: np.ndarray) -> np.ndarray:
        if self.allowed is not None:
            # A callback into Python is not for several threads.
            return self.index.knn_query(queries, k=K, num_threads=1, filter=self.allowed)[0]
        return self.index.knn_query(queries, k=K)[0]

    def filter(self, allowed: np.ndarray) -> None:
        members = allowed.tolist()
        self.allowed = members.__getitem__

    def unfilter(self) -> None:
        self.allowed = None

    def insert_each(self, base: np.ndarray) -> None:
        index = self.empty(len(base))
        for i, row in enumerate(base):
            index.add_items(row, i, num_threads=1)


if __name__ == "__main__":
    main(Hnswlib)
