"""The plain specialists. Each gets texts and vectors with labels to learn from,
chooses its setting by cross-validation on these alone, and labels others."""

import warnings

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")

CHOOSE_ON = 3000  # examples that settings are compared on at most


def best(makers, x, y):
    """The first setting where there is one, or too few examples to compare."""
    if len(makers) == 1 or np.min(np.unique(y, return_counts=True)[1]) < 3:
        return makers[0]()
    at = np.random.RandomState(0).permutation(len(y))[:CHOOSE_ON]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return max((m() for m in makers), key=lambda m: cross_val_score(m, x[at], y[at], cv=folds).mean())


def knn(train, test, language):
    n = len(train["label"])
    makers = [lambda k=k: KNeighborsClassifier(min(k, n), metric="cosine", weights="distance") for k in ((10, 20, 40) if n > 200 else (1,))]
    return best(makers, train["vector"], train["label"]).fit(train["vector"], train["label"]).predict(test["vector"])


def regression(train, test, language):
    makers = [lambda c=c: LogisticRegression(C=c, max_iter=300) for c in (10, 1)]
    return best(makers, train["vector"], train["label"]).fit(train["vector"], train["label"]).predict(test["vector"])


def svm(train, test, language):
    if language == "zh":
        words = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2)
    else:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    x = words.fit_transform(train["text"])
    makers = [lambda c=c: LinearSVC(C=c) for c in (1, 0.3)]
    return best(makers, x, train["label"]).fit(x, train["label"]).predict(words.transform(test["text"]))


CLASSIFIERS = {"k-NN": knn, "logistic regression": regression, "SVM on TF-IDF": svm}


def bm25(corpus, queries, language, k):
    """The places of the best k texts of the corpus for each query."""
    import bm25s
    import Stemmer

    if language == "zh":
        grams = lambda t: [c for c in t if not c.isspace()] + [t[i : i + 2] for i in range(len(t) - 1)]
        tokens = lambda texts: [grams(t) for t in texts]
    else:
        stem = Stemmer.Stemmer("english")
        tokens = lambda texts: bm25s.tokenize(texts, stopwords="en", stemmer=stem, return_ids=False, show_progress=False)
    index = bm25s.BM25()
    index.index(tokens(corpus), show_progress=False)
    found, _ = index.retrieve(tokens(queries), k=k, show_progress=False)
    return found.tolist()
