"""inspect against NumPy. Usage: inspect_test.py PROGRAM

Outputs, Jacobian, kernel, singular values and eigenvalues of random networks are computed again here, by
backward passes written out in NumPy; and weights as NumPy and PyTorch save them, bad files and bad usage.
Skipped without NumPy."""
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import zipfile

try:
    import numpy as np
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
    print("no NumPy")
    sys.exit(77)

PROGRAM = sys.argv[1]
TOLERANCE = 1e-10
erf = np.vectorize(math.erf)


def sigmoid(t):
    return 0.5 * (1 + np.tanh(0.5 * t))


def normal_cdf(t):
    return 0.5 * np.vectorize(math.erfc)(-t / math.sqrt(2))


# Name: function, derivative (with the course's value at a kink), options.
ACTIVATIONS = {
    "relu": (lambda t: np.where(t >= 0, t, 0), lambda t: (t >= 0) * 1.0, []),
    "leaky_relu": (lambda t: np.where(t >= 0, t, 0.1 * t), lambda t: np.where(t >= 0, 1, 0.1),
                   ["--slope", "0.1"]),
    "tanh": (np.tanh, lambda t: 1 - np.tanh(t) ** 2, []),
    "sigmoid": (sigmoid, lambda t: sigmoid(t) * sigmoid(-t), []),
    "softplus": (lambda t: np.logaddexp(0, t), sigmoid, []),
    "gelu": (lambda t: t * normal_cdf(t),
             lambda t: normal_cdf(t) + t * np.exp(-t * t / 2) / math.sqrt(2 * math.pi), []),
    "silu": (lambda t: t * sigmoid(t), lambda t: sigmoid(t) * (1 + t * sigmoid(-t)), []),
    "elu": (lambda t: np.where(t >= 0, t, 1.5 * np.expm1(np.minimum(t, 0))),
            lambda t: np.where(t >= 0, 1, 1.5 * np.exp(np.minimum(t, 0))), ["--alpha", "1.5"]),
    "erf": (erf, lambda t: 2 / math.sqrt(math.pi) * np.exp(-t * t), []),
    "sin": (np.sin, np.cos, []),
    "identity": (lambda t: t, np.ones_like, []),
}


def names_of(widths, bias=True):
    """(name, shape) in the order of the columns."""
    table = []
    for k, (size, out) in enumerate(zip(widths, widths[1:])):
        table.append((f"{2 * k}.weight", (out, size)))
        if bias:
            table.append((f"{2 * k}.bias", (out,)))
    return table


def random_weights(widths, rng, bias=True):
    return {name: rng.normal(size=shape) / math.sqrt(shape[-1]) for name, shape in names_of(widths, bias)}


def network(w, x, phi, dphi):
    """Outputs [n, C] and the Jacobian as {name: [n, C, *shape]}, sample by sample and output by output."""
    layers = sorted({int(name.split(".")[0]) for name in w})
    inputs, before = [], []
    y = x
    for k in layers:
        if k > 0:
            before.append(y)
            y = phi(y)
        inputs.append(y)
        y = y @ w[f"{k}.weight"].T + w.get(f"{k}.bias", 0)
    n, outputs = y.shape
    jacobian = {name: np.zeros((n, outputs, *block.shape)) for name, block in w.items()}
    for c in range(outputs):
        delta = np.zeros((n, outputs))
        delta[:, c] = 1
        for at in reversed(range(len(layers))):
            k = layers[at]
            jacobian[f"{k}.weight"][:, c] = delta[:, :, None] * inputs[at][:, None, :]
            if f"{k}.bias" in w:
                jacobian[f"{k}.bias"][:, c] = delta
            if at > 0:
                delta = (delta @ w[f"{k}.weight"]) * dphi(before[at - 1])
    return y, jacobian


