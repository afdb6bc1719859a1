"""Finds the rules of operations, the updates of optimizers, the decisions of verdicts and the rules of enclosures in
C++ sources and makes wrong ones of them, all in one program.

A mutant is a small wrong edit of a pullback, a row rule, a row factor, a function these use, of what an operation
keeps or says of its rounding, of what a part of an optimizer does, of what makes a word of numbers, or of what computes
in balls. `weave` puts all mutants of a file into it, each chosen at run time by its number in COTANGENT_MUTANT, so that
one build serves them all and a mutant costs nothing but its tests."""
import dataclasses
import re

CHOICE = """#ifndef COTANGENT_MUTANT_CHOICE
#define COTANGENT_MUTANT_CHOICE
#include <cstdlib>
#include "autodiff/ops.hpp"
namespace {
int cotangent_mutant() {
  static const int number = [] {
    const char* text = std::getenv("COTANGENT_MUTANT");
    return text ? std::atoi(text) : 0;
  }();
  return number;
}
}  // namespace
#endif
#line 1
"""
RULES = ("pullback", "row_rule", "row_factor")
# The pullback of view, which the backward pass sees through: what brings a cotangent to its place.
VIEW = ("base_of", "add", "place", "cover", "add_range", "add_matmul", "complete")


# How errors of operations become one of the result, and shares of own errors.
ERROR_MODEL = "autodiff/ops/own_rounding.cpp"
ERROR_SHARES = ("additions", "error_of_log_sum")


@dataclasses.dataclass
class Mutant:
    file: str
    line: int
    op: str
    rule: str
    what: str
    start: int = 0  # of the text that is replaced: a function's body, or the value of a field
    end: int = 0
    text: str = ""  # what stands there instead
    is_field: bool = False
    number: int = 0

    def key(self):
        return f"{self.file}: {self.op}: {self.rule}: {self.what}"


def masked(text):
    """The text with comments and literals blanked, every character at its old place."""
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\])\'', blank, text, flags=re.S)


def closing(text, at):
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for k in range(at, len(text)):
        depth += (text[k] in "([{") - (text[k] in ")]}")
        if depth == 0:
            return k
    raise ValueError(f"unbalanced bracket at {at}")


def pieces(text, start, end):
    """(start, end) of what top-level commas separate in text[start:end], blanks stripped."""
    found, depth, first = [], 0, start
    for k in range(start, end + 1):
        if k == end or (text[k] == "," and depth == 0):
            a, b = first, k
            while a < b and text[a].isspace():
                a += 1
            while b > a and text[b - 1].isspace():
                b -= 1
            if a < b:
                found.append((a, b))
            first = k + 1
        else:
            depth += (text[k] in "([{") - (text[k] in ")]}")
    return found


def functions(code, of=""):
    """Functions defined at the left margin, or those of the class `of`: (name, start and end of the braced body)."""
    for m in re.finditer(rf"^[A-Za-z\[][^\n;{{}}()=]*?[ &*]{of}(\w+)\(", code, flags=re.M):
        close = closing(code, m.end() - 1)
        brace = re.compile(r"(?: const)?\s*\{").match(code, close + 1)
        if brace:
            yield m[1], brace.end() - 1, closing(code, brace.end() - 1) + 1


def lambda_body(code, start, end):
    """Braces of the body of a captureless lambda that fills text[start:end], or None."""
    if not code.startswith("[](", start):
        return None
    brace = code.index("{", closing(code, start + 2))
    return (brace, closing(code, brace) + 1)


