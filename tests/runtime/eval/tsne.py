"""Oracle of runtime/eval/tsne.c: scikit-learn's probabilities, divergence and gradient on the same points, and what its own descent reaches.

  tsne.py make DIR     writes tsne.safetensors
  tsne.py check DIR    computes the same anew and compares"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
from scipy.spatial.distance import squareform
from sklearn.manifold import TSNE, _t_sne

N, WIDTH, PERPLEXITY = 90, 20, 12


def arrays():
    rng = np.random.default_rng(3)
    x = (rng.normal(0, 1, (N, WIDTH)) + 2.5 * np.eye(WIDTH)[np.arange(N) % 5]).astype(np.float32)
    square = ((x[:, None].astype(np.float64) - x[None]) ** 2).sum(-1)
    joint = _t_sne._joint_probabilities(square.astype(np.float32), PERPLEXITY, 0)
    y = rng.normal(0, 3, (N, 2))
    kl, gradient = _t_sne._kl_divergence(y.ravel(), joint, 1, N, 2)
    reached = min(TSNE(perplexity=PERPLEXITY, method="exact", init="random", random_state=s, n_iter=1000, learning_rate=50).fit(x).kl_divergence_
                  for s in range(3))
    return {"x": x, "p": squareform(joint), "y": y, "kl": np.array([kl, reached]), "gradient": gradient.reshape(N, 2)}


def write(path, tensors):
    head, at = {}, 0
    for name, a in tensors.items():
        head[name] = {"dtype": "F32" if a.dtype == np.float32 else "F64", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 64)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(a).tobytes() for a in tensors.values()))


def read(path):
    data = path.read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    return {k: np.frombuffer(data[8 + n:][v["data_offsets"][0]:v["data_offsets"][1]], {"F32": "<f4", "F64": "<f8"}[v["dtype"]]).reshape(v["shape"])
            for k, v in json.loads(data[8:8 + n]).items()}


if __name__ == "__main__":
    path = Path(sys.argv[2]) / "tsne.safetensors"
    if sys.argv[1] == "make":
        write(path, arrays())
    else:
        kept = read(path)
        wrong = [k for k, a in arrays().items() if not np.allclose(a, kept[k], rtol=1e-5, atol=1e-9)]
        print("\n".join(f"{k} differs" for k in wrong))
        sys.exit(bool(wrong))
