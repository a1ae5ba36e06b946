"""The files that all rivals share: vectors, exact neighbours, filters."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DEPTH = 100  # neighbours kept a query, so that ties of the tenth are seen
CHUNK = 50_000
FILTERS = (0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Data:
    """One set of base vectors and queries with its folder of the cache."""

    base: Path
    queries: Path
    folder: Path
    n: int
    dim: int

    @property
    def truth(self) -> Path:
        """The exact neighbours."""
        return self.folder / "truth.npy"

    def allowed(self, share: float) -> Path:
        """The file that tells which rows a filter allows."""
        return self.folder / f"filter-{share:g}.npy"

    def filter_truth(self, share: float) -> Path:
        """The exact neighbours among the allowed rows."""
        return self.folder / f"filter-{share:g}.truth.npy"


def fingerprint(*files: Path) -> str:
    """Names the contents of files by their sizes and samples."""
    h = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        h.update(str(size).encode())
        with file.open("rb") as f:
            for at in range(0, size, max(1, size // 64)):
                f.seek(at)
                h.update(f.read(4096))
    return h.hexdigest()[:10]


def mapped(path: Path) -> np.ndarray:
    """Maps a .npy file into memory; what cannot be read ends the run with a reason."""
    try:
        return np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as err:
        raise SystemExit(f"cannot read {path}: {err}") from None


def open_data(base: Path, queries: Path, cache: Path) -> Data:
    """Checks the files and returns them with a cache folder of their own."""
    x, q = mapped(base), mapped(queries)
    for path, a in ((base, x), (queries, q)):
        if a.ndim != 2 or a.dtype != np.float32:
            raise SystemExit(f"{path} holds no float32 matrix; save one with numpy.save")
        if np.abs(np.linalg.norm(a[:1000], axis=1) - 1).max() > 1e-3:
            raise SystemExit(f"the vectors in {path} have not unit length; normalize them first")
    if x.shape[1] != q.shape[1]:
        raise SystemExit(f"{base} has {x.shape[1]} numbers a vector, {queries} has {q.shape[1]}")
    folder = cache / "data" / f"{base.stem}-{fingerprint(base, queries)}"
    folder.mkdir(parents=True, exist_ok=True)
    return Data(base, queries, folder, *x.shape)


def nearest(base: np.ndarray, queries: np.ndarray, ids: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the DEPTH nearest rows and their inner products, best first.

    With ids only those rows are compared.
    """
    n = len(base) if ids is None else len(ids)
    best_ids = np.empty((len(queries), 0), dtype=np.int64)
    best = np.empty((len(queries), 0), dtype=np.float32)
    for at in range(0, n, CHUNK):
        part = np.arange(at, min(at + CHUNK, n)) if ids is None else ids[at : at + CHUNK]
        sims = queries @ np.ascontiguousarray(base[part]).T
        all_ids = np.hstack([best_ids, np.broadcast_to(part, sims.shape)])
        sims = np.hstack([best, sims])
        take = np.argsort(-sims, axis=1, kind="stable")[:, :DEPTH]
        best_ids, best = np.take_along_axis(all_ids, take, 1), np.take_along_axis(sims, take, 1)
    return best_ids, best


def save_truth(path: Path, ids: np.ndarray, sims: np.ndarray) -> None:
    """Writes neighbours; the file of the ids comes last and marks success."""
    np.save(path.with_suffix(".sims.npy"), sims)
    np.save(path, ids)


def ensure_truth(data: Data, given: Path | None) -> None:
    """Computes the exact neighbours, or takes the given ones, once."""
    if data.truth.exists():
        return
    base, queries = np.load(data.base, mmap_mode="r"), np.load(data.queries)
    if given is None:
        save_truth(data.truth, *nearest(base, queries))
        return
    ids = mapped(given).astype(np.int64)
    if ids.shape[0] != len(queries) or ids.shape[1] < 10:
        raise SystemExit(f"{given} must have a row of at least 10 ids for each of the {len(queries)} queries")
    sims = np.stack([base[row] @ q for row, q in zip(ids, queries)])
    save_truth(data.truth, ids, sims)


def ensure_filters(data: Data) -> None:
    """Draws the filters and computes their exact neighbours, once.

    A filter of a share s allows the rows whose rank in one random order is
    below s*n, so that the narrower filters are within the wider ones and a
    range of a stored number can express them.
    """
    ranks_file = data.folder / "ranks.npy"
    ranks = np.random.default_rng(1).permutation(data.n).astype(np.int32)
    np.save(ranks_file, ranks)
    base, queries = np.load(data.base, mmap_mode="r"), np.load(data.queries)
    for share in FILTERS:
        if data.filter_truth(share).exists():
            continue
        allowed = ranks < max(10, int(share * data.n))
        np.save(data.allowed(share), allowed)
        save_truth(data.filter_truth(share), *nearest(base, queries, np.flatnonzero(allowed)))