def edits(text, code, start, end, inputs):
    """Wrong edits of a body: (start, end, replacement)."""
    def every(pattern):
        return re.compile(pattern).finditer(code, start, end)

    flip = {"0": "1", "1": "0"}
    for m in every(r"\bout\.add(?:_matmul)?\("):
        close = closing(code, m.end() - 1)
        args = pieces(code, m.end(), close)
        yield m.start(), close + 1, "(void)0"
        if m[0] == "out.add(":
            a, b = args[1]
            yield a, b, f"-({text[a:b]})"
        if inputs > 1 and code[slice(*args[0])] in flip:
            yield *args[0], flip[code[slice(*args[0])]]
    for m in every(r"(?<=\n) +(?:if \([^\n]*?\) )?((?!out\.add|return\b)[a-z_][\w.]*\([^\n]*\));(?=\n)"):
        yield *m.span(1), "(void)0"
    for m in every(r"\b(?:out\.add_|batch_)?matmul\("):
        args = pieces(code, m.end(), closing(code, m.end() - 1))
        (a, b), (c, d) = args[1:3] if "add" in m[0] else args[:2]
        yield a, d, text[c:d] + text[b:c] + text[a:b]
    for m in every(r"\.(scale|transpose_[ab]) = ([^,}]+)"):
        if m[1] == "scale":
            yield m.start(2), m.end(2), f"-({m[2]})"
            yield m.start(2), m.end(2), "1.0"
        else:
            yield m.start(2), m.end(2), f"!({m[2]})"
    for m in every(r"\b(like|scaled|square)\("):
        close = closing(code, m.end() - 1)
        a, b = pieces(code, m.end(), close)[0]
        yield m.start(), close + 1, f"({text[a:b]})"
    if inputs > 1:
        for m in every(r"\b(?:in|shape)\(([01])\)"):
            yield m.start(1), m.end(1), flip[m[1]]
        for m in every(r"\bout\.needs\([01]\)"):
            yield *m.span(), "out.needs(0) && out.needs(1)"
    for m in every(r"\b(?:whole|real)\(([01]?)\)"):
        yield m.start(1), m.end(1), flip.get(m[1], "1")
    for m in every(r"(?<![\w.])\d+\.\d+(?![\w.])"):
        yield *m.span(), {"0.5": "0.75", "2.0": "1.0", "0.0": "1.0", "1.0": "2.0"}.get(m[0], f"(2 * {m[0]})")
    for m in every(r"(?<![\w.])\d+(?![\w.])"):
        if not re.search(r"\b(?:in|shape|whole|real|needs|add|add_matmul)\($", code[start:m.start()]):
            yield *m.span(), flip.get(m[0], str(int(m[0]) - 1))
    for m in every(r" ([-+*/]|==|!=|<=?|>=?|&&|\|\|) (?!\*)"):
        line = code[code.rfind("\n", 0, m.start()) + 1:m.end()]
        if re.match(r"\s*for \(", line):
            continue
        other = {"-": "+", "+": "-", "*": "/", "/": "*", "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=",
                 ">=": ">", "&&": "||", "||": "&&"}[m[1]]
        yield *m.span(1), other
        if m[1] in "+-":
            yield *m.span(1), m[1] + " 0 *"
    for m in every(r"(?<=[(])[-!](?=[\w(])|(?<=[,?:=] )[-!](?=[\w(])|(?<=return )[-!](?=[\w(])"):
        yield *m.span(), ""
    for m in every(r"(?<![=<>!|&] )(?<![\w.):])([A-Za-z_][\w.]*(?:\([^()]*\))?)\s*\?"):
        yield *m.span(1), f"!({m[1]})"
    for m in every(r"\bif \("):
        close = closing(code, m.end() - 1)
        if not re.search(r"needs|[=<>]|\|\||&&", code[m.end():close]):
            yield m.end(), close, f"!({text[m.end():close]})"
    for m in every(r"\b(true|false)\b"):
        yield *m.span(), "false" if m[1] == "true" else "true"


PARTS = {"Estimator": "estimator", "Rule": "rule", "Move": "move", "PlainMove": "move", "StepSize": "step"}


