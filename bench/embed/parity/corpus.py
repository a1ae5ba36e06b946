"""Texts of many kinds, as bytes, by the name of the kind."""
import gzip
import json
import pathlib
import random

WORDS = ("the of database vector search quickly running unhappiness tokenization embedding café Zürich don't 2024 3.5 GPU iPhone "
         "e-mail 搜索 引擎 数据库 向量 的 了 中国 人工智能 ひらがな カタカナ ガギグ 한국어 데이터 Привет Ελλάδα naïve résumé ½ ★ → 👍 🎉 [MASK] [SEP] "
         "[UNK] [CLS [[CLS]] ##ing # @user http://x.y/z ... ?! — “quoted” ２０２４ İstanbul ẞ ﬁ ͅ e\u0301\u0323 \u0e33 \u200b \u200d \ufeff \u00ad "
         "\u3000 \u00a0 \u2028 \u0085 \x00 \x01 \x0b \x1b \x7f \ufffd \ue000 \U000f0000 \U0001d160 \u302e\u302f 각 ᄀ ᅡ ᆨ נּ שׁ कि क़ ணொ").split(" ")

BROKEN = [b"\xff", b"\xfe", b"\xc3", b"\xe4\xbd", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xc0\xaf", b"\xf0\x9f\x91"]

HOSTILE = [
    "", " ", "\n" * 500, "x" * 5000, "é" * 3000, "漢" * 3000, "한" * 1000, "ガ" * 1000, "a\u0301" * 2000, "a" + "\u0301" * 5000, "h\u0335\u0321" * 500,
    "a" + "\u302e\u302f\u1b44" * 300, "[" * 2000, "[CLS]" * 300, "[CLS" * 300, "##" * 500, "!" * 2000, "a!" * 1000, "\u200b" * 500, "\ufffd" * 500, "\x00" * 500,
    "a\x00" * 500, "👩‍👩‍👧‍👦" * 100, "\u202e" + "abc " * 100, "\U000e0001\U000e0020" * 100, "x" * 99 + "é", "x" * 100 + "\u0301", "é" * 100, "e\u0301" * 100, "e\u0301" * 101,
    "ﷺ" * 200, "ΑΣ " * 100, "İ" * 300, "K" * 100, "`\u1fef", "\u037e\u0387", "\u2329\u232a", "豈" * 50, "a豈b", "\ufb1d\ufb2c",
]


def fields(value):
    """Yields every string within a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from fields(v)
    elif isinstance(value, list):
        for v in value:
            yield from fields(v)


def files(folders):
    """Yields folder name and text for all files below the folders."""
    for folder in map(pathlib.Path, folders):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.parent.name
            if ".jsonl" in path.name:
                with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
                    for line in lines:
                        for text in fields(json.loads(line)):
                            yield name, text.encode()
            elif path.suffix == ".txt":
                for line in path.read_bytes().splitlines():
                    yield name, line


def blocks():
    """Returns the starts of the blocks of 128 characters that hold characters."""
    return [b for b in range(0, 0x110000, 128) if not 0xD800 <= b < 0xE000]


def drawn(rng, count):
    """Yields kinds of random texts: of all characters, within one block, of
    words of many scripts, and with bytes that are not UTF-8."""
    every = blocks()
    low = [b for b in every if b < 0x20000]
    for i in range(count):
        start = every[i % len(every)] if i % 4 == 0 else rng.choice(low)
        block = "".join(chr(start + rng.randrange(128)) for _ in range(rng.randint(1, 24)))
        yield "one block of Unicode", with_blanks(rng, block).encode()
        yield "all of Unicode", with_blanks(rng, "".join(chr(rng.choice(low) + rng.randrange(128)) for _ in range(rng.randint(1, 24)))).encode()
        mixed = rng.choice(["", " ", " "]).join(rng.choice(WORDS) for _ in range(rng.randint(1, 16)))
        yield "mixed words", mixed.encode()
        raw = bytearray(mixed.encode())
        for _ in range(rng.randint(1, 4)):
            at = rng.randint(0, len(raw))
            raw[at:at] = rng.choice(BROKEN)
        yield "invalid UTF-8", bytes(raw)


def with_blanks(rng, text):
    return "".join(c + rng.choice(["", "", "", " ", "a", ", "]) for c in text)


def corpus(folders, count, seed):
    """Yields kind and text, no text of a kind twice."""
    seen = set()
    rng = random.Random(seed)
    singles = (("each character", ("a" + chr(c) + "b " + chr(c)).encode()) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    hostile = (("hostile", t.encode()) for t in HOSTILE)
    for source in (files(folders), drawn(rng, count), hostile, singles if count else ()):
        for kind, text in source:
            if (kind, text) not in seen:
                seen.add((kind, text))
                yield kind, text
