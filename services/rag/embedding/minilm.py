"""all-MiniLM-L6-v2 in NumPy: six layers of BERT, mean of the tokens, unit length.

Source: Wang et al., "MiniLM: Deep Self-Attention Distillation", 2020; Devlin et al., "BERT", 2019;
weights: sentence-transformers/all-MiniLM-L6-v2. A framework for neural networks would weigh a
gigabyte on a machine that only turns texts into vectors.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from threadpoolctl import ThreadpoolController
from tokenizers import Tokenizer

FloatArray = NDArray[np.float32]

LAYERS = 6
HEADS = 12
WIDTH = 384
MOST_TOKENS = 256  # Source: the model's card; longer text is cut off, so passages are shorter
_LAYER_NORM = 1e-12
_BATCH_TOKENS = 1024


class MiniLm:
    """The model with its tokenizer, as they lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._threads = ThreadpoolController()
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return a vector of unit length for each text, shape ``(texts, 384)``."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(tokens), WIDTH), np.float32)
        lengths = [len(ids) for ids in tokens]
        # Texts of about the same length together, so that little is computed for padding.
        batches: list[list[int]] = []
        for index in sorted(range(len(tokens)), key=lengths.__getitem__):
            if not batches or (len(batches[-1]) + 1) * lengths[index] > _BATCH_TOKENS:
                batches.append([])
            batches[-1].append(index)
        # Threads that wait for each other on cores that others use make it thirty times slower.
        with self._threads.limit(limits=1, user_api="blas"):
            for batch in batches:
                vectors[batch] = self._encode([tokens[index] for index in batch])
        return vectors

    def _encode(self, tokens: Sequence[Sequence[int]]) -> FloatArray:
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), dtype=np.int64)
        mask = np.zeros((len(tokens), longest), dtype=bool)
        for row, text_ids in enumerate(tokens):
            ids[row, : len(text_ids)] = text_ids
            mask[row, : len(text_ids)] = True
        words = self._weights["embeddings.word_embeddings.weight"]
        positions = self._weights["embeddings.position_embeddings.weight"]
        kinds = self._weights["embeddings.token_type_embeddings.weight"]
        embedded = words[ids] + positions[:longest] + kinds[0]
        state = _Part(self._weights, "embeddings.").normalise("LayerNorm", embedded)
        blocked = np.where(mask, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in range(LAYERS):
            part = _Part(self._weights, f"encoder.layer.{layer}.")
            attended = state + _attend(part, state, blocked)
            state = part.normalise("attention.output.LayerNorm", attended)
            inner = _gelu(part.linear("intermediate.dense", state))
            state = part.normalise("output.LayerNorm", state + part.linear("output.dense", inner))
        shares = mask[..., None] / mask.sum(axis=1)[:, None, None]
        mean = (state * shares).sum(axis=1)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


class _Part:
    """The weights below one name."""

    def __init__(self, weights: Mapping[str, FloatArray], name: str) -> None:
        self._weights = weights
        self._name = name

    def linear(self, name: str, state: FloatArray) -> FloatArray:
        weight = self._weights[f"{self._name}{name}.weight"]
        bias = self._weights[f"{self._name}{name}.bias"]
        return np.asarray(state @ weight.T + bias)

    def normalise(self, name: str, state: FloatArray) -> FloatArray:
        weight = self._weights[f"{self._name}{name}.weight"]
        bias = self._weights[f"{self._name}{name}.bias"]
        centred = state - state.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + np.float32(_LAYER_NORM)) * weight + bias)


def _attend(part: _Part, state: FloatArray, blocked: FloatArray) -> FloatArray:
    batch, length, _ = state.shape

    def heads(name: str) -> FloatArray:
        projected = part.linear(f"attention.self.{name}", state)
        return projected.reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3)

    query = heads("query")
    key = heads("key")
    value = heads("value")
    scale = np.float32(np.sqrt(WIDTH // HEADS))
    scores = query @ key.transpose(0, 1, 3, 2) / scale + blocked
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    joined = (scores @ value).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
    return part.linear("attention.output.dense", joined)


def _gelu(values: FloatArray) -> FloatArray:
    share = 1 + _erf(values * np.float32(np.sqrt(0.5)))
    return np.asarray(values * np.float32(0.5) * share)


def _erf(values: FloatArray) -> FloatArray:
    """Return the error function within 1.5e-7. Source: Abramowitz and Stegun, 7.1.26."""
    size = np.abs(values)
    step = 1 / (1 + np.float32(0.3275911) * size)
    series = step * (
        0.254829592
        + step
        * (
            -0.284496736
            + step * (1.421413741 + step * (-1.453152027 + step * np.float32(1.061405429)))
        )
    )
    return np.asarray(np.sign(values) * (1 - series * np.exp(-size * size)), np.float32)
