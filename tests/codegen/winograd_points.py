#!/usr/bin/python3
"""Rounding errors of fast convolutions over time for several sets of points (codegen/winograd.h): nine taps as short correlations within short correlations,
and the five and four of stride 2 as one.
Not a test of the kernels: gemm_test.c.  Needs python3-numpy; prints the table of codegen/README.md.

256 channels to 32, inputs after a ReLU, weights of deviation 0.02; float32 beside float64; the worst and the mean of three draws each."""
from fractions import Fraction as F

import numpy as np

CHANNELS, COLUMNS, ROWS = 256, 32, 16
H = F(1, 2)
USUAL, EVEN = (0, 1, -1, 2), (0, -1, H, 2)
FIVE, SEVEN = (0, F(3, 4), F(-3, 4), F(3, 2), F(-3, 2)), (0, 1, -1, H, -H, 2, -2)
# points of taps and of groups, or of all taps; how many taps
SETS = [(USUAL, (0, 1, -1), 9), (USUAL, USUAL, 9), (EVEN, EVEN, 9), (EVEN, (0, 1, -1, 2, H), 9), (EVEN, FIVE, 9), (EVEN, (0, 1, -1, H, -H, 2), 9), (EVEN, SEVEN, 9),
        (SEVEN, None, 5), (SEVEN[:6], None, 4)]


def vanishing(points):
    """Coefficients of the polynomial that is 0 at the points, lowest first."""
    out = [F(1)]
    for p in points:
        out = [(out[i - 1] if i else 0) - (p * out[i] if i < len(out) else 0) for i in range(len(out) + 1)]
    return out


def tables(points, taps=3):
    """Rows of a point each, infinity last: of taps, of operands, of results."""
    n, points = len(points) + 1, [F(p) for p in points]
    results = n - taps + 1
    tap, source, result = np.zeros((n, taps)), np.zeros((n, n)), np.zeros((n, results))
    for i, p in enumerate(points):
        others = points[:i] + points[i + 1:]
        scale = np.prod([p - q for q in others])
        tap[i] = [float(p**k / scale) for k in range(taps)]
        source[i, :n - 1] = [float(c) for c in vanishing(others)]
        result[i] = [float(p**k) for k in range(results)]
    tap[-1, -1] = result[-1, -1] = 1
    source[-1] = [float(c) for c in vanishing(points)]
    return [t.astype(np.float32) for t in (tap, source, result)]


def multiply(parts, weights):
    """Component by component, one channel after the other, as the micro-kernel adds."""
    products = np.zeros((*parts.shape[:2], ROWS, COLUMNS), np.float32)
    for k in range(CHANNELS):
        products += parts[..., k, None] * weights[:, :, None, k]
    return products


def fast(x, w, inner, outer):
    """outer: of the groups of three taps; without groups one point with factor 1."""
    (tap, source, result), (tap2, source2, result2) = inner, outer
    n, m = result.shape
    n2, m2 = result2.shape
    parts = np.stack([np.einsum("ab,bvk->avk", source, x[t * m:t * m + n]) for t in range(n2)])
    parts = np.einsum("cd,davk->acvk", source2, parts)
    weights = np.einsum("cg,agko->acko", tap2, np.einsum("ar,grko->agko", tap, w.reshape(tap2.shape[1], tap.shape[1], CHANNELS, COLUMNS)))
    sums = np.einsum("cq,acvo->aqvo", result2, multiply(parts, weights))
    return np.einsum("am,aqvo->qmvo", result, sums).reshape(m * m2, ROWS, COLUMNS)


def main():
    random = np.random.default_rng(0)
    one = [np.ones((1, 1), np.float32)] * 3
    print("taps  points; of groups                    products a frame  largest  mean")
    for points, points2, taps in SETS:
        inner, outer = tables(points, 3 if points2 else taps), tables(points2) if points2 else one
        frames, errors = inner[2].shape[1] * outer[2].shape[1], []
        for _ in range(3):
            x = np.maximum(random.standard_normal((frames + taps - 1, ROWS, CHANNELS)), 0).astype(np.float32)
            w = (0.02 * random.standard_normal((taps, CHANNELS, COLUMNS))).astype(np.float32)
            true = sum(np.einsum("tvk,ko->tvo", x[k:k + frames].astype(float), w[k].astype(float)) for k in range(taps))
            error = np.abs(fast(x, w, inner, outer) - true) / np.abs(true).max()
            errors.append((error.max(), np.sqrt((error**2).mean())))
        name = "; ".join(", ".join(map(str, p)) for p in (points, points2) if p)
        print(f"{taps:4}  {name:36} {len(inner[0]) * len(outer[0]) / frames:16.2f}  {max(e[0] for e in errors):.1e}  {np.mean([e[1] for e in errors]):.1e}")


main()
