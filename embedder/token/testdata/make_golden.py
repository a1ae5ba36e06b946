#!/usr/bin/env python3
"""Writes golden.jsonl: token ids that the reference tokenizers give for texts
of many kinds. Needs the package "tokenizers" (0.23.3 was used):

    python3 make_golden.py HOME > golden.jsonl

HOME is the folder of models (see `vecdb doctor`). A text is stored as base64,
since some are not valid UTF-8; the reference is given those with every bad
byte as U+FFFD. "repeat" says how often the text is written one after another.
"""
import base64
import json
import random
import sys

from tokenizers import Tokenizer, normalizers

PLAIN = [
    "", " ", "\t\n", "a", "Hello, world!", "The quick brown fox jumps over the lazy dog.",
    "I can't believe it's not butter; don't you?", "state-of-the-art, e.g. U.S.A. (1999) #1 @home 50% $3.50",
    "visit https://example.org/a/b?c=d&e=f#g or mail jane.doe+test@example.com", "C:\\temp\\file.txt && rm -rf ./build/*",
    "x = {'a': [1, 2, 3], \"b\": None}  # comment", "3.14159 1,000,000 0x7f 1e-9 ½ ² ³ №5",
    "UPPER lower MiXeD CamelCaseWord snake_case_word kebab-case-word", "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101, "word " + "y" * 200 + " end",
    "café naïve façade Ångström Zürich São Paulo Dvořák", "cafe\u0301 nai\u0308ve fac\u0327ade A\u030angstro\u0308m",
    "İstanbul ISPARTA ıssız", "Straße GROSSE ẞ ß", "Ελληνικά Σίσυφος ΣΑΣ", "Привет, мир! Ёлка и йод", "שלום עולם", "مرحبا بالعالم ١٢٣",
    "नमस्ते दुनिया", "สวัสดีชาวโลก", "Tiếng Việt có dấu thanh", "ﬁ ﬂ ﬀ ligatures Ⅷ ⅷ ㎏ ℃",
    "今天天气很好，我们去公园散步吧。", "机器学习是人工智能的一个分支", "繁體中文：資料庫與向量檢索", "混合text与中文123和English单词",
    "北京２０２４年ＡＢＣａｂｃ！？", "“引号”、《书名》—破折号……省略号", "𠀀𠮷𪚥 rare ideographs 㐀㒨", "豈更車 compatibility",
    "東京タワーは高い。ひらがなとカタカナ", "ガギグゲゴ ぱぴぷぺぽ", "か\u3099き\u3099 ﾊﾟﾝ ﾃﾞｰﾀ", "日本語とEnglishの混在テキスト",
    "안녕하세요 세계", "한국어 형태소 분석기 테스트입니다.", "각\u1100\u1161\u11a8 뷁 뙤", "한자漢字 혼용",
    "😀 😃 emoji 👍🏽 👨‍👩‍👧‍👦 🇨🇳 ❤️ ☺", "a\u200bb\u200cc\u200dd\ufeffe", "soft\u00adhyphen non\u00a0breaking\u2003em\u3000wide",
    "a\u0000b\u0001c\u0007d\u001be\u007ff\u0085g\u009fh", "line1\nline2\r\nline3\rline4\u2028line5\u2029line6\u000bvt\u000cff",
    "\ue000private\uf8ff use \U000f0000", "\ufffd replacement \ufffd", "bidi \u202eabc\u202c \u2066x\u2069",
    "combining: e\u0301\u0323\u0302 o\u0308\u0304 \u0301alone", "zalgo: h\u0335\u0321e\u0336l\u0337l\u0338o\u0334",
    "[CLS] inside [SEP] the [MASK] text [PAD] and [UNK]", "[cls] [ sep ] [MASK]ed [[CLS]] [CLS", "[UNK][UNK]x[SEP]y",
    "##ing ##s # # ##", "a##b un##able", "!!!???...,,,;;;:::", "()[]{}<>«»‹›“”‘’", "~`^|\\/+=*&%$#@", "−–—‐‑‒― minus and dashes", "• · ‣ ◦ bullets ‰ ′ ″ ‽ ⁂",
    "¿Qué? ¡Olé!", "a,b;c:d.e!f?g", "1st 2nd 3rd 4th 21st", "rock'n'roll 'tis o'clock y'all'd've", "©®™ ¥€£¢ §¶ °C µm ±1 ×2 ÷3",
    "\U0001d400\U0001d401 math \U0001d7d8", "ℋℌℍ ſ K Å", "ǅ ǆ Ǆ ŉ ǰ", "ᾳ ᾼ ῼ Ἀ ἀ", "Ⴀ ⴀ Ა ა", "ꭰ Ꭰ", "𐐀 𐐨",
    "\u0378 unassigned \u0e3b", "ｆｕｌｌｗｉｄｔｈ ＴＥＸＴ", "①②③ ⓐⓑ ㈠ ㊀", "〇一二三 々 〆 ヶ ヵ ー ・", "：；，。？！（）【】「」『』",
]

# Sentences to mix words from, in three kinds of writing.
WORDS = ("the of database vector search quickly running unhappiness tokenization embedding café Zürich don't 2024 3.5 "
         "GPU iPhone e-mail snow-capped 搜索 引擎 数据库 向量 的 了 我们 中国 人工智能 ひらがな カタカナ 한국어 데이터 "
         "Привет Ελλάδα naïve résumé ½ ★ → 👍 🎉 [MASK] # @user http://x.y/z ... ?! — “quoted” ２０２４").split()

LONG = [("The committee discussed the annual report in detail. ", 60), ("我们在会议上讨论了年度报告的细节。", 60), ("supercalifragilisticexpialidocious", 40)]

BROKEN = [b"\xff\xfe abc", b"caf\xc3 au lait", b"\xe4\xbd trunc \xe4\xbd\xa0", b"\xed\xa0\x80 surrogate", b"\xf5\x80\x80\x80 big", b"a\x80b\x80c", b"\xc0\xafoverlong"]


def texts():
    rng = random.Random(20240817)
    for t in PLAIN:
        yield t.encode(), 1
    for _ in range(300):
        n = rng.randint(2, 14)
        sep = rng.choice([" ", " ", "", "  ", "\n"])
        yield sep.join(rng.choice(WORDS) for _ in range(n)).encode(), 1
    for t, n in LONG:
        yield t.encode(), n
    for t in BROKEN:
        yield t, 1


def decode(raw):
    """Each byte that does not belong to valid UTF-8 becomes one U+FFFD."""
    out = []
    while raw:
        for n in (1, 2, 3, 4):
            try:
                out.append(raw[:n].decode("utf-8"))
                raw = raw[n:]
                break
            except UnicodeDecodeError:
                pass
        else:
            out.append("\ufffd")
            raw = raw[1:]
    return "".join(out)


def main():
    for model in ("all-MiniLM-L6-v2", "bge-small-zh-v1.5"):
        path = f"{sys.argv[1]}/models/{model}/tokenizer.json"
        for lower in (None, True, False):
            t = Tokenizer.from_file(path)
            t.no_padding()
            t.no_truncation()
            if lower is not None:
                if lower == (model == "all-MiniLM-L6-v2"):
                    continue  # what the file says already
                t.normalizer = normalizers.BertNormalizer(lowercase=lower)
            for raw, repeat in texts():
                ids = t.encode(decode(raw) * repeat).ids
                row = {"model": model, "text": base64.b64encode(raw).decode(), "ids": ids}
                if lower is not None:
                    row["lowercase"] = lower
                if repeat > 1:
                    row["repeat"] = repeat
                print(json.dumps(row, separators=(",", ":")))


main()
