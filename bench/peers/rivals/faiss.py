"""Faiss: HNSW over float32 and over 8-bit codes, IVF-PQ FastScan, exact."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from rivals.base import K, EFS, Rival, Setting, sweep
from rivals.serve import main


class Faiss(Rival):
    """The four indexes, all with the inner product."""

    package = "faiss-cpu"
    variants = ("hnsw-f32", "hnsw-sq8", "ivfpq-fastscan", "flat")
    selector: Any = None

    def lists(self, n: int) -> int:
        """Returns the number of inverted lists for n vectors."""
        return int(4 * math.sqrt(n))

    def build_settings(self) -> Setting:
        if self.variant.startswith("hnsw"):
            return {"M": 16, "efConstruction": 200}
        if self.variant == "flat":
            return {}
        return {"lists": "4*sqrt(n)", "codes": f"{self.dim // 2} of 4 bits", "rerank": "f32"}

    def settings(self) -> list[Setting]:
        if self.variant.startswith("hnsw"):
            return EFS
        if self.variant == "flat":
            return [{}]
        return [
            {"nprobe": n, "factor": f}
            for n, f in ((2, 4), (4, 4), (8, 4), (16, 4), (16, 8), (32, 8), (64, 8), (64, 16), (128, 16), (256, 32))
        ]

    def empty(self, n: int) -> faiss.Index:
        """Returns an index without vectors, sized for n."""
        if self.variant == "flat":
            return faiss.IndexFlatIP(self.dim)
        if self.variant == "ivfpq-fastscan":
            text = f"IVF{self.lists(n)},PQ{self.dim // 2}x4fs,RFlat"
            return faiss.index_factory(self.dim, text, faiss.METRIC_INNER_PRODUCT)
        if self.variant == "hnsw-sq8":
            index = faiss.IndexHNSWSQ(self.dim, faiss.ScalarQuantizer.QT_8bit, 16, faiss.METRIC_INNER_PRODUCT)
        else:
            index = faiss.IndexHNSWFlat(self.dim, 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 200
        return index

    def build(self, base: np.ndarray) -> None:
        faiss.omp_set_num_threads(self.threads)
        self.index = self.empty(len(base))
        if not self.index.is_trained:
            self.index.train(base)
        self.index.add(base)

    def save(self, folder: Path) -> None:
        faiss.write_index(self.index, str(folder / "index"))

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.index = faiss.read_index(str(folder / "index"))

    def prepare(self, setting: Setting, threads: int) -> None:
        faiss.omp_set_num_threads(threads)
        self.parameters = self.parameters_of(setting)

    def parameters_of(self, setting: Setting) -> Any:
        """Returns Faiss's own object for a setting and the filter."""
        chosen = {"sel": self.selector} if self.selector is not None else {}
        if "ef" in setting:
            return faiss.SearchParametersHNSW(efSearch=setting["ef"], **chosen)
        if "nprobe" in setting:
            inner = faiss.SearchParametersIVF(nprobe=setting["nprobe"], **chosen)
            return faiss.IndexRefineSearchParameters(k_factor=setting["factor"], base_index_params=inner)
        return faiss.SearchParameters(**chosen) if chosen else None

    def search(self, queries: np.ndarray) -> np.ndarray:
        return self.index.search(queries, K, params=self.parameters)[1]

    def filter(self, allowed: np.ndarray) -> None:
        self.bits = np.packbits(allowed, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(self.bits)

    def unfilter(self) -> None:
        self.selector = None

    def insert_each(self, base: np.ndarray) -> None:
        faiss.omp_set_num_threads(1)
        index = self.empty(len(base))
        if not index.is_trained:
            index.train(base)
        for row in base:
            index.add(row[None, :])


if __name__ == "__main__":
    main(Faiss)
