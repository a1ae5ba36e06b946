"""The order of the measurements.

A repetition goes over all rivals, one after another, and each asks all of its
settings, so that a disturbance of the machine hits one repetition of some
rivals and the medians leave it out.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

from driver.data import FILTERS, Data
from driver.peers import Failed, Peer, Process
from driver.store import Store
from driver.venvs import NotAvailable

HOURS = 3600.0
ENOUGH = 0.9995  # slower settings of a rival are left out beyond this recall
INSERTS = 20_000


@dataclass
class Run:
    """One run of the benchmark."""

    data: Data
    cache: Path
    out: Path
    peers: list[Peer]
    repeat: int
    seconds: float
    build_threads: int
    cpu: int
    one_at_a_time: bool
    fresh: bool
    running: dict[Peer, Process] = field(default_factory=dict)
    facts: dict[Peer, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.builds = Store(self.out / "builds.jsonl", self.fresh)
        self.points = Store(self.out / "points.jsonl", self.fresh)

    def say(self, peer: Peer, text: str) -> None:
        """Tells the user what is being done."""
        print(f"{peer.name}: {text}", flush=True)

    def start(self, peer: Peer, build_only: bool = False) -> Process:
        """Starts a process and waits until it is ready."""
        log = self.out / "logs" / f"{peer.rival}-{peer.variant}.log"
        p = Process(peer, self.data, self.cache, self.build_threads, log, build_only)
        try:
            ready = p.read(10 * HOURS)
        except Failed:
            p.close()
            raise
        if "error" in ready:
            p.close()
            raise Failed(ready["error"])
        self.facts[peer] = ready
        return p

    def build_all(self) -> None:
        """Builds what has not been built, and leaves out what cannot be."""
        for peer in list(self.peers):
            known = self.builds.find(peer=peer.name, loaded=None)
            if known and "unavailable" not in known and ((peer.folder(self.data) / "complete").exists() or not known["saves"]):
                self.facts[peer] = known
                continue
            self.say(peer, "build")
            try:
                self.start(peer, build_only=True).close()
                self.builds.add({"peer": peer.name, "n": self.data.n, "dim": self.data.dim} | self.facts[peer])
            except (Failed, NotAvailable) as e:
                self.builds.add({"peer": peer.name, "unavailable": str(e)})
                self.say(peer, f"not available here: {e}")
                self.peers.remove(peer)

    def process(self, peer: Peer) -> Process:
        """Returns the running process of a rival, loading its index if needed."""
        if peer not in self.running:
            self.running[peer] = self.start(peer)
            if not self.builds.find(peer=peer.name, loaded=True) and "rss_added_bytes" in self.facts[peer]:
                self.builds.add({"peer": peer.name, "loaded": True} | {k: self.facts[peer][k] for k in ("load_seconds", "rss_added_bytes")})
        return self.running[peer]

    def turns(self) -> Iterator[tuple[int, Peer]]:
        """Yields each repetition of each rival, in turn."""
        for repetition in range(self.repeat):
            for peer in list(self.peers):
                yield repetition, peer
                if self.one_at_a_time and peer in self.running and self.facts[peer].get("saves"):
                    self.running.pop(peer).close()

    def drop(self, peer: Peer, reason: str) -> None:
        """Takes a rival that failed out of the run."""
        self.say(peer, f"left out: {reason}")
        self.points.add({"peer": peer.name, "phase": "failure", "error": reason})
        self.peers.remove(peer)
        if peer in self.running:
            self.running.pop(peer).close()

    def measure(self, peer: Peer, key: dict[str, Any], request: dict[str, Any], cpus: set[int]) -> dict[str, Any] | None:
        """Measures one point unless it is known; None if there is none such."""
        key = {"peer": peer.name} | key
        known = self.points.find(**key)
        if known is None:
            p = self.process(peer)
            p.pin(cpus)
            answer = p.ask(request)
            if "error" in answer:
                raise Failed(answer["error"])
            known = self.points.add(key | answer)
        return None if known.get("unsupported") else known

    def sweep(self, peer: Peer, key: dict[str, Any], request: dict[str, Any], cpus: set[int]) -> None:
        """Measures all settings of a rival, up to enough recall."""
        for setting in self.facts[peer]["settings"]:
            point = self.measure(peer, key | {"setting": setting}, request | {"setting": setting}, cpus)
            if point is None or point["recall"] >= ENOUGH:
                return

    def guarded(self, peer: Peer, do: Any) -> None:
        """Runs a turn of a rival, which may fail without ending the run."""
        try:
            do()
        except (Failed, NotAvailable, json.JSONDecodeError) as e:
            self.drop(peer, str(e))

    def search(self) -> None:
        """Recall, rate and latency with one thread on one processor."""
        for repetition, peer in self.turns():
            self.say(peer, f"search, repetition {repetition + 1} of {self.repeat}")
            request = {"op": "search", "threads": 1, "seconds": self.seconds, "latency": True}
            self.guarded(peer, lambda: self.sweep(peer, {"phase": "search", "repetition": repetition}, request, {self.cpu}))

    def threads(self) -> None:
        """The rate with two threads on two processors."""
        cpus = set(sorted(os.sched_getaffinity(0))[:2])
        for repetition, peer in self.turns():
            self.say(peer, f"two threads, repetition {repetition + 1} of {self.repeat}")
            request = {"op": "search", "threads": 2, "seconds": self.seconds}
            self.guarded(peer, lambda: self.sweep(peer, {"phase": "threads", "repetition": repetition}, request, cpus))

    def filters(self) -> None:
        """Searches that are restricted to a share of the rows."""
        for repetition, peer in self.turns():
            for share in FILTERS:
                if peer not in self.peers:
                    break
                self.say(peer, f"{share:.1%} of the rows, repetition {repetition + 1} of {self.repeat}")
                request = {
                    "op": "filter", "threads": 1, "seconds": self.seconds, "share": share,
                    "allowed": str(self.data.allowed(share)), "truth": str(self.data.filter_truth(share)),
                }
                key = {"phase": "filters", "share": share, "repetition": repetition}
                self.guarded(peer, lambda: self.sweep(peer, key, request, {self.cpu}))

    def inserts(self) -> None:
        """Insertions one by one into an empty index."""
        count = min(INSERTS, self.data.n)
        for repetition, peer in self.turns():
            self.say(peer, f"{count} inserts, repetition {repetition + 1} of {self.repeat}")
            key = {"phase": "inserts", "repetition": repetition}
            self.guarded(peer, lambda: self.measure(peer, key, {"op": "inserts", "count": count}, {self.cpu}))

    def close(self) -> None:
        """Ends all processes."""
        for p in self.running.values():
            p.close()
        self.running.clear()
