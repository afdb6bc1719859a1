"""Exact formulas for make_extremes.py: numbers of 900 digits with derivatives, and functions of them."""
import math

import mpmath
from mpmath import mp, mpf

mp.dps = 900


class Undefined(Exception):
    """Outside the domain."""


class Refused(Exception):
    """An input that the operation throws at."""


# ---- numbers with derivatives: v + a e1 + b e2 + c e1 e2, where e1^2 = e2^2 = 0

class Jet:
    def __init__(self, v, a=0, b=0, c=0):
        self.v = v if isinstance(v, mpf) else mpf(v)
        self.a, self.b, self.c = a, b, c

    def map(self, f, first, second):
        """f of this, with functions for its derivatives that are asked only where they count."""
        value = f(self.v)
        if not (self.a or self.b or self.c):
            return Jet(value)
        d = first(self.v)
        h = second(self.v) if self.a and self.b else 0
        return Jet(value, d * self.a, d * self.b, d * self.c + h * self.a * self.b)

    def __add__(self, o):
        o = jet(o)
        return Jet(self.v + o.v, self.a + o.a, self.b + o.b, self.c + o.c)

    def __mul__(self, o):
        if not isinstance(o, Jet):  # so that 0 * inf comes in nowhere
            return Jet(self.v * o, self.a and self.a * o, self.b and self.b * o, self.c and self.c * o)
        if not (self.a or self.b or o.a or o.b):
            return Jet(self.v * o.v, 0, 0, self.c * o.v + self.v * o.c)
        return Jet(self.v * o.v, self.a * o.v + self.v * o.a, self.b * o.v + self.v * o.b,
                   self.c * o.v + self.a * o.b + self.b * o.a + self.v * o.c)

    def __neg__(self):
        return Jet(-self.v, -self.a, -self.b, -self.c)

    def __sub__(self, o):
        return self + -jet(o)

    def __truediv__(self, o):
        return self * jet(o).map(lambda v: 1 / v, lambda v: -1 / v**2, lambda v: 2 / v**3)

    def __radd__(self, o):
        return self + o

    def __rmul__(self, o):
        return self * o

    def __rsub__(self, o):
        return jet(o) - self

    def __rtruediv__(self, o):
        return jet(o) / self

    def __ge__(self, o):
        return self.v >= jet(o).v

    def __gt__(self, o):
        return self.v > jet(o).v

    def __le__(self, o):
        return self.v <= jet(o).v

    def __lt__(self, o):
        return self.v < jet(o).v


def jet(x):
    return x if isinstance(x, Jet) else Jet(x)


# ---- what formulas are made of

def real(f, holds):
    def checked(v):
        if not holds(v):
            raise Undefined
        return f(v)
    return checked


def cached(f):
    """f, which is asked for the same number again by derivatives."""
    known = {}

    def found(v):
        if v._mpf_ not in known:
            known[v._mpf_] = f(v)
        return known[v._mpf_]
    return found


of_exp, of_expm1 = cached(mpmath.exp), cached(mpmath.expm1)
of_sin, of_cos, root = cached(mpmath.sin), cached(mpmath.cos), cached(mpmath.sqrt)


def exp(x):
    return jet(x).map(of_exp, of_exp, of_exp)


def expm1(x):
    return jet(x).map(of_expm1, of_exp, of_exp)


@cached
def of_log(v):
    if v < 0:
        raise Undefined
    if v == 0:
        raise ZeroDivisionError
    return mpmath.log(v)


def log(x):
    return jet(x).map(of_log, lambda v: 1 / v, lambda v: -1 / v**2)


@cached
def of_log1p(v):
    if v < -1:
        raise Undefined
    if v == -1:
        raise ZeroDivisionError
    return mpmath.log1p(v)


def log1p(x):
    return jet(x).map(of_log1p, lambda v: 1 / (1 + v), lambda v: -1 / (1 + v)**2)


def sqrt(x):
    return jet(x).map(real(root, lambda v: v >= 0), lambda v: 1 / (2 * root(v)),
                      lambda v: -1 / (4 * root(v)**3))


def sin(x):
    return jet(x).map(of_sin, of_cos, lambda v: -of_sin(v))


def cos(x):
    return jet(x).map(of_cos, lambda v: -of_sin(v), lambda v: -of_cos(v))


def tanh(x):
    """By e = exp(-2 |x|)."""
    x = jet(x)
    e = exp(-2 * abs_(x))
    y = -expm1(-2 * abs_(x)) / (1 + e)
    return y if x >= 0 else -y


@cached
def bell(v):
    return 2 / mpmath.sqrt(mpmath.pi) * of_exp(-v * v)


@cached
def of_erfc(v):
    return mpmath.erfc(v) if abs(v) < 100 else bell(v) / (2 * v) if v > 0 else mpf(2)  # far below any double