def update_edits(text, code, start, end):
    """Wrong edits of an update: those of any body, and sums axpy(a, v, w) = w + a v with the other sign or without a
    term."""
    yield from edits(text, code, start, end, 1)
    for m in re.compile(r"\baxpy\(").finditer(code, start, end):
        close = closing(code, m.end() - 1)
        (a, b), _, (c, d) = pieces(code, m.end(), close)
        yield a, b, f"-({text[a:b]})"
        yield m.start(), close + 1, f"Params({text[c:d]})"


def mutants_of_parts(file, text):
    """All mutants of a file with parts of optimizers: of the member functions of its classes, but for visit."""
    code, result = masked(text), []
    for m in re.finditer(r"^class (\w+)(?: final)? : public (\w+) \{", code, flags=re.M):
        if m[2] not in PARTS:
            continue
        last = closing(code, m.end() - 1)
        member = re.compile(r"^  (?:static )?[A-Za-z][\w:<>&* ]*[ &*](\w+)\([^;{}]*\)(?: const)?(?: override)? (?=\{)",
                            flags=re.M)
        for f in member.finditer(code, m.end(), last):
            start, end = f.end(), closing(code, f.end()) + 1
            if f[1] in ("visit", "check_start"):
                continue
            texts = {text[start:end]}
            for a, b, new in update_edits(text, code, start, end):
                body = text[start:a] + new + text[b:end]
                if body not in texts:
                    texts.add(body)
                    result.append(Mutant(file, code.count("\n", 0, a) + 1, f"{m[1]}.{f[1]}", PARTS[m[2]],
                                         excerpt(text, start, end, a, b, new), start=start, end=end, text=body))
    return numbered(result)


# Where numbers become words, of which functions (all), and the functions there that only make text.
DECISIONS = {"theory/claims/proof.cpp": r"", "theory/numerics/measured.cpp": r"Inequality::|bounded|enclosed",
             "theory/claims/enclosed.cpp": r"", "theory/claims/prove.cpp": r"(?!plot_margin|outline|check)"}
TEXTS = ("to_string", "quoted", "announced", "open", "in_standard_errors", "inside", "named", "series", "account",
         "number", "observed", "predicted", "noted")


def decision_edits(text, code, start, end):
    """Wrong edits of a decision: those of any body but for texts, and one outcome for another."""
    texts = []
    for m in re.compile(r"\bfmt::format\(").finditer(code, start, end):
        texts.append((m.start(), closing(code, m.end() - 1)))
    for a, b, new in edits(text, code, start, end, 1):
        if not any(first < a < last for first, last in texts):
            yield a, b, new
    words = ("certified", "supported", "refuted", "agrees", "inconclusive", "not_applicable")
    for m in re.compile(r"\boutcome = [^;]*;").finditer(code, start, end):
        for k in re.compile(r"\bOutcome::(\w+)").finditer(code, m.start(), m.end()):
            for word in words:
                if word != k[1]:
                    yield *k.span(1), word
    for m in re.compile(r"\.(proved|disproved|holds|certain)\(\)").finditer(code, start, end):
        for word in ("proved", "disproved", "holds"):
            if word != m[1]:
                yield *m.span(1), word


def mutants_of_decisions(file, text):
    """All mutants of a file in which numbers become words: of its functions that make more than text."""
    code, result = masked(text), []
    function = re.compile(r"^(?:  )?(?!namespace|class|struct|using|#)[A-Za-z][\w:<>&*, ]*?[ &*]((?:\w+::)?(?:\w+|operator\S+))\(",
                          flags=re.M)
    for m in function.finditer(code):
        close = closing(code, m.end() - 1)
        brace = re.compile(r"(?: const)?(?: noexcept)? (?=\{)").match(code, close + 1)
        if not brace or m[1].rpartition("::")[2] in TEXTS or not re.match(DECISIONS[file], m[1]):
            continue
        start, end = brace.end(), closing(code, brace.end()) + 1
        bodies = {text[start:end]}
        for a, b, new in decision_edits(text, code, start, end):
            body = text[start:a] + new + text[b:end]
            if body not in bodies:
                bodies.add(body)
                result.append(Mutant(file, code.count("\n", 0, a) + 1, m[1], "decision",
                                     excerpt(text, start, end, a, b, new), start=start, end=end, text=body))
    return numbered(result)


