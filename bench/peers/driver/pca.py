"""The command: projects vectors to fewer numbers.

    python -m driver.pca 128 base.npy queries.npy OUT

The directions are the principal components of a sample of the base, without
the mean taken off, so that inner products are kept as well as so few numbers
can; the projected vectors get unit length again. They have the structure of
real vectors, but not that of a model trained for so few numbers, as Matryoshka
models are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from driver.data import mapped

SAMPLE = 100_000
CHUNK = 50_000


def components(base: np.ndarray, dim: int) -> np.ndarray:
    """Returns the dim strongest directions as columns."""
    step = max(1, len(base) // SAMPLE)
    sample = np.asarray(base[::step], dtype=np.float64)
    _, directions = np.linalg.eigh(sample.T @ sample)
    return directions[:, ::-1][:, :dim].astype(np.float32)


def project(source: Path, directions: np.ndarray, target: Path) -> None:
    """Writes the projection of a file."""
    x = mapped(source)
    out = np.lib.format.open_memmap(target, mode="w+", dtype=np.float32, shape=(len(x), directions.shape[1]))
    for at in range(0, len(x), CHUNK):
        part = np.asarray(x[at : at + CHUNK]) @ directions
        out[at : at + CHUNK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    out.flush()


def main() -> None:
    """Runs the command."""
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    dim, base, queries, out = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    out.mkdir(parents=True, exist_ok=True)
    directions = components(mapped(base), dim)
    project(queries, directions, out / "queries.npy")
    project(base, directions, out / "base.npy")


if __name__ == "__main__":
    main()
