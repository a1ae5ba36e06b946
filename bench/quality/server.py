"""A vecdb server on a database of its own, and the calls that are made to it."""

import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import numpy as np

MODELS = {"en": "all-MiniLM-L6-v2", "zh": "bge-small-zh-v1.5"}


def rows(path):
    """The records of a file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


class Server:
    def __init__(self, binary, cache):
        self.dir = tempfile.mkdtemp(prefix="vecdb-quality-")
        self.cache = cache
        os.makedirs(cache, exist_ok=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % s.getsockname()[1]
        self.base = "http://" + address
        self.process = subprocess.Popen([binary, "serve", "--db", os.path.join(self.dir, "db"), "--addr", address], stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.call("GET", "/readyz")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError("the server does not get ready")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=1800) as answer:
                raw = answer.read()
        except urllib.error.HTTPError as e:
            raise RuntimeError("%s %s: %s" % (method, path, e.read()[:500])) from e
        try:
            return json.loads(raw) if raw else {}
        except ValueError:
            return {}  # a page for people

    def embed(self, texts, language, kind="document"):
        """The vectors of texts, those of earlier runs from files."""
        key = hashlib.sha256("\0".join([MODELS[language], kind, *texts]).encode()).hexdigest()[:24]
        path = os.path.join(self.cache, key + ".npy")
        if os.path.exists(path):
            return np.load(path)
        out = [None] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), 256):
            part = order[start : start + 256]
            body = {"model": MODELS[language], "input": [texts[i] for i in part], "input_type": kind}
            for i, d in zip(part, self.call("POST", "/v1/embeddings", body)["data"]):
                out[i] = d["embedding"]
        vectors = np.array(out, dtype=np.float32)
        np.save(path, vectors)
        return vectors

    def fill(self, name, language, documents, wait="trained"):
        """A new collection with documents."""
        self.call("PUT", "/v1/collections/" + name, {"language": language})
        for start in range(0, len(documents), 512):
            last = start + 512 >= len(documents)
            answer = self.call("POST", f"/v1/collections/{name}/documents?wait={wait if last else 'indexed'}", {"documents": documents[start : start + 512]})
            bad = [r for r in answer["results"] if r["status"] == "error"]
            if bad:
                raise RuntimeError(str(bad[:2]))

    def drop(self, name):
        self.call("DELETE", "/v1/collections/" + name)