# What computes in balls. A wrong edit of it gives bounds without the truth, or none where there could be some.
BALLS = {"add": ("sub",), "sub": ("add",), "mul": ("div",), "div": ("mul",), "max": ("min",), "min": ("max",),
         "gt": ("ge",), "ge": ("gt",), "lt": ("le",), "le": ("lt",), "eq": ("ne",), "ne": ("eq",), "neg": ("set",),
         "is_nonnegative": ("is_positive", "contains_nonnegative"), "is_negative": ("is_nonpositive",),
         "is_positive": ("is_nonnegative",), "is_zero": ("contains_zero",), "is_nonzero": ("is_positive",),
         "get_lbound_arf": ("get_ubound_arf",), "get_ubound_arf": ("get_lbound_arf",), "exp": ("expm1",),
         "expm1": ("exp",), "log": ("log1p",), "log1p": ("log",), "sin": ("cos",), "cos": ("sin",),
         "indeterminate": ("zero",), "unit_interval": ("one", "zero"), "sqrtpos": ("set_round",), "sqr": ("set_round",),
         "is_exact": ("is_finite",), "is_finite": ("is_exact",), "set_d": (), "contains": ("overlaps",)}
ENCLOSED = ("enclose/rules/*.cpp", "enclose/rules/rules.hpp", "enclose/replay/*.cpp", "enclose/balls/*.cpp",
            "enclose/balls/matrix.hpp", "enclose/record/*.cpp")
# Of these only the caller's text, or a thread's memory, depends; and check is of what is refused.
NOT_BALLS = ("digits", "to_string", "log2_of", "log2_radius", "mind_thread", "throw_no_number", "check", "check_box")


def enclosure_edits(text, code, start, end):
    """Wrong edits of what computes in balls: those of any body but of precisions, other functions of Arb, a hull
    without one of its sides, ends rounded inward, comparisons that are not counted."""
    for a, b, new in edits(text, code, start, end, 2):
        old = text[a:b]
        if re.fullmatch(r"\d+", old) and (int(old) >= 16 or text[b] == "]" and text[b + 1] == ";"):  # bits, arrays
            continue
        if text[a - 3:a] == "in[" and "in[1]" not in code[start:end]:  # there is no other
            continue
        if "static_assert" in text[text.rfind("\n", 0, a):b]:
            continue
        if new == "(void)0" and re.search(r"_(?:clear|init|free)\(|mind_thread|reserve\(", old):
            continue
        yield a, b, new
    for m in re.compile(r"\barb_(?:mat_)?(\w+?)(?=_si\b|_ui\b|\b)").finditer(code, start, end):
        for other in BALLS.get(m[1], ()):
            yield *m.span(1), other
    for m in re.compile(r"\barb_union\(").finditer(code, start, end):
        close = closing(code, m.end() - 1)
        to, *sides, _ = pieces(code, m.end(), close)
        for a, b in sides:
            yield m.start(), close + 1, f"arb_set({text[slice(*to)]}, {text[a:b]})"
    for m in re.compile(r"\bARF_RND_(FLOOR|CEIL)\b").finditer(code, start, end):
        yield *m.span(1), "CEIL" if m[1] == "FLOOR" else "FLOOR"
    for m in re.compile(r"\+\+[\w.]+(?=;)").finditer(code, start, end):
        yield *m.span(), "(void)0"


