"""What a run leaves behind: lines, a table and a plot."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

from driver import plot, summary
from driver.peers import PROJECT
from driver.schedule import Run
from driver.store import Line


def processor() -> str:
    """Returns the name of the processor and its vector instructions."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    model = re.search(r"model name\s*: (.*)", text)
    kinds = [k for k in ("avx2", "avx512f", "avx512_vnni") if re.search(rf"\b{k}\b", text)]
    return f"{model[1] if model else 'unknown'} ({', '.join(kinds)})"


def title_of(run: Run) -> str:
    """Says what was measured and how."""
    return (
        f"{run.data.n:,} vectors of {run.data.dim} numbers (`{run.data.base.name}`), one thread bound to one core of {processor()}, "
        f"queries per CPU second, medians of {run.repeat}, builds with {run.build_threads} threads."
    )


def settings_line(run: Run) -> str:
    """Lists the settings of the builds and of the sweeps."""
    parts = []
    for name in summary.peers_of(run.builds):
        built = run.builds.find(peer=name, loaded=None) or {}
        if "settings" not in built:
            continue
        swept = [",".join(f"{k}={v}" for k, v in s.items()) or "exact" for s in built["settings"]]
        made = " ".join(f"{k}={v}" for k, v in built["build_settings"].items())
        parts.append(f"- {name} ({made or 'no settings'}): {swept[0]} … {swept[-1]}, {len(swept)} settings at most")
    return "Swept, up to a recall of .9995:\n\n" + "\n".join(parts)


def write(run: Run, publish: str | None) -> None:
    """Writes summary.md and plot.svg, and the project's files if asked to."""
    lines = summary.medians(run.points)
    if not lines:
        print("nothing was measured")
        return
    text = summary.markdown(lines, run.builds, run.points, title_of(run)) + "\n" + settings_line(run) + "\n"
    (run.out / "summary.md").write_text(text, encoding="utf-8")
    peers = summary.peers_of(run.builds)
    heading = f"{run.data.n:,} vectors of {run.data.dim} numbers"
    plot.draw(lines, peers, heading, run.out / "plot.svg")
    print(text)
    if publish:
        save(run, publish, lines, text)


def save(run: Run, name: str, lines: list[Line], text: str) -> None:
    """Puts the results into the project."""
    results = PROJECT / "bench" / "results" / f"{name}.jsonl"
    results.parent.mkdir(exist_ok=True)
    facts = [{k: v for k, v in x.items() if k != "settings"} for x in run.builds.lines]
    results.write_text("".join(json.dumps(x) + "\n" for x in [*facts, *lines]), encoding="utf-8")
    picture = f"bench-{name}.svg"
    plot.draw(lines, summary.peers_of(run.builds), f"{run.data.n:,} vectors of {run.data.dim} numbers", PROJECT / "docs" / picture)
    between_markers(PROJECT / "docs" / "bench.md", name, f"{text}\n![recall and rate]({picture})")


def between_markers(page: Path, name: str, text: str) -> None:
    """Replaces what stands between a page's markers of a name."""
    begin, end = f"<!-- peers {name} begin -->", f"<!-- peers {name} end -->"
    old = page.read_text(encoding="utf-8")
    block = f"{begin}\n{text.strip()}\n{end}"
    if begin in old and end in old:
        head, rest = old.split(begin, 1)
        new = head + block + rest.split(end, 1)[1]
    else:
        new = old.rstrip() + f"\n\n## Beside other libraries: {name}\n\n{block}\n"
    page.write_text(new, encoding="utf-8")
