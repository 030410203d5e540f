"""Stage 1 in PyTorch, as the original repositories formulate it: the outside opinion that sinew's numbers are held against.
Not fast (tests/bench/peers races) and not derived from the graph files: channels-first convolutions, BatchNorm modules, stored logits.

Sources: ST-GCN (Yan, Xiong, Lin 2018), 2s-AGCN (Shi, Zhang, Cheng, Lu 2019), its variant with stride 8 (Yu, Fujiwara 2023), UNIK (Yang et al.
2021), Hyper-GCN (Zhou et al. 2025), quarter widths as in contrastive work; MoCo (He et al. 2020), DenseCL (Wang et al. 2021), AimCLR (Guo et al.
2022), HiCLR (Zhang et al. 2023), RVTCLR (Zhu et al. 2023).
"n": samples, "c": channels, "t": frames, "v" and "w": joints, "k": sets of the graph, "m": persons.
Runs on PyTorch 1.13 and later; float64 by calling .double() on a module.
"""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

EDGES = [(0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8), (10, 9), (11, 10), (12, 0), (13, 12),
         (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18), (21, 22), (22, 7), (23, 24), (24, 11)]
JOINTS, CENTRE = 25, 20


class Stream(nn.Module):
    """[n, c, t, v, m]: 0 joints, 1 bones by the published list of pairs (child, parent), 2 motion"""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream

    def forward(self, x):
        y = x if self.stream == 0 else torch.zeros_like(x)
        for child, parent in EDGES + [(CENTRE, CENTRE)] if self.stream == 1 else []:
            y[:, :, :, child] = x[:, :, :, child] - x[:, :, :, parent]
        if self.stream == 2:
            y[:, :, :-1] = x[:, :, 1:] - x[:, :, :-1]
        return y.permute(0, 4, 1, 2, 3).flatten(0, 1)


def mean_persons(y, x, masked):
    """[n*m, ...] -> [n, ...]; masked: only over persons of x [n, m, t, v, c] that have a coordinate other than 0."""
    y = y.view(len(x), -1, *y.shape[1:])
    there = (x != 0).flatten(2).any(2) if masked else torch.ones(y.shape[:2])
    there = there.to(y.dtype).view(*there.shape, 1, 1, 1)
    return (y * there).sum(1) / there.sum(1).clamp(min=1)


def partition(sets, edges=EDGES, joints=JOINTS, centre=CENTRE, max_hop=1):
    """[K, V, V]: 1 'uniform', 2 'distance', 3 'spatial'.  Distances are known up to max_hop only, so most neighbours count as equally far."""
    link = np.eye(joints)
    for i, j in edges:
        link[i, j] = link[j, i] = 1
    hop = np.full((joints, joints), np.inf)
    for d in range(max_hop, -1, -1):
        hop[np.linalg.matrix_power(link, d) > 0] = d
    near = (hop <= max_hop).astype(float)
    near /= near.sum(0, keepdims=True)
    if sets == 1:
        return near[None]
    if sets == 2:
        return np.stack([near * (hop == d) for d in range(max_hop + 1)])
    sets = []
    for d in range(max_hop + 1):
        root, close, further = np.zeros((3, joints, joints))
        for i in range(joints):
            for j in range(joints):
                if hop[j, i] != d:
                    continue
                where = root if hop[j, centre] == hop[i, centre] else close if hop[j, centre] > hop[i, centre] else further
                where[j, i] = near[j, i]
        sets += [root] if d == 0 else [root + close, further]
    return np.stack(sets)


class GraphConv(nn.Module):
    """1x1 convolution to k sets of channels, each multiplied with its matrix, summed."""

    def __init__(self, c_in, c_out, k):
        super().__init__()
        self.k = k
        self.conv = nn.Conv2d(c_in, c_out * k, 1)

    def forward(self, x, a):
        x = self.conv(x)
        n, kc, t, v = x.shape
        return torch.einsum("nkctv,kvw->nctw", x.view(n, self.k, kc // self.k, t, v), a)


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride=1, residual=True, dropout=0.0, k=3):
        super().__init__()
        self.gcn = GraphConv(c_in, c_out, k)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.tcn = nn.Conv2d(c_out, c_out, (9, 1), (stride, 1), (4, 0))
        self.bn2 = nn.BatchNorm2d(c_out)
        self.dropout = nn.Dropout(dropout)
        self.identity = residual and c_in == c_out and stride == 1
        self.res = None
        if residual and not self.identity:
            self.res = nn.Sequential(nn.Conv2d(c_in, c_out, 1, (stride, 1)), nn.BatchNorm2d(c_out))

    def forward(self, x, a):
        y = self.dropout(self.bn2(self.tcn(F.relu(self.bn1(self.gcn(x, a))))))
        if self.res is not None:
            y = y + self.res(x)
        elif self.identity:
            y = y + x
        return F.relu(y)


class STGCN(nn.Module):
    """[n, 3, t, v, m] -> [n*m, dim, t', v]"""

    def __init__(self, hidden=16, dim=256, dropout=0.5, early=1, sets=3):
        super().__init__()
        self.register_buffer("a", torch.tensor(partition(sets), dtype=torch.float32))
        self.norm = nn.BatchNorm1d(3 * JOINTS)
        w = hidden
        widths = [(3, w), (w, w), (w, w), (w, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w), (2 * w, 4 * w), (4 * w, 4 * w), (4 * w, dim)]
        self.blocks = nn.ModuleList(
            Block(i, o, stride=early if b == 1 else 2 if b in (4, 7) else 1, residual=b > 0, dropout=dropout if b > 0 else 0.0, k=sets)
            for b, (i, o) in enumerate(widths))
        self.importance = nn.ParameterList(nn.Parameter(torch.ones(sets, JOINTS, JOINTS)) for _ in widths)

    def forward(self, x, taps=None):
        n, c, t, v, m = x.shape
        x = x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)
        x = self.norm(x)
        x = x.view(n * m, v, c, t).permute(0, 2, 3, 1).contiguous()
        for block, importance in zip(self.blocks, self.importance):
            x = block(x, self.a * importance)
            if taps is not None:
                taps.append(x)
        return x