def mutants_of_enclosures(file, text):
    """All mutants of a file that computes in balls: of its functions and of the members of its classes."""
    code, result, seen = masked(text), [], set()
    patterns = (r"^(?!namespace|class|struct|using|#|template)[A-Za-z][\w:<>&*, ]*?[ &*]((?:\w+::)?(?:\w+|operator\S+?))\(",
                r"^  (?:static |explicit )?(?!return|if|for|else|throw)(?:[A-Za-z][\w:<>&* ]*[ &*])?(\w+)(?=\()\(")
    for pattern in patterns:
        for m in re.compile(pattern, flags=re.M).finditer(code):
            close = closing(code, m.end() - 1)
            brace = re.compile(r"(?: const)?(?: noexcept)?(?: override)? (?=\{)").match(code, close + 1)
            if not brace or m[1].rpartition("::")[2] in NOT_BALLS:
                continue
            start, end = brace.end(), closing(code, brace.end()) + 1
            if any(a <= start and end <= b for a, b in seen):
                continue
            seen.add((start, end))
            bodies = {text[start:end]}
            for a, b, new in enclosure_edits(text, code, start, end):
                body = text[start:a] + new + text[b:end]
                if body not in bodies:
                    bodies.add(body)
                    result.append(Mutant(file, code.count("\n", 0, a) + 1, m[1], "enclosure",
                                         excerpt(text, start, end, a, b, new), start=start, end=end, text=body))
    return numbered(result)


def excerpt(text, start, end, old_start, old_end, new):
    """One line that shows an edit of text[start:end]: the lines it touches, before and after."""
    a = max(text.rfind("\n", 0, old_start) + 1, start)
    b = text.find("\n", old_end)
    b = end if b < 0 else min(b, end)
    tidy = lambda s: " ".join(s.split())
    return f"{tidy(text[a:b])} => {tidy(text[a:old_start] + new + text[old_end:b])}"


def row_rule_outcomes(rule, bodies, inputs, is_shared):
    """Wrong outcomes of a row rule: (what, the wrong rule's body, with `a` the right answer)."""
    if not is_shared or inputs > 1:
        if "kFactor" in bodies:
            yield "kBlocked for kFactor", "return a == kFactor ? kBlocked : a;"
            yield "axis for kFactor", "return a == kFactor ? (axis < node.in(j).rank() ? axis : 0) : a;"
    if "kBlocked" in bodies:
        yield "axis for kBlocked", "return a == kBlocked ? (axis < node.in(j).rank() ? axis : 0) : a;"
        yield "kFactor for kBlocked", "return a == kBlocked ? kFactor : a;"
    yield "kFactor for an axis", "return a >= 0 ? kFactor : a;"
    yield "kBlocked for an axis", "return a >= 0 ? kBlocked : a;"
    yield "the next axis", "return a >= 0 && a + 1 < node.in(j).rank() ? a + 1 : a;"
    yield "the axis before", "return a > 0 ? a - 1 : a;"
    if inputs > 1 and re.search(r"\bj\b", bodies):
        yield "the other input's answer", f"return j > 1 ? a : ({rule})(node, axis, 1 - j);"


def row_factor_outcomes(rule, bodies, inputs):
    if re.search(r"\bg\b(?!\.size)", bodies):  # else there is no gradient
        yield "delta with the other sign", "f.delta = (-Var(f.delta)).value(); return f;"
        yield "delta doubled", "f.delta = (2.0 * Var(f.delta)).value(); return f;"
    data = any(len(pieces(m[0], 10, len(m[0]) - 1)) > 1
               for m in re.finditer(r"RowFactor\{(?:[^{}]|\{[^{}]*\})*\}", bodies))
    if data:
        yield "data_first flipped", "f.data_first = !f.data_first; return f;"
        yield "without data", "f.data = Tensor(); return f;"
    if re.search(r"\bj\b", bodies):
        yield "the other input's factor", f"return j > 1 ? f : ({rule})(p, axis, 1 - j, g);"


