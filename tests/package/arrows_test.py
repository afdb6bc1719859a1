"""The arrows between rooms: no source of a room includes another room it must not know. Usage: arrows_test.py ROOT"""
import pathlib
import re
import sys
import tempfile

MAY_USE = {
    "autodiff": {"autodiff"},
    "nn": {"nn", "autodiff"},
    "report": {"report", "autodiff"},
    "optim": {"optim", "autodiff", "report"},
    "theory": {"theory", "autodiff", "nn", "report", "optim"},
}
OUTSIDE = {"examples", "tests", "benchmarks", "cotangent.hpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def violations(root):
    """Lines 'file:line: ...' for every include that goes against the arrows or does not start at the root."""
    found = []
    for room, allowed in MAY_USE.items():
        for path in sorted((root / room).rglob("*.?pp")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                quote, target = match.groups()
                first = target.split("/")[0]
                ours = first in MAY_USE or first in OUTSIDE
                if (quote == '"' or ours) and first not in allowed:
                    found.append(f"{path.relative_to(root)}:{number}: {room} must not include {target}")
    return found


def planted(room, line):
    """What the check says of a tree whose only source is `line` in `room`."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / room / "inner").mkdir(parents=True)
        (root / room / "inner" / "planted.hpp").write_text("// a header\n" + line + "\n")
        return violations(root)


def test_checker():
    refused = [
        ("autodiff", '#include "nn/linear.hpp"'), ("autodiff", '#include "report/table.hpp"'),
        ("autodiff", '#include "optim/sgd.hpp"'), ("autodiff", '#include "theory/kernel.hpp"'),
        ("nn", '#include "optim/sgd.hpp"'), ("nn", '#include "report/table.hpp"'), ("nn", '#include "theory/rate.hpp"'),
        ("report", '#include "nn/linear.hpp"'), ("report", '#include "optim/sgd.hpp"'),
        ("report", '#include "theory/rate.hpp"'),
        ("optim", '#include "nn/linear.hpp"'), ("optim", '#include "theory/rate.hpp"'),
        ("optim", '  #  include  "nn/linear.hpp"  // spaced out'), ("nn", "#include <optim/sgd.hpp>"),
        ("theory", '#include "examples/support/lesson.hpp"'), ("theory", '#include "tests/support.hpp"'),
        ("theory", '#include "cotangent.hpp"'), ("nn", '#include "linear.hpp"'), ("nn", '#include "../optim/sgd.hpp"'),
    ]
    accepted = [
        ("nn", '#include "autodiff/tape.hpp"'), ("nn", '#include "nn/linear.hpp"'), ("nn", "#include <vector>"),
        ("report", '#include "autodiff/tape.hpp"'), ("optim", '#include "report/progress.hpp"'),
        ("theory", '#include "nn/linear.hpp"'), ("theory", '#include "optim/sgd.hpp"'),
        ("theory", '#include "report/table.hpp"'), ("nn", '// #include "optim/sgd.hpp"'),
    ]
    return [f"not noticed in {room}: {line}" for room, line in refused if len(planted(room, line)) != 1] + [
        f"wrongly refused in {room}: {line}" for room, line in accepted if planted(room, line)]


root = pathlib.Path(sys.argv[1])
missing = [f"no sources in {room}/" for room in MAY_USE if not any((root / room).rglob("*.?pp"))]
problems = test_checker() + missing + violations(root)
print("\n".join(problems) or "every include follows the arrows")
sys.exit(1 if problems else 0)