def inward_graph(edges=EDGES, joints=JOINTS):
    """[3, V, V] of 2s-AGCN: identity, from parents, from children; columns divided by their sums."""
    inward, outward = np.zeros((2, joints, joints))
    for child, parent in edges:
        inward[parent, child] = outward[child, parent] = 1
    return np.stack([np.eye(joints)] + [m / np.maximum(m.sum(0, keepdims=True), 1) for m in (inward, outward)])


class AdaptiveGraphConv(nn.Module):
    """x times k graphs, each followed by a 1x1 convolution, summed; graph = fixed + learned + softmax of the affinity of joints."""

    def __init__(self, c_in, c_out, k=3):
        super().__init__()
        self.k, self.inter = k, c_out // 4
        self.theta = nn.Conv2d(c_in, k * self.inter, 1)
        self.phi = nn.Conv2d(c_in, k * self.inter, 1)
        self.learned = nn.Parameter(torch.full((k, JOINTS, JOINTS), 1e-6))
        self.weight = nn.Parameter(torch.randn(k, c_out, c_in) * 0.02)
        self.bias = nn.Parameter(torch.zeros(k, c_out))
        self.bn = nn.BatchNorm2d(c_out)
        self.down = nn.Sequential(nn.Conv2d(c_in, c_out, 1), nn.BatchNorm2d(c_out)) if c_in != c_out else None

    def forward(self, x, a):
        n, c, t, v = x.shape
        y = 0
        for k, (theta, phi) in enumerate(zip(self.theta(x).chunk(self.k, 1), self.phi(x).chunk(self.k, 1))):
            source = theta.permute(0, 3, 1, 2).reshape(n, v, -1)
            target = phi.reshape(n, -1, v)
            own = torch.softmax(torch.matmul(source, target) / source.shape[2], 1)
            mixed = torch.matmul(x.reshape(n, c * t, v), a[k] + self.learned[k] + own).view(n, c, t, v)
            y = y + F.conv2d(mixed, self.weight[k, :, :, None, None], self.bias[k])
        return F.relu(self.bn(y) + (x if self.down is None else self.down(x)))


class AdaptiveBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1, residual=True, k=3):
        super().__init__()
        self.gcn = AdaptiveGraphConv(c_in, c_out, k)
        self.tcn = nn.Conv2d(c_out, c_out, (9, 1), (stride, 1), (4, 0))
        self.bn = nn.BatchNorm2d(c_out)
        self.identity = residual and c_in == c_out and stride == 1
        self.res = None
        if residual and not self.identity:
            self.res = nn.Sequential(nn.Conv2d(c_in, c_out, 1, (stride, 1)), nn.BatchNorm2d(c_out))

    def forward(self, x, a):
        y = self.bn(self.tcn(self.gcn(x, a)))
        if self.res is not None:
            y = y + self.res(x)
        elif self.identity:
            y = y + x
        return F.relu(y)


class AGCN(nn.Module):
    """[n, 3, t, v, m] -> [n*m, dim, t', v]; early = 2 and no norm is the variant with stride 8"""

    def __init__(self, hidden=16, dim=256, early=1, normed=True, graph=None, heads=3, persons=1):
        super().__init__()
        self.register_buffer("a", torch.tensor(inward_graph() if graph is None else graph, dtype=torch.float32))
        self.norm = nn.BatchNorm1d(3 * JOINTS * persons) if normed else None
        w = hidden
        widths = [(3, w), (w, w), (w, w), (w, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w), (2 * w, 4 * w), (4 * w, 4 * w), (4 * w, dim)]
        strides = [1, early, 1, 1, 2, 1, 1, 2, 1, 1]
        self.blocks = nn.ModuleList(AdaptiveBlock(i, o, strides[b], residual=b > 0, k=heads if b > 0 else 3) for b, (i, o) in enumerate(widths))

    def forward(self, x, taps=None):
        n, c, t, v, m = x.shape
        x = x.permute(0, 4, 3, 1, 2).reshape(n, m * v * c, t)
        x = self.norm(x) if self.norm is not None else x
        x = x.view(n * m, v, c, t).permute(0, 2, 3, 1).contiguous()
        for block in self.blocks:
            x = block(x, self.a)
            if taps is not None:
                taps.append(x)
        return x


class UNIK(AGCN):
    """No fixed graph; three heads in the first block, as published."""

    def __init__(self, hidden=16, dim=256, heads=4, early=1, persons=1):
        super().__init__(hidden, dim, early, graph=np.zeros((max(heads, 3), JOINTS, JOINTS)), heads=heads, persons=persons)


HYPER_EDGES = EDGES[:20] + [(21, 7), (22, 7), (23, 11), (24, 11)]


def linked_graph(virtual=3, edges=HYPER_EDGES, joints=JOINTS):
    """[W, W] of Hyper-GCN: 1 for every joint with itself, its neighbours and all virtual joints, each of which has itself and the joints."""
    link = np.eye(joints + virtual)
    link[joints:, :joints] = link[:joints, joints:] = 1
    for i, j in edges:
        link[i, j] = link[j, i] = 1
    return link