def own_error_outcomes(text):
    """Wrong error models of an operation: (what, the wrong rule); signs in a product of magnitudes let terms cancel."""
    yield "nothing is rounded", "[](const OpInputs&, const OpAttributes&, const Tensor&) { return Tensor(); }"
    code = masked(text)
    for m in re.finditer(r"\babs\(", code):
        close = closing(code, m.end() - 1)
        inside = text[m.end():close]
        if inside == "out":
            continue  # whose sign nothing looks at
        yield f"{inside} for its magnitudes", f"{text[:m.start()]}Var({inside}){text[close + 1:]}"


FIELD = {
    "roundings": ("double", ""),
    "own_error": ("Tensor (*)(const OpInputs&, const OpAttributes&, const Tensor&)", ""),
    "row_rule": ("int (*)(const NodeView&, int, int)",
                 "[](const NodeView& node, int axis, int j) -> int {{ [[maybe_unused]] const int a = ({0})(node, axis, "
                 "j); {1} }}"),
    "row_factor": ("RowFactor (*)(const OpRecord&, int, int, const Tensor&)",
                   "[](const OpRecord& p, int axis, int j, const Tensor& g) -> RowFactor {{ [[maybe_unused]] RowFactor "
                   "f = ({0})(p, axis, j, g); {1} }}"),
    "keep": ("Keep", ""),
}
LOWER = {"kInputs": ["kNothing"], "kOutput": ["kNothing"], "kInputsAndOutput": ["kInputs", "kOutput"]}


def for_rules(text):
    """The file's code up to its operations as users call them."""
    users = re.search(r"using detail::apply;|^}  // namespace detail$", text, flags=re.M)
    code = masked(text)
    return code[:users.start()] if users else code


def rule_functions(code, shared):
    """Bodies of functions of this file that can be part of a rule: neither operations themselves nor checks."""
    found = [f for f in functions(code) if not re.search(r"\bapply\w*\(|\bthrow\b", code[f[1]:f[2]])]
    for name, start, end in found:
        shared.setdefault(name, code[start:end])
    return found


def mutants_of(file, text, shared, users):
    """All mutants of one file. Of all files, `shared` holds the bodies of functions for rules by name, and `users` an
    operation whose rule uses them; the latter is complete after a first call for every file."""
    code = masked(text)
    result, seen = [], set()
    helpers = rule_functions(for_rules(text), shared)

    def add(start, op, rule, what, at, **more):
        result.append(Mutant(file, code.count("\n", 0, at) + 1, op, rule, what, start=start, **more))

    def add_edits(op, rule, start, end, inputs):
        if (start, end) in seen:
            return
        seen.add((start, end))
        texts = {text[start:end]}
        for a, b, new in edits(text, code, start, end, inputs):
            body = text[start:a] + new + text[b:end]
            if body not in texts:
                texts.add(body)
                add(start, op, rule, excerpt(text, start, end, a, b, new), a, end=end, text=body)

    for m in re.finditer(r"^const Op k\w+\((\{)", code, flags=re.M):
        op_end = closing(code, m.start(1))
        spec = code[m.start():op_end]
        op = re.search(r'\.name = "([^"]+)"', text[m.start():op_end])[1]
        two = r"\bin\[[12]\]|\bin(?:\.shape)?\([12]\)|\bshape\([12]\)|\bzip\(|\bcompared\(|power_by|\.count\(\)"
        inputs = 2 if re.search(two, spec) else 1
        for a, b in pieces(code, m.start(1) + 1, op_end):
            field = re.match(r"\.(\w+) =\s*", code[a:b])
            rule, start = field[1], a + field.end()
            value = text[start:b]
            if rule == "keep":
                for lower in LOWER.get(value.removeprefix("Keep::"), []):
                    add(start, op, rule, f"{value} => Keep::{lower}", start, end=b, text=f"Keep::{lower}",
                        is_field=True)
            if rule == "roundings" and value != "0":
                add(start, op, rule, f"{value} => 0", start, end=b, text="0.0", is_field=True)
            if rule == "own_error":
                for what, wrong in own_error_outcomes(value):
                    add(start, op, rule, what, start, end=b, text=wrong, is_field=True)
            if rule not in RULES or value == "nullptr":
                continue
            braces = lambda_body(code, start, b)
            bodies = code[start:b]
            known = set()
            while more := {n for n in shared if re.search(rf"\b{n}\b", bodies)} - known:
                known |= more
                bodies += " ".join(shared[n] for n in more)
            for name in known:
                users.setdefault(name, (op, rule, inputs))
            if braces:
                add_edits(op, rule, *braces, inputs)
            outcomes = []
            if rule == "row_rule":
                outcomes = row_rule_outcomes(value, bodies, inputs, value == "same_axis")
            elif rule == "row_factor":
                outcomes = row_factor_outcomes(value, bodies, inputs)
            for what, wrong in outcomes:
                add(start, op, rule, what, start, end=b, text=FIELD[rule][1].format(value, wrong), is_field=True)
    for name, start, end in helpers:
        if "NodeView&" in code[code.rfind("\n", 0, start) + 1:start]:  # also where no Op names it
            users.setdefault(name, (name, "row_rule", 1))
        if name in users:
            _, rule, inputs = users[name]
            add_edits(name, rule, start, end, max(inputs, 1 + bool(re.search(r"in\(1\)", code[start:end]))))
    for name, start, end in functions(code):
        if name in ERROR_SHARES:  # what these return, a number
            add(start, name, "own_error", "0", start, end=end, text="{ return 0.0; }")
    if file == ERROR_MODEL:
        for name, start, end in [*functions(code), *functions(code, "RoundingProbe::")]:
            add_edits(name, "own_error", start, end, 1)
    for name, start, end in functions(code, "Sweep::"):
        if name in VIEW:
            add_edits(name, "view", start, end, 1)
    return numbered(result)


