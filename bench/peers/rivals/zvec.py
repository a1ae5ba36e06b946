"""zvec: HNSW over float32 and over unsigned 8-bit codes, in a collection.

A call answers one query, so Python's part is in all rates; the call for
internal ids is the fastest that the library has.
"""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import zvec

from rivals.base import K, Rival, Setting
from rivals.serve import main

BATCH = 1000
QUANTIZERS = {"f32": "UNDEFINED", "u8": "UNIFORM_UINT8", "u8-refined": "UNIFORM_UINT8"}


class Zvec(Rival):
    """HNSW with m 16 and efConstruction 200."""

    package = "zvec"
    variants = ("u8", "u8-refined", "f32")
    pool: Any = None
    collection: Any = None
    restriction: str | None = None

    def __init__(self, variant: str, dim: int, threads: int) -> None:
        super().__init__(variant, dim, threads)
        try:
            zvec.init(log_level=zvec.LogLevel.ERROR, query_threads=threads, optimize_threads=threads)
        except RuntimeError:
            pass  # a process is initialized once

    def build_settings(self) -> Setting:
        return {"m": 16, "ef_construction": 200, "quantize": QUANTIZERS[self.variant]}

    def create(self, folder: Path) -> Any:
        """Returns a collection without documents."""
        index = zvec.HnswIndexParam(
            metric_type=zvec.MetricType.L2, m=16, ef_construction=200, use_contiguous_memory=True,
            quantize_type=getattr(zvec.QuantizeType, QUANTIZERS[self.variant]),
        )
        schema = zvec.CollectionSchema(
            name="bench",
            fields=[zvec.FieldSchema("rank", zvec.DataType.INT32, index_param=zvec.InvertIndexParam(enable_range_optimization=True))],
            vectors=[zvec.VectorSchema("v", zvec.DataType.VECTOR_FP32, self.dim, index_param=index)],
        )
        return zvec.create_and_open(str(folder), schema)

    def build(self, base: np.ndarray) -> None:
        # A collection lives in a folder, so the folder of the build is the
        # saved index; save moves it.
        self.folder = Path(tempfile.mkdtemp(prefix="zvec-bench-")) / "collection"
        self.fill(self.folder, base)

    def fill(self, folder: Path, base: np.ndarray) -> None:
        """Fills a collection in a folder and optimizes it."""
        ranks = np.random.default_rng(1).permutation(len(base))  # as the driver draws the filters
        collection = self.create(folder)
        for at in range(0, len(base), BATCH):
            collection.insert([
                zvec.Doc(id=str(at + i), vectors={"v": row}, fields={"rank": int(ranks[at + i])})
                for i, row in enumerate(base[at : at + BATCH])
            ])
        collection.optimize(zvec.OptimizeOption(concurrency=self.threads))
        collection.flush()
        collection.close()

    def save(self, folder: Path) -> None:
        shutil.move(str(self.folder), folder / "collection")
        self.folder.parent.rmdir()

    def load(self, folder: Path, base: np.ndarray) -> None:
        self.collection = zvec.open(str(folder / "collection"), zvec.CollectionOption(read_only=True))
        keys = self.collection.resolve_internal_ids(np.arange(len(base)))
        self.rows = np.array([int(key) for key in keys] + [-1])  # the last one is for missing results

    def prepare(self, setting: Setting, threads: int) -> None:
        self.parameters = zvec.HnswQueryParam(ef=setting["ef"], is_using_refiner=self.variant == "u8-refined")
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def search_one(self, query: np.ndarray) -> Any:
        return self.collection.query_internal_ids(zvec.Query("v", vector=query, param=self.parameters), topk=K, filter=self.restriction)

    def search(self, queries: np.ndarray) -> np.ndarray:
        found = self.pool.map(self.search_one, queries) if self.pool else map(self.search_one, queries)
        return self.rows[np.stack(list(found))]

    def filter(self, allowed: np.ndarray) -> None:
        self.restriction = f"rank < {int(allowed.sum())}"

    def unfilter(self) -> None:
        self.restriction = None

    def insert_each(self, base: np.ndarray) -> None:
        with tempfile.TemporaryDirectory() as folder:
            collection = self.create(Path(folder) / "collection")
            for i, row in enumerate(base):
                collection.insert(zvec.Doc(id=str(i), vectors={"v": row}, fields={"rank": i}))
            collection.optimize(zvec.OptimizeOption(concurrency=1))
            collection.close()


if __name__ == "__main__":
    main(Zvec)