class HyperGraphConv(nn.Module):
    """A fixed graph of joints and virtual joints, and one of hyper-edges; a pair's first index is the target."""

    def __init__(self, c_in, c_out, groups=8, virtual=3, nearest=9):
        super().__init__()
        self.k, self.nearest, inner = groups, nearest, c_in // 4
        nodes = JOINTS + virtual
        self.virtual = nn.Parameter(torch.randn(1, c_in).repeat(virtual, 1))
        self.importance = nn.Parameter(torch.ones(groups, nodes, nodes))
        self.alpha = nn.Parameter(torch.ones(1))
        self.place = nn.Conv1d(c_in, inner, 1, groups=groups)
        self.fc1 = nn.Conv1d(c_in, inner, 1, groups=groups)
        self.fc2 = nn.Conv1d(inner, groups, 1)
        self.features = nn.Conv2d(c_in, c_out, 1, groups=groups)
        self.bn = nn.BatchNorm2d(c_out)
        self.down = nn.Sequential(nn.Conv2d(c_in, c_out, 1), nn.BatchNorm2d(c_out)) if c_in != c_out else None

    def hyper_edges(self, nodes):
        """[n, c, W] -> incidence [n, k, W, W], by differences; distances equal but for rounding count as equal, and the first of them as nearer."""
        place = self.place(nodes)
        place = place.view(len(place), self.k, -1, place.shape[2])
        square = (place.unsqueeze(4) - place.unsqueeze(3)).pow(2).sum(2)
        far = torch.where(square > 0, square, torch.ones_like(square)).sqrt() * (square > 0)
        digits = 1e9 if far.dtype == torch.float64 else 1e5
        order = torch.sort(torch.round(far.detach() * digits), dim=3, stable=True)
        self.margin = (order.values[..., self.nearest] - order.values[..., self.nearest - 1]).div(digits)
        member = order.indices[..., :self.nearest]
        share = torch.softmax(-torch.gather(far, 3, member), 3)
        return torch.zeros_like(far).scatter(3, member, share)

    def own_graph(self, nodes):
        h = self.hyper_edges(nodes)
        w = torch.diag_embed(torch.tanh(self.fc2(F.leaky_relu(self.fc1(nodes), 0.01))))
        hw = h @ w
        size = torch.diag_embed(1 / (h.abs().sum(2) + 1e-8))
        degree = torch.diag_embed(1 / (hw.abs().sum(3) + 1e-8))
        return degree @ hw @ (w @ size) @ h.transpose(2, 3)

    def forward(self, x, link):
        n, c, t, v = x.shape
        all_nodes = torch.cat([x, self.virtual.t().view(1, c, 1, -1).expand(n, -1, t, -1)], 3)
        a = link * self.importance
        a = a / (a.abs().sum(2, keepdim=True) + 1e-8)
        edges = a + F.relu(self.alpha) * self.own_graph(all_nodes.mean(2))
        z = self.features(all_nodes)
        z = torch.einsum("nkuv,nkctv->nkctu", edges, z.view(n, self.k, -1, t, z.shape[3])).reshape(n, -1, t, z.shape[3])
        return F.relu(self.bn(z[..., :v]) + (x if self.down is None else self.down(x)))

    def divergence(self):
        cosine = F.cosine_similarity(self.virtual.unsqueeze(0), self.virtual.unsqueeze(1), dim=2)
        return F.relu(cosine)[~torch.eye(len(cosine), dtype=torch.bool)].mean()


class Branches(nn.Module):
    """Convolutions of dilation 1 and 2, maximum of three frames, stride alone; a quarter of the channels each."""

    def __init__(self, c, stride=1):
        super().__init__()
        q = c // 4
        conv = lambda d: nn.Conv2d(q, q, (5, 1), (stride, 1), (2 * d, 0), (d, 1), padding_mode="replicate")
        self.fc = nn.ModuleList(nn.Conv2d(c, q, 1, (stride if i == 3 else 1, 1)) for i in range(4))
        self.bn1 = nn.ModuleList(nn.BatchNorm2d(q) for _ in range(4))
        self.conv = nn.ModuleList([conv(1), conv(2), nn.MaxPool2d((3, 1), (stride, 1), (1, 0))])
        self.bn2 = nn.ModuleList(nn.BatchNorm2d(q) for _ in range(3))

    def forward(self, x):
        y = [bn(fc(x)) for bn, fc in zip(self.bn1, self.fc)]
        return torch.cat([bn(conv(F.relu(z))) for bn, conv, z in zip(self.bn2, self.conv, y)] + [y[3]], 1)


class HyperBlock(nn.Module):
    def __init__(self, c_in, c_out, stride, groups):
        super().__init__()
        self.gcn = HyperGraphConv(c_in, c_out, groups)
        self.tcn = Branches(c_out, stride)
        self.res = None
        if c_in != c_out or stride != 1:
            self.res = nn.Sequential(nn.Conv2d(c_in, c_out, 1, (stride, 1)), nn.BatchNorm2d(c_out))

    def forward(self, x, link):
        return F.relu(self.tcn(self.gcn(x, link)) + (x if self.res is None else self.res(x)))


class HyperGCN(nn.Module):
    """[n, 3, t, v, m] -> [n*m, dim, t', v]; hidden = 128 and dim = 256 is the base, dim = 512 the large one"""

    def __init__(self, hidden=128, dim=256, early=1, groups=8, persons=1):
        super().__init__()
        self.register_buffer("link", torch.tensor(linked_graph(), dtype=torch.float32))
        self.position = nn.Parameter(torch.randn(1, JOINTS, hidden))
        self.embed = nn.Linear(3, hidden)
        self.norm = nn.BatchNorm1d(JOINTS * hidden * persons)
        w = hidden
        widths = [(w, w), (w, w), (w, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w), (2 * w, dim), (dim, dim), (dim, dim)]
        strides = [early, 1, 1, 2, 1, 1, 2, 1, 1]
        self.blocks = nn.ModuleList(HyperBlock(i, o, s, groups) for (i, o), s in zip(widths, strides))

    def forward(self, x, taps=None):
        n, c, t, v, m = x.shape
        x = torch.tanh(self.embed(x.permute(0, 4, 2, 3, 1)) + self.position)
        x = self.norm(x.permute(0, 1, 3, 4, 2).reshape(n, -1, t)).view(n * m, v, -1, t).permute(0, 2, 3, 1)
        for i, block in enumerate(self.blocks):
            y = block(x, self.link)
            if taps is not None:
                taps.append(y)
            x = y + x if i % 3 == 1 else y  # layers 3, 6 and 9 read a sum
        self.margin = min(block.gcn.margin.min().item() for block in self.blocks)
        return y

    def divergence(self):
        return torch.stack([block.gcn.divergence() for block in self.blocks]).mean()


