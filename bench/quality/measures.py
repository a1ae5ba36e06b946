"""What is told about rows that several methods have answered."""

import math


def ahead_of(scores, others, metric):
    """The mean score of every method, and how far vecdb is ahead of the best of
    the others on the same rows, with the standard error."""
    best = max(others, key=lambda k: scores[k].mean())
    ahead = scores["vecdb"] - scores[best]
    return {metric: {k: round(float(v.mean()), 4) for k, v in scores.items()}, "best": best, "ahead": round(float(ahead.mean()), 4),
            "ahead_se": round(float(ahead.std() / math.sqrt(len(ahead))), 4), "n": len(ahead)}


def calibration_error(sure, right, bins=15):
    """The expected calibration error of probabilities of being right."""
    at = (sure * bins).astype(int).clip(max=bins - 1)
    return round(float(sum(abs((sure[at == b] - right[at == b]).sum()) for b in range(bins)) / len(sure)), 4)


def ndcg(found, relevant, k=10):
    gain = sum(relevant.get(d, 0) / math.log2(i + 2) for i, d in enumerate(found[:k]))
    ideal = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(relevant.values(), reverse=True)[:k]))
    return gain / ideal if ideal else 0.0
