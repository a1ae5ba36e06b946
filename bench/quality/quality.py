"""Measures the quality of answers and writes docs/quality.md."""

import argparse
import json
import os
import sys
import time

import numpy as np

import answer
import recommend
import rerank
import rivals
from measures import ahead_of, calibration_error, ndcg
from server import Server, rows

CLASSIFY = [("mr", "en"), ("agnews", "en"), ("thucnews", "zh"), ("chnsenticorp", "zh"), ("fpb", "en"), ("finnews_zh", "zh"), ("banking77", "en")]
REPEATED = {"chnsenticorp": 1, "fpb": 1, "finnews_zh": 2}  # small sets: so many times five folds over all rows
SHOTS = [1, 5, 10]
SEEDS = 3  # draws of the few examples
RETRIEVE = [("cranfield", "en"), ("cmrc_trial", "zh")]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", required=True, help="folder of data sets, see README.md")
    p.add_argument("--vecdb", required=True)
    p.add_argument("--cache", required=True, help="folder that keeps vectors between runs")
    p.add_argument("--out", required=True, help="the page to write")
    p.add_argument("--results", required=True, help="JSON of all figures; sets that are not measured keep theirs")
    p.add_argument("--sets", help="comma-separated: only these")
    a = p.parse_args()
    results = json.load(open(a.results)) if os.path.exists(a.results) else {}
    server = Server(a.vecdb, a.cache)
    try:
        results["version"] = server.call("GET", "/version")
        for name, measure in tasks(a, server):
            if a.sets and name not in a.sets.split(","):
                continue
            start = time.time()
            results[name] = measure()
            results[name]["seconds"] = round(time.time() - start)
            print(name, json.dumps(results[name]), flush=True)
            with open(a.results, "w") as f:
                json.dump(results, f, indent=1, sort_keys=True)
    finally:
        server.close()
    with open(a.out, "w") as f:
        f.write(page(results))


def tasks(a, server):
    """What can be measured on the data that is there."""
    part = lambda name, p: os.path.join(a.data, name, p + ".jsonl.gz")
    have = lambda *paths: all(map(os.path.exists, paths))
    for name, language in CLASSIFY:
        if have(part(name, "train"), part(name, "dev")):
            yield name, lambda n=name, l=language: classify(server, n, l, rows(part(n, "train")), rows(part(n, "dev")))
    if have(part("banking77", "train"), part("banking77", "dev")):
        for k in SHOTS:
            yield f"banking77_{k}shot", lambda k=k: shots(server, k, rows(part("banking77", "train")), rows(part("banking77", "dev")))
    for name, language in RETRIEVE:
        if have(part(name, "corpus"), part(name, "queries")):
            yield name, lambda n=name, l=language: retrieve(server, l, rows(part(n, "corpus")), rows(part(n, "queries")))
            yield f"rerank_{name}", lambda n=name, l=language: rerank.measure(server, l, rows(part(n, "corpus")), rows(part(n, "queries")))
    if have(part("lcqmc", "dev")):
        yield "lcqmc_faq", lambda: questions(server, rows(part("lcqmc", "dev")))
        yield "answers_lcqmc", lambda: answer.pairs(server, rows(part("lcqmc", "dev")))
        yield "answers_lcqmc_joined", lambda: answer.pairs(server, rows(part("lcqmc", "dev")), join=True)
    if have(part("banking77", "train"), part("banking77", "dev")):
        for k in answer.VARIANTS:
            yield f"answers_banking77_{k}", lambda k=k: answer.intents(server, k, rows(part("banking77", "train")), rows(part("banking77", "dev")))
    if have(part("ml_small", "items"), part("ml_small", "events")):
        yield "ml_small", lambda: recommend.measure(server, rows(part("ml_small", "items")), rows(part("ml_small", "events")))


def columns(server, records, language):
    text = np.array([r["text"] for r in records], dtype=object)
    return {"text": text, "label": np.array([r["label"] for r in records]), "vector": server.embed(list(text), language)}


def pick(table, at):
    return {k: v[at] for k, v in table.items()}


def by_vecdb(server, train, test, language, method="auto"):
    """Labels by vecdb, which is sent texts to embed as anybody would, and how
    far its probabilities are from the truth."""
    documents = [{"id": str(i), "text": t, "label": l, "vector": v.tolist()} for i, (t, l, v) in enumerate(zip(train["text"], train["label"], train["vector"]))]
    server.fill("quality", language, documents)
    labels, sure = [], []
    for start in range(0, len(test["text"]), 256):
        body = {"texts": list(test["text"][start : start + 256]), "method": method}
        for r in server.call("POST", "/v1/collections/quality/classify", body)["results"]:
            labels.append(r["label"] or "")
            sure.append(r["probability"])
    head = server.call("GET", "/v1/collections/quality/stats")["heads"][0]
    server.drop("quality")
    return np.array(labels), np.array(sure), head


