"""Inference of ST-GCN in JAX, compiled by XLA, channels-last.  Not the other encoders: written for this one.  Weights are sinew's own layout."""
import os

import numpy as np

import encoders
import turns


def convolution(lax, x, w, stride):
    """[n, t, v, i] with [k, i, o] over t."""
    pad = (w.shape[0] - 1) // 2
    return lax.conv_general_dilated(x, w[:, None], (stride, 1), ((pad, pad), (0, 0)), dimension_numbers=("NHWC", "HWIO", "NHWC"))


def folded(w, name, norm):
    """Weight and bias of a convolution with the norm behind it."""
    scale = w[norm + ".gamma"] / np.sqrt(w[norm + ".running_var"] + 1e-5)
    return w[name + ".w"] * scale, (w[name + ".b"] - w[norm + ".running_mean"]) * scale + w[norm + ".beta"]


def encoder(jnp, lax, w, a, strides):
    """x [n, t, v, 3] -> [n, t', v, dim]; everything of the weights is computed before."""
    scale = w["norm.gamma"] / np.sqrt(w["norm.running_var"] + 1e-5)
    shift = w["norm.beta"] - w["norm.running_mean"] * scale
    blocks = []
    for i, stride in enumerate(strides):
        p = f"block{i + 1}."
        s1 = w[p + "bn1.gamma"] / np.sqrt(w[p + "bn1.running_var"] + 1e-5)
        blocks.append(dict(conv=(w[p + "conv.w"], w[p + "conv.b"]), edges=a * w[p + "importance"], bn1=(s1, w[p + "bn1.beta"] - w[p + "bn1.running_mean"] * s1),
                           tcn=folded(w, p + "tcn", p + "bn2"), stride=stride, res=folded(w, p + "res.conv", p + "res.bn") if p + "res.conv.w" in w else None))

    def run(x):
        x = x * scale + shift
        for i, b in enumerate(blocks):
            n, t, v, _ = x.shape
            sets = (x @ b["conv"][0] + b["conv"][1]).reshape(n, t, v * 3, -1)
            mixed = jnp.einsum("ws,ntsc->ntwc", b["edges"].transpose(2, 1, 0).reshape(v, -1), sets)
            h = jnp.maximum(mixed * b["bn1"][0] + b["bn1"][1], 0)
            y = convolution(lax, h, b["tcn"][0], b["stride"]) + b["tcn"][1]
            if b["res"]:
                y = y + convolution(lax, x, b["res"][0], b["stride"]) + b["res"][1]
            elif i:
                y = y + x
            x = jnp.maximum(y, 0)
        return x

    return run


def main():
    o = encoders.options().parse_args()
    os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={o.threads}")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:o.threads])
    import jax
    jax.config.update("jax_platforms", "cpu")
    w = {k: np.asarray(v) for k, v in encoders.safetensors.read(o.weights).items()}
    a = encoders.reference.partition(3).astype(np.float32)
    run = jax.jit(encoder(jax.numpy, jax.lax, w, a, [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]))
    x = jax.numpy.asarray(np.load(o.input))
    for _ in range(3):
        y = run(x).block_until_ready()
    error = encoders.demand_agreement(o, np.asarray(y).transpose(0, 3, 1, 2))
    turns.serve(lambda: run(x).block_until_ready(), jax=jax.__version__, error=error)


main()
