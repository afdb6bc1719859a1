"""What every operation is to give at extreme numbers, by mpmath (Debian's python3-mpmath) with 900 digits.

Usage: make_extremes.py PROGRAM [--check] [--only NAME]. PROGRAM is extremes_program, whose --list names the
rows: the operation, its inputs, its formula in Python and inputs of its own. Writes extremes.txt beside this
script, or looks whether it is that, where this Python or Debian's has mpmath (else exits 77: skipped). Of
each input it holds

    at 0.1*3 5                 the numbers, 3 of them equal; -5+0.01k*1000 are -5 + 0.01 k for k = 0 .. 999
    k value : first : second   an element of the result, its derivatives by the chosen inputs, and the upper
                               triangle of those of second order; or `refused`

for the chosen elements and inputs: all of up to 4, else the first two and the last. A number is the exact
one, rounded once. What is exact beyond numbers:
 * At an infinity, and where the formula divides by 0: the limit, if it is the same however fast each infinite
   input grows and each 0 (on the side of its sign) is reached; else NaN. Sides on which the formula is
   undefined do not count. Functions that choose by comparison ("ordered") take an infinity for a number.
 * Beside a NaN: for derivatives what is the same whatever number stood there; else NaN. Values are NaN.
 * A value 0 of one or two numbers has the sign that it has beside zero inputs on the sides of their signs.
 * At a kink the formulas go by >=, as the course does; outside the domain a derivative is NaN."""
import fractions
import itertools
import math
import multiprocessing
import os
import pathlib
import subprocess
import sys

try:
    import mpmath
    from mpmath import mpf
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
    print("skipped: install python3-mpmath")
    sys.exit(77)

import extreme_formulas  # noqa: E402
from extreme_formulas import Elements, Jet, Refused, Undefined, jet  # noqa: E402

INF, NAN = math.inf, math.nan

# ---- the inputs

TINY = [0.0, 5e-324, 3e-310, 2.2250738585072014e-308, 1e-300, 1e-160, 1e-16, 1e-8]
MIDDLE = [0.1, 0.5, 0.7, 1.0, 2.0, 3.5, 6.0, 10.0, 20.0, 30.0, 37.0, 40.0, 100.0, 350.0, 380.0, 709.7,
          720.0, 745.0, 1e3]
LARGE = [1e8, 1e16, 1e100, 1e154, 1e200, 1e300, 1.7976931348623157e308, INF]
BESIDE = [0.0, -0.0, 5e-324, 1e-300, 0.5, 1.0, 2.0, -1.0, -2.5, 1e16, 1e300, -1e300, INF, -INF, NAN]


class Ramp(list):
    """first + step k for k = 0 .. count - 1, which has a short name."""

    def __init__(self, first, step, count):
        super().__init__(first + step * k for k in range(count))
        self.name = f"{text(first)}+{text(step)}k*{count}"


def text(v):
    return repr(float(v)).removesuffix(".0")


VECTORS = [
    [], [0.0], [-0.0], [5e-324], [1e-300], [0.1], [1e300], [INF], [-INF], [NAN],
    # equal numbers
    [0.0, 0.0], [-0.0, -0.0], [5e-324, 5e-324], [1e-300, 1e-300], [1.0, 1.0], [0.1, 0.1, 0.1], [1e12, 1e12],
    [1e12] * 3, [1e15] * 3, [1e16, 1e16], [1e200, 1e200], [1e300, 1e300], [1e300] * 3, [1.7e308, 1.7e308],
    # near and far
    [0.0, -0.0], [5e-324, 0.0], [3e-310, -2e-310], [1e-300, 1.0], [0.1, 0.2, 0.3, 0.4], [1.0, -1.0],
    [3.0, 1.0], [20.0, 0.0], [40.0, 0.0], [0.0, 40.0], [700.0, 0.0], [740.0, 0.0], [0.0, 1000.0],
    [1000.0, -1000.0], [1e16, 1e16 - 2], [1e16, 1.0], [1e16, 1.0, -1e16], [1e300, 1.0], [1e300, -1e300],
    # not finite
    [INF, 1.0], [1.0, -INF], [0.0, INF], [INF, INF], [INF, -INF], [-INF, -INF], [NAN, 1.0], [1.0, NAN],
    [INF, NAN],
    # many
    [1.0] * 49, [0.1] * 49, [1e300] * 49, [5e-324] * 49, [40.0] + [0.0] * 48, Ramp(-6.0, 0.25, 49),
    [INF] + [1.0] * 48, [1.0] * 48 + [NAN], [1.0] * 1000, [0.1] * 1000, [1e-160] * 1000,
    Ramp(-5.0, 0.01, 1000)]
