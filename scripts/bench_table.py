"""The table of scripts/bench. Usage: bench_table.py DIR --root ROOT [--quick]"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

OUT = pathlib.Path(sys.argv[1])
ROOT = pathlib.Path(sys.argv[sys.argv.index("--root") + 1])
REPEATS = 1 if "--quick" in sys.argv else 5

# name of the benchmark, what it is, its yardstick, first goal, second goal (ratios to the yardstick)
ROWS = [
    ("gd_step/10_64_1", "GD step, 10-64-1, n = 64", "bare products", 1.6, 1.3),
    ("gd_step/32_256_256_1", "GD step, 32-256-256-1, n = 256", "bare products", 1.10, 1.04),
    ("gd_step/784_1024_1024_10", "GD step, 784-1024-1024-10, n = 1024", "bare products", 1.05, 1.02),
    ("recycled_jacobian", "per-sample Jacobian, 32-256-256-1, n = 256, recycled", "a warm memset to 0", 3.0, 2.0),
    ("recycled_jacobian_beside_sevens", "the same", "a warm memset to 7", None, None),
    ("first_jacobian", "the same, first call", "writing fresh pages", 1.2, None),
    ("tangent_kernel/32_256_256_1", "its tangent kernel [256, 256]", "bare products", 1.4, 1.2),
    ("tangent_kernel/32_4096_4096_4096_1", "kernel of 32-4096-4096-4096-1, n = 512", "bare products", 1.3, None),
    ("hessian_vector_product", "Hessian-vector product, 32-256-256-1", "one gradient", 3.2, 2.7),
    ("hvp_beside_products", "the same", "bare products", 1.1, None),
    ("enclosure/leaky_relu", "enclosure of value and gradient, leaky 784-256-256-1, n = 100, 128 bits", "one gradient",
     350, 170),
    ("enclosure/tanh", "the same with tanh", "one gradient", 350, 170),
    ("enclosed_kernel", "enclosed tangent kernel [20, 20] of a 2-64-64-1 tanh net", "materialised in doubles", 200, None),
    ("tanh_of", "tanh of 16384 numbers", "xsimd's loop", 1.3, None),
    ("exp_of", "exp of 16384 numbers", "xsimd's loop", 1.3, None),
    ("softplus_of", "softplus of 16384 numbers", "xsimd's loop", 1.3, None),
    ("sgd_logistic", "SGD, batch 1, logistic regression, n = 2000, d = 50: an epoch", "the same by hand", 3.0, None),
    ("saga_least_squares", "SAGA, least squares, n = 2000, d = 50: 4000 gradients", "the same by hand", None, None),
    ("loop_alone", "the loop: 10000 steps of 50 numbers by a known gradient", "axpy and norm", None, None),
    ("adam_update", "Adam's update, P = 74497", "a bare loop over 7 arrays", 1.5, None),
    ("lbfgs_direction", "L-BFGS's direction and step, 10 pairs, P = 74497", "its 40 P products by cblas", 1.3, None),
    *((f"reduction/{what}{axis}", f"{what} of [4096, 2048]{over}", "reading it", 1.3, None)
      for what in ("sum", "max", "norm", "variance")
      for axis, over in (("", ""), ("_axis_0", " over axis 0"), ("_axis_1", " over axis 1"))),
]
SCRIPT = """
#include "cotangent.hpp"
using namespace cotangent;

