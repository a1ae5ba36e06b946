"""SymphonyQG of the RaBitQ library: 1-bit codes inside the graph's vertices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rabitqlib

from rivals.base import K, Rival, Setting
from rivals.serve import main


class SymphonyQG(Rival):
    """A quantized graph of degree 32, reranked by float32 or by 8-bit codes."""

    package = "rabitqlib"
    variants = ("f32", "i8")
    count = 1

    def build_settings(self) -> Setting:
        return {"degree": 32, "ef_construction": 200, "init": "pipnn"}

    def build(self, base: np.ndarray) -> None:
        self.index = rabitqlib.SymqgIndex(self.dim, 32, "l2", 0 if self.variant == "f32" else 8)
        self.index.build(base, 200, self.threads)

    def save(self, folder: Path) -> None:
        self.index.save(str(folder / "index"))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.index = rabitqlib.SymqgIndex.load(str(folder / "index"))

    def prepare(self, setting: Setting, threads: int) -> None:
        self.ef, self.count = setting["ef"], threads

    def search(self, queries: np.ndarray) -> np.ndarray:
        return self.index.search(queries, K, self.ef, self.count)[0]


if __name__ == "__main__":
    main(SymphonyQG)