class UNet(nn.Module):
    """[n, c_a, t_a] for a = 1 .. L to [n, d, t_1]: Z_a^b = H(concat[Z_a^0 .. Z_a^(b-1), U(Z_(a+1)^(b-1))]), Zhou et al. 2018 in one dimension"""

    def __init__(self, channels, d=512, kernel=3, norm=True, rectify=True, nearest=False, corners=True):
        super().__init__()
        self.channels, self.rectify, self.nearest, self.corners = channels, rectify, nearest, corners
        self.conv, self.bn, levels = nn.ModuleDict(), nn.ModuleDict(), len(channels)
        for a in range(1, levels):
            for b in range(1, levels - a + 1):
                lower = channels[a] if b == 1 else d
                self.conv[f"{a}_{b}"] = nn.Conv1d(channels[a - 1] + (b - 1) * d + lower, d, kernel, padding=kernel // 2)
                if norm:
                    self.bn[f"{a}_{b}"] = nn.BatchNorm1d(d)

    def up(self, x, frames):
        return F.interpolate(x, frames) if self.nearest else F.interpolate(x, frames, mode="linear", align_corners=bool(self.corners))

    def forward(self, z):
        levels = [[x] for x in z]
        for b in range(1, len(z)):
            for a in range(1, len(z) - b + 1):
                row = levels[a - 1]
                x = self.conv[f"{a}_{b}"](torch.cat(row[:b] + [self.up(levels[a][b - 1], row[0].shape[2])], 1))
                x = self.bn[f"{a}_{b}"](x) if len(self.bn) else x
                row.append(F.relu(x) if self.rectify else x)
        return levels[0][-1]


class Tagger(nn.Module):
    """[n, 3, t, v, m] to logits [n, classes + 1, t]"""

    def __init__(self, encoder, unet, dim, d, classes, masked=False):
        super().__init__()
        self.enc, self.unet, self.classes, self.masked = encoder, unet, classes, masked
        self.fc = nn.Linear(d if unet else dim, classes + 1)

    def forward(self, x):
        taps = []
        self.enc(x, taps)
        z = [mean_persons(taps[i], x.permute(0, 4, 2, 3, 1), self.masked).mean(3) for i in (-7, -4, -1)]  # the last of each length
        if self.unet:
            return self.fc(self.unet(z).permute(0, 2, 1)).permute(0, 2, 1)
        return F.interpolate(self.fc(z[2].permute(0, 2, 1)).permute(0, 2, 1), x.shape[2], mode="linear", align_corners=False)


class Weak(nn.Module):
    """Frame classes from video labels (Yu and Fujiwara 2023), in the first epoch as if it were one in which soft labels count."""

    def __init__(self, encoder, dim, classes, clips, slots, frames):
        super().__init__()
        self.enc, self.classes = encoder, classes
        self.centre1, self.centre2 = (nn.Parameter(torch.randn(classes + 1, dim)) for _ in range(2))
        self.register_buffer("soft", torch.zeros(slots, clips, frames * (classes + 1)))

    def forward(self, x, label, clip):
        f = self.enc(x).mean(3).permute(0, 2, 1)
        video = F.one_hot(label.clamp(min=0), self.classes + 1).mul((label >= 0).unsqueeze(2)).amax(1).to(f.dtype)
        video[:, -1] = 1
        pick = F.one_hot(clip.clamp(min=0), self.soft.shape[1]).mul((clip >= 0).unsqueeze(1)).to(f.dtype)
        target = (pick @ self.soft.mean(0)).reshape(f.shape[0], f.shape[1], -1)
        mil, ce = 0, 0
        for z, centre in ((f, self.centre1), (f.detach(), self.centre2)):
            s = 5 * F.normalize(z, dim=2) @ F.normalize(centre, dim=1).t()
            pooled = sum((torch.softmax(a * s, 1) * s).sum(1) for a in (1, 2, 5)) / 3
            mil = mil + F.binary_cross_entropy(torch.sigmoid(2 * pooled), video)
            ce = ce - (target * torch.log_softmax(s, 2)).sum(2).mean()
            if centre is self.centre1:
                said = pick.t() @ torch.softmax(s, 2).detach().reshape(len(f), -1)
        old = self.soft[0]
        self.soft[0] = old + pick.sum(0).unsqueeze(1) * (said - old)
        return mil, 0.1 * mil + ce


class GlobalHead(nn.Module):
    """[n, c, t] -> [n, width] of unit length; one linear map, or two"""

    def __init__(self, c, width=128, mlp=False):
        super().__init__()
        self.fc1 = nn.Linear(c, c) if mlp else None
        self.fc = nn.Linear(c, width)

    def forward(self, h):
        h = h.mean(2)
        return F.normalize(self.fc(h if self.fc1 is None else F.relu(self.fc1(h))), dim=1)


class DenseHead(nn.Module):
    """[n, c, t] -> snippets [n, width, s] of unit length, their features [n, c, s], their unit mean [n, width]"""

    def __init__(self, c, snippets=19, width=128):
        super().__init__()
        self.snippets = snippets
        self.conv1 = nn.Conv1d(c, c, 1)
        self.conv2 = nn.Conv1d(c, width, 1)

    def forward(self, h):
        features = F.adaptive_avg_pool1d(h, self.snippets)
        s = self.conv2(F.relu(self.conv1(features)))
        return F.normalize(s, dim=1), features, F.normalize(s.mean(2), dim=1)


class Pretext(nn.Module):
    """Encoder, global and dense projection."""

    def __init__(self, encoder, snippets=19, dim=256, mlp=False, motion=False):
        super().__init__()
        self.enc = encoder
        self.global_head = GlobalHead(dim, mlp=mlp)
        self.dense_head = DenseHead(dim, snippets)
        self.motion_head = GlobalHead(dim) if motion else None

    def forward(self, x):
        h = self.enc(x).mean(3)
        self.h = h
        return (self.global_head(h),) + self.dense_head(h)


def match(features_q, features_k, keys):
    """For each query snippet the key of the most similar key snippet: [n, width, s], and the margin of the decision."""
    fq, fk = F.normalize(features_q, dim=1), F.normalize(features_k, dim=1)
    similarity = torch.einsum("nci,ncj->nij", fq, fk)
    best = similarity.max(2)[1]
    top = similarity.topk(min(2, similarity.shape[2]), 2)[0]
    margin = (top[..., 0] - top[..., -1]).min().item() if top.shape[2] > 1 else float("inf")
    return torch.gather(keys, 2, best.unsqueeze(1).expand(-1, keys.shape[1], -1)), margin


def info_nce(q, k, queue, tau):
    """q, k [r, d], queue [d, length] as MoCo stores it."""
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue], 1) / tau
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))


