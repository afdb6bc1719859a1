"""50 digits of numbers that enclosures must contain, by mpmath (Debian's python3-mpmath, 1.2.1).

Usage: make_enclosures.py [--check]. Writes enclosures.json: name -> digits; or looks whether it is that,
where this Python or Debian's has mpmath (else exits 77: skipped). Points are exact doubles."""
import json
import os
import pathlib
import sys

try:
    from mpmath import diff, erf, erfc, exp, log, mp, mpf, sin, sqrt, tanh
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
    print("skipped: install python3-mpmath")
    sys.exit(77)

mp.dps = 80


def gelu(x):
    return x * erfc(-x / sqrt(mpf(2))) / 2


def sigmoid(x):
    return 1 / (1 + exp(-x))


def net_risk(w):
    """Mean of (tanh net - target)^2 / 2 over three samples: 2 inputs, 3 hidden, 1 output; w as in nn."""
    samples = [(mpf(0.1), mpf(-0.7)), (mpf(1.3), mpf(0.2)), (mpf(-0.4), mpf(0.9))]
    targets = [mpf(0.3), mpf(-0.6), mpf(0.8)]
    total = mpf(0)
    for (a, b), t in zip(samples, targets):
        hidden = [tanh(w[2 * j] * a + w[2 * j + 1] * b + w[6 + j]) for j in range(3)]
        total += (sum(w[9 + j] * hidden[j] for j in range(3)) + w[12] - t) ** 2
    return total / 6


weights = [mpf(0.1) * (k + 1) * (-1) ** k for k in range(13)]
weights = [mpf(float(v)) for v in weights]
x = mpf(0.7)
numbers = [mpf(0.1), mpf(0.2), mpf(0.4)]
mean = sum(numbers) / 3


def risk_slope(j):
    return diff(lambda t: net_risk([*weights[:j], t, *weights[j + 1:]]), weights[j])


found = {
    "gelu": gelu(x),
    "gelu'": diff(gelu, x),
    "erf''": diff(erf, x, 2),
    "erfc'": diff(erfc, x),
    "sigmoid''": diff(sigmoid, x, 2),
    "softplus'''": diff(lambda t: log(1 + exp(t)), x, 3),
    "pow'''": diff(lambda t: t ** mpf(0.1), x, 3),
    "0.1 (0.3 tanh)'": mpf(0.1) * mpf(0.3) * (1 - tanh(x) ** 2),
    "0.1^x'": log(mpf(0.1)) * mpf(0.1) ** x,
    "x^0.1''": mpf(0.1) * (mpf(0.1) - 1) * x ** (mpf(0.1) - 2),
    "mean": mean,
    "variance": sum((v - mean) ** 2 for v in numbers) / 2,
    "sin(w - 1e9)": sin(x - mpf(1e9)),
    "risk": net_risk(weights),
    "risk' 0": risk_slope(0),
    "risk' 8": risk_slope(8),
    "risk' 12": risk_slope(12),
}
record = pathlib.Path(__file__).with_name("enclosures.json")
text = json.dumps({name: mp.nstr(value, 50) for name, value in found.items()}, indent=1) + "\n"
if "--check" not in sys.argv:
    record.write_text(text)
elif record.read_text() != text:
    print(f"{record.name} is not what this script makes:\n{text}")
    sys.exit(1)