MATRICES = [  # symmetric ones, row after row
    [4.0], [5e-324], [1e-300], [1e300], [0.0], [-1.0], [INF], [NAN], [2.0, 1.0, 1.0, 2.0],
    [1e300, 0.0, 0.0, 1e-300],
    [1e-300, 0.0, 0.0, 1e-300], [1e300, 1e299, 1e299, 1e300], [5e-324, 0.0, 0.0, 5e-324],
    [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0 + 2.0**-20], [1.0, -0.0, -0.0, 1.0],
    [2.0, INF, INF, 2.0], [2.0, NAN, NAN, 2.0]]

PAIRS = [list(p) for p in itertools.product(BESIDE, repeat=2)]
INPUTS = {
    "numbers": [[s * t] for t in TINY + MIDDLE + LARGE for s in (1.0, -1.0)] + [[NAN]],
    "few": [[0.1], [1 / 3], [-1e300], [5e-324]],
    "pairs": PAIRS,
    # Limits of inf^1e-300 come too late for any sequence of numbers.
    "powers": [[a, b] for a, b in PAIRS if not (math.isinf(a) and 0 < abs(b) < 1e-100)],
    "ordered pairs": PAIRS,
    "vectors": VECTORS,
    "ordered vectors": VECTORS,
    "even": [v for v in VECTORS if len(v) % 2 == 0],
    "classes": [v for v in VECTORS if len(v) > 1],
    "matrices": MATRICES,
}
# Of formulas; all others have x, a list.
ARGUMENTS = {"numbers": "x", "few": "x", "pairs": "a, b", "powers": "a, b", "ordered pairs": "a, b"}


def chosen(n):
    return list(range(n)) if n <= 4 else [0, 1, n - 1]


# ---- from exact numbers to doubles

def rounded(v):
    """The nearest double, a subnormal or infinite one too."""
    if v is None:
        return NAN
    v = mpf(v)
    if not mpmath.isfinite(v) or v == 0:
        return float(v)
    if abs(mpmath.mag(v)) > 1200:
        return math.copysign(INF if mpmath.mag(v) > 0 else 0.0, v)
    negative, mantissa, exponent, _ = v._mpf_
    try:
        size = float(fractions.Fraction(int(mantissa)) * fractions.Fraction(2)**int(exponent))
    except OverflowError:
        size = INF
    return -size if negative else size


def limit(values):
    """Of numbers at three inputs, each nearer to the limit; NaN if there is none, None if undefined."""
    if any(v is None for v in values):
        return None
    numbers = [rounded(v) for v in values]
    if all(n == numbers[0] for n in numbers):
        return numbers[0]
    if all(v > 0 for v in values) or all(v < 0 for v in values):
        steps = list(zip(values, values[1:]))
        if all(abs(w) > 1.2 * abs(v) for v, w in steps):
            return math.copysign(INF, values[0])
        if all(abs(v) > 1.2 * abs(w) for v, w in steps):
            return math.copysign(0.0, values[0])
    return NAN


