"""What the process costs: memory, processor time, files."""

from __future__ import annotations

import os
import re
from pathlib import Path


def memory(field: str) -> int:
    """Returns a size that the system tells about this process, in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def reset_peak() -> None:
    """Makes the peak of resident memory begin anew, where that is allowed."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        pass


def size_of(folder: Path) -> int:
    """Returns the bytes of all files below a folder."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def claim_stdout() -> int:
    """Returns a descriptor of the standard output for answers alone.

    Whatever a library prints goes to the standard error from now on.
    """
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers
