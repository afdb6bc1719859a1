"""Golden numbers: what PyTorch says of four small networks. Usage: /usr/bin/python3 make_golden.py [FILE]

Writes FILE, golden.npz beside this script unless it is given; the same packages write the same bytes. The
recorded file was made on Debian 12 with its packages python3-torch and python3-numpy; its array `made_with`
holds the versions. golden_test.cpp compares the library with the recorded file, golden_made_test.py the
recorded file with this script.

Networks are PyTorch's own modules in double, so parameters have PyTorch's names and order. Their numbers, the
samples, the targets and the direction are whole multiples of 1/1024, drawn by
numpy.random.RandomState(seed).randint, whose stream NumPy has frozen: they do not depend on a machine's libm.
No leaky ReLU is closer than MARGIN to its kink, where the conventions differ.

With n samples, d inputs, C outputs, P parameters, each network NAME has the arrays

  NAME.names      [blocks] text: "0.weight [7, 3]", ..., in the order of the flat vector
  NAME.params     [P]        the flat vector w
  NAME.x          [n, d]     samples
  NAME.y          targets: [n, C] numbers (mse), [n] classes or [n, C] probabilities (cross_entropy)
  NAME.direction  [P]        v
  NAME.outputs    [n, C]     f(w, x)
  NAME.value      []         loss(f(w, x), y), the mean over elements (mse) or samples (cross_entropy)
  NAME.grad       [P]        its gradient by w
  NAME.grad_x     [n, d]     and by x
  NAME.hvp        [P]        its Hessian by w, times v
  NAME.jacobian   [n*C, P]   row (i, c) is the gradient of f(w, x[i:i+1])[c] by w, each from a pass of its own
  NAME.jacobian_x [n*C, d]   and by x[i]
  NAME.kernel     [n*C, n*C] the tangent kernel, jacobian times its transpose"""
import pathlib
import platform
import shutil
import subprocess
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.stateless import functional_call

RECORD = pathlib.Path(__file__).with_name("golden.npz")
SAMPLES = 5
MARGIN = 0.01
INPUTS = {"names", "params", "x", "y", "direction"}  # what is given; the rest is computed from it


class Residual(nn.Module):
    """x + body(x)"""

    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.body(x)


def networks():
    """Name, network, inputs, loss and kind of targets. GELU is x Phi(x) by erf, PyTorch's default."""
    return [
        ("leaky_relu", nn.Sequential(nn.Linear(3, 7), nn.LeakyReLU(0.1), nn.Linear(7, 5), nn.LeakyReLU(0.1),
                                     nn.Linear(5, 2)), 3, functional.mse_loss, "numbers"),
        ("tanh", nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 1)), 4,
         functional.mse_loss, "numbers"),
        ("gelu", nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 4), nn.GELU(), nn.Linear(4, 3)), 3,
         functional.cross_entropy, "classes"),
        ("residual", nn.Sequential(nn.Linear(4, 5), Residual(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 5)),
                                   nn.Linear(5, 2)), 4, functional.cross_entropy, "probabilities"),
    ]


def draw(stream, shape, limit):
    """Multiples of 1/1024 between -limit and limit."""
    return torch.tensor(stream.randint(-1024 * limit, 1024 * limit + 1, shape) / 1024, dtype=torch.float64)


def draw_targets(stream, kind, outputs):
    if kind == "classes":
        return torch.tensor(stream.randint(0, outputs, SAMPLES))
    if kind == "numbers":
        return draw(stream, (SAMPLES, outputs), 2)
    first = torch.tensor(stream.randint(0, 1025, (SAMPLES, 1)) / 1024, dtype=torch.float64)
    return torch.cat([first, 1 - first], 1)  # sums to 1 exactly


def at(net, w, x):
    """net's outputs with the blocks of the flat vector w for its parameters."""
    named = dict(net.named_parameters())
    blocks = w.split([p.numel() for p in named.values()])
    return functional_call(net, {name: b.reshape(p.shape) for (name, p), b in zip(named.items(), blocks)},
                           (x,))


def check_kinks(net, w, x):
    """Exits if an input of a leaky ReLU is too close to 0."""
    seen = []
    hooks = [layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].abs().min().item()))
             for layer in net.modules() if isinstance(layer, nn.LeakyReLU)]
    at(net, w, x)
    for hook in hooks:
        hook.remove()
    if seen and min(seen) < MARGIN:
        sys.exit(f"a leaky ReLU is {min(seen)} from its kink: take another seed")


def gradient(y, x, **options):
    return torch.autograd.grad(y, x, **options)[0]


def numbers_of(net, loss, w, x, y, v):
    """What is computed, by name."""
    w, x = w.clone().requires_grad_(), x.clone().requires_grad_()
    outputs = at(net, w, x)
    value = loss(outputs, y)
    grad = gradient(value, w, create_graph=True)
    found = {"outputs": outputs, "value": value, "grad": grad,
             "grad_x": gradient(value, x, retain_graph=True),
             "hvp": gradient(grad @ v, w)}
    rows, rows_x = [], []
    for i in range(SAMPLES):
        sample = x[i:i + 1].detach().requires_grad_()
        for output in at(net, w, sample)[0]:
            rows.append(gradient(output, w, retain_graph=True))
            rows_x.append(gradient(output, sample, retain_graph=True)[0])
    jacobian = torch.stack(rows)
    return found | {"jacobian": jacobian, "jacobian_x": torch.stack(rows_x), "kernel": jacobian @ jacobian.T}


def versions():
    found = [f"Python {platform.python_version()}", f"torch {torch.__version__}", f"numpy {np.__version__}"]
    if shutil.which("dpkg-query"):
        for package in ("python3-torch", "python3-numpy"):
            asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], text=True,
                                   capture_output=True, check=False)
            found += [f"{package} {asked.stdout}"] if asked.returncode == 0 else []
    return found


def make():
    """All arrays by name."""
    torch.set_num_threads(1)
    arrays = {"made_with": np.array(versions())}
    for seed, (name, net, inputs, loss, kind) in enumerate(networks(), 1):
        net = net.double()
        stream = np.random.RandomState(seed)
        size = sum(p.numel() for p in net.parameters())
        w, x, v = draw(stream, size, 1), draw(stream, (SAMPLES, inputs), 2), draw(stream, size, 1)
        y = draw_targets(stream, kind, at(net, w, x).shape[1])
        check_kinks(net, w, x)
        names = [f"{block} {list(p.shape)}" for block, p in net.named_parameters()]
        found = {"names": np.array(names), "params": w, "x": x, "y": y, "direction": v}
        found |= numbers_of(net, loss, w, x, y, v)
        for key, numbers in found.items():
            arrays[f"{name}.{key}"] = numbers if key == "names" else numbers.detach().numpy()
    return arrays


if __name__ == "__main__":
    file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else RECORD
    np.savez(file, **make())
    print(f"{file}: {file.stat().st_size} bytes, made with {', '.join(versions())}")