def common(lists):
    """Number by number what all lists say, NaN where they differ; what is None does not count."""
    lists = [v for v in lists if v is not None]
    if not lists:
        return None
    columns = [[c for c in column if c is not None] for column in zip(*lists)]
    return [column[0] if column and all(c == column[0] for c in column) else NAN for column in columns]


def negative_zero(v):
    return v == 0 and math.copysign(1, v) < 0


class Row:
    def __init__(self, name, inputs, formula, more):
        self.name, self.inputs, self.formula = name, inputs, formula
        arguments = ARGUMENTS.get(inputs)
        function = eval(f"lambda {arguments or 'x'}: {formula}", vars(extreme_formulas).copy())
        self.function = (lambda x: function(*x)) if arguments else function
        self.points = INPUTS[inputs] + list(eval(more or "[]"))
        self.signed = inputs in ("numbers", "pairs", "powers")
        self.elements = [0]

    def result(self, x):
        y = self.function(x)
        if isinstance(y, list):
            y = Elements(len(y), y.__getitem__)
        if not isinstance(y, Elements):
            y = Elements(1, lambda k, only=y: only)
        self.elements = chosen(y.n)
        return [jet(y.element(k)) for k in self.elements]

    def exact(self, x):
        """Of each chosen element the value and derivatives of first and of second order, in one list; None
        for what is undefined, and for poles, which are noted. Raises where there is no value."""
        picks = chosen(len(x))

        def along(part, i, j=-1):
            try:
                return [getattr(y, part) for y in self.result([Jet(v, int(k == i), int(k == j))
                                                               for k, v in enumerate(x)])]
            except Undefined:
                return None
            except ZeroDivisionError:
                self.pole = True
                return None

        values = [y.v for y in self.result([Jet(v) for v in x])]
        columns = [along("a", i) for i in picks]
        columns += [along("c", i, j) for k, i in enumerate(picks) for j in picks[k:]]
        return [v for at, value in enumerate(values) for v in [value] + [c and c[at] for c in columns]]

    def along(self, inputs):
        """The limit along three inputs; None where there is no value."""
        try:
            return [limit(column) for column in zip(*[self.exact(x) for x in inputs])]
        except (Undefined, ZeroDivisionError):
            return None

    def at(self, x):
        """The list of doubles at x; None where nothing is defined."""
        if any(v != v for v in x):
            return self.beside_nan(x)
        if any(math.isinf(v) for v in x) and not self.inputs.startswith("ordered"):
            return self.at_infinity(x)
        self.pole, found = False, None
        try:
            found = self.exact([mpf(v) for v in x])
        except Undefined:
            return None
        except ZeroDivisionError:
            self.pole = True
        pole = self.pole
        near = self.at_pole(x) if pole else None
        if found is None:
            return near
        numbers = [rounded(v) for v in found]
        if self.signed and 0.0 in x:
            numbers = self.with_signs(x, numbers)
        return [n if v is None else d for v, d, n in zip(found, numbers, near or [NAN] * len(numbers))]

    def with_signs(self, x, numbers):
        try:
            tiny = mpf(10)**-400
            beside = self.exact([mpf(v) if v else -tiny if negative_zero(v) else tiny for v in x])
        except (Undefined, ZeroDivisionError):
            return numbers
        return [-0.0 if v == 0 and b is not None and b < 0 else v for v, b in zip(numbers, beside)]

    def at_pole(self, x):
        zeros = [k for k, v in enumerate(x) if v == 0]
        if not zeros:
            return common([self.along([[mpf(v) + side * mpf(10)**-e for v in x] for e in (160, 320, 640)])
                           for side in (1, -1)])
        for flip in (1, -1):  # the side of the sign first
            lists = []
            stay = [tuple(0 if k == j else 1 for k in zeros) for j in zeros] if len(zeros) > 1 else []
            for speeds in speeds_of(len(zeros)) + stay:
                family = []
                for e in (160, 240, 360):
                    point = [mpf(v) for v in x]
                    for k, speed in zip(zeros, speeds):
                        point[k] = speed and mpf(flip * math.copysign(1, x[k])) * mpf(10)**(-e * speed)
                    family.append(point)
                lists.append(self.along(family))
            if common(lists) is not None:
                return common(lists)
        return None

    def at_infinity(self, x):
        infinite = [k for k, v in enumerate(x) if math.isinf(v)]
        zeros = [k for k, v in enumerate(x) if v == 0] if self.signed else []
        lists = []
        for speeds in speeds_of(len(infinite)):
            for slow in (0.25, 1, 3, None) if zeros else (None,):
                family = []
                for e in (320, 480, 720):
                    point = [mpf(v) for v in x]
                    for k, speed in zip(infinite, speeds):
                        point[k] = mpf(math.copysign(1, x[k])) * speed * mpf(10)**(e + 7 * speed)
                    for k in zeros if slow else []:
                        point[k] = mpf(math.copysign(1, x[k])) * mpf(10)**(-slow * e)
                    family.append(point)
                lists.append(self.along(family))
        numbers = common(lists)
        return numbers and self.without_bends_of_jumps(numbers, len(chosen(len(x))))

    def without_bends_of_jumps(self, numbers, n):
        """Second derivatives are NaN where one of their first derivatives has no limit."""
        size = len(numbers) // len(self.elements)
        for at in range(0, len(numbers), size):
            first = numbers[at + 1:at + 1 + n]
            pairs = [(i, j) for i in range(n) for j in range(i, n)]
            for k, (i, j) in enumerate(pairs, at + 1 + n):
                if first[i] != first[i] or first[j] != first[j]:
                    numbers[k] = NAN
        return numbers

    def beside_nan(self, x):
        numbers = common([self.at([number if v != v else v for v in x]) for number in (-3.0, 0.25, 1.0, 7.0)])
        if numbers is None:
            return None
        size = len(numbers) // len(self.elements)
        return [NAN if at % size == 0 else v for at, v in enumerate(numbers)]

    def lines(self, x):
        yield "at " + " ".join(packed(x))
        n = len(chosen(len(x)))
        size = 1 + n + n * (n + 1) // 2
        try:
            if self.inputs == "matrices" and not all(map(math.isfinite, x)):
                raise Refused
            numbers = self.at(x)
        except Refused:
            yield "refused"
            return
        for at, k in enumerate(self.elements):
            own = [NAN] * size if numbers is None else numbers[at * size:(at + 1) * size]
            slopes = [text(v or 0.0) for v in own[1:]]  # no sign of 0
            yield " ".join([str(k), text(own[0]), ":", *slopes[:n], ":", *slopes[n:]])


