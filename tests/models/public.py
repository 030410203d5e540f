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
    """`numbered`: importance tensors are parameters of their own, from 1, as HiCLR has them."""

    def __init__(self, hidden, dim, classes=5, numbered=False):
        super().__init__()
        self.numbered = numbered
        self.register_buffer("A", torch.tensor(reference.partition(3), dtype=torch.float32))
        self.data_bn = nn.BatchNorm1d(3 * JOINTS)
        self.st_gcn_networks = nn.ModuleList(GraphBlock(i, o, s, b == 0) for b, ((i, o), s) in enumerate(zip(widths(hidden, dim), strides())))
        importance = [nn.Parameter(torch.ones(3, JOINTS, JOINTS)) for _ in self.st_gcn_networks]
        if numbered:
            for b, p in enumerate(importance):
                self.register_parameter(f"edge_importance{b + 1}", p)
        else:
            self.edge_importance = nn.ParameterList(importance)
        if classes:
            self.fcn = nn.Conv2d(dim, classes, 1)

    def forward(self, x):
        """[n, 3, t, v] -> [n, dim, t', v]"""
        n, c, t, v = x.shape
        x = self.data_bn(x.permute(0, 3, 1, 2).reshape(n, v * c, t)).view(n, v, c, t).permute(0, 2, 3, 1)
        for b, block in enumerate(self.st_gcn_networks):
            x = block(x, self.A * (getattr(self, f"edge_importance{b + 1}") if self.numbered else self.edge_importance[b]))
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


# --- Hyper-GCN -------------------------------------------------------------------------------------------------------------------------------


class HyperConv(nn.Module):
    """Names of the published module; reference.HyperGraphConv computes with them."""

    def __init__(self, c_in, c_out, groups=8, virtual=3):
        super().__init__()
        nodes, inner = JOINTS + virtual, c_in // 4
        self.hyper_joint = nn.Parameter(torch.zeros(virtual, c_in))
        self.edge_importance = nn.Parameter(torch.ones(groups, nodes, nodes))
        self.PA = nn.Parameter(torch.tensor(np.stack([reference.linked_graph()] * groups), dtype=torch.float32), requires_grad=False)
        self.alpha = nn.Parameter(torch.ones(1))
        self.to_V = nn.Conv1d(c_in, inner, 1, groups=groups)
        self.to_W = nn.Sequential(nn.Conv1d(c_in, inner, 1, groups=groups), nn.LeakyReLU(), nn.Conv1d(inner, groups, 1), nn.Tanh())
        self.conv_d = nn.Conv2d(c_in, c_out, 1, groups=groups)
        if c_in != c_out:
            self.down = nn.Sequential(nn.Conv2d(c_in, c_out, 1), nn.BatchNorm2d(c_out))
        self.bn = nn.BatchNorm2d(c_out)
        self.groups = groups

    def forward(self, x):
        same = reference.HyperGraphConv(x.shape[1], self.bn.num_features, self.groups)
        same.virtual, same.importance, same.alpha, same.place = self.hyper_joint, self.edge_importance, self.alpha, self.to_V
        same.fc1, same.fc2, same.features, same.bn, same.down = self.to_W[0], self.to_W[2], self.conv_d, self.bn, getattr(self, "down", None)
        return same(x, self.PA[0])


class HyperBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, groups):
        super().__init__()
        q = c_out // 4
        conv = lambda d: Holder(conv=nn.Conv2d(q, q, (5, 1), (stride, 1), (2 * d, 0), (d, 1), padding_mode="replicate"), bn=nn.BatchNorm2d(q))
        narrow = lambda s=1: [nn.Conv2d(c_out, q, 1, (s, 1)), nn.BatchNorm2d(q)]
        self.gcn1 = HyperConv(c_in, c_out, groups)
        peak = [nn.ReLU(), nn.MaxPool2d((3, 1), (stride, 1), (1, 0)), nn.BatchNorm2d(q)]
        self.tcn1 = Holder(branches=nn.ModuleList([nn.Sequential(*narrow(), nn.ReLU(), conv(1)), nn.Sequential(*narrow(), nn.ReLU(), conv(2)),
                                                   nn.Sequential(*narrow(), *peak), nn.Sequential(*narrow(stride))]))
        if c_in != c_out or stride != 1:
            self.residual = Holder(conv=temporal(c_in, c_out, stride, 1), bn=nn.BatchNorm2d(c_out))

    def forward(self, x):
        y, out = self.gcn1(x), []
        for branch in self.tcn1.branches:
            z = y
            for layer in branch:
                z = layer.bn(layer.conv(z)) if isinstance(layer, Holder) else layer(z)
            out.append(z)
        return F.relu(torch.cat(out, 1) + (self.residual.bn(self.residual.conv(x)) if hasattr(self, "residual") else x))


