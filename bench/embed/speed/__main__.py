"""The command: measures embedders on the same texts and reports."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from driver import venvs
from driver.report import processor
from driver.store import Line, Store
from speed.embedders import KINDS

PROJECT = Path(__file__).resolve().parents[3]
HERE = PROJECT / "bench" / "embed"
MODEL = "all-MiniLM-L6-v2"
OURS = {"int8": [], "bf16": ["--precision", "bf16"]}
ALL = ["vecdb/int8", "vecdb/bf16", *(f"{kind}/{v}" for kind, (_, variants) in KINDS.items() for v in variants)]


def named(name: str) -> str:
    """Checks the name of a table."""
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise argparse.ArgumentTypeError(f"{name!r} is not of small letters, digits and hyphens")
    return name


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    p = argparse.ArgumentParser(prog="bench/embed/run", description=__doc__)
    p.add_argument("--rivals", default=",".join(ALL), help="comma-separated (%(default)s)")
    p.add_argument("--tokens", default="12,92,256", help="lengths of texts (%(default)s)")
    p.add_argument("--threads", default="1,2", help="numbers of threads, each on a core of its own (%(default)s)")
    p.add_argument("--repeat", type=int, default=3, help="repetitions, of which the medians count (%(default)s)")
    p.add_argument("--seconds", type=float, default=2, help="shortest time of one measurement (%(default)s)")
    p.add_argument("--home", type=Path, default=Path(os.environ.get("VECDB_HOME", Path.home() / ".cache" / "vecdb")), help="folder of vecdb's models (%(default)s)")
    p.add_argument("--cache", type=Path, default=PROJECT / "build" / "embed", help="environments, texts and lines (%(default)s)")
    p.add_argument("--fresh", action="store_true", help="measure again what is there")
    p.add_argument("--publish", metavar="NAME", type=named, help="write bench/results/embed-NAME.jsonl and the table of that name in docs/bench.md, for instance avx2")
    return p.parse_args()


class Run:
    """A run over all embedders."""

    def __init__(self, a: argparse.Namespace) -> None:
        self.a = a
        self.cache: Path = a.cache.resolve()
        self.cache.mkdir(parents=True, exist_ok=True)
        self.model = a.home.resolve() / "models" / MODEL
        self.tokens = [int(t) for t in a.tokens.split(",")]
        self.store = Store(self.cache / "lines.jsonl", a.fresh)
        self.missing: dict[str, str] = {}
        self.lines = [self.cache / f"lines-{t}.txt" for t in self.tokens]

    def python(self, kind: str) -> Path:
        """Returns the Python of a library's environment."""
        return venvs.ensure(kind, HERE / "requirements" / f"{kind}.txt", self.cache / "venv" / kind)

    def cut(self) -> None:
        """Makes the texts."""
        corpus = PROJECT / "cmd" / "vecdb" / "demo" / "en.jsonl"
        command = [self.python("onnxruntime"), "-m", "speed.cut", "--tokenizer", self.model / "tokenizer.json", "--corpus", corpus, "--out", self.cache, *map(str, self.tokens)]
        subprocess.run(list(map(str, command)), check=True, cwd=HERE)

    def vectors(self, name: str) -> Path:
        return self.cache / (name.replace("/", "-") + ".npy")

    def measure(self, name: str, threads: int) -> list[Line]:
        """Runs one embedder once and returns a line for each length."""
        kind, variant = name.split("/")
        if kind == "vecdb":
            return self.measure_ours(name, variant, threads)
        command = [self.python(kind), "-m", "speed.measure", "--kind", kind, "--variant", variant, "--model", self.model,
                   "--threads", threads, "--seconds", self.a.seconds, "--vectors", self.vectors(name), *self.lines]
        env = {**os.environ, "PYTHONPATH": str(HERE)}
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=self.cache, env=env, check=False)
        if done.returncode != 0:
            raise venvs.NotAvailable((done.stderr.strip().splitlines() or ["it failed"])[-1])
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def measure_ours(self, name: str, variant: str, threads: int) -> list[Line]:
        binary = PROJECT / "bin" / "vecdb"
        if not binary.exists():
            raise venvs.NotAvailable("bin/vecdb is not built (make build)")
        common = OURS[variant]
        lines = [x for path in self.lines for x in ("--lines", path)]
        command = [binary, "model", "bench", MODEL, *common, *lines, "--threads", threads, "--seconds", self.a.seconds, "--json"]
        env = {**os.environ, "VECDB_HOME": str(self.a.home)}
        pinned = sorted(os.sched_getaffinity(0))[:threads]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=env, preexec_fn=lambda: os.sched_setaffinity(0, pinned))
        if done.returncode != 0:
            raise venvs.NotAvailable((done.stderr.strip().splitlines() or ["it failed"])[-1])
        report = json.loads(done.stdout)
        texts = self.cache / "all.txt"
        texts.write_text("".join(p.read_text(encoding="utf-8") for p in self.lines), encoding="utf-8")
        command = [binary, "embed", texts, "--out", self.vectors(name), "--model", MODEL, *common]
        self.vectors(name).unlink(missing_ok=True)
        subprocess.run(list(map(str, command)), check=True, capture_output=True, env=env)
        keys = ("texts_per_second", "texts_per_cpu_second", "query_p50_us", "query_p99_us", "share_of_limit")
        return [{"version": report["runtime"] + " " + report["matrix_kernels"], **{k: p[k] for k in keys if k in p}} for p in report["points"]]

    def go(self) -> None:
        """Measures what is not measured yet, all embedders in turn."""
        self.cut()
        for repetition in range(self.a.repeat):
            for threads in map(int, self.a.threads.split(",")):
                for name in self.a.rivals.split(","):
                    if name not in ALL:
                        raise SystemExit(f"there is no {name!r}; there are: {', '.join(ALL)}")
                    key = {"name": name, "threads": threads, "repetition": repetition}
                    if name in self.missing or self.store.find(**key, tokens=self.tokens[-1]):
                        continue
                    print(f"{repetition + 1} of {self.a.repeat}, threads {threads}: {name}", flush=True)
                    try:
                        found = self.measure(name, threads)
                    except venvs.NotAvailable as why:
                        self.missing[name] = str(why)
                        print(f"{name}: not available here: {why}", flush=True)
                        continue
                    for tokens, line in zip(self.tokens, found, strict=True):
                        self.store.add({**key, "tokens": tokens, **line})

    def fidelity(self, name: str) -> tuple[float, float] | None:
        """Returns the mean and the least cosine to ONNX Runtime's float32."""
        truth, mine = self.vectors("onnxruntime/fp32"), self.vectors(name)
        if not truth.exists() or not mine.exists():
            return None
        a, b = np.load(truth), np.load(mine)
        if a.shape != b.shape:
            return None
        cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        return float(cosines.mean()), float(cosines.min())

    def medians(self) -> list[Line]:
        """Returns a line for each embedder, number of threads and length."""
        out: list[Line] = []
        for name in ALL:
            for threads in map(int, self.a.threads.split(",")):
                for tokens in self.tokens:
                    lines = list(self.store.matching(name=name, threads=threads, tokens=tokens))
                    if not lines:
                        continue
                    line: dict[str, Any] = {"name": name, "threads": threads, "tokens": tokens, "version": lines[-1]["version"], "repeat": len(lines)}
                    for key in ("texts_per_second", "texts_per_cpu_second", "query_p50_us", "query_p99_us", "share_of_limit"):
                        values = [x[key] for x in lines if key in x]
                        if values:
                            line[key] = statistics.median(values)
                    if near := self.fidelity(name):
                        line["mean_cosine"], line["least_cosine"] = near
                    out.append(line)
        return out

    def table(self, lines: list[Line]) -> str:
        """Returns the table for people."""
        by = {(x["name"], x["threads"], x["tokens"]): x for x in lines}
        threads = sorted({x["threads"] for x in lines})
        header = ["", "version", *(f"{t} tokens, texts/CPU s" for t in self.tokens)]
        header += [f"{n} threads, texts/s by length" for n in threads if n > 1]
        header += [f"query of {self.tokens[0]} p50/p99 µs", "cosine to fp32, mean/least"]
        rows = ["| " + " | ".join(header) + " |", "| " + " | ".join("---" for _ in header) + " |"]
        for name in ALL:
            first = by.get((name, threads[0], self.tokens[0])) if threads else None
            if not first:
                continue
            row = [name, first["version"]]
            for t in self.tokens:
                line = by[name, threads[0], t]
                share = f" ({line['share_of_limit']:.0%} of the limit)" if "share_of_limit" in line else ""
                row.append(f"{line['texts_per_cpu_second']:,.0f}{share}")
            for n in threads:
                if n > 1:
                    row.append(" / ".join(f"{by[name, n, t]['texts_per_second']:,.0f}" if (name, n, t) in by else "—" for t in self.tokens))
            row.append(f"{first['query_p50_us']:,.0f}/{first['query_p99_us']:,.0f}")
            row.append(f"{first['mean_cosine']:.4f}/{first['least_cosine']:.4f}" if "mean_cosine" in first else "—")
            rows.append("| " + " | ".join(row) + " |")
        text = "\n".join(rows) + "\n"
        for name, why in self.missing.items():
            text += f"\n- {name}: not available here: {why}"
        how = "one run" if self.a.repeat == 1 else f"medians of {self.a.repeat} runs"
        title = f"{MODEL}, texts cut from the demo texts, batches of 32, one thread on one core of {processor()} if not said otherwise, {how}."
        return f"{title}\n\n{text}"