@cached
def of_erf(v):
    return mpmath.erf(v) if abs(v) < 100 else mpmath.sign(v)


def erf(x):
    return jet(x).map(of_erf, bell, lambda v: -2 * v * bell(v))


def erfc(x):
    return jet(x).map(of_erfc, lambda v: -bell(v), lambda v: 2 * v * bell(v))


def sigmoid(x):
    x = jet(x)
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def softplus(x):
    x = jet(x)
    return (x if x >= 0 else 0) + log1p(exp(-abs_(x)))


@cached
def log_magnitude(v):
    return mpmath.log(abs(v))


def power_of(v, p):
    whole = p == mpmath.floor(p)
    if v == 0 and p < 0:
        raise ZeroDivisionError
    if v < 0 and not whole:
        raise Undefined
    if p == 0 or v == 0:
        return mpf(1 if p == 0 else 0)
    if whole and abs(p) < 100:
        return v ** int(p)
    return of_exp(p * log_magnitude(v)) * (-1 if v < 0 and int(p) % 2 else 1)


def power(x, p):
    """x^p for a constant p."""
    p = mpf(p)
    return jet(x).map(lambda v: power_of(v, p), lambda v: p and p * power_of(v, p - 1),
                      lambda v: p and (p - 1) and p * (p - 1) * power_of(v, p - 2))


def power2(a, b):
    """a^b. At a = 0 the derivatives by b are 0 where b >= 0; where a < 0 there are none."""
    if a.v > 0:
        return exp(b * log(a))
    moves = b.a or b.b or b.c
    if a.v < 0 and moves:
        power_of(a.v, b.v)  # raises where there is no value either
        raise Undefined
    if a.v == 0 and moves:
        if b.v < 0 or b.v <= 1 and (a.a or a.b):
            raise ZeroDivisionError
        return Jet(power_of(a.v, b.v))
    return power(a, b.v)


def abs_(x):
    return x if x >= 0 else -x


def sign(x):
    return Jet(1 if x >= 0 else -1)


def step(holds):
    return Jet(1 if holds else 0)


def maximum(a, b):
    return a if a >= b else b


def minimum(a, b):
    return a if a <= b else b


def largest(x):
    if not x:
        raise Refused
    top = x[0]
    for t in x[1:]:
        top = t if t > top else top
    return top


def smallest(x):
    return -largest([-t for t in x])


def total(x):
    return sum(x, Jet(0))


def dot(a, b):
    return total(s * t for s, t in zip(a, b))


def mean(x):
    if not x:
        raise Refused
    return total(x) / len(x)


def variance(x, ddof=0):
    if len(x) <= ddof:
        raise Refused
    middle = mean(x)
    return total((t - middle) * (t - middle) for t in x) / (len(x) - ddof)


def length(x):
    """At 0 a constant."""
    return Jet(0) if all(t.v == 0 for t in x) else sqrt(dot(x, x))


def log_sum_exp(x):
    """Without cancellation: what is added to the largest."""
    if not x:
        raise Refused
    top = max(range(len(x)), key=lambda i: x[i].v)
    return x[top] + log1p(total(exp(t - x[top]) for i, t in enumerate(x) if i != top))


class Elements:
    """A result of n elements, each of which is computed when it is asked for."""

    def __init__(self, n, element):
        self.n, self.element = n, element


def others(x, i):
    """sum of exp(x_j - x_i) over the others."""
    return total(exp(s - x[i]) for j, s in enumerate(x) if j != i)


def softmax(x):
    return Elements(len(x), lambda i: 1 / (1 + others(x, i)))


def log_softmax(x):
    return Elements(len(x), lambda i: -log1p(others(x, i)))


def log_softmax_at(x, i):
    return -log1p(others(x, i % len(x)))


def halves(x):
    return x[:len(x) // 2], x[len(x) // 2:]


def symmetric(x, n):
    return [[(x[i * n + j] + x[j * n + i]) / 2 for j in range(n)] for i in range(n)]


def eliminated(a, b):
    """Determinant of a, and a^-1 b for a vector b."""
    a, b, det = [list(row) for row in a], list(b), Jet(1)
    for i, row in enumerate(a):
        if not row[i] > 0:
            raise Refused
        det = det * row[i]
        for r in range(len(a)):
            if r != i:
                factor = a[r][i] / row[i]
                a[r] = [s - factor * t for s, t in zip(a[r], row)]
                b[r] = b[r] - factor * b[i]
    return det, [t / a[i][i] for i, t in enumerate(b)]


def spd(x, f):
    """f(determinant of a, a^-1 1) of the symmetric matrix a whose rows are x."""
    n = math.isqrt(len(x))
    return f(*eliminated(symmetric(x, n), [Jet(1)] * n))