class HyperGCN(nn.Module):
    def __init__(self, hidden, dim, groups=8, classes=5):
        super().__init__()
        w = hidden
        widths = [(w, w), (w, w), (w, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w), (2 * w, dim), (dim, dim), (dim, dim)]
        self.data_bn = nn.BatchNorm1d(hidden * JOINTS)
        self.to_joint_embedding = nn.Linear(3, hidden)
        self.pos_embedding = nn.Parameter(torch.zeros(1, JOINTS, hidden))
        for b, (i, o) in enumerate(widths):
            setattr(self, f"l{b + 1}", HyperBlock(i, o, 2 if b in (3, 6) else 1, groups))
        self.fc = nn.Linear(dim, classes)

    def forward(self, x):
        n, _, t, v = x.shape
        x = torch.tanh(self.to_joint_embedding(x.permute(0, 2, 3, 1)) + self.pos_embedding)
        x = self.data_bn(x.permute(0, 2, 3, 1).reshape(n, -1, t)).view(n, v, -1, t).permute(0, 2, 3, 1)
        for b in range(9):
            y = getattr(self, f"l{b + 1}")(x)
            x = y + x if b % 3 == 1 else y
        return y


# --- contrastive methods ------------------------------------------------------------------------------------------------------------------------


class Contrast(nn.Module):
    """Query and key encoders with heads, and queues: of one stream or of three."""

    def __init__(self, source, hidden, length, dim=256, width=128):
        super().__init__()
        for stream in ("", "_motion", "_bone") if source == "crossclr" else ("",):
            for side in "qk":
                encoder = STGCN(hidden, dim, classes=0, numbered=source == "hiclr")
                encoder.fc = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, width))
                if source == "rvtclr":
                    self.add_parts(encoder, dim, width)
                setattr(self, f"encoder_{side}{stream}", encoder)
            self.register_buffer("queue" + stream, torch.zeros(width, length))
            self.register_buffer("queue_ptr" + stream, torch.zeros(1, dtype=torch.long))
        if source == "hiclr":
            self.mask_param = nn.Parameter(torch.zeros(1))

    @staticmethod
    def add_parts(encoder, c, width):
        encoder.fc1, encoder.fc2 = nn.Linear(c, width), nn.Linear(c, width)
        encoder.part = Holder(se=nn.Sequential(nn.Conv2d(c, c // 2, 1, bias=False), nn.ReLU(), nn.Conv2d(c // 2, c, 1, bias=False)))
        conv = lambda i, o: nn.Conv1d(i, o, 1)
        encoder.relation = Holder(g=conv(c, c // 2), theta=conv(c, c // 2), phi=conv(c, c // 2),
                                  W=nn.Sequential(conv(c // 2, c), nn.BatchNorm1d(c)))


class Persons(nn.Module):
    """An encoder of [n, 3, t, v] for [n, 3, t, v, 1]."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, x):
        return self.encoder(x[..., 0])


class Head(nn.Module):
    def __init__(self, fc):
        super().__init__()
        self.fc = fc

    def forward(self, h):
        return F.normalize(self.fc(h.mean(2)), dim=1)


class PartHead(nn.Module):
    """reference.PartHead with the published layers, which see parts as samples."""

    def __init__(self, encoder):
        super().__init__()
        self.part, self.relation, self.head = encoder.part, encoder.relation, Head(encoder.fc)

    def forward(self, x):
        x = self.part.se(torch.stack([x[..., joints].mean(3) for joints in reference.PARTS], 3))
        n, c, t, p = x.shape
        m, rows = x.mean(3), x.permute(0, 3, 1, 2).reshape(n * p, c, t)
        attention = torch.softmax(torch.einsum("nct,ncs->nts", self.relation.theta(m), self.relation.phi(m)), 2)
        seen = torch.einsum("nts,npcs->npct", attention, self.relation.g(rows).view(n, p, -1, t)).reshape(n * p, -1, t)
        y = (rows + self.relation.W(seen)).view(n, p, c, t).permute(0, 2, 3, 1)
        return self.head(y.mean(3))


def method(source, public, stream):
    """reference's method with the layers of a Contrast; copies do not move, there is no dense term."""
    kind = {"crossclr": reference.MoCo, "aimclr": reference.AimCLR, "hiclr": reference.HiCLR, "rvtclr": reference.RVTCLR}[source]
    out = kind(lambda: None, weight=0, length=1)
    for side in "qk":
        encoder, pretext = getattr(public, f"encoder_{side}{stream}"), getattr(out, side)
        pretext.enc, pretext.global_head = Persons(encoder), Head(encoder.fc1 if source == "rvtclr" else encoder.fc)
        if source == "rvtclr":
            pretext.motion_head = Head(encoder.fc2)
    if source == "rvtclr":
        out.parts = PartHead(public.encoder_q)
    if source == "hiclr":
        out.value = nn.Parameter(public.mask_param[0])
    out.queue_global = getattr(public, "queue" + stream)
    out.move_keys = lambda: None
    return out


# --- cases ---------------------------------------------------------------------------------------------------------------------------------


VIEWS = {"crossclr": [0, 30], "aimclr": [0, 30, 15], "hiclr": [0, 30, 15, 7], "rvtclr": [0, 30, 15]}


class Case:
    def __init__(self, line):
        self.name, self.source, self.file, self.stream, *sets = line.split()
        self.set = {k: float(v) for k, v in (s.split("=") for s in sets)}
        self.list = os.path.join(HERE, "public", self.name + ".txt")
        self.golden = os.path.join(HERE, "golden", f"public_{self.name}.safetensors")

    def module(self):
        get = lambda name, default=None: int(self.set.get(name, default))
        if self.source in VIEWS:
            return Contrast(self.source, get("hidden"), get("queue"))
        if self.source == "hyper-gcn":
            return HyperGCN(get("hidden"), get("dim"), get("groups"))
        if self.source == "2s-agcn":
            return Adaptive(get("hidden"), get("dim"))
        if self.source == "2s-agcn-stride8":
            return Adaptive(get("hidden"), get("dim"), early=2, normed=False)
        if self.source == "unik":
            return Adaptive(get("hidden"), get("dim"), heads=get("heads"), names=("s_unit", "DepM", "t_unit"), fixed=False)
        return STGCN(get("hidden"), get("dim"))

    def text(self, module):
        """The list of tensors, in the order of the state dictionary."""
        kinds = {torch.float32: "f32", torch.int64: "i64"}
        return "".join(" ".join([name, kinds[t.dtype], *map(str, t.shape)]) + "\n" for name, t in module.state_dict().items())

    def view(self, start, folder):
        subprocess.run([GOLDEN, "clip", os.path.join(HERE, "golden", "motion.npy"), str(N), str(start), str(FRAMES), folder + "/x.npy"], check=True)
        return torch.from_numpy(np.load(folder + "/x.npy")).double().permute(0, 3, 1, 2)

    def run(self):
        """The list, and {"out/...", "at/...", "scale/..."} computed in double precision with the state that state.c makes."""
        module = self.module()
        text = self.text(module)
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/list.txt", "w") as f:
                f.write(text)
            subprocess.run([STATE, "make", folder + "/list.txt", str(SEED), folder + "/state.safetensors"], check=True)
            state = {k: torch.from_numpy(v.copy()) for k, v in safetensors.read(folder + "/state.safetensors").items()}
            fixed = {k: v for k, v in module.state_dict().items() if k.split(".")[-1] == ("PA" if self.source == "hyper-gcn" else "A")}
            module.load_state_dict({**state, **fixed})  # graphs that are not trained are not made by rule
            views = [self.view(start, folder) for start in VIEWS.get(self.source, [0])]
        module.double().eval()
        with torch.no_grad():
            if self.source not in VIEWS:
                return text, sample(module(views[0]).permute(0, 2, 3, 1).numpy())
            computed = method(self.source, module, "" if self.stream == "-" else "_" + self.stream).double().eval()
            computed.tau = self.set["tau"]
            terms = computed.terms([v.unsqueeze(4) for v in views])
        out = {}
        for name, value in terms.items():
            if name != "dense":
                out.update({"out/" + name: np.float32(value), "scale/out/" + name: np.float32(max(abs(value), 1e-3))})
        return text, out


def sample(y):
    at = np.sort(np.random.default_rng(1).choice(y.size, SAMPLE, replace=False))
    return {"out/y": y.reshape(-1)[at].astype(np.float32), "at/out/y": at.astype(np.int64), "scale/out/y": np.float32(np.abs(y).max())}


def make(case):
    text, tensors = case.run()
    with open(case.list, "w") as f:
        f.write(text)
    safetensors.write(case.golden, tensors)
    print(f"{case.name}: {len(text.splitlines())} tensors, " + ", ".join(f"{k[6:]} {v:.3g}" for k, v in tensors.items() if k.startswith("scale/")))


def check(case):
    text, new = case.run()
    old = safetensors.read(case.golden)
    assert text == open(case.list).read(), f"{case.name}: the list of tensors differs"
    assert new.keys() == old.keys(), f"{case.name}: names differ"
    off = max(np.abs(new[k] - old[k]).max() / (1 if k.startswith("at/") else old["scale/" + k]) for k in new if not k.startswith("scale/"))
    print(f"{case.name}: {len(text.splitlines())} tensors, worst {off:.2e}")
    assert off < 1e-6, f"{case.name}: results have changed"


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
