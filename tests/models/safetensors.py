"""Reading and writing .safetensors files with numpy alone.
Not a general library: float32, float64 and the integer kinds, everything in memory."""
import json
import numpy as np

KINDS = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}


def read(path):
    """{name: array} of everything in the file; the metadata is left out."""
    with open(path, "rb") as f:
        head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        body = f.read()
    head.pop("__metadata__", None)
    return {name: np.frombuffer(body[t["data_offsets"][0]:t["data_offsets"][1]], KINDS[t["dtype"]]).reshape(t["shape"])
            for name, t in head.items()}


def write(path, tensors):
    """Write {name: array}, in order of the names."""
    names = {np.dtype(v): k for k, v in KINDS.items()}
    head, body = {}, b""
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        data = array.tobytes()
        head[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + body)
