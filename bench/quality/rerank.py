"""Reranking: what the order of the first documents of a search by words gains by
POST /v1/rerank, beside the order by the cosines of the same model alone."""

import numpy as np

from measures import ahead_of, ndcg
from server import MODELS

CANDIDATES = 50


def measure(server, language, corpus, queries):
    texts = {d["id"]: (d["title"] + ". " if d.get("title") else "") + d["text"] for d in corpus if d["text"].strip() or d.get("title")}
    queries = [q for q in queries if q["rel"] and q["text"].strip()]
    server.fill("quality", language, [{"id": i, "text": t} for i, t in texts.items()], wait="indexed")
    place = {i: n for n, i in enumerate(texts)}
    passages = server.embed(list(texts.values()), language)
    asked = server.embed([q["text"] for q in queries], language, "query")
    scores = {"BM25": [], "cosines": [], "vecdb": []}
    for q, v in zip(queries, asked):
        body = {"text": q["text"], "mode": "lexical", "limit": CANDIDATES, "fields": ["id"]}
        first = [h["id"] for h in server.call("POST", "/v1/collections/quality/search", body)["hits"]]
        if not first:
            continue
        near = np.argsort(-(passages[[place[i] for i in first]] @ v), kind="stable")
        body = {"model": MODELS[language], "query": q["text"], "documents": [texts[i] for i in first]}
        best = [first[r["index"]] for r in server.call("POST", "/v1/rerank", body)["results"]]
        for way, order in (("BM25", first), ("cosines", [first[i] for i in near]), ("vecdb", best)):
            scores[way].append(ndcg(order, q["rel"]))
    server.drop("quality")
    return ahead_of({k: np.array(v) for k, v in scores.items()}, ["BM25", "cosines"], "ndcg10")
