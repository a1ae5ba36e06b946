"""Asks a vecdb server for vectors with OpenAI's client and checks the answers.

Usage: check.py http://127.0.0.1:8080/v1
"""

import math
import sys

import openai

TEXTS = ["A father looks for his lost son.", "How do I cook rice?", "Stock markets fell sharply."]


def dot(a: list[float], b: list[float]) -> float:
    """Returns the inner product."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def refused(client: openai.OpenAI, kind: type[openai.APIStatusError], param: str, **request: object) -> None:
    """Checks that a request is refused with an error of a kind about a parameter."""
    try:
        client.embeddings.create(**request)
    except kind as error:
        assert error.param == param, f"{request}: the error is about {error.param!r}, not {param!r}"
        assert error.body and error.body["message"], error
        return
    raise AssertionError(f"{request} is not refused")


def main() -> None:
    """Runs the checks."""
    client = openai.OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0)
    model = "all-MiniLM-L6-v2"
    assert model in [m.id for m in client.models.list()], "the model is not listed"

    packed = client.embeddings.create(model=model, input=TEXTS)  # base64, which the client asks for
    numbers = client.embeddings.create(model=model, input=TEXTS, encoding_format="float")
    assert packed.object == "list" and packed.model == model and [d.index for d in packed.data] == [0, 1, 2]
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > len(TEXTS)
    for a, b in zip(packed.data, numbers.data, strict=True):
        assert len(a.embedding) == 384 and abs(dot(a.embedding, b.embedding) - 1) < 1e-5, "base64 and numbers differ"

    query = client.embeddings.create(model=model, input="missing child", extra_body={"input_type": "query"}).data[0].embedding
    near = [dot(query, d.embedding) for d in packed.data]
    assert near.index(max(near)) == 0, f"the scores are {near}"

    short = client.embeddings.create(model=model, input=TEXTS[0], dimensions=128).data[0].embedding
    assert len(short) == 128 and math.isclose(dot(short, short), 1, abs_tol=1e-5)

    many = client.embeddings.create(model=model, input=[f"text number {i}" for i in range(1000)])
    assert len(many.data) == 1000 and many.data[999].index == 999

    long = client.embeddings.create(model=model, input=["short", "word " * 3000])
    assert long.model_extra and long.model_extra.get("truncated") == [1], long.model_extra

    chinese = client.embeddings.create(model="bge-small-zh-v1.5", input="央行加息后股市大幅下跌。")
    assert len(chinese.data[0].embedding) == 512

    refused(client, openai.BadRequestError, "dimensions", model=model, input="a", dimensions=9999)
    refused(client, openai.BadRequestError, "input/1", model=model, input=["a", " "])
    refused(client, openai.BadRequestError, "input", model=model, input=[[1, 2, 3]])
    refused(client, openai.NotFoundError, "model", model="no-such-model", input="a")
    print(f"openai {openai.__version__}: all answers are as they should be")


main()
