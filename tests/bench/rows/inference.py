"""Inference of the encoders with equal weights: sinew, ONNX Runtime, OpenVINO, PyTorch, JAX.  Every peer's result must agree with sinew's.
Not training."""
import functools
import os
import sys

import numpy as np

import contest

TITLE = "inference of an encoder, 300 frames"
# model, width, batch, least ratio
SETTINGS = [(m, w, b, 1.5 if w == 16 else 1.15) for m in ("stgcn", "agcn") for w in (16, 64) for b in (1, 16)]
SHARE = 0.75


def run(o):
    return [functools.partial(measure, o, *s) for s in SETTINGS]


def prepare(o, model, hidden, batch):
    """Weights, input and sinew's result in a folder of OUT; the ONNX files."""
    folder = os.path.join(o.out, f"{model}-{hidden}-{batch}")
    os.makedirs(folder, exist_ok=True)
    file, sets = os.path.join(contest.MODELS, "encoders", model + ".json"), ["--set", f"hidden={hidden}"]
    np.save(folder + "/x.npy", np.random.default_rng(1).normal(0, 0.3, (batch, 300, 25, 3)).astype(np.float32))
    for command in (["init", file, *sets, "-o", folder + "/w.safetensors"],
                    ["run", file, *sets, "-w", folder + "/w.safetensors", "--in", f"x={folder}/x.npy", "--out", folder]):
        contest.output([o.sinew, *command])
    common = ["--model", model, "--hidden", hidden, "--weights", folder + "/w.safetensors", "--input", folder + "/x.npy", "--expect", folder + "/y.npy"]
    return file, folder, common


def export(o, folder, common, product):
    path = f"{folder}/{product}.onnx"
    command = [sys.executable, os.path.join(contest.HERE, "peers", "export.py"), *map(str, common), "--onnx", path, "--product", product]
    contest.output(command)
    return path


def measure(o, model, hidden, batch, ratio):
    file, folder, common = prepare(o, model, hidden, batch)
    makers = [lambda: contest.sinew(o, file, {"hidden": hidden, "N": batch, "T": 300})]
    exported = functools.cache(lambda product: export(o, folder, common, product))

    def engine(name, kind, product):
        return contest.peer(o, name, "onnx_encoder.py",
                            ["--engine", kind, "--onnx", exported(product), "--input", folder + "/x.npy", "--expect", folder + "/y.npy"],
                            "jemalloc" if kind == "onnxruntime" else "")  # OpenVINO brings its own and cannot bear another

    for name, kind, product in (("ONNX Runtime", "onnxruntime", "convs"), ("OpenVINO", "openvino", "rows")):
        makers.append(lambda name=name, kind=kind, product=product: engine(name, kind, product))
    for form, last in (("eager", 1), ("eager", 0), ("compiled", 1)):
        makers.append(lambda form=form, last=last: contest.peer(o, f"PyTorch {form}{'' if last else ', c. first'}", "torch_encoder.py",
                                                                [*common, "--form", form, "--last", last], "tcmalloc"))
    if model == "stgcn":
        makers.append(lambda: contest.peer(o, "JAX", "jax_encoder.py", common, "tcmalloc"))
    results, faults = contest.race(o, makers, 0.3)
    return contest.record(f"{model} width {hidden} batch {batch}", results, faults, [("ratio", ">=", ratio), ("peak_share", ">=", SHARE)])
