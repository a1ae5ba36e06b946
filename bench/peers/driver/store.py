"""Results as lines of JSON, so that a run that was cut off goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

Line = dict[str, Any]


class Store:
    """A file of lines that is only ever appended to."""

    def __init__(self, path: Path, fresh: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.lines: list[Line] = []
        if fresh:
            path.unlink(missing_ok=True)
        if path.exists():
            for text in path.read_text(encoding="utf-8").splitlines():
                try:
                    self.lines.append(json.loads(text))
                except json.JSONDecodeError:
                    continue  # the line that was being written at the end

    def add(self, line: Line) -> Line:
        """Appends a line and returns it."""
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")
        return line

    def matching(self, **wanted: Any) -> Iterator[Line]:
        """Yields the lines that have all the given values."""
        for line in self.lines:
            if all(line.get(k) == v for k, v in wanted.items()):
                yield line

    def find(self, **wanted: Any) -> Line | None:
        """Returns the last line that has all the given values."""
        found = None
        for line in self.matching(**wanted):
            found = line
        return found