def numbered(mutants):
    """In the order of the file; those that read alike told apart."""
    counts = {}
    for mutant in mutants:
        counts[mutant.key()] = counts.get(mutant.key(), 0) + 1
        if counts[mutant.key()] > 1:
            mutant.what += f" (#{counts[mutant.key()]})"
    return sorted(mutants, key=lambda m: (m.line, m.start))


def weave(text, mutants):
    """The file with these mutants in it, and the number of the mutant on each of its lines that holds one."""
    code = masked(text)
    spans = {}
    for m in mutants:
        spans.setdefault((m.start, m.end, m.is_field), []).append(m)

    def put(start, end, inside):
        """The pieces (text, mutant's number) of text[start:end], spans not in `inside` already woven in."""
        out, at = [], start
        for span in sorted((s for s in spans if start <= s[0] and s[1] <= end and s not in inside),
                           key=lambda s: (s[0], -s[1])):
            a, b, is_field = span
            if a < at:
                continue
            out.append((text[at:a], 0))
            if is_field:
                kind = next(k for k in FIELD if re.search(rf"\.{k} =\s*$", code[:a]))
                out.append((f"[]() -> {FIELD[kind][0]} {{ switch (cotangent_mutant()) {{\n", 0))
                out += [(f"case {m.number}: return {m.text};\n", m.number) for m in spans[span]]
                out += [("default: return ", 0), *put(a, b, inside | {span}), (";\n} }()", 0)]
            else:
                out += [("{ switch (cotangent_mutant()) { default: ", 0), *put(a, b, inside | {span}), (" break;\n", 0)]
                out += [(f"case {m.number}: {m.text} break;\n", m.number) for m in spans[span]]
                out.append(("} }", 0))
            at = b
        out.append((text[at:end], 0))
        return out

    woven, lines = "", {}
    line = 1
    for part, number in put(0, len(text), frozenset()):
        if number:
            for k in range(part.count("\n")):
                lines[line + k] = number
        line += part.count("\n")
        woven += part
    return CHOICE + woven, lines
