"""The rivals that there are, and how their processes are started."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver.data import Data
from driver.venvs import NotAvailable, ensure

ROOT = Path(__file__).resolve().parent.parent  # bench/peers
PROJECT = ROOT.parent.parent

# Each rival with its variants. Those of Go share one program.
PYTHON = {
    "vecdb": ("hnsw", "hnsw-compact"),
    "hnswlib": ("f32",),
    "faiss": ("hnsw-f32", "hnsw-sq8", "ivfpq-fastscan", "flat"),
    "usearch": ("f32", "i8"),
    "glass": ("sq8u", "sq4u"),
    "glassppy": ("sq8", "sq4"),
    "svs": ("lvq4x8", "lvq8", "f16"),
    "symphonyqg": ("f32", "i8"),
    "zvec": ("u8", "u8-refined", "f32"),
    "scann": ("tree-ah",),
}
GO = {"weaviate": ("hnsw",), "chromem": ("exact",)}
ALL = PYTHON | GO


class Failed(Exception):
    """Raised when a rival's process fails or is silent for too long."""


@dataclass(frozen=True)
class Peer:
    """One variant of one rival."""

    rival: str
    variant: str

    @property
    def name(self) -> str:
        """The name in results, for instance faiss/flat."""
        return f"{self.rival}/{self.variant}"

    def command(self, cache: Path) -> list[str]:
        """Returns the program of the rival, installing or building it."""
        if self.rival in GO:
            return [str(go_program(cache)), "--rival", self.rival]
        python = ensure(self.rival, ROOT / "requirements" / f"{self.rival}.txt", cache / "venv" / self.rival)
        return [str(python), "-m", f"rivals.{self.rival}"]

    def folder(self, data: Data) -> Path:
        """The folder of the saved index."""
        return data.folder / "indexes" / self.rival / self.variant


def go_program(cache: Path) -> Path:
    """Builds the program of the rivals in Go."""
    if not shutil.which("go"):
        raise NotAvailable("needs Go, which is not installed")
    target = cache / "peers-go"
    done = subprocess.run(["go", "build", "-o", str(target), "."], cwd=ROOT / "go", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotAvailable((done.stderr.strip().splitlines() or ["go build failed"])[-1])
    return target


def how(status: int) -> str:
    """Tells what a process has ended with."""
    if status == -signal.SIGILL:
        return "with an instruction that this processor lacks"
    return f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"


def last_words(log: Path) -> str:
    """Returns what tells best why a process ended: an error, else the last line."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-60:] if line.strip()]
    panics = [line for line in lines if line.startswith("panic:")]
    return (panics[-1:] or lines[-1:] or ["it said nothing"])[-1][:200]


class Process:
    """A running rival."""

    def __init__(self, peer: Peer, data: Data, cache: Path, threads: int, log: Path, build_only: bool = False, cpus: set[int] | None = None) -> None:
        args = [
            *peer.command(cache), "--variant", peer.variant, "--base", str(data.base), "--queries", str(data.queries),
            "--truth", str(data.truth), "--cache", str(peer.folder(data)), "--threads", str(threads),
        ]
        if build_only:
            args.append("--build-only")
        log.parent.mkdir(parents=True, exist_ok=True)
        self.peer, self.log = peer, log
        with log.open("ab") as errors:
            self.child = subprocess.Popen(
                args, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env=os.environ | {"VECDB_PROJECT": str(PROJECT)},
                preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
            )

    def read(self, timeout: float) -> dict[str, Any]:
        """Waits for the next line."""
        assert self.child.stdout
        with selectors.DefaultSelector() as s:
            s.register(self.child.stdout, selectors.EVENT_READ)
            if not s.select(timeout):
                self.child.kill()
                raise Failed(f"no answer in {timeout:.0f} s")
        line = self.child.stdout.readline()
        if not line:
            raise Failed(f"the process ended {how(self.child.wait())}: {last_words(self.log)}")
        return json.loads(line)

    def ask(self, request: dict[str, Any], timeout: float = 1800) -> dict[str, Any]:
        """Sends a request and returns the answer."""
        assert self.child.stdin
        try:
            self.child.stdin.write((json.dumps(request) + "\n").encode())
            self.child.stdin.flush()
        except BrokenPipeError as e:
            raise Failed("the process has ended") from e
        return self.read(timeout)

    def pin(self, cpus: set[int]) -> None:
        """Binds all threads of the process to processors."""
        for task in Path(f"/proc/{self.child.pid}/task").iterdir():
            try:
                os.sched_setaffinity(int(task.name), cpus)
            except OSError:
                continue  # the thread has just ended

    def close(self) -> None:
        """Ends the process."""
        if self.child.stdin:
            try:
                self.child.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
