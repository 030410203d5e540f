"""The encoders as the inference peers get them: from tests/models/reference.py, with given weights and products that suit each engine.
Not the engines (torch_encoder.py, onnx_encoder.py, jax_encoder.py) and nothing of training."""
import argparse
import os
import sys
import types

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models"))
import reference
import safetensors
import torch_agcn
import torch_step


def product_sets(self, x, a):
    """GraphConv on channels-first memory: a product [n, c*t, v] x [v, w] a set, summed; every engine knows it."""
    x = self.conv(x)
    n, kc, t, v = x.shape
    c = kc // self.k
    return sum(torch.matmul(x[:, k * c:(k + 1) * c].reshape(n, c * t, v), a[k]) for k in range(self.k)).view(n, c, t, v)


def product_convs(self, x, a):
    """As product_sets, with a convolution a set, so that nothing is cut."""
    n, _, t, v = x.shape
    parts = zip(self.conv.weight.chunk(self.k), self.conv.bias.chunk(self.k))
    return sum(torch.matmul(torch.nn.functional.conv2d(x, w, b).reshape(n, -1, v), m) for (w, b), m in zip(parts, a)).view(n, -1, t, v)


PRODUCTS = {"rows": torch_step.graph_product_rows, "sets": product_sets, "convs": product_convs}


class Encoder(torch.nn.Module):
    """[n, 3, t, v] -> [n, dim, t', v], with the products of edges and importances taken beforehand."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x.unsqueeze(4))


def product_fixed(self, x, a):
    return self.product(x, self.matrices)


def build(o, product):
    """In evaluation mode, norms folded, with the weights of `--weights`; `product` names how graph products are written (of 2s-AGCN: "rows" keeps
    joints before frames, torch_agcn.py; all else is as published)."""
    model = reference.AGCN(o.hidden) if o.model == "agcn" else reference.STGCN(o.hidden, dropout=0.0)
    reference.load(model, safetensors.read(o.weights))
    fold_norms(model.eval().requires_grad_(False))
    if o.model == "agcn" and product == "rows":
        torch_agcn.joint_major(model)
    if o.model == "stgcn":
        for block, importance in zip(model.blocks, model.importance):
            block.gcn.matrices = model.a * importance.data
            block.gcn.product = types.MethodType(PRODUCTS[product], block.gcn)
            block.gcn.forward = types.MethodType(product_fixed, block.gcn)
    return Encoder(model).eval()


class Shift(torch.nn.Module):
    def __init__(self, shift):
        super().__init__()
        self.shift = torch.nn.Parameter(shift.view(1, -1, 1, 1), requires_grad=False)

    def forward(self, x):
        return x + self.shift


@torch.no_grad()
def scale_and_shift(norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


@torch.no_grad()
def fold_norms(module):
    """Batch norms go into the convolution before them; of the one behind ST-GCN's graph product a shift is left."""
    for child in module.modules():
        if isinstance(child, reference.Block):
            child.tcn, child.bn2 = torch.nn.utils.fuse_conv_bn_eval(child.tcn, child.bn2), torch.nn.Identity()
            scale, shift = scale_and_shift(child.bn1)
            child.gcn.conv.weight *= scale.repeat(child.gcn.k).view(-1, 1, 1, 1)
            child.gcn.conv.bias *= scale.repeat(child.gcn.k)
            child.bn1 = Shift(shift)
        if isinstance(child, reference.AdaptiveGraphConv):
            scale, shift = scale_and_shift(child.bn)
            child.weight *= scale.view(1, -1, 1)
            child.bias *= scale
            child.bias[0] += shift
            child.bn = torch.nn.Identity()
        if isinstance(child, reference.AdaptiveBlock):
            child.tcn, child.bn = torch.nn.utils.fuse_conv_bn_eval(child.tcn, child.bn), torch.nn.Identity()
        for name in ("res", "down"):
            pair = getattr(child, name, None)
            if isinstance(pair, torch.nn.Sequential):
                setattr(child, name, torch.nn.utils.fuse_conv_bn_eval(pair[0], pair[1]))
    return module


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--model", choices=("stgcn", "agcn"), default="stgcn")
    for name, value in dict(hidden=16, batch=1, frames=300, threads=2).items():
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--weights", required=True, help="of `sinew init`")
    p.add_argument("--input", required=True, help=".npy [batch, frames, 25, 3]")
    p.add_argument("--expect", required=True, help=".npy [batch, frames', 25, dim]: what sinew says")
    return p


def load_input(o):
    """[n, 3, t, v]"""
    return np.ascontiguousarray(np.load(o.input).transpose(0, 3, 1, 2))


def difference(o, y):
    """Largest, relative to the largest value.  y: [n, dim, t', v]."""
    expect = np.load(o.expect).transpose(0, 3, 1, 2)
    return float(np.abs(np.asarray(y) - expect).max() / np.abs(expect).max())


def demand_agreement(o, y):
    error = difference(o, y)
    if not error < 1e-3:
        sys.exit(f"the result differs from sinew's by {error:.2g}")
    return error