def speeds_of(n):
    """How fast each of n numbers goes: all alike, the last the fastest, the first the fastest."""
    return sorted({(1,) * n, tuple(range(1, n + 1)), tuple(range(n, 0, -1))})


def packed(x):
    """The words for x: 0.1*3 for 0.1 three times, the name of a ramp."""
    if isinstance(x, Ramp):
        yield x.name
        return
    for v, group in itertools.groupby(map(text, x)):
        count = len(list(group))
        yield v if count == 1 else f"{v}*{count}"


def made(fields):
    row = Row(*fields)
    return [f"row {row.name} = {row.formula}"] + [line for x in row.points for line in row.lines(x)]


def main():
    arguments = sys.argv[1:]
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    listed = subprocess.run([arguments[0], "--list"], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    with multiprocessing.Pool() as pool:
        lines = [line for row in pool.imap(made, [row for row in rows if only in row[0]]) for line in row]
    found = "\n".join(lines) + "\n"
    record = pathlib.Path(__file__).with_name("extremes.txt")
    if only:
        print(found, end="")
    elif "--check" not in arguments:
        record.write_text(found)
    elif record.read_text() != found:
        print(f"{record.name} is not what this script makes; run it without --check and see what differs")
        sys.exit(1)


if __name__ == "__main__":
    main()
