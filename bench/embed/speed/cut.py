"""Cuts texts of given lengths in tokens, in the environment of ONNX Runtime."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("tokens", type=int, nargs="+")
    args = parser.parse_args()
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(args.tokenizer)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    words = " ".join(json.loads(line)["text"] for line in args.corpus.read_text(encoding="utf-8").splitlines()).split()
    for tokens in args.tokens:
        texts = []
        for i in range(min(256, max(64, 8192 // tokens))):
            at, text, size = i * 89 % len(words), "", 2
            while size < tokens:
                longer = f"{text} {words[at % len(words)]}".strip()
                size = len(tokenizer.encode(longer).ids)
                if size > tokens and text:
                    break
                text, at = longer, at + 1
            texts.append(text)
        (args.out / f"lines-{tokens}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