int main() {
  Rng rng(7);
  const Tensor X = rng.uniform({200, 2}, -1.0, 1.0);
  const Tensor Y = (slice(X, 1, 0, 1) * slice(X, 1, 1, 2)).value();
  const nn::Sequential net{nn::Linear(2, 8), nn::LeakyReLU(0.1), nn::Linear(8, 1)};
  const auto f = optim::finite_sum(200, [&](const Var& w, const Batch& b) {
    return nn::half_mse(net(w, b.rows(X)), b.rows(Y));
  });
  const Params w0 = net.init(rng);
  const auto run = optim::Sgd({.step = 0.1, .batch = 20, .epochs = 200}).minimize(f, w0, rng);
  print("risk", run.value, "after", run.iterations, "steps");
  print(per_sample_jacobian(net, run.w, X.rows(0, 3), {.params = {"0.bias"}}));
  const auto kernel = theory::tangent_kernel(net, run.w, X.rows(0, 5));
  const auto spectrum = theory::spectrum(kernel.matrix());
  print("kernel eigenvalues", spectrum.values);
  const auto [value, gradient] = value_and_grad([&](const Var& w) { return f(w); }, run.w);
  print("gradient", norm(gradient), "at value", value);
  const Params v = gradient / norm(gradient);
  print("curvature along it", dot(v, hvp([&](const Var& w) { return f(w); }, run.w, v)));
  for (const auto& row : run.trace.rows())
    if (row.epoch % 50 == 0) print("epoch", row.epoch, "risk", row.value);
  return 0;
}
"""
TORCH_SCRIPT = """
#include <torch/torch.h>
int main() {
  auto net = torch::nn::Sequential(torch::nn::Linear(2, 8), torch::nn::LeakyReLU(), torch::nn::Linear(8, 1));
  torch::optim::SGD descent(net->parameters(), 0.1);
  const auto x = torch::rand({200, 2}), y = torch::rand({200, 1});
  for (int k = 0; k < 100; ++k) {
    descent.zero_grad();
    torch::mse_loss(net->forward(x), y).backward();
    descent.step();
  }
}
"""


def load(name):
    path = OUT / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {"context": {}, "benchmarks": []}


def median(values):
    return sorted(values)[len(values) // 2]


def compile_seconds(source, *options, repeats):
    """Wall seconds to compile and link, without any compiler cache."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "script.cpp"
        script.write_text(source)
        times = []
        for _ in range(repeats):
            start = time.monotonic()
            subprocess.run(["g++", "-O2", str(script), "-o", f"{folder}/script", *options], check=True)
            times.append(time.monotonic() - start)
    return median(times)


def verdict(ratio, first, second):
    if first is None:
        return "no goal"
    if second is not None and ratio <= second:
        return "second goal met"
    return "first goal met" if ratio <= first else f"first goal missed by {100 * (ratio / first - 1):.0f} %"


def time_text(us):
    return (f"{us / 1e6:.2f} s" if us >= 1e6 else f"{us / 1e3:.2f} ms" if us >= 1e3 else f"{us:.1f} us" if us >= 1
            else f"{us * 1e3:.1f} ns")


def operations():
    """Microseconds of the better of two turns, ours and PyTorch's: name -> [value, with the gradient]."""
    turns = [json.loads((OUT / f"operations{k}.json").read_text()) for k in (1, 2)]
    paths = [OUT / f"pytorch{k}.json" for k in (1, 2)]
    theirs = [json.loads(p.read_text())["rows"] for p in paths if p.exists()]
    best = lambda found, name: [min(turn[name][k] for turn in found) for k in (0, 1)]
    return {name: {"cotangent_us": best(turns, name), "pytorch_us": best(theirs, name) if theirs else None}
            for name in turns[0]}


def operations_table(rows):
    """A line an operation, a column a size: ours, and how many times PyTorch's time that is."""
    sizes = ["10", "1000", "1000000"]
    lines = ["| operation | " + " | ".join(f"value, {s}" for s in sizes) + " | " +
             " | ".join(f"with gradient, {s}" for s in sizes) + " |", "|" + "---|" * 7]
    for name in dict.fromkeys(row.rsplit("/", 1)[0] for row in rows if row.rsplit("/", 1)[1] in sizes):
        cells = []
        for k in (0, 1):
            for size in sizes:
                row = rows.get(f"{name}/{size}")
                cells.append("-" if row is None else cell(row, k))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name, row in rows.items():
        if name.rsplit("/", 1)[1] not in sizes:
            lines.append(f"| {name} | {cell(row, 0)} | | | {cell(row, 1)} | | |")
    return lines


def cell(row, k):
    ours, theirs = row["cotangent_us"][k], row["pytorch_us"]
    return time_text(ours) + (f" ({ours / theirs[k]:.2f})" if theirs else "")


ours = {b["name"].replace("/manual_time", "").replace("/iterations:3", "").replace("/min_time:3.000", ""): b
        for name in ("measures", "elementwise", "optimizers", "enclosures") for b in load(name)["benchmarks"]}
context = load("measures")["context"]
# With one thread all times are the processor's.
torch_clock = "cpu_time" if context.get("blas_threads") == "1" else "real_time"
torch = {b["name"]: b[torch_clock] for b in load("libtorch_measures")["benchmarks"]}
where = {key: context.get(key) for key in ("cpu", "blas_core", "blas_config", "blas_threads", "isa", "compiler",
                                           "build_type", "num_cpus", "date", "load_avg")}
