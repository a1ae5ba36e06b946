"""SVS: Vamana over LVQ codes.

LVQ refuses processors of other makers than Intel; float16 runs everywhere.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import svs

from rivals.base import K, Rival, Setting, sweep
from rivals.serve import main

BITS = {"lvq4x8": (4, 8), "lvq8": (8, 0)}


class Svs(Rival):
    """Vamana of degree 64 with a window of 128."""

    package = "scalable-vs"
    variants = ("lvq4x8", "lvq8", "f16")

    def build_settings(self) -> Setting:
        return {"graph_max_degree": 64, "window_size": 128, "alpha": 1.2, "distance": "L2"}

    def settings(self) -> list[Setting]:
        return sweep("window", (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896))

    def build(self, base: np.ndarray) -> None:
        parameters = svs.VamanaBuildParameters(alpha=1.2, graph_max_degree=64, window_size=128)
        if self.variant == "f16":
            self.index = svs.Vamana.build(parameters, base.astype(np.float16), svs.DistanceType.L2, self.threads)
            return
        primary, residual = BITS[self.variant]
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "base.fvecs")
            svs.write_vecs(base, file)
            loader = svs.LVQLoader(svs.VectorDataLoader(file, svs.DataType.float32), primary=primary, residual=residual)
            self.index = svs.Vamana.build(parameters, loader, svs.DistanceType.L2, self.threads)

    def save(self, folder: Path) -> None:
        self.index.save(*(str(folder / part) for part in ("config", "graph", "data")))

    def load(self, folder: Path, base: np.ndarray) -> None:
        data = str(folder / "data")
        loader = svs.VectorDataLoader(data, svs.DataType.float16) if self.variant == "f16" else svs.LVQLoader(data)
        self.index = svs.Vamana(str(folder / "config"), svs.GraphLoader(str(folder / "graph")), loader, svs.DistanceType.L2)

    def prepare(self, setting: Setting, threads: int) -> None:
        self.index.search_window_size = setting["window"]
        if self.index.num_threads != threads:
            self.index.num_threads = threads

    def search(self, queries: np.ndarray) -> np.ndarray:
        return self.index.search(queries, K)[0]


if __name__ == "__main__":
    main(Svs)