def compare(server, parts, language):
    """Every method on the same rows: accuracy, and the mean and standard error
    of what vecdb is ahead of the best rival."""
    right = {}
    sure, took, chosen = [], [], {}
    for train, test in parts:
        for name, method in rivals.CLASSIFIERS.items():
            right.setdefault(name, []).append(method(train, test, language) == test["label"])
        labels, p, head = by_vecdb(server, train, test, language)
        right.setdefault("vecdb", []).append(labels == test["label"])
        sure.append(p)
        took.append(head["took_seconds"])
        chosen[head["method"]] = chosen.get(head["method"], 0) + 1
    right = {k: np.concatenate(v).astype(float) for k, v in right.items()}
    return ahead_of(right, rivals.CLASSIFIERS, "accuracy") | {
        "ece": calibration_error(np.concatenate(sure), right["vecdb"]), "chosen": chosen, "train_seconds": round(sum(took) / len(took), 1),
    }


def classify(server, name, language, train, dev):
    if name in REPEATED:
        table = columns(server, train + dev, language)
        parts = []
        for seed in range(REPEATED[name]):
            fold = np.random.RandomState(seed).permutation(len(table["label"])) % 5
            parts += [(pick(table, fold != f), pick(table, fold == f)) for f in range(5)]
    else:
        parts = [(columns(server, train, language), columns(server, dev, language))]
    return compare(server, parts, language)


def shots(server, k, train, dev):
    table, test = columns(server, train, "en"), columns(server, dev, "en")
    parts = []
    for seed in range(SEEDS):
        draw = np.random.RandomState(seed)
        at = np.concatenate([draw.permutation(np.where(table["label"] == l)[0])[:k] for l in np.unique(table["label"])])
        parts.append((pick(table, at), test))
    return compare(server, parts, "en")


def searched(server, texts, **options):
    return [[h["id"] for h in server.call("POST", "/v1/collections/quality/search", {"text": t, "limit": 10, "fields": ["id"], **options})["hits"]] for t in texts]


def retrieve(server, language, corpus, queries):
    corpus = [d for d in corpus if d["text"].strip() or d.get("title")]
    queries = [q for q in queries if q["rel"] and q["text"].strip()]
    texts = [(d["title"] + ". " if d.get("title") else "") + d["text"] for d in corpus]
    asked = [q["text"] for q in queries]
    ids = [d["id"] for d in corpus]
    server.fill("quality", language, [{"id": i, "text": t} for i, t in zip(ids, texts)], wait="indexed")
    found = {"BM25": [[ids[i] for i in r] for r in rivals.bm25(texts, asked, language, 10)]}
    near = server.embed(asked, language, "query") @ server.embed(texts, language).T
    found["vectors"] = [[ids[i] for i in r] for r in np.argsort(-near, axis=1)[:, :10]]
    found["vecdb"] = searched(server, asked)
    server.drop("quality")
    scores = {k: np.array([ndcg(r, q["rel"]) for r, q in zip(f, queries)]) for k, f in found.items()}
    return ahead_of(scores, ["BM25", "vectors"], "ndcg10")


def questions(server, pairs):
    """Each question leads to the stored one that means the same. Where the very
    question is stored too, it is no answer to itself, so both counts are told:
    with it, and with it left out."""
    pool = list(dict.fromkeys(p["text2"] for p in pairs))
    place = {t: i for i, t in enumerate(pool)}
    asked = [p for p in pairs if p["label"] == "1"]
    server.fill("quality", "zh", [{"id": str(i), "text": t} for i, t in enumerate(pool)], wait="indexed")
    texts = [p["text1"] for p in asked]
    near = server.embed(texts, "zh", "query") @ server.embed(pool, "zh").T
    found = {"BM25": rivals.bm25(pool, texts, "zh", 10), "vectors": np.argsort(-near, axis=1)[:, :10].tolist()}
    found["vecdb"] = [[int(i) for i in r] for r in searched(server, texts)]
    server.drop("quality")
    out = {}
    for metric, keep in (("acc1", lambda t, i: True), ("acc1_without_itself", lambda t, i: pool[i] != t)):
        scores = {k: np.array([[i for i in r if keep(p["text1"], i)][:1] == [place[p["text2"]]] for r, p in zip(f, asked)], dtype=float) for k, f in found.items()}
        out[metric] = ahead_of(scores, ["BM25", "vectors"], metric)
    return out


def page(results):
    from report import write

    return write(results)


if __name__ == "__main__":
    sys.exit(main())