class MoCo(nn.Module):
    """Query and momentum network, two queues, loss = global + weight * dense.  `encoder` makes one encoder of 256 channels."""

    def __init__(self, encoder=STGCN, snippets=19, length=32768, tau=0.07, momentum=0.999, weight=1.5, width=128, mlp=False, motion=False):
        super().__init__()
        self.tau, self.momentum, self.weight = tau, momentum, weight
        self.q = Pretext(encoder(), snippets, mlp=mlp, motion=motion)
        self.k = Pretext(encoder(), snippets, mlp=mlp, motion=motion)
        for p, pk in zip(self.q.parameters(), self.k.parameters()):
            pk.data.copy_(p.data)
            pk.requires_grad_(False)
        for name in ("queue_global", "queue_dense"):
            self.register_buffer(name, F.normalize(torch.randn(width, length), dim=0))
        self.pointer = 0

    @torch.no_grad()
    def move_keys(self):
        for p, pk in zip(self.q.parameters(), self.k.parameters()):
            pk.mul_(self.momentum).add_(p, alpha=1 - self.momentum)

    @torch.no_grad()
    def enqueue(self, keys, pooled):
        at = slice(self.pointer, self.pointer + len(keys))
        self.queue_global[:, at] = keys.t()
        self.queue_dense[:, at] = pooled.t()
        self.pointer = (self.pointer + len(keys)) % self.queue_global.shape[1]

    def forward(self, view_q, view_k, move=True):
        """Loss, its two parts, and {keys, pooled} to be enqueued; the caller enqueues."""
        z, s, features, _ = self.q(view_q)
        with torch.no_grad():
            if move:
                self.move_keys()
            zk, sk, features_k, pooled = self.k(view_k)
            partner, self.margin = match(features.detach(), features_k, sk)
        part = info_nce(z, zk, self.queue_global, self.tau)
        rows = [a.permute(0, 2, 1).reshape(-1, a.shape[1]) for a in (s, partner)]
        dense = info_nce(rows[0], rows[1], self.queue_dense, self.tau)
        return part + self.weight * dense, part, dense, zk, pooled

    def terms(self, views):
        """{name: value}, the loss among them, of one step on views [n, 3, t, v, m]."""
        loss, part, dense, _, _ = self(*views)
        return {"loss": loss, "global": part, "dense": dense}


def _log_softmax(q, k, queue, tau):
    """Over the key and the queue: [r, 1 + length]."""
    return F.log_softmax(torch.cat([(q * k).sum(1, keepdim=True), q @ queue], 1) / tau, 1)


def _match_distributions(target, logp):
    return -(target.detach().exp() * logp).sum(1).mean()


def _multi_nce(logp, positive):
    return -((positive * logp).sum(1) / positive.sum(1)).mean()


def energy_mask(x, keep=0.7, floor=1e-4):
    """[n, c, t, v] -> factor of the same shape, and how near a decision comes to `keep`."""
    n, c, t, v = x.shape
    d2 = (x - x.mean(dim=(2, 3), keepdim=True)) ** 2
    a = torch.sigmoid(d2 / (4 * (d2.sum(dim=(2, 3), keepdim=True) / (t * v - 1) + floor)) + 0.5)
    joint = a.mean(dim=(1, 2))                                    # [n, v]
    margin = min((a - keep).abs().min().item(), (joint - keep).abs().min().item())
    spatial, temporal = (joint < keep).to(x.dtype), (a < keep).to(x.dtype)
    spatial = spatial * (spatial.numel() / spatial.sum().clamp(min=1))
    temporal = temporal * (temporal.numel() / temporal.sum().clamp(min=1))
    return spatial[:, None, None, :] * temporal, margin