where["quick"] = "--quick" in sys.argv
where["openblas_coretype"] = os.environ.get("OPENBLAS_CORETYPE")
where["commit"] = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True,
                                 stdout=subprocess.PIPE).stdout.strip() or None
where["libtorch"] = load("libtorch_measures")["context"].get("libtorch")

rows = []
node = json.loads((OUT / "scalar_node.json").read_text())
if "scalar_node/1000" in torch:
    torch_node = torch["scalar_node/1000"] / 1000
    for work, key in (("a scalar node, forward and backward", "alone_ns"),
                      ("the same in a program that has started threads", "with_threads_ns")):
        rows.append({"work": work, "time_us": node[key] / 1000, "yardstick": "libtorch", "yardstick_us": torch_node,
                     "ratio": node[key] / 1000 / torch_node, "first": 1 / 45, "second": 1 / 60,
                     "libtorch_us": torch_node})
for name, work, yardstick, first, second in ROWS:
    b = ours[name]
    rows.append({"work": work, "time_us": b["median_us"], "yardstick": yardstick, "yardstick_us": b["yardstick_us"],
                 "ratio": b["ratio"], "first": first, "second": second, "libtorch_us": torch.get(name)})
large = {**json.loads((OUT / "large_kernel.json").read_text()),
         **json.loads((OUT / "large_kernel_check.json").read_text())}
libraries = [f"-L{ROOT}/build/release", *(f"-lcotangent_{r}" for r in ("theory", "optim", "report", "nn", "autodiff")),
             "-lopenblas", "-lzip", "-lz", "-lfmt"]
compiling = compile_seconds(SCRIPT, "-std=c++20", f"-I{ROOT}", *libraries, repeats=REPEATS)
torch_compiling = None
if torch:
    torch_compiling = compile_seconds(TORCH_SCRIPT, "-std=c++17", "-I/usr/include/torch/csrc/api/include", "-ltorch",
                                      "-ltorch_cpu", "-lc10", repeats=1)

table = [("work", "cotangent", "yardstick", "ratio", "goals", "verdict", "libtorch")]
for r in rows:
    one = "1 / {:.0f}".format
    ratio, first, second = ((one(1 / x) if r["yardstick"] == "libtorch" else f"{x:.3g}") if x else "-"
                            for x in (r["ratio"], r["first"], r["second"]))
    table.append((r["work"], time_text(r["time_us"]), f"{r['yardstick']}, {time_text(r['yardstick_us'])}", ratio,
                  f"{first}; {second}", verdict(r["ratio"], r["first"], r["second"]),
                  f"{time_text(r['libtorch_us'])} ({r['libtorch_us'] / r['time_us']:.3g} x)" if r["libtorch_us"] else "-"))
table.append(("compile and link a 30-line script, -O2", f"{compiling:.2f} s", "-", "-", "1.5 s; 1.0 s",
              "second goal met" if compiling <= 1.0 else "first goal met" if compiling <= 1.5 else "first goal missed",
              f"{torch_compiling:.1f} s" if torch_compiling else "-"))
table.append(("largest resident set of the kernel of 32-4096-4096-4096-1", f"{large['max_resident_mb']:.0f} MB", "-", "-",
              "600 MB; -", "first goal met" if large["max_resident_mb"] <= 600 else "first goal missed", "-"))

widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in table]
lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
print(f"{where['cpu']}; OpenBLAS core {where['blas_core']}, {where['blas_threads']} thread(s); kernels {where['isa']}; "
      f"{where['compiler']}; load {where['load_avg']}")
print("\n".join(lines))
by_operation = operations()
(OUT / "operations.md").write_text("\n".join(operations_table(by_operation)) + "\n")
print("operations, microseconds (times PyTorch's):\n" + "\n".join(operations_table(by_operation)))
print(f"20 entries of the large kernel against single-sample gradients: {large['worst_relative_error']:.2g} off at most")
(OUT / "bench.json").write_text(json.dumps({"provenance": where, "rows": rows, "operations": by_operation, "compile_seconds": compiling,
                                            "libtorch_compile_seconds": torch_compiling, "large_kernel": large},
                                           indent=2) + "\n")
(OUT / "bench.md").write_text("\n".join(lines) + "\n")
