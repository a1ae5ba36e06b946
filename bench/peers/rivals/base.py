"""What every rival library is to the benchmark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Iterable

import numpy as np

K = 10
Setting = dict[str, Any]


class Unsupported(Exception):
    """Raised when a library has no such operation."""


def sweep(name: str, values: Iterable[Any]) -> list[Setting]:
    """Returns one setting for each value of a single parameter."""
    return [{name: v} for v in values]


EFS = sweep("ef", (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280))


class Rival(ABC):
    """One variant of one library.

    The vectors have unit length, so that inner product, cosine and Euclidean
    distance order them alike; each rival uses the one that suits it best.
    """

    package = ""  # the distribution, whose version is reported
    variants: tuple[str, ...] = ()
    can_save = True

    def __init__(self, variant: str, dim: int, threads: int) -> None:
        self.variant, self.dim, self.threads = variant, dim, threads

    def build_settings(self) -> Setting:
        """Returns the parameters of the build, for the record."""
        return {}

    def settings(self) -> list[Setting]:
        """Returns the settings to sweep, the fastest first."""
        return EFS

    @abstractmethod
    def build(self, base: np.ndarray) -> None:
        """Builds the index; row numbers are the ids."""

    def save(self, folder: Path) -> None:
        """Writes the index into an existing, empty folder."""
        raise Unsupported

    def load(self, folder: Path, base: np.ndarray) -> None:
        """Reads what save has written. base is mapped from its file."""
        raise Unsupported

    @abstractmethod
    def prepare(self, setting: Setting, threads: int) -> None:
        """Applies a setting before the clock runs."""

    @abstractmethod
    def search(self, queries: np.ndarray) -> np.ndarray:
        """Returns the ids of the K nearest of each query, in one call where
        the library has one."""

    def search_one(self, query: np.ndarray) -> Any:
        """Answers a single query; its result is not read."""
        return self.search(query[None, :])

    def filter(self, allowed: np.ndarray) -> None:
        """Restricts the searches from now on to the ids where allowed is true."""
        raise Unsupported

    def unfilter(self) -> None:
        """Ends the restriction."""

    def insert_each(self, base: np.ndarray) -> None:
        """Inserts the rows one by one into a new, empty index."""
        raise Unsupported


def rows(lists: Iterable[Any]) -> np.ndarray:
    """Turns answers of unlike length into an array, -1 where one is short."""
    out = []
    for ids in lists:
        ids = list(ids)[:K]
        out.append(ids + [-1] * (K - len(ids)))
    return np.asarray(out, dtype=np.int64)
