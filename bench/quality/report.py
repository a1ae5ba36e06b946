"""The page of results."""

CLASSIFY = ["mr", "agnews", "thucnews", "chnsenticorp", "fpb", "finnews_zh", "banking77", "banking77_1shot", "banking77_5shot", "banking77_10shot"]
RETRIEVE = ["cranfield", "cmrc_trial"]
ANSWERED = {"answers_banking77_1": "banking77, 1 question an answer", "answers_banking77_5": "banking77, 5", "answers_banking77_20": "banking77, 20", "answers_lcqmc": "lcqmc, 1", "answers_lcqmc_joined": "lcqmc, wordings joined"}

HEAD = """# Quality

How good the answers are, beside plain specialists on the same rows and the same vectors. `DATA=dir make bench-quality` measures it and writes this page; [bench/quality](../bench/quality/README.md) tells how.

## Classification

Accuracy of `auto`, which chooses its method and settings within the rows that it learns from. The rivals choose theirs there too: k-nearest neighbors and logistic regression on the vectors, a linear SVM on TF-IDF of words and pairs (English) or one to three characters (Chinese).
“Ahead” is the mean difference to the best rival on the same rows, with its standard error; chnsenticorp, fpb and finnews_zh are five folds over all rows (finnews_zh twice), the few-shot sets three draws of so many examples an intent. ECE is the expected calibration error of vecdb's probabilities. Rows that were labelled several times count each time, so the errors of finnews_zh and the few-shot sets are a little low. Training includes choosing; its times are from one busy processor.

| set | rows | k-NN | logistic regression | SVM on TF-IDF | vecdb | ahead | ECE | method | training |
|---|---|---|---|---|---|---|---|---|---|
"""

SEARCH = """
## Search

nDCG@10 of a search by text as it is by default (words and vectors), beside BM25 (bm25s) and the vectors alone.

| set | queries | BM25 | vectors | vecdb | ahead |
|---|---|---|---|---|---|
"""

RERANK = """
## Reranking

nDCG@10 of `POST /v1/rerank` on the first 50 documents of BM25 (vecdb's own), beside their order by BM25 and by the cosines of the same model.

| set | queries | BM25 | cosines | vecdb | ahead |
|---|---|---|---|---|---|
"""

FAQ = """
## The stored question that means the same

Share of the questions of lcqmc whose counterpart comes first among all stored ones. One question in nine is stored itself, word for word, beside its counterpart; it then rightly comes first and counts as wrong. The second line leaves the question itself out.

| | questions | BM25 | vectors | vecdb | ahead |
|---|---|---|---|---|---|
"""

ANSWERS = """
## Answers

How often the best answer is the right one (`answer`, whether it is sure enough to be given or not), beside BM25, the nearest stored question, and the nearest mean of an answer's questions. For banking77 each intent is an answer that 1, 5 or 20 questions lead to, drawn three times; in lcqmc each stored question has an answer of its own and is asked in its other wording, those left out that are stored word for word.
What counts as wrong in lcqmc is mostly right: it holds several wordings of many questions, of which one alone is taken for the counterpart, and 213 of the 1,594 asked are asked twice or more with different counterparts, so that not even the best order can have more than 0.933 of them right. Of 60 wrong ones, drawn at random and read, 57 had got another wording of the same question. In the last line all wordings that pairs tie to one another, directly or by a third, share an answer.
ECE is the expected calibration error of the confidence, “given” the share of questions whose best answer has a confidence of 0.5 or more, as is asked for by default, and “right” how many of these are right: first where all questions have an answer, then where one answer in five is missing. Rows of banking77 count in each draw, so its errors are a little low.

| | questions | BM25 | nearest | means | vecdb | ahead | ECE | given | right | ECE, some missing | given | right |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""

RECOMMEND = """
## Recommendation

Recall@20 on MovieLens small: ratings from 4 up are likes, the last fifth of what each user likes is held out, and what the user knows does not count. The rivals choose their settings inside what is not held out. “New” items have lost their events, and the users' likes among them are to be found.

| items | users | {} | vecdb | ahead |
|---|---|{}---|---|
"""

RECOMMENDERS = ["popularity", "text", "centered text", "item-kNN", "EASE", "EASE + text"]


def recommendation(r):
    out = ""
    for part, text in (("known", "all"), ("new", "new ones")):
        v = r[part]["recall20"]
        ours = v["vecdb"]
        names = ", ".join(f"{name} {v[name]:.3f}" for name in RECOMMENDERS if name in v)
        out += f"| {text} | {r[part]['n']:,} | {names} | **{ours:.3f}** | {signed(r[part])} |\n"
    head = RECOMMEND.format("rivals", "---|")
    return head + out + f"\nOf {r['events']:,} events the model was learnt in {r['train_seconds']:.0f} s; a request over HTTP took {r['median_ms']:.1f} ms at the median.\n"


def signed(r):
    return f"{100 * r['ahead']:+.1f} ± {100 * r['ahead_se']:.1f}"


def write(results):
    out = HEAD
    for name in CLASSIFY:
        if r := results.get(name):
            a = r["accuracy"]
            out += f"| {name} | {r['n']:,} | " + " | ".join(f"{a[k]:.3f}" for k in ("k-NN", "logistic regression", "SVM on TF-IDF"))
            out += f" | **{a['vecdb']:.3f}** | {signed(r)} | {r['ece']:.3f} | {', '.join(sorted(r['chosen']))} | {r['train_seconds']:.1f} s |\n"
    if any(n in results for n in RETRIEVE):
        out += SEARCH
        for name in RETRIEVE:
            if r := results.get(name):
                out += f"| {name} | {r['n']:,} | {r['ndcg10']['BM25']:.3f} | {r['ndcg10']['vectors']:.3f} | **{r['ndcg10']['vecdb']:.3f}** | {signed(r)} |\n"
    if any("rerank_" + n in results for n in RETRIEVE):
        out += RERANK
        for name in RETRIEVE:
            if r := results.get("rerank_" + name):
                out += f"| {name} | {r['n']:,} | {r['ndcg10']['BM25']:.3f} | {r['ndcg10']['cosines']:.3f} | **{r['ndcg10']['vecdb']:.3f}** | {signed(r)} |\n"
    if r := results.get("lcqmc_faq"):
        out += FAQ
        for metric, text in (("acc1", "all stored"), ("acc1_without_itself", "without the question itself")):
            v = r[metric]
            out += f"| {text} | {v['n']:,} | {v[metric]['BM25']:.3f} | {v[metric]['vectors']:.3f} | **{v[metric]['vecdb']:.3f}** | {signed(v)} |\n"
    if any(n in results for n in ANSWERED):
        out += ANSWERS
        for name, text in ANSWERED.items():
            if r := results.get(name):
                a = r["acc1"]
                out += f"| {text} | {r['n']:,} | " + " | ".join(f"{a[k]:.3f}" for k in ("BM25", "vectors", "means of vectors"))
                out += f" | **{a['vecdb']:.3f}** | {signed(r)} | " + " | ".join(f"{r[p]['ece']:.3f} | {r[p]['given']:.2f} | {r[p]['right']:.3f}" for p in ("all", "missing")) + " |\n"
    if r := results.get("ml_small"):
        out += recommendation(r)
    return out
