"""2s-AGCN as an expert would write it for PyTorch on a CPU: the modules of tests/models/reference.py rewritten in place for speed.
Not another model: weights are the same tensors and the numbers agree.

Activations stay [n, c, v, t] in channels-last memory, that is [n, v, t, c] with joints before frames, and so every product with a
graph and every affinity is one batched matrix product per subset on views without a copy:

    mixed[w, t*c] = graph^T[w, v] x[v, t*c]             affinity[v, w] = theta[v, t*inter] phi[w, t*inter]^T

Temporal convolutions are 1x9 instead of 9x1.
"""
import types

import torch
import torch.nn as nn
import torch.nn.functional as F

LAST = torch.channels_last


def adaptive_forward(self, x, a):
    """AdaptiveGraphConv for [n, c, v, t]."""
    n, c, v, t = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n, v, t * c)
    embedded = torch.cat([self.theta.weight, self.phi.weight]).flatten(1), torch.cat([self.theta.bias, self.phi.bias])
    parts = [F.linear(rows.view(n, v, t, c), w, b).view(n, v, -1) for w, b in zip(embedded[0].chunk(2 * self.k), embedded[1].chunk(2 * self.k))]
    z = None
    for k in range(self.k):
        own = torch.softmax(torch.bmm(parts[k], parts[self.k + k].transpose(1, 2)) / parts[k].shape[2], 1)
        mixed = torch.bmm((a[k] + self.learned[k] + own).transpose(1, 2), rows).view(n * v * t, c)
        w = self.weight[k].t()
        z = torch.addmm(self.bias.sum(0), mixed, w) if z is None else torch.addmm(z, mixed, w)
    z = z.view(n, v, t, -1).permute(0, 3, 1, 2)
    return F.relu(self.bn(z) + (x if self.down is None else self.down(x)))


def stacked_forward(self, x, a):
    """The same with the subsets' graphs in one product and their maps of channels in one."""
    n, c, v, t = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n, v, t * c)
    theta, phi = (conv(x).view(n, self.k, self.inter, v, t).permute(0, 1, 3, 4, 2).reshape(n * self.k, v, -1) for conv in (self.theta, self.phi))
    own = torch.softmax(torch.bmm(theta, phi.transpose(1, 2)).view(n, self.k, v, v) / theta.shape[2], 2)
    graphs = (a + self.learned + own).transpose(2, 3).reshape(n, self.k * v, v)
    mixed = torch.bmm(graphs, rows).view(n, self.k, v, t, c).permute(0, 2, 3, 1, 4).reshape(n * v * t, self.k * c)
    z = torch.addmm(self.bias.sum(0), mixed, self.weight.transpose(1, 2).reshape(self.k * c, -1))
    z = z.view(n, v, t, -1).permute(0, 3, 1, 2)
    return F.relu(self.bn(z) + (x if self.down is None else self.down(x)))


def encoder_forward(self, x):
    """AGCN for [n, 3, t, v, m]; the result is [n*m, dim, t', v] as a view."""
    n, c, t, v, m = x.shape
    x = x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)
    x = self.norm(x) if self.norm is not None else x
    x = x.view(n * m, v, c, t).transpose(1, 2).contiguous(memory_format=LAST)
    for block in self.blocks:
        x = block(x, self.a)
    return x.transpose(2, 3)


def joint_major(encoder, stacked=False):
    for m in encoder.modules():
        if isinstance(m, nn.Conv2d):
            m.weight.data = m.weight.data.transpose(2, 3).contiguous(memory_format=LAST)
            m.kernel_size, m.stride, m.padding = m.kernel_size[::-1], m.stride[::-1], m.padding[::-1]
            m._reversed_padding_repeated_twice = [p for p in m.padding[::-1] for _ in range(2)]
        if type(m).__name__ == "AdaptiveGraphConv":
            m.forward = types.MethodType(stacked_forward if stacked else adaptive_forward, m)
    encoder.forward = types.MethodType(encoder_forward, encoder)
