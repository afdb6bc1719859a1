"""The recorded golden numbers are those that a script makes, to 1e-12 of an array's largest entry.

Usage: golden_made_test.py SCRIPT. The script has RECORD, the file, make(), all arrays by name, and INPUTS,
the last parts of names of what must be equal bit for bit. It runs where this Python or Debian's has PyTorch;
else it exits 77 (skipped)."""
import importlib
import os
import pathlib
import sys

SKIPPED = 77
DEBIAN_PYTHON = "/usr/bin/python3"
TOLERANCE = 1e-12

try:
    import torch  # noqa: F401
except ImportError:
    if sys.executable != DEBIAN_PYTHON and os.path.exists(DEBIAN_PYTHON):
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, "-B", *sys.argv])
    print("skipped: install python3-torch")
    sys.exit(SKIPPED)

import numpy as np  # noqa: E402

SCRIPT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(SCRIPT.parent))
golden = importlib.import_module(SCRIPT.stem)


def difference(made, recorded):
    """The largest difference over the largest entry recorded; infinite between arrays of different kinds."""
    if made.shape != recorded.shape or made.dtype != recorded.dtype:
        return np.inf
    if made.dtype.kind != "f":
        return 0.0 if np.array_equal(made, recorded) else np.inf
    worst = np.max(np.abs(made - recorded)) / np.max(np.abs(recorded))
    return np.inf if np.isnan(worst) else worst


def compare(made, recorded):
    """Differences by array, and those that are too large."""
    found = {name: difference(made.get(name, np.array("missing")), recorded.get(name, np.array("missing")))
             for name in (made | recorded) if name != "made_with"}
    given = {name for name in found if name.split(".")[1] in golden.INPUTS}
    return found, {name for name, d in found.items() if d > (0.0 if name in given else TOLERANCE)}


def test_checker(made, recorded):
    """Arrays in which no change was noticed: a number a little off, another type or shape, one too many."""
    unnoticed = []
    for name, array in recorded.items():
        if name == "made_with":
            continue
        kind, changed = array.dtype.kind, array.copy()
        middle = array.size // 2
        changed.flat[middle] = "?" if kind == "U" else array.flat[middle] + (
            3 * TOLERANCE * np.max(np.abs(array)) if kind == "f" else 1)
        without = {k: v for k, v in recorded.items() if k != name}
        narrower = recorded | {name: array.astype("f4" if kind == "f" else "U9")}
        for record in (recorded | {name: changed}, without, narrower, recorded | {name: array[None]}):
            if compare(made, record)[1] != {name}:
                unnoticed.append(name)
    if compare(made, recorded | {"a.surplus": np.zeros(1)})[1] != {"a.surplus"}:
        unnoticed.append("a.surplus")
    return unnoticed


with np.load(golden.RECORD) as file:
    RECORDED = {name: file[name] for name in file.files}
MADE = golden.make()
print("recorded with", ", ".join(RECORDED["made_with"]))
print("made now with", ", ".join(MADE["made_with"]))
differences, problems = compare(MADE, RECORDED)
for problem in sorted(problems):
    print(f"{problem}: differs by {differences[problem]:.2e} of its largest entry, more than {TOLERANCE}")
if not problems:
    problems = test_checker(MADE, RECORDED)
    print("\n".join(f"{name}: a change was not noticed" for name in problems)
          or f"{len(differences)} arrays; the worst is {max(differences.values()):.2e} of its largest apart")
sys.exit(1 if problems else 0)