def expected(w, x, phi, dphi, chosen=lambda name: True):
    y, blocks = network(w, x, phi, dphi)
    n, outputs = y.shape
    blocks = {name: block for name, block in blocks.items() if chosen(name)}
    jacobian = np.concatenate([b.reshape(n * outputs, -1) for b in blocks.values()], axis=1)
    kernel = jacobian @ jacobian.T
    columns = [f"{name}[{', '.join(map(str, index))}]" for name, block in blocks.items()
               for index in np.ndindex(block.shape[2:])]
    return {
        "outputs": y,
        "jacobian": jacobian,
        "kernel": kernel.reshape(n, outputs, n, outputs).transpose(0, 2, 1, 3),
        "singular_values": np.linalg.svd(jacobian, compute_uv=False),
        "kernel_eigenvalues": np.linalg.eigvalsh(kernel),
        "columns": np.array(columns),
    }


def run(*options, expect=0):
    made = subprocess.run([PROGRAM, *map(str, options)], text=True, capture_output=True, check=False)
    assert made.returncode == expect, f"{options}: exit code {made.returncode}\n{made.stdout}\n{made.stderr}"
    assert "terminate" not in made.stderr, made.stderr
    return made


def compare(path, wanted):
    with np.load(path) as got:
        assert sorted(got.files) == sorted(wanted), got.files
        for name, array in wanted.items():
            assert got[name].shape == array.shape, (name, got[name].shape, array.shape)
            if name == "columns":
                assert got[name].dtype.kind == "U" and (got[name] == array).all(), got[name]
                continue
            assert got[name].dtype == np.float64, (name, got[name].dtype)
            error = np.abs(got[name] - array).max() / max(1.0, np.abs(array).max())
            assert error <= TOLERANCE, f"{path}: {name} is off by {error:.3g}"


def test_arrays(folder):
    for seed, (name, (phi, dphi, options)) in enumerate(ACTIVATIONS.items()):
        rng = np.random.default_rng(seed)
        widths = [[3, 16, 16, 2], [1, 7, 1], [4, 5, 6, 3], [2, 3]][seed % 4]
        w = random_weights(widths, rng)
        x = rng.normal(size=(int(rng.integers(1, 12)), widths[0]))
        np.savez(folder / "p.npz", **w)
        np.save(folder / "x.npy", x)
        out = folder / f"out_{name}"
        made = run("--layers", ",".join(map(str, widths)), "--activation", name, *options,
                   "--params", folder / "p.npz", "--inputs", folder / "x.npy", "--out", out, "--no-figures")
        wanted = expected(w, x, phi, dphi)
        compare(out / "inspect.npz", wanted)
        rank = np.linalg.matrix_rank(wanted["jacobian"])
        assert f"rank {rank} of {min(wanted['jacobian'].shape)}" in made.stdout, (name, rank, made.stdout)
        for part in (f"Linear({widths[0]} -> {widths[1]})", "largest entries:"):
            assert part in made.stdout, made.stdout
        assert [p.name for p in out.iterdir()] == ["inspect.npz"]


def test_what_others_save(folder):
    """float32, big-endian, Fortran order, deflated, any order: as torch.nn.Sequential's state_dict."""
    rng = np.random.default_rng(7)
    phi, dphi, _ = ACTIVATIONS["tanh"]
    x = rng.normal(size=(5, 3)).astype(np.float32)
    np.save(folder / "x32.npy", x)
    w = {name: block.astype(np.float32) for name, block in random_weights([3, 4, 2], rng).items()}
    wanted = expected({n: b.astype(np.float64) for n, b in w.items()}, x.astype(np.float64), phi, dphi)
    common = ["--layers", "3,4,2", "--activation", "tanh", "--inputs", folder / "x32.npy", "--no-figures"]
    forms = {
        "float32": (np.savez, w),
        "reversed": (np.savez_compressed, dict(reversed(w.items()))),
        "big": (np.savez, {n: b.astype(">f8") for n, b in w.items()}),
        "fortran": (np.savez, {n: np.asfortranarray(b) for n, b in w.items()}),
    }
    for name, (save, arrays) in forms.items():
        save(folder / f"{name}.npz", **arrays)
        run(*common, "--params", folder / f"{name}.npz", "--out", folder / name)
        compare(folder / name / "inspect.npz", wanted)


