"""PyTorch's side of benchmarks/operations.cpp: the same names, numbers of double precision, one thread.

Usage: operations.py [SECONDS_A_ROW]. Prints JSON: a name and [microseconds of the value, with the gradient]."""
import json
import statistics
import sys
import time

import torch

torch.set_num_threads(1)
torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
BUDGET = float(sys.argv[1]) if len(sys.argv) > 1 else 0.05
F = torch.nn.functional


def microseconds(work):
    work()
    start = time.perf_counter()
    work()
    many = max(1, int(20e-6 / max(time.perf_counter() - start, 1e-9)))
    found = []
    end = time.perf_counter() + BUDGET
    while len(found) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(many):
            work()
        found.append((time.perf_counter() - start) / many * 1e6)
    return statistics.median(found)


def row(x, operation):
    leaf = x.clone().requires_grad_()

    def gradient():
        torch.autograd.grad(operation(leaf).sum(), leaf)

    with torch.no_grad():
        value = microseconds(lambda: operation(x))
    return [value, microseconds(gradient)]


def elementwise(n):
    x, y = torch.rand(n) + 0.5, torch.rand(n) + 0.5
    positive = {
        "add": lambda v: v + y, "sub": lambda v: v - y, "mul": lambda v: v * y, "div": lambda v: y / v,
        "scale": lambda v: 1.7 * v, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "square": torch.square,
        "pow": lambda v: torch.pow(v, 1.7), "maximum": lambda v: torch.maximum(v, y),
        "minimum": lambda v: torch.minimum(v, y), "dot": lambda v: torch.dot(v, y),
    }
    signs = torch.randn(n)
    anywhere = {
        "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": F.softplus,
        "erf": torch.erf, "gelu": F.gelu, "silu": F.silu, "elu": F.elu, "relu": torch.relu,
        "leaky_relu": F.leaky_relu, "abs": torch.abs, "clip": lambda v: torch.clip(v, -1.0, 1.0),
        "where": lambda v: torch.where(y < 1.0, v, y), "sum": torch.sum, "mean": torch.mean, "norm": torch.norm,
        "variance": lambda v: torch.var(v, unbiased=False),
    }
    return [(name, x, f) for name, f in positive.items()] + [(name, signs, f) for name, f in anywhere.items()]


def of_rows(n):
    rows = n // 10
    x, r, s, w = torch.randn(rows, 10), torch.randn(10), torch.randn(rows, 1), torch.randn(10, 10)
    index = torch.arange(rows) * 7 % rows
    return [(name, x, f) for name, f in {
        "sum over rows": lambda v: v.sum(0), "sum of rows": lambda v: v.sum(1),
        "max over rows": lambda v: v.amax(0), "max of rows": lambda v: v.amax(1), "min of rows": lambda v: v.amin(1),
        "log_sum_exp of rows": lambda v: torch.logsumexp(v, 1), "softmax of rows": lambda v: torch.softmax(v, 1),
        "log_softmax of rows": lambda v: torch.log_softmax(v, 1), "add_rows": lambda v: v + r,
        "mul_rows": lambda v: v * r, "scale_rows": lambda v: v * s, "matmul by 10 x 10": lambda v: v @ w,
        "matmul by a vector": lambda v: v @ r, "transpose": lambda v: v.t().contiguous(),
        "slice": lambda v: v[:, 2:8].contiguous(), "concat": lambda v: torch.cat([v, v], 1),
        "gather_rows": lambda v: v.index_select(0, index),
    }.items()]


def of_matrices(n):
    side = round(n ** 0.5)
    u, v, a = torch.randn(side), torch.randn(side), torch.randn(side, side)
    found = [("outer", u, lambda x: torch.outer(x, v))]
    if n <= 100000:
        found.append(("matmul, square", a, lambda x: x @ x))
    return found


def of_definite():
    m, b = torch.randn(200, 200), torch.randn(200)
    a = m @ m.t() + 200 * torch.eye(200)
    return [("solve_spd/200", a, lambda x: torch.cholesky_solve(b[:, None], torch.linalg.cholesky(x))),
            ("log_det_spd/200", a, lambda x: 2 * torch.linalg.cholesky(x).diagonal().log().sum())]


found = {}
for size in (10, 1000, 1000000):
    for name, point, f in [*elementwise(size), *of_rows(size), *of_matrices(size)]:
        found[f"{name}/{size}"] = row(point, f)
for name, point, f in of_definite():
    found[name] = row(point, f)
print(json.dumps({"torch": torch.__version__, "rows": found}))