class Mining(MoCo):
    """What AimCLR, HiCLR and RVTCLR share: distributions of similarities, and nearest queue rows as positives once `mine` is set."""

    def __init__(self, *arguments, mine=False, **options):
        super().__init__(*arguments, **options)
        self.mine = mine

    def dense_loss(self, query, key):
        """query, key: what Pretext gave."""
        partner, self.margin = match(query[2].detach(), key[2], key[1])
        rows = [a.permute(0, 2, 1).reshape(-1, a.shape[1]) for a in (query[1], partner)]
        return info_nce(rows[0], rows[1], self.queue_dense, self.tau)

    def positives(self, distributions):
        mask = torch.zeros_like(distributions[0])
        mask[:, 0] = 1
        for logp in distributions if self.mine else []:
            best = logp[:, 1:].detach().topk(2, 1)
            self.margin = min(self.margin, (best[0][:, 0] - best[0][:, 1]).min().item())
            mask[torch.arange(len(mask)), 1 + best[1][:, 0]] = 1
        return mask


class AimCLR(Mining):
    def terms(self, views):
        query = self.q(views[0])
        strong = self.q.enc(views[2])
        with torch.no_grad():
            left, drop_margin = energy_mask(strong)
            self.move_keys()
            key = self.k(views[1])
        p = [_log_softmax(z, key[0], self.queue_global, self.tau)
             for z in (query[0], self.q.global_head(strong.mean(3)), self.q.global_head((strong * left).mean(3)))]
        dense = self.dense_loss(query, key)
        part = _multi_nce(p[0], self.positives(p))
        matched = [_match_distributions(p[0], other) for other in p[1:]]
        self.margin = min(self.margin, drop_margin)
        loss = part + 0.5 * (matched[0] + matched[1]) + self.weight * dense
        return {"loss": loss, "global": part, "d3m_strong": matched[0], "d3m_dropped": matched[1], "dense": dense}


class HiCLR(Mining):
    def __init__(self, *arguments, masked=0.1, **options):
        super().__init__(*arguments, **options)
        self.masked = masked
        self.value = nn.Parameter(torch.zeros(()))

    def terms(self, views):
        n, c, t, v, m = views[3].shape
        draw = uniform(0, 0, 1, t * v).reshape(t, v)
        hidden = torch.from_numpy(draw.argsort(1, kind="stable").argsort(1, kind="stable") < int(self.masked * v))[None, None, :, :, None]
        query = self.q(views[0])
        strong = self.q.global_head(self.q.enc(views[2]).mean(3))
        masked = self.q.global_head(self.q.enc(torch.where(hidden, self.value, views[3])).mean(3))
        with torch.no_grad():
            self.move_keys()
            key = self.k(views[1])
        p = [_log_softmax(z, key[0], self.queue_global, self.tau) for z in (query[0], strong, masked)]
        dense = self.dense_loss(query, key)
        part = _multi_nce(p[0], self.positives(p))
        matched = [_match_distributions(a, b) for a, b in zip(p, p[1:])]
        loss = part + 0.5 * (matched[0] + matched[1]) + self.weight * dense
        return {"loss": loss, "global": part, "d3m_strong": matched[0], "d3m_masked": matched[1], "dense": dense}


PARTS = [[0, 1, 2, 3, 20], [16, 17, 18, 19], [12, 13, 14, 15], [8, 9, 10, 11, 23, 24], [4, 5, 6, 7, 21, 22]]


