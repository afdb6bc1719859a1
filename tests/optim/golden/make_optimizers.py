"""Golden runs: 20 steps of PyTorch's optimizers on a network. Usage: python3 make_optimizers.py [FILE]

Writes FILE, optimizers.npz beside this script unless it is given; the same packages write the same bytes.
The recorded file was made on Debian 12 with its packages python3-torch and python3-numpy; its array
`made_with` holds the versions. torch_test.cpp compares the library's optimizers with it, golden_made_test.py
it with this script.

The network is Linear(3, 7), Tanh, Linear(7, 2) in double under the mean squared error over all of 6 samples.
Its numbers, the samples and the targets are whole multiples of 1/1024 from
numpy.random.RandomState(5).randint.

  problem.params  [P]       where every run begins, in PyTorch's order
  problem.x       [6, 3]    samples
  problem.y       [6, 2]    targets
  NAME.points     [20, P]   the point after each step
  NAME.values     [20]      the loss before each step"""
import pathlib
import platform
import shutil
import subprocess
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

RECORD = pathlib.Path(__file__).with_name("optimizers.npz")
STEPS = 20
INPUTS = {"params", "x", "y"}  # what is given; the rest is computed from it


def runs():
    """Name and optimizer of each run; torch_test.cpp has the same."""
    o = torch.optim
    return {
        "sgd": lambda p: o.SGD(p, lr=0.1),
        "sgd_momentum": lambda p: o.SGD(p, lr=0.05, momentum=0.9),
        "sgd_nesterov": lambda p: o.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
        "sgd_decay": lambda p: o.SGD(p, lr=0.1, momentum=0.5, weight_decay=0.1),
        "adam": lambda p: o.Adam(p, lr=0.02),
        "adam_numbers": lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3),
        "adam_amsgrad": lambda p: o.Adam(p, lr=0.05, betas=(0.9, 0.5), amsgrad=True),
        "adam_decay": lambda p: o.Adam(p, lr=0.02, weight_decay=0.1),
        "adamw": lambda p: o.AdamW(p, lr=0.02, weight_decay=0.1),
        "adamw_amsgrad": lambda p: o.AdamW(p, lr=0.05, betas=(0.9, 0.5), weight_decay=0.05, amsgrad=True),
        "rmsprop": lambda p: o.RMSprop(p, lr=0.01),
        "rmsprop_numbers": lambda p: o.RMSprop(p, lr=0.01, alpha=0.7, eps=1e-4),
        "adagrad": lambda p: o.Adagrad(p, lr=0.1),
    }


def draw(stream, shape):
    """Multiples of 1/1024 between -1 and 1."""
    return torch.tensor(stream.randint(-1024, 1025, shape) / 1024, dtype=torch.float64)


def flat(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()])


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
    stream = np.random.RandomState(5)
    net = nn.Sequential(nn.Linear(3, 7), nn.Tanh(), nn.Linear(7, 2)).double()
    start = draw(stream, flat(net).shape)
    x, y = draw(stream, (6, 3)), draw(stream, (6, 2))
    found = {"problem.params": start, "problem.x": x, "problem.y": y}
    for name, optimizer_of in runs().items():
        nn.utils.vector_to_parameters(start.clone(), net.parameters())
        optimizer, points, values = optimizer_of(net.parameters()), [], []
        for _ in range(STEPS):
            optimizer.zero_grad()
            value = functional.mse_loss(net(x), y)
            value.backward()
            optimizer.step()
            values.append(value.detach())
            points.append(flat(net))
        found |= {f"{name}.points": torch.stack(points), f"{name}.values": torch.stack(values)}
    return {name: array.numpy() for name, array in found.items()} | {"made_with": np.array(versions())}


if __name__ == "__main__":
    np.savez(sys.argv[1] if len(sys.argv) > 1 else RECORD, **make())
