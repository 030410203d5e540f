"""Modules whose state dictionaries have the names and layouts of public implementations, written anew for these tests, and what they compute.
Not needed to build or test sinew: lists of tensors and results are committed; public.sh compares with them.

    public.py make [CASE...]       write public/CASE.txt and golden/public_CASE.safetensors
    public.py check [CASE...]      make anew, compare with the committed ones

STATE and GOLDEN name the tools built from state.c and golden.c (default: build/state, build/golden).
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import reference
import safetensors

BUILD = os.path.join(HERE, "..", "..", "build")
STATE, GOLDEN = os.environ.get("STATE", BUILD + "/state"), os.environ.get("GOLDEN", BUILD + "/golden")
SEED, N, FRAMES, SAMPLE, JOINTS = 1, 2, 40, 256, 25


def widths(hidden, dim):
    h = hidden
    return [(3, h), (h, h), (h, h), (h, h), (h, 2 * h), (2 * h, 2 * h), (2 * h, 2 * h), (2 * h, 4 * h), (4 * h, 4 * h), (4 * h, dim)]


def strides(early=1):
    return [1, early, 1, 1, 2, 1, 1, 2, 1, 1]


def temporal(c_in, c_out, stride, kernel=9):
    return nn.Conv2d(c_in, c_out, (kernel, 1), (stride, 1), (kernel // 2, 0))


class Holder(nn.Module):
    """Children under the names given."""

    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            setattr(self, name, child)


# --- the ST-GCN of contrastive and supervised work ---------------------------------------------------------------------------------------


class GraphBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, first):
        super().__init__()
        self.gcn = Holder(conv=nn.Conv2d(c_in, 3 * c_out, 1))
        self.tcn = nn.Sequential(nn.BatchNorm2d(c_out), nn.ReLU(), temporal(c_out, c_out, stride), nn.BatchNorm2d(c_out), nn.Dropout(0.5))
        self.first = first
        if not first and (c_in != c_out or stride != 1):
            self.residual = nn.Sequential(nn.Conv2d(c_in, c_out, 1, (stride, 1)), nn.BatchNorm2d(c_out))

    def forward(self, x, a):
        n, _, t, v = x.shape
        y = self.tcn(torch.einsum("nkctv,kvw->nctw", self.gcn.conv(x).view(n, 3, -1, t, v), a))
        return F.relu(y if self.first else y + (self.residual(x) if hasattr(self, "residual") else x))


class STGCN(nn.Module):
    def __init__(self, hidden, dim, head="fcn", classes=5):
        super().__init__()
        self.register_buffer("A", torch.tensor(reference.partition(3), dtype=torch.float32))
        self.data_bn = nn.BatchNorm1d(3 * JOINTS)
        self.st_gcn_networks = nn.ModuleList(GraphBlock(i, o, s, b == 0) for b, ((i, o), s) in enumerate(zip(widths(hidden, dim), strides())))
        self.edge_importance = nn.ParameterList(nn.Parameter(torch.ones(3, JOINTS, JOINTS)) for _ in self.st_gcn_networks)
        if head == "fcn":
            self.fcn = nn.Conv2d(dim, classes, 1)

    def forward(self, x):
        """[n, 3, t, v] -> [n, dim, t', v]"""
        n, c, t, v = x.shape
        x = self.data_bn(x.permute(0, 3, 1, 2).reshape(n, v * c, t)).view(n, v, c, t).permute(0, 2, 3, 1)
        for block, importance in zip(self.st_gcn_networks, self.edge_importance):
            x = block(x, self.A * importance)
        return x


# --- 2s-AGCN, its variant, UNIK ------------------------------------------------------------------------------------------------------------


class Spatial(nn.Module):
    """Adaptive graphs; `learned` is the public name of the trained ones, `a` the fixed ones."""

    def __init__(self, c_in, c_out, heads, learned, a):
        super().__init__()
        setattr(self, learned, nn.Parameter(torch.zeros(heads, JOINTS, JOINTS)))
        self.learned, self.a = learned, a
        for name, width in (("conv_a", c_out // 4), ("conv_b", c_out // 4), ("conv_d", c_out)):
            setattr(self, name, nn.ModuleList(nn.Conv2d(c_in, width, 1) for _ in range(heads)))
        if c_in != c_out:
            self.down = nn.Sequential(nn.Conv2d(c_in, c_out, 1), nn.BatchNorm2d(c_out))
        self.bn = nn.BatchNorm2d(c_out)
        if learned == "DepM":
            self.bias = nn.Parameter(torch.zeros(JOINTS))  # never read, as published

    def forward(self, x):
        n, c, t, v = x.shape
        y = 0
        for k, graph in enumerate(getattr(self, self.learned)):
            rows, columns = self.conv_a[k](x), self.conv_b[k](x)
            own = torch.softmax(torch.einsum("nctv,nctw->nvw", rows, columns) / (rows.shape[1] * t), 1)
            mixed = torch.einsum("nctv,nvw->nctw", x, own + graph + (self.a[k] if self.a is not None else 0))
            y = y + self.conv_d[k](mixed)
        return F.relu(self.bn(y) + (self.down(x) if hasattr(self, "down") else x))


class AdaptiveBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, first, heads, names, a):
        super().__init__()
        spatial, learned, over_time = names
        self.names, self.first = names, first
        setattr(self, spatial, Spatial(c_in, c_out, heads, learned, a))
        setattr(self, over_time, Holder(conv=temporal(c_out, c_out, stride), bn=nn.BatchNorm2d(c_out)))
        if not first and (c_in != c_out or stride != 1):
            self.residual = Holder(conv=temporal(c_in, c_out, stride, 1), bn=nn.BatchNorm2d(c_out))

    def forward(self, x):
        over_time = getattr(self, self.names[2])
        y = over_time.bn(over_time.conv(getattr(self, self.names[0])(x)))
        if not self.first:
            y = y + (self.residual.bn(self.residual.conv(x)) if hasattr(self, "residual") else x)
        return F.relu(y)


class Adaptive(nn.Module):
    def __init__(self, hidden, dim, early=1, heads=3, names=("gcn1", "PA", "tcn1"), fixed=True, normed=True, classes=5):
        super().__init__()
        a = torch.tensor(reference.inward_graph()) if fixed else None
        self.normed = normed
        self.data_bn = nn.BatchNorm1d(3 * JOINTS)
        for b, ((i, o), s) in enumerate(zip(widths(hidden, dim), strides(early))):
            setattr(self, f"l{b + 1}", AdaptiveBlock(i, o, s, b == 0, heads if b else 3, names, a))
        if normed:
            self.fc = nn.Linear(dim, classes)
        else:
            for name in ("classifier_1", "classifier_2"):
                setattr(self, name, Holder(ac_center=nn.Parameter(torch.zeros(classes, dim))))

    def forward(self, x):
        n, c, t, v = x.shape
        if self.normed:
            x = self.data_bn(x.permute(0, 3, 1, 2).reshape(n, v * c, t)).view(n, v, c, t).permute(0, 2, 3, 1)
        for b in range(10):
            x = getattr(self, f"l{b + 1}")(x)
        return x


# --- cases ---------------------------------------------------------------------------------------------------------------------------------


class Case:
    def __init__(self, line):
        self.name, self.source, self.file, self.prefix, *sets = line.split()
        self.set = {k: int(v) for k, v in (s.split("=") for s in sets)}
        self.list = os.path.join(HERE, "public", self.name + ".txt")
        self.golden = os.path.join(HERE, "golden", f"public_{self.name}.safetensors")

    def module(self):
        hidden, dim = self.set["hidden"], self.set["dim"]
        if self.source == "2s-agcn":
            return Adaptive(hidden, dim)
        if self.source == "2s-agcn-stride8":
            return Adaptive(hidden, dim, early=2, normed=False)
        if self.source == "unik":
            return Adaptive(hidden, dim, heads=self.set["heads"], names=("s_unit", "DepM", "t_unit"), fixed=False)
        return STGCN(hidden, dim)

    def text(self, module):
        """The list of tensors, in the order of the state dictionary."""
        kinds = {torch.float32: "f32", torch.int64: "i64"}
        return "".join(" ".join([name, kinds[t.dtype], *map(str, t.shape)]) + "\n" for name, t in module.state_dict().items())

    def run(self):
        """The list, and {"out/y", "at/out/y", "scale/out/y"} computed in double precision with the state that state.c makes."""
        module = self.module()
        text = self.text(module)
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/list.txt", "w") as f:
                f.write(text)
            subprocess.run([STATE, "make", folder + "/list.txt", str(SEED), folder + "/state.safetensors"], check=True)
            state = {k: torch.from_numpy(v.copy()) for k, v in safetensors.read(folder + "/state.safetensors").items()}
            if "A" in state:
                state["A"] = module.A  # the constant is not made by rule
            module.load_state_dict(state)
            subprocess.run([GOLDEN, "clip", os.path.join(HERE, "golden", "motion.npy"), str(N), "0", str(FRAMES), folder + "/x.npy"], check=True)
            x = torch.from_numpy(np.load(folder + "/x.npy")).double().permute(0, 3, 1, 2)
        with torch.no_grad():
            y = module.double().eval()(x).permute(0, 2, 3, 1).numpy()
        at = np.sort(np.random.default_rng(1).choice(y.size, SAMPLE, replace=False))
        return text, {"out/y": y.reshape(-1)[at].astype(np.float32), "at/out/y": at.astype(np.int64), "scale/out/y": np.float32(np.abs(y).max())}


def make(case):
    text, tensors = case.run()
    with open(case.list, "w") as f:
        f.write(text)
    safetensors.write(case.golden, tensors)
    print(f"{case.name}: {len(text.splitlines())} tensors, largest result {tensors['scale/out/y']:.3g}")


def check(case):
    text, new = case.run()
    old = safetensors.read(case.golden)
    assert text == open(case.list).read(), f"{case.name}: the list of tensors differs"
    off = np.abs(new["out/y"] - old["out/y"]).max() / old["scale/out/y"]
    print(f"{case.name}: {len(text.splitlines())} tensors, worst {off:.2e}")
    assert new.keys() == old.keys() and (new["at/out/y"] == old["at/out/y"]).all() and off < 1e-6, f"{case.name}: results have changed"


def main():
    verbs = {"make": make, "check": check}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    with open(os.path.join(HERE, "public.txt")) as f:
        cases = [Case(line) for line in f if line.strip() and not line.startswith("#")]
    for case in cases:
        if len(sys.argv) == 2 or case.name in sys.argv[2:]:
            verbs[sys.argv[1]](case)


main()
