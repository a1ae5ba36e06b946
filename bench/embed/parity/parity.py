"""Compares vecdb's tokenizer with the reference text by text; see ./run."""
import argparse
import base64
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import time

from tokenizers import Tokenizer, normalizers

import corpus


def arguments():
    p = argparse.ArgumentParser(description=__doc__, prog="run")
    p.add_argument("--program", required=True, help=argparse.SUPPRESS)
    p.add_argument("--home", default=os.environ.get("VECDB_HOME") or pathlib.Path.home() / ".cache/vecdb", help="folder of models")
    p.add_argument("--model", nargs="+", default=["all-MiniLM-L6-v2", "bge-small-zh-v1.5"], help="models that are there")
    p.add_argument("--texts", nargs="*", default=[], help="folders of texts")
    p.add_argument("--random", type=int, default=0, help="random texts of each of four kinds; any number adds a text for each character")
    p.add_argument("--fuzz", type=float, default=0, help="seconds of texts that are changed at random, beginning with the above")
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--show", type=int, default=5, help="differences shown for each model")
    return p.parse_args()


def decode(raw):
    """Each byte that does not belong to valid UTF-8 becomes one U+FFFD, as Go
    reads it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    out = []
    while raw:
        for n in (1, 2, 3, 4):
            try:
                out.append(raw[:n].decode())
                raw = raw[n:]
                break
            except UnicodeDecodeError:
                pass
        else:
            out.append("\ufffd")
            raw = raw[1:]
    return "".join(out)


class Pair:
    """The two tokenizers of one model."""

    def __init__(self, program, home, model):
        path = pathlib.Path(home) / "models" / model / "tokenizer.json"
        self.reference = Tokenizer.from_file(str(path))
        self.reference.no_padding()
        self.reference.no_truncation()
        # bge-small-zh says lowercase: false, against its vocabulary; vecdb's
        # manifest corrects it, and so does this.
        self.reference.normalizer = normalizers.BertNormalizer(lowercase=True)
        self.process = subprocess.Popen([program, str(path), "true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def compare(self, texts):
        """Yields text, whether the ids are equal, and both."""
        for at in range(0, len(texts), 256):
            part = texts[at:at + 256]
            # A part of a megabyte at most, so that no pipe is full on both sides.
            size, begin = 0, 0
            for i, t in enumerate(part):
                size += len(t)
                if size > 30_000 or i == len(part) - 1:
                    yield from self.exchange(part[begin:i + 1])
                    size, begin = 0, i + 1

    def exchange(self, texts):
        for t in texts:
            self.process.stdin.write(base64.b64encode(t) + b"\n")
        self.process.stdin.flush()
        wanted = self.reference.encode_batch([decode(t) for t in texts])
        for t, want in zip(texts, wanted):
            got = json.loads(self.process.stdout.readline())
            yield t, got["ids"] == want.ids and placed(t, got["spans"]), got["ids"], want.ids

    def close(self):
        self.process.stdin.close()
        if self.process.wait():
            sys.exit("vecdb's side failed")


def placed(raw, spans):
    """Tells whether the spans lie within the text and go forward."""
    start = end = 0
    for a, b in spans:
        if not start <= a <= b <= len(raw) or b < end:
            return False
        start, end = a, b
    return True


def changed(rng, raw, other):
    """Returns raw with a few changes."""
    raw = bytearray(raw[:2000])
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(raw))
        match rng.randrange(5):
            case 0:
                raw[at:at] = chr(rng.choice([rng.randrange(0x250), rng.randrange(0x3400), rng.randrange(0xE000, 0x20000), rng.randrange(0x110000)])).encode("utf-8", "ignore")
            case 1:
                del raw[at:at + rng.randint(1, 8)]
            case 2:
                raw[at:at] = rng.choice(corpus.BROKEN)
            case 3:
                cut = rng.randint(0, len(other))
                raw[at:at] = other[cut:cut + rng.randint(1, 40)]
            case 4:
                raw[at:at] = raw[at:at + rng.randint(1, 12)] * rng.randint(1, 12)
    return bytes(raw)


def fuzz(pair, texts, seconds, rng):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for result in pair.compare([changed(rng, rng.choice(texts), rng.choice(texts)) for _ in range(2048)]):
            yield result


def main():
    args = arguments()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    kinds = collections.defaultdict(list)
    for kind, text in corpus.corpus(args.texts, args.random, seed):
        kinds[kind].append(text)
    counts = collections.defaultdict(dict)
    for model in args.model:
        pair, shown = Pair(args.program, args.home, model), 0
        rng = random.Random(seed)
        for kind in [*kinds, "changed at random"]:
            if kind in kinds:
                results = pair.compare(kinds[kind])
            else:
                results = fuzz(pair, sum(kinds.values(), []) or [b"text"], args.fuzz, rng)
            n = bad = 0
            for text, same, got, want in results:
                n += 1
                if same:
                    continue
                bad += 1
                if shown < args.show:
                    shown += 1
                    print(f"{model}, {kind}: {text[:300]!r}\n  vecdb     {got[:60]}\n  reference {want[:60]}")
            if n:
                counts[kind][model] = (n, bad)
        pair.close()
    report(args.model, counts)


def report(models, counts):
    print("| texts | " + " | ".join(models) + " |\n|---|" + "---|" * len(models))
    total = {m: [0, 0] for m in models}
    for kind, row in counts.items():
        cells = []
        for m in models:
            n, bad = row[m]
            total[m][0] += n
            total[m][1] += bad
            cells.append(cell(n, bad))
        print(f"| {kind} | " + " | ".join(cells) + " |")
    print("| **all** | " + " | ".join(cell(*total[m]) for m in models) + " |")
    sys.exit(any(bad for _, bad in total.values()))


def cell(n, bad):
    return f"{n - bad:,} of {n:,}" + ("" if bad == 0 else f" ({100 * (n - bad) / n:.4f} %)")


main()
