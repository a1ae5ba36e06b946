"""Measures POST /v1/rerank: what the order of the first 50 of BM25 gains by it,
beside the order by the cosines of the same model alone."""

import argparse
import math

import numpy as np

from quality import RETRIEVE, ndcg
from server import MODELS, Server, rows

CANDIDATES = 50


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", required=True, help="folder of data sets, see README.md")
    p.add_argument("--vecdb", required=True)
    p.add_argument("--cache", required=True, help="folder that keeps vectors between runs")
    a = p.parse_args()
    server = Server(a.vecdb, a.cache)
    try:
        for name, language in RETRIEVE:
            read = lambda part: rows("%s/%s/%s.jsonl.gz" % (a.data, name, part))
            print(name, measure(server, language, read("corpus"), read("queries")), flush=True)
    finally:
        server.close()


def measure(server, language, corpus, queries):
    texts = {d["id"]: (d["title"] + ". " if d.get("title") else "") + d["text"] for d in corpus if d["text"].strip() or d.get("title")}
    queries = [q for q in queries if q["rel"] and q["text"].strip()]
    server.fill("rerank", language, [{"id": i, "text": t} for i, t in texts.items()], wait="indexed")
    place = {i: n for n, i in enumerate(texts)}
    passages = server.embed(list(texts.values()), language)
    asked = server.embed([q["text"] for q in queries], language, "query")
    scores = {"BM25": [], "cosine": [], "rerank": []}
    for q, v in zip(queries, asked):
        body = {"text": q["text"], "mode": "lexical", "limit": CANDIDATES, "fields": ["id"]}
        first = [h["id"] for h in server.call("POST", "/v1/collections/rerank/search", body)["hits"]]
        if not first:
            continue
        near = np.argsort(-(passages[[place[i] for i in first]] @ v), kind="stable")
        body = {"model": MODELS[language], "query": q["text"], "documents": [texts[i] for i in first]}
        best = [first[r["index"]] for r in server.call("POST", "/v1/rerank", body)["results"]]
        for way, order in (("BM25", first), ("cosine", [first[i] for i in near]), ("rerank", best)):
            scores[way].append(ndcg(order, q["rel"]))
    server.drop("rerank")
    ahead = np.array(scores["rerank"]) - np.array(scores["cosine"])
    out = ", ".join("%s %.4f" % (k, np.mean(v)) for k, v in scores.items())
    return "%d queries, nDCG@10: %s; rerank over cosine %+.4f ± %.4f" % (len(ahead), out, ahead.mean(), ahead.std() / math.sqrt(len(ahead)))


if __name__ == "__main__":
    main()
