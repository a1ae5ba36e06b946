"""An isolated environment for each rival, made once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


class NotAvailable(Exception):
    """Raised with the reason why a rival cannot run on this machine."""


def interpreter(requirements: str) -> str:
    """Returns the Python that a requirements file asks for.

    A first line "# python 3.10" asks for that version, on the path or among
    those of pyenv; without one the driver's own Python is taken.
    """
    wanted = re.match(r"# python (\d+\.\d+)", requirements)
    if not wanted:
        return sys.executable
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(f"python{wanted[1]}"), *sorted(root.glob(f"versions/{wanted[1]}.*/bin/python"))]
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return str(candidate)
    raise NotAvailable(f"needs Python {wanted[1]}, which is not installed")


def ensure(name: str, requirements: Path, folder: Path) -> Path:
    """Returns the Python of a rival's environment, installing it if needed."""
    text = requirements.read_text(encoding="utf-8")
    mark, digest = folder / "installed", hashlib.sha256(text.encode()).hexdigest()
    python = folder / "bin" / "python"
    if mark.exists() and mark.read_text(encoding="ascii") == digest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([interpreter(text), "-m", "venv", str(folder)], check=True)
    print(f"{name}: install {', '.join(line for line in text.split() if '==' in line)}", flush=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["pip failed"]
        raise NotAvailable(errors[-1].strip())
    mark.write_text(digest, encoding="ascii")
    return python