def test_patterns_and_no_bias(folder):
    rng = np.random.default_rng(8)
    phi, dphi, _ = ACTIVATIONS["gelu"]
    w = random_weights([2, 5, 3], rng, bias=False)
    x = rng.normal(size=(4, 2))
    np.savez(folder / "nb.npz", **w)
    np.save(folder / "nb.npy", x)
    run("--layers", "2,5,3", "--activation", "gelu", "--no-bias", "--params", folder / "nb.npz", "--inputs",
        folder / "nb.npy", "--params-pattern", "2.*", "--out", folder / "nb", "--no-figures")
    compare(folder / "nb" / "inspect.npz", expected(w, x, phi, dphi, lambda name: name.startswith("2.")))
    made = run("--layers", "2,5,3", "--params-pattern", "7.*", "--out", folder / "nb", expect=2)
    assert "7.*" in made.stderr, made.stderr


def test_drawn(folder):
    """Without files: the same for the same seed, another for another; figures and dead units."""
    for seed, out in ((5, "a"), (5, "b"), (6, "c")):
        run("--layers", "2,8,1", "--seed", seed, "--samples", 9, "--out", folder / out)
    arrays = [np.load(folder / out / "inspect.npz")["jacobian"] for out in "abc"]
    assert arrays[0].shape == (9, 33) and (arrays[0] == arrays[1]).all() and (arrays[0] != arrays[2]).any()
    figures = {p.name for p in (folder / "a").glob("*.svg")}
    if figures:  # gnuplot may be missing
        kinds = ("jacobian", "kernel", "singular_values", "kernel_eigenvalues", "activations_1")
        assert figures == {f"inspect_{kind}.svg" for kind in kinds}, figures
        assert ">0</text>" in (folder / "a" / "inspect_jacobian.svg").read_text()
        assert all("<svg" in (folder / "a" / name).read_text() for name in figures)
    assert "<title>Tape" in (folder / "a" / "inspect_tape.html").read_text()
    # Figures of an earlier run go, and nothing else.
    for name in ("inspect_activations_3.svg", "inspect_mine.svg"):
        (folder / "a" / name).write_text("")
    run("--layers", "2,1", "--samples", 3, "--out", folder / "a", "--no-figures")
    assert {p.name for p in (folder / "a").iterdir()} == {"inspect.npz", "inspect_mine.svg"}
    w = random_weights([2, 4, 1], np.random.default_rng(1))
    w["0.weight"][2], w["0.bias"][2] = 0, -1
    np.savez(folder / "dead.npz", **w)
    common = ["--layers", "2,4,1", "--params", folder / "dead.npz", "--out", folder, "--no-figures"]
    text = run(*common).stdout
    assert "never active" in text and "1 of 4, dead" in text, text
    text = run(*common, "--activation", "leaky_relu").stdout  # passes something on all the same
    assert "1 of 4" in text and "dead" not in text, text


