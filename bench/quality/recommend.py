"""Recommendation: what a user will like next, and items that nobody knows yet."""

import math
import time

import numpy as np

K = 20
LEAST_RATINGS = 5  # of an item
LEAST_LIKED = 10  # of a user
LIKED, DISLIKED = 4, 2.5  # ratings from and up to
RIDGES = [100, 200, 400, 800]
TEXT_WEIGHTS = [0.05, 0.1, 0.2, 0.4]


class Users:
    """What users like in the order of time, what of it is held out, and what
    they disliked before. Items are numbers."""

    def __init__(self, liked, held, disliked, items):
        self.liked, self.held, self.disliked, self.items = liked, held, disliked, items

    def matrix(self):
        x = np.zeros((len(self.liked), self.items), dtype=np.float32)
        for u, liked in enumerate(self.liked):
            x[u, liked] = 1
        return x

    def inner(self):
        """The same task inside what is not held out, to choose settings by."""
        cut = [max(1, len(l) // 5) for l in self.liked]
        return Users([l[:-c] for l, c in zip(self.liked, cut)], [l[-c:] for l, c in zip(self.liked, cut)], self.disliked, self.items)

    def recalls(self, scores):
        """Of each user the share of what is held out among the best K others."""
        out = []
        for u, row in enumerate(scores):
            row = row.copy()
            row[self.liked[u]] = row[self.disliked[u]] = -np.inf
            best = np.argpartition(-row, K)[:K]
            out.append(len(set(best) & set(self.held[u])) / min(K, len(self.held[u])))
        return np.array(out)


def split(items, events):
    """The last fifth of what each user likes is held out."""
    count, by_user = {}, {}
    for e in events:
        count[e["item"]] = count.get(e["item"], 0) + 1
    items = [i for i in items if count.get(i["id"], 0) >= LEAST_RATINGS]
    number = {i["id"]: n for n, i in enumerate(items)}
    for e in sorted(events, key=lambda e: (e["ts"], e["item"])):
        if e["item"] in number:
            by_user.setdefault(e["user"], []).append(e)
    liked, held, disliked = [], [], []
    for user in sorted(by_user):
        good = [e for e in by_user[user] if e["rating"] >= LIKED]
        if len(good) < LEAST_LIKED:
            continue
        k = len(good) // 5
        liked.append([number[e["item"]] for e in good[:-k]])
        held.append([number[e["item"]] for e in good[-k:]])
        disliked.append([number[e["item"]] for e in by_user[user] if e["rating"] <= DISLIKED and e["ts"] < good[-k]["ts"]])
    return items, Users(liked, held, disliked, len(items))


def ease(x, ridge):
    gram = (x.T @ x).astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return (x @ weights).astype(np.float32)


def neighbors(x):
    """Item-based nearest neighbors by the cosine, the best 100 of each."""
    together = x.T @ x
    length = np.sqrt(np.diag(together)) + 1e-9
    cosine = together / length[:, None] / length[None, :]
    np.fill_diagonal(cosine, 0)
    weakest = np.argpartition(-cosine, 100, axis=1)[:, 100:]
    np.put_along_axis(cosine, weakest, 0, axis=1)
    return x @ cosine.T


def standard(scores):
    return (scores - scores.mean(1, keepdims=True)) / (scores.std(1, keepdims=True) + 1e-9)


def centered(vectors):
    c = vectors - vectors.mean(0)
    return c / np.linalg.norm(c, axis=1, keepdims=True)


def rivals(users, vectors):
    """Scores of all rivals; their settings are chosen inside what is not held
    out."""
    inner = users.inner()
    x, within = users.matrix(), inner.matrix()
    near = centered(vectors) @ centered(vectors).T
    np.fill_diagonal(near, 0)
    tried = {r: ease(within, r) for r in RIDGES}
    ridge = max(RIDGES, key=lambda r: inner.recalls(tried[r]).mean())
    text = standard(within @ near)
    weight = max(TEXT_WEIGHTS, key=lambda w: inner.recalls(standard(tried[ridge]) + w * text).mean())
    best = ease(x, ridge)
    return {
        "popularity": np.tile(x.sum(0), (len(x), 1)),
        "text": x @ near,
        "item-kNN": neighbors(x),
        "EASE": best,
        "EASE + text": standard(best) + weight * standard(x @ near),
    }


def by_vecdb(server, items, users, vectors, known=None, only=None):
    """Scores by vecdb's ranks, and how long a request takes at the median. Only
    events with known items are told; with only, other items do not count."""
    documents = [{"id": i["id"], "text": i["text"], "vector": v.tolist(), "new": known is not None and not known[n]} for n, (i, v) in enumerate(zip(items, vectors))]
    server.fill("quality", "en", documents)
    events = []
    for u in range(len(users.liked)):
        for action, list in (("like", users.liked[u]), ("dislike", users.disliked[u])):
            events += [{"user": str(u), "item": items[n]["id"], "action": action} for n in list if known is None or known[n]]
    for start in range(0, len(events), 5000):
        wait = "trained" if start + 5000 >= len(events) else "durable"
        server.call("POST", "/v1/collections/quality/events?wait=" + wait, {"events": events[start : start + 5000]})
    number = {i["id"]: n for n, i in enumerate(items)}
    scores, took = np.full((len(users.liked), len(items)), -1, dtype=np.float32), []
    for u in range(len(users.liked)):
        start = time.perf_counter()
        body = {"user": str(u), "limit": K, "fields": ["id"]}
        if only is not None:
            body["filter"] = {"field": "new", "eq": True}
        hits = server.call("POST", "/v1/collections/quality/recommend", body)["hits"]
        took.append(time.perf_counter() - start)
        for rank, h in enumerate(hits):
            scores[u, number[h["id"]]] = len(hits) - rank
    stats = server.call("GET", "/v1/collections/quality/stats")["behavior"]
    server.drop("quality")
    return scores, float(np.median(took)), stats


def compare(right, n):
    best = max((k for k in right if k != "vecdb"), key=lambda k: right[k].mean())
    ahead = right["vecdb"] - right[best]
    return {
        "recall20": {k: round(float(v.mean()), 4) for k, v in right.items()}, "n": n, "best": best,
        "ahead": round(float(ahead.mean()), 4), "ahead_se": round(float(ahead.std() / math.sqrt(len(ahead))), 4),
    }


def measure(server, items, events):
    """Recall@20 of what is held out, of all items and of new ones."""
    items, users = split(items, events)
    vectors = server.embed([i["text"] for i in items], "en")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    right = {name: users.recalls(scores) for name, scores in rivals(users, vectors).items()}
    scores, median, stats = by_vecdb(server, items, users, vectors)
    right["vecdb"] = users.recalls(scores)
    out = {"known": compare(right, len(users.liked)), "median_ms": round(1000 * median, 2), "events": stats["events"], "train_seconds": stats["model"]["took_seconds"]}
    out["new"] = new_items(server, items, users, vectors)
    return out


def new_items(server, items, users, vectors):
    """A fifth of the items lose all their events: which of them does a user
    like, among all of these?"""
    known = np.ones(len(items), dtype=bool)
    known[np.random.default_rng(0).permutation(len(items))[: len(items) // 5]] = False
    told = users.matrix() * known
    targets = [[n for n in l + h if not known[n]] for l, h in zip(users.liked, users.held)]
    ask = [u for u in range(len(targets)) if targets[u]]

    def recalls(scores):
        out = []
        for u in ask:
            row = np.where(known, -np.inf, scores[u])
            best = np.argpartition(-row, K)[:K]
            out.append(len(set(best) & set(targets[u])) / min(K, len(targets[u])))
        return np.array(out)

    right = {"text": recalls(told @ vectors @ vectors.T), "centered text": recalls(told @ centered(vectors) @ centered(vectors).T)}
    scores, _, _ = by_vecdb(server, items, users, vectors, known, only=True)
    right["vecdb"] = recalls(scores)
    return compare(right, len(ask))