class PartHead(nn.Module):
    """[n, c, t, v] -> [n, width] of unit length"""

    def __init__(self, c=256):
        super().__init__()
        self.narrow = nn.Conv2d(c, c // 2, 1, bias=False)
        self.wide = nn.Conv2d(c // 2, c, 1, bias=False)
        self.g = nn.Conv2d(c, c // 2, 1)
        self.theta = nn.Conv1d(c, c // 2, 1)
        self.phi = nn.Conv1d(c, c // 2, 1)
        self.back = nn.Conv2d(c // 2, c, 1)
        self.bn = nn.BatchNorm2d(c)
        self.head = GlobalHead(c, mlp=True)

    def forward(self, x):
        parts = torch.stack([x[..., joints].mean(3) for joints in PARTS], 3)
        x = self.wide(F.relu(self.narrow(parts)))
        m = x.mean(3)
        attention = torch.softmax(torch.einsum("nct,ncs->nts", self.theta(m), self.phi(m)), 2)
        seen = torch.einsum("nts,ncsv->nctv", attention, self.g(x))
        return self.head((x + self.bn(self.back(seen))).mean(3))


class RVTCLR(Mining):
    """The queue is fed with the keys of the other tempo."""

    def __init__(self, *arguments, ranking=1.0, **options):
        super().__init__(*arguments, motion=True, **options)
        self.ranking = ranking
        self.parts = PartHead()

    def terms(self, views):
        n, c, t, v, m = views[0].shape
        rank = uniform(0, 0, 1, n).argsort(kind="stable").argsort(kind="stable")
        fast = torch.from_numpy(rank < n // 2)[:, None, None, None, None]
        own, double = [x[:, :, :t // 2] for x in views[:2]], [x[:, :, :t // 2 * 2:2] for x in views[:2]]
        query = self.q(torch.where(fast, double[0], own[0]))
        motion = self.q.motion_head(self.q.h)
        whole = self.parts(self.q.enc(views[2]))
        with torch.no_grad():
            self.move_keys()
            other = self.k(torch.where(fast, own[1], double[1]))
            motion_other = self.k.motion_head(self.k.h)
            key = self.k(torch.where(fast, double[1], own[1]))
            motion_key = self.k.motion_head(self.k.h)
        p_key, p_other, p_whole = [_log_softmax(z, k, self.queue_global, self.tau) for z, k in ((query[0], key[0]), (query[0], other[0]), (whole, key[0]))]
        dense = self.dense_loss(query, key)
        positive = self.positives([p_key, p_whole])
        gap = (motion * (motion_key - motion_other)).sum(1) / self.tau
        self.margin = min(self.margin, (self.ranking - gap).abs().min().item())
        terms = {"global": _multi_nce(p_key, positive), "global_other": _multi_nce(p_other, positive),
                 "rank": F.relu(self.ranking - gap).mean(), "d3m": _match_distributions(p_key, p_whole)}
        return {"loss": sum(terms.values()) + self.weight * dense, "dense": dense, **terms}


def uniform(seed, step, stream, n):
    """The first n random numbers of a stream inside a program (codegen/random.c): float32 in [0, 1)."""
    word = lambda x: x & 0xFFFFFFFF
    c, key = [0, stream, word(step), word(step >> 32) & 0xFFFF | 5 << 16], [word(seed), word(seed >> 32)]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ key[0], word(b), a >> 32 ^ c[3] ^ key[1], word(a)]
        key = [word(key[0] + 0x9E3779B9), word(key[1] + 0xBB67AE85)]
    x = np.arange(n, dtype=np.uint64) + c[0] & 0xFFFFFFFF
    x = (x ^ x >> 17) * 0xed5ad4bb & 0xFFFFFFFF ^ c[1]
    x = ((x ^ x >> 11) * 0xac4c1b51 & 0xFFFFFFFF) + c[2] & 0xFFFFFFFF
    x = (x ^ x >> 15) * 0x31848bab & 0xFFFFFFFF ^ c[3]
    return ((x ^ x >> 14) >> 8).astype(np.float32) * np.float32(2.0 ** -24)


# --- names and layouts of sinew ---------------------------------------------------------------------------------------------------------

def _names_stgcn(m, prefix):
    """(sinew name, tensor, kind) of an encoder: parameters, then running statistics."""
    yield from _names_norm(m.norm, prefix + "norm", "joints")
    for i, block in enumerate(m.blocks):
        p = prefix + f"block{i + 1}."
        yield p + "importance", m.importance[i], "same"
        yield p + "conv.w", block.gcn.conv.weight, "conv1x1"
        yield p + "conv.b", block.gcn.conv.bias, "same"
        yield from _names_norm(block.bn1, p + "bn1", "same")
        yield p + "tcn.w", block.tcn.weight, "temporal"
        yield p + "tcn.b", block.tcn.bias, "same"
        yield from _names_norm(block.bn2, p + "bn2", "same")
        if block.res is not None:
            yield p + "res.conv.w", block.res[0].weight, "temporal"
            yield p + "res.conv.b", block.res[0].bias, "same"
            yield from _names_norm(block.res[1], p + "res.bn", "same")


def _names_agcn(m, prefix):
    if m.norm is not None:
        yield from _names_norm(m.norm, prefix + "norm", "joints")
    for i, block in enumerate(m.blocks):
        p = prefix + (f"block{i + 1}." if not isinstance(m, UNIK) else f"block{i}." if i else "first.")
        gcn = block.gcn
        yield p + "gcn.learned", gcn.learned, "same"
        yield p + "gcn.w", gcn.weight, "sets"
        yield p + "gcn.b", gcn.bias, "same"
        for name, conv in (("theta", gcn.theta), ("phi", gcn.phi)):
            yield p + f"gcn.{name}.w", conv.weight, "conv1x1"
            yield p + f"gcn.{name}.b", conv.bias, "same"
        yield from _names_norm(gcn.bn, p + "gcn.bn", "same")
        yield p + "tcn.w", block.tcn.weight, "temporal"
        yield p + "tcn.b", block.tcn.bias, "same"
        yield from _names_norm(block.bn, p + "bn", "same")
        for name, pair in (("gcn.down", gcn.down), ("res", block.res)):
            if pair is not None:
                yield p + name + ".conv.w", pair[0].weight, "temporal"
                yield p + name + ".conv.b", pair[0].bias, "same"
                yield from _names_norm(pair[1], p + name + ".bn", "same")


def _names_hyper(m, prefix):
    yield prefix + "position", m.position, "joints"
    yield prefix + "embed.w", m.embed.weight, "linear"
    yield prefix + "embed.b", m.embed.bias, "same"
    yield from _names_norm(m.norm, prefix + "norm", "joints")
    for i, block in enumerate(m.blocks):
        gcn, tcn, p = block.gcn, block.tcn, prefix + f"l{i + 1}."
        for name in ("virtual", "importance", "alpha"):
            yield p + "gcn." + name, getattr(gcn, name), "same"
        for name, conv in (("incidence.place", gcn.place), ("weight.fc1", gcn.fc1), ("features", gcn.features)):
            yield p + f"gcn.{name}.w", conv.weight, f"groups{gcn.k}"
            yield p + f"gcn.{name}.b", conv.bias, f"groups{gcn.k}"
        yield p + "gcn.weight.fc2.w", gcn.fc2.weight, "conv1x1"
        yield p + "gcn.weight.fc2.b", gcn.fc2.bias, "same"
        yield from _names_norm(gcn.bn, p + "gcn.bn", "same")
        for fc, conv in (("tcn.near.narrow", tcn.fc[0]), ("tcn.near.conv", tcn.conv[0]), ("tcn.far.narrow", tcn.fc[1]), ("tcn.far.conv", tcn.conv[1]),
                         ("tcn.peak.narrow", tcn.fc[2]), ("tcn.plain.conv", tcn.fc[3])):
            yield p + fc + ".w", conv.weight, "temporal"
            yield p + fc + ".b", conv.bias, "same"
        for name, bn in (("near.bn1", tcn.bn1[0]), ("near.bn2", tcn.bn2[0]), ("far.bn1", tcn.bn1[1]), ("far.bn2", tcn.bn2[1]),
                         ("peak.bn1", tcn.bn1[2]), ("peak.bn2", tcn.bn2[2]), ("plain.bn", tcn.bn1[3])):
            yield from _names_norm(bn, p + "tcn." + name, "same")
        for name, pair in (("gcn.down", gcn.down), ("res", block.res)):
            if pair is not None:
                yield p + name + ".conv.w", pair[0].weight, "temporal"
                yield p + name + ".conv.b", pair[0].bias, "same"
                yield from _names_norm(pair[1], p + name + ".bn", "same")


def _names_norm(m, prefix, kind):
    for theirs, ours in (("gamma", m.weight), ("beta", m.bias), ("running_mean", m.running_mean), ("running_var", m.running_var)):
        yield f"{prefix}.{theirs}", ours, kind


def _names_encoder(m, prefix):
    return {STGCN: _names_stgcn, HyperGCN: _names_hyper}.get(type(m), _names_agcn)(m, prefix)


def _names_linear(m, prefix):
    yield prefix + ".w", m.weight, "linear" if m.weight.dim() == 2 else "conv1x1"
    if m.bias is not None:
        yield prefix + ".b", m.bias, "same"


def _names_head(m, prefix):
    for name, linear in (("fc1", m.fc1), ("fc", m.fc)):
        if linear is not None:
            yield from _names_linear(linear, prefix + name)


def _names_parts(m, prefix):
    for name in ("narrow", "wide"):
        yield from _names_linear(getattr(m, name), prefix + name)
    for name in ("g", "theta", "phi", "back"):
        yield from _names_linear(getattr(m, name), prefix + "block." + name)
    yield from _names_norm(m.bn, prefix + "block.bn", "same")
    yield from _names_head(m.head, prefix + "G.")


def _names_pretext(m, prefix):
    yield from _names_encoder(m.enc, prefix + "enc.")
    yield from _names_head(m.global_head, prefix + "G.")
    if m.motion_head is not None:
        yield from _names_head(m.motion_head, prefix + "M.")
    for i, conv in ((1, m.dense_head.conv1), (2, m.dense_head.conv2)):
        yield f"{prefix}D.fc{i}.w", conv.weight, "conv1x1"
        yield f"{prefix}D.fc{i}.b", conv.bias, "same"


def _names_unet(m, prefix):
    for key, conv in m.conv.items():
        a, b = map(int, key.split("_"))
        p = prefix + "below." * (a - 1) + f"b{b}."
        yield p + "conv.w", conv.weight, "temporal"
        yield p + "conv.b", conv.bias, "same"
        if key in m.bn:
            yield from _names_norm(m.bn[key], p + "bn", "same")


def names(module):
    """(sinew name, tensor, layout kind) of every weight, state and queue of a module."""
    if isinstance(module, UNet):
        yield from _names_unet(module, "")
        return
    if isinstance(module, Weak):
        yield from _names_encoder(module.enc, "net.enc.")
        for i, centre in ((1, module.centre1), (2, module.centre2)):
            yield f"net.fc{i}.centre", centre, "same"
        yield "soft", module.soft, "same"
        return
    if isinstance(module, Tagger):
        yield from _names_encoder(module.enc, "net.enc.")
        if module.unet:
            yield from _names_unet(module.unet, "net.unet.")
        yield "net.fc.fc.w", module.fc.weight, "linear"
        yield "net.fc.fc.b", module.fc.bias, "same"
        return
    if isinstance(module, Stream):
        return
    if isinstance(module, (STGCN, AGCN, HyperGCN)):
        yield from _names_encoder(module, "")
    elif isinstance(module, Pretext):
        yield from _names_pretext(module, "")
    else:
        yield from _names_pretext(module.q, "q.")
        yield from _names_pretext(module.k, "k.")
        if isinstance(module, HiCLR):
            yield "mask.value", module.value, "same"
        if isinstance(module, RVTCLR):
            yield from _names_parts(module.parts, "parts.")
        yield "queue_global", module.queue_global, "linear"
        yield "queue_dense", module.queue_dense, "linear"


def to_torch(array, kind, shape):
    """sinew's array in the layout of the module."""
    a = np.asarray(array)
    if kind in ("linear", "conv1x1"):      # [in, out] -> [out, in, 1...]; queues [length, width] -> [width, length]
        a = a.T
    elif kind == "temporal":               # [kernel, in, out] -> [out, in, kernel, 1]
        a = a.transpose(2, 1, 0)
    elif kind == "sets" or kind.startswith("groups") and a.ndim == 3:  # [k, in, out] -> [k, out, in]; of groups on to [k*out, in, 1...]
        a = a.transpose(0, 2, 1)
    return a.reshape(shape)                # "joints": [v, c] -> [v*c]


def to_sinew(array, kind):
    """The reverse of to_torch."""
    a = np.asarray(array)
    if kind in ("linear", "conv1x1"):
        return a.reshape(a.shape[:2]).T
    if kind == "temporal":
        return a.reshape(a.shape[:3]).transpose(2, 1, 0)
    if kind == "sets":
        return a.transpose(0, 2, 1)
    if kind.startswith("groups"):
        a = a.reshape(int(kind[6:]), -1, *a.shape[1:2])
        return a.transpose(0, 2, 1) if a.ndim == 3 else a
    return a.reshape(JOINTS, -1) if kind == "joints" else a


@torch.no_grad()
def load(module, tensors):
    """Fill a module from {sinew name: array}; every tensor of the module must be there and have its size."""
    for name, t, kind in names(module):
        if name not in tensors or tensors[name].size != t.numel():
            raise ValueError(f"{name}: expected {tuple(t.shape)}, found {tensors[name].shape if name in tensors else 'nothing'}")
        t.copy_(torch.from_numpy(to_torch(tensors[name], kind, tuple(t.shape)).copy()))
    return module


def gradients(module):
    """{sinew name: gradient in sinew's layout} of everything that has one."""
    return {name: to_sinew(t.grad.numpy(), kind) for name, t, kind in names(module) if t.grad is not None}


def states(module):
    """{sinew name: running statistics in sinew's layout}."""
    return {name: to_sinew(t.numpy(), kind) for name, t, kind in names(module) if ".running_" in name or name == "soft"}