def test_bad_input(folder):
    rng = np.random.default_rng(3)
    good = random_weights([3, 4, 2], rng)
    layers = ["--layers", "3,4,2", "--out", folder / "bad"]

    def refused(arrays, *texts):
        np.savez(folder / "bad.npz", **arrays)
        error = run(*layers, "--params", folder / "bad.npz", expect=2).stderr
        assert all(text in error for text in texts), (texts, error)
        assert not (folder / "bad" / "inspect.npz").exists()

    names = '"0.weight" [4, 3], "0.bias" [4], "2.weight" [2, 4], "2.bias" [2]'
    refused({n: b for n, b in good.items() if n != "2.bias"}, 'missing "2.bias" [2]', names)
    refused({**good, "4.weight": np.ones((1, 2))}, 'unknown "4.weight" [1, 2]', names)
    refused({**good, "0.weight": good["0.weight"].T}, '"0.weight" is [3, 4] and must be [4, 3]',
            "transpose it", names)
    refused({**good, "0.bias": np.full(4, np.nan)}, "0.bias[0] is nan")
    refused({"net." + n: b for n, b in good.items()}, 'missing "0.weight"', 'unknown "net.0.weight"', names)
    huge = {n: np.full(b.shape, 1e200) for n, b in good.items()}
    refused(huge, "the outputs are not finite", "linear", "give weights from before the run diverged")
    # What torch.save writes is no .npz.
    with zipfile.ZipFile(folder / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    (folder / "old.pt").write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")
    for name in ("model", "old"):
        error = run(*layers, "--params", folder / f"{name}.pt", expect=2).stderr
        recipe = (f'numpy.savez("{folder / name}.npz", '
                  "**{k: v.numpy() for k, v in model.state_dict().items()})")
        assert "torch.save" in error and recipe in error, error

    def refused_inputs(array, *texts):
        np.save(folder / "bad.npy", array)
        error = run(*layers, "--inputs", folder / "bad.npy", expect=2).stderr
        assert all(text in error for text in texts), (texts, error)

    refused_inputs(np.ones(3), "is [3]", "[n, 3]", "reshape a single sample to [1, 3]")
    refused_inputs(np.ones((3, 5)), "is [3, 5]", "transpose it")
    refused_inputs(np.ones((2, 1, 3)), "flatten")
    refused_inputs(np.ones((0, 3)), "is [0, 3]")
    refused_inputs(np.array([[1, 2, 3], [1, np.inf, 2]]), "holds inf at [1, 1]")
    (folder / "no.npy").write_text("nothing of the kind")
    for option, file in (("--inputs", "no.npy"), ("--params", "no.npy"), ("--inputs", "absent.npy")):
        assert file in run(*layers, option, folder / file, expect=2).stderr


def test_usage(folder):
    text = run("--help").stdout
    for option in ("--layers", "--activation", "--slope", "--params", "--inputs", "--out", "--seed",
                   "--samples", "--params-pattern", "--help"):
        assert option in text, f"--help does not name {option}"
    layers = ["--layers", "3,2", "--out", folder / "usage"]
    for options in ([], ["--layers"], ["--layers", "3"], ["--layers", "3,x"], ["--layers", "3,,2"],
                    ["--layers", "3,0"], ["--layers", "3,-2"], [*layers, "--activation", "gulu"],
                    [*layers, "--samples", "0"], [*layers, "--seed", "-1"], [*layers, "--slope", "steep"],
                    [*layers, "--slope", "nan"], [*layers, "--nonsense"], [*layers, "surplus"],
                    [*layers, "--params-pattern", "a,,b"]):
        assert run(*options, expect=2).stderr.startswith("inspect: "), options
    for options in (["--params", ""], ["--inputs", ""], ["--out", ""], ["--params-pattern", ""]):
        error = run(*layers, *options, expect=2).stderr
        assert options[0] in error and "empty" in error, error
    assert "--params" in run(*layers, "--params=", expect=2).stderr
    assert '"--no-figures" is an option' in run("--layers", "--no-figures", expect=2).stderr
    (folder / "file").write_text("")
    assert "file" in run("--layers", "3,2", "--out", folder / "file", expect=2).stderr
    # A slope that means nothing is said, not refused.
    sloped = lambda name: run(*layers, "--activation", name, "--slope", "-0.5", "--no-figures").stderr
    assert "--slope has no effect" in sloped("tanh") and "effect" not in sloped("leaky_relu")
    for options in (["3,20000,20000,2", "--samples", 4], ["2147483648,1"], ["2,1", "--samples", 1 << 30],
                    ["3,100000,100000,2", "--params-pattern", "*.bias"]):
        error = run("--layers", *options, expect=2).stderr
        assert "more than 2^31 numbers" in error and "--layers" in error, error
    assert "2^31 - 1" in run("--layers", "2,1", "--samples", 1 << 63, expect=2).stderr
    limited = subprocess.run([PROGRAM, "--layers", "30000,20000,1", "--samples", "1",
                              "--out", folder / "usage"],
                             text=True, capture_output=True, check=False,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)))
    if "Sanitizer" not in limited.stderr:  # which needs more address space than that to begin with
        assert limited.returncode == 2, limited
        assert "out of memory: there are 600040001 parameters" in limited.stderr, limited.stderr
        assert "--params-pattern" in limited.stderr, limited.stderr


with tempfile.TemporaryDirectory() as name:
    for test in (test_arrays, test_what_others_save, test_patterns_and_no_bias, test_drawn, test_bad_input,
                 test_usage):
        test(pathlib.Path(name))
print(f"{len(ACTIVATIONS)} activations agree with NumPy to {TOLERANCE}")