def main() -> None:
    """Measures and reports."""
    a = arguments()
    run = Run(a)
    if not (run.model / "model-fp32.onnx").exists():
        raise SystemExit(f"{run.model} has no float32 model; fetch it with: bin/vecdb setup --precision fp32 (and --model-runtime onnx)")
    try:
        run.go()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", flush=True)
    lines = run.medians()
    text = run.table(lines)
    print(text)
    if a.publish and lines:
        (PROJECT / "bench" / "results" / f"embed-{a.publish}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
        put(PROJECT / "docs" / "bench.md", a.publish, text)


def put(page: Path, name: str, text: str) -> None:
    """Replaces the table of a name, or puts it behind the last one."""
    block = f"<!-- embed {name} begin -->\n{text.strip()}\n<!-- embed {name} end -->"
    old = page.read_text(encoding="utf-8")
    new, found = re.subn(rf"<!-- embed {name} begin -->.*?<!-- embed {name} end -->", lambda _: block, old, flags=re.S)
    if not found:
        new, found = re.subn(r".*<!-- embed \S+ end -->", lambda m: f"{m[0]}\n\n{block}", old, count=1, flags=re.S)
    page.write_text(new if found else f"{old.rstrip()}\n\n## Models beside other runtimes\n\n{block}\n", encoding="utf-8")


main()
