"""Answers to questions: how often the right one comes first, and how far its
confidence is from the truth."""

import numpy as np

import rivals
from measures import ahead_of, calibration_error

VARIANTS = [1, 5, 20]  # questions that lead to each answer
DRAWS = 3  # of these
MISSING = 5  # one answer in so many is left out where questions without one are asked
SURE = 0.5  # the confidence from which on an answer is given, as by default


def by_vecdb(server, language, documents, asked):
    """The best answer to each question, whether it is sure enough or not, and its
    confidence."""
    server.fill("quality", language, documents, wait="indexed")
    best, sure = [], []
    for text in asked:
        r = server.call("POST", "/v1/collections/quality/answer", {"text": text, "limit": 1, "min_confidence": 0, "fields": ["id"]})
        best.append(r["answer"]["answer"] if r["answer"] else "")
        sure.append(r["answer"]["confidence"] if r["answer"] else 0.0)
    server.drop("quality")
    return np.array(best), np.array(sure)


def nearest(server, language, questions, answers, asked):
    """The answers of the stored questions that are most alike by words, by
    vectors, and by the mean of each answer's vectors."""
    answers = np.array(answers)
    vectors = server.embed(questions, language)
    near = server.embed(asked, language, "query")
    names = np.unique(answers)
    means = np.array([vectors[answers == n].mean(0) for n in names])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return {
        "BM25": answers[[r[0] for r in rivals.bm25(questions, asked, language, 1)]],
        "vectors": answers[np.argmax(near @ vectors.T, axis=1)],
        "means of vectors": names[np.argmax(near @ means.T, axis=1)],
    }


def given(sure, right):
    """How far confidence is off, how many answers are given and how many of these
    are right."""
    out = sure >= SURE
    return {"ece": calibration_error(sure, right), "given": round(float(out.mean()), 4), "right": round(float(right[out].mean()), 4) if out.any() else 0.0}


def measure(server, language, draws):
    """Draws hold stored questions, their answers, what is asked and the right
    answers."""
    right, sure, some_right, some_sure = {}, [], [], []
    for questions, answers, asked, wanted in draws:
        wanted = np.array(wanted)
        for name, best in nearest(server, language, questions, answers, asked).items():
            right.setdefault(name, []).append(best == wanted)
        documents = [{"id": str(i), "text": q, "answer": a} for i, (q, a) in enumerate(zip(questions, answers))]
        best, p = by_vecdb(server, language, documents, asked)
        right.setdefault("vecdb", []).append(best == wanted)
        sure.append(p)
        missing = set(sorted(set(answers))[::MISSING])
        best, p = by_vecdb(server, language, [d for d in documents if d["answer"] not in missing], asked)
        some_right.append(best == wanted)
        some_sure.append(p)
    right = {k: np.concatenate(v).astype(float) for k, v in right.items()}
    return ahead_of(right, [k for k in right if k != "vecdb"], "acc1") | {
        "all": given(np.concatenate(sure), right["vecdb"]),
        "missing": given(np.concatenate(some_sure), np.concatenate(some_right).astype(float)),
    }


def intents(server, k, train, dev):
    """Each intent is an answer that k drawn questions lead to."""
    label = np.array([r["label"] for r in train])
    draws = []
    for seed in range(DRAWS):
        draw = np.random.RandomState(seed)
        at = np.concatenate([draw.permutation(np.where(label == l)[0])[:k] for l in np.unique(label)])
        draws.append(([train[i]["text"] for i in at], list(label[at]), [r["text"] for r in dev], [r["label"] for r in dev]))
    return measure(server, "en", draws)


def pairs(server, pairs, join=False):
    """Each stored question has an answer of its own, or shares that of all that
    pairs tie to it, and is asked in the other wording. Questions that are stored
    word for word are not asked."""
    pool = list(dict.fromkeys(p["text2"] for p in pairs))
    same = [p for p in pairs if p["label"] == "1"]
    place = joined(same, pool) if join else {t: str(i) for i, t in enumerate(pool)}
    stored = set(pool)
    asked = [p for p in same if p["text1"] not in stored]
    return measure(server, "zh", [(pool, [place[t] for t in pool], [p["text1"] for p in asked], [place[p["text2"]] for p in asked])])


def joined(pairs, texts):
    """A number for each of texts, the same for those that a chain of pairs ties."""
    leader = {}

    def first(t):
        while leader.setdefault(t, t) != t:
            t = leader[t]
        return t

    for p in pairs:
        leader[first(p["text1"])] = first(p["text2"])
    number = {}
    return {t: number.setdefault(first(t), str(len(number))) for t in texts}
