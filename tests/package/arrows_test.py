"""The arrows: rooms include the rooms below them and no private headers of theirs but the doors; inner rooms
include downward only; no units include one another in a circle; every public header is in its umbrella.

Usage: arrows_test.py ROOT"""
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "scripts"))
from room_arrows import APART, DOORS, FLOORS, MAY_USE, OUTSIDE, PRIVATE, Tree  # noqa: E402


def between_rooms(tree):
    """Includes against the arrows between rooms, past the doors, or that do not start at the root."""
    for room, allowed in MAY_USE.items():
        for path in tree.files[room]:
            for number, quoted, target in tree.includes[path]:
                there, *rest = target.split("/")
                ours = there in MAY_USE or there in OUTSIDE
                if (quoted or ours) and there not in allowed:
                    yield f"{path}:{number}: {room} must not include {target}"
                elif ours and there != room and (len(rest) > 1 or target in PRIVATE) and target not in DOORS:
                    yield f"{path}:{number}: {target} is private to {there} and not a door"


def between_inner_rooms(tree):
    """Includes that do not go downward inside a room, and files that belong to no known inner room."""
    for room, floors in FLOORS.items():
        floor = {name: level for level, names in enumerate(floors) for name in names}
        for path in tree.files[room]:
            here = tree.inner_room(path)
            if path == f"{room}/{room}.hpp":
                continue
            if here is not None and here not in floor:
                yield f"{path}: belongs to no inner room of {room}"
                continue
            for number, _, target in tree.includes[path]:
                if target.split("/")[0] != room:
                    continue
                there = tree.inner_room(target)
                if target == f"{room}/{room}.hpp":
                    yield f"{path}:{number}: {target} is for scripts, its room includes what it needs"
                elif there is not None and there != here and floor.get(there, 99) >= floor.get(here, -1):
                    below = here or "the ground"
                    yield f"{path}:{number}: {target} is in {there}, which is not below {below}"


def circles(tree):
    """Units of a room that include one another in a circle, each circle once."""
    for room, files in tree.files.items():
        arrows = {}
        for path in files:
            targets = {tree.unit(i.target) for i in tree.includes[path] if i.target in tree.includes}
            arrows.setdefault(tree.unit(path), set()).update(targets - {tree.unit(path)})

        def reached_from(unit):
            seen, waiting = set(), [unit]
            while waiting:
                new = arrows.get(waiting.pop(), set()) - seen
                seen |= new
                waiting += new
            return seen

        reached = {unit: reached_from(unit) for unit in arrows}
        rest = {unit for unit in arrows if unit in reached[unit]}
        while rest:
            first = min(rest)
            circle = {unit for unit in rest if unit in reached[first] and first in reached[unit]}
            rest -= circle
            among = [f"{a} -> {b}" for a in sorted(circle) for b in sorted(arrows[a] & circle)]
            yield f"{room}: a circle of units: {', '.join(among)}"


def not_in_umbrella(tree):
    """Public headers that their room's umbrella does not list."""
    for room in MAY_USE:
        listed = {i.target for i in tree.includes.get(f"{room}/{room}.hpp", [])} | APART
        yield from (f"{path}: {room}/{room}.hpp does not list it" for path in tree.shelf(room)
                    if path not in listed)


def violations(tree):
    return [*between_rooms(tree), *between_inner_rooms(tree), *circles(tree), *not_in_umbrella(tree)]


def planted(files):
    """What the checks say of a tree of these files, each given by its includes."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, lines in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("// a source\n" + "\n".join(lines) + "\n")
        return violations(Tree(root))


def include(*targets):
    return [f'#include "{target}"' for target in targets]


def test_checker():
    """Sources that are wrong on purpose, in a place that says nothing else of them, and right ones."""
    places = {"autodiff": "autodiff/tape/planted.cpp", "theory": "theory/rates/planted.cpp"}
    refused = [
        ("autodiff", '#include "nn/linear.hpp"'), ("autodiff", '#include "report/table.hpp"'),
        ("autodiff", '#include "optim/sgd.hpp"'), ("autodiff", '#include "theory/kernel.hpp"'),
        ("nn", '#include "optim/sgd.hpp"'), ("nn", '#include "report/table.hpp"'),
        ("nn", '#include "theory/rate.hpp"'),
        ("report", '#include "nn/linear.hpp"'), ("report", '#include "optim/sgd.hpp"'),
        ("report", '#include "theory/rate.hpp"'),
        ("optim", '#include "nn/linear.hpp"'), ("optim", '#include "theory/rate.hpp"'),
        ("optim", '  #  include  "nn/linear.hpp"  // spaced out'), ("nn", "#include <optim/sgd.hpp>"),
        ("theory", '#include "examples/support/lesson.hpp"'), ("theory", '#include "tests/support.hpp"'),
        ("theory", '#include "cotangent.hpp"'), ("nn", '#include "linear.hpp"'),
        ("nn", '#include "../optim/sgd.hpp"'),
        # Private headers of another room.
        ("nn", '#include "autodiff/tape/state.hpp"'), ("theory", '#include "autodiff/kernels/dispatch.hpp"'),
        ("optim", "#include <autodiff/ops/internal.hpp>"), ("theory", '#include "report/text.hpp"'),
        ("optim", '#include "autodiff/tensor/access/more.hpp"'),
    ]
    accepted = [
        ("nn", '#include "autodiff/tape.hpp"'), ("nn", '#include "nn/linear.hpp"'),
        ("nn", "#include <vector>"),
        ("report", '#include "autodiff/tape.hpp"'), ("optim", '#include "report/progress.hpp"'),
        ("theory", '#include "nn/linear.hpp"'), ("theory", '#include "optim/sgd.hpp"'),
        ("theory", '#include "report/table.hpp"'), ("nn", '// #include "optim/sgd.hpp"'),
        ("nn", '#include "autodiff/tensor/access.hpp"'), ("theory", '#include "autodiff/samples/sweep.hpp"'),
        ("report", '#include "report/text.hpp"'), ("theory", '#include "theory/numerics/lanczos.hpp"'),
    ]
    wrong = [f"not noticed in {room}: {line}" for room, line in refused
             if len(planted({places.get(room, f"{room}/planted.cpp"): [line]})) != 1]
    wrong += [f"wrongly refused in {room}: {line}" for room, line in accepted
              if planted({places.get(room, f"{room}/planted.cpp"): [line]})]

    trees = [
        # How many complaints, and the tree. Inner rooms: upward, sideways, by a public header, unknown.
        (1, {"autodiff/tape/a.cpp": include("autodiff/ops/internal.hpp")}),
        (1, {"autodiff/memory/a.cpp": include("autodiff/kernels/loops.hpp")}),
        (1, {"autodiff/tape/a.cpp": include("autodiff/ops.hpp")}),
        (1, {"autodiff/tensor/a.cpp": include("autodiff/page.hpp"), "autodiff/tape/page.cpp": []}),
        (1, {"autodiff/autodiff.hpp": include("autodiff/page.hpp"),
             "autodiff/page.hpp": include("autodiff/op.hpp"),
             "autodiff/tensor/page.cpp": []}),
        (1, {"autodiff/error.hpp": include("autodiff/memory/buffer.hpp"),
             "autodiff/autodiff.hpp": include("autodiff/error.hpp")}),
        (1, {"autodiff/diagnose/a.cpp": include("autodiff/autodiff.hpp")}),
        (1, {"autodiff/attic/a.cpp": []}),
        (1, {"theory/kernels/a.cpp": include("theory/proxies/a.hpp")}),
        (1, {"theory/numerics/a.cpp": include("theory/claims/a.hpp")}),
        (0, {"theory/claims/a.cpp": include("theory/numerics/a.hpp"),
             "theory/rates/a.cpp": include("theory/claims/a.hpp", "theory/rates/b.hpp")}),
        # Circles: of two units in one inner room, by way of a source or a public header, in a flat room.
        (1, {"autodiff/ops/a.hpp": include("autodiff/ops/b.hpp"),
             "autodiff/ops/b.hpp": include("autodiff/ops/a.hpp")}),
        (1, {"autodiff/ops/a.hpp": [], "autodiff/ops/a.cpp": include("autodiff/ops/b.hpp"),
             "autodiff/ops/b.hpp": include("autodiff/ops/a.hpp"),
             "autodiff/ops/c.cpp": include("autodiff/ops/a.hpp")}),
        (1, {"autodiff/autodiff.hpp": include("autodiff/page.hpp"), "autodiff/page.hpp": [],
             "autodiff/ops/page.cpp": include("autodiff/page.hpp", "autodiff/ops/b.hpp"),
             "autodiff/ops/b.hpp": include("autodiff/page.hpp")}),
        (1, {"nn/nn.hpp": include("nn/a.hpp", "nn/b.hpp"), "nn/a.hpp": [], "nn/b.hpp": include("nn/a.hpp"),
             "nn/a.cpp": include("nn/b.hpp")}),
        (0, {"nn/nn.hpp": include("nn/a.hpp", "nn/b.hpp"), "nn/a.hpp": [], "nn/b.hpp": include("nn/a.hpp"),
             "nn/b.cpp": include("nn/b.hpp", "nn/a.hpp"), "nn/a.cpp": include("nn/a.hpp")}),
        # Public headers that no umbrella lists.
        (1, {"optim/optim.hpp": include("optim/a.hpp"), "optim/a.hpp": [], "optim/b.hpp": []}),
        (1, {"nn/a.hpp": []}),
        (0, {"autodiff/xtensor.hpp": [], "report/text.hpp": []}),
    ]
    for expected, files in trees:
        found = planted(files)
        if len(found) != expected:
            wrong.append(f"{len(found)} complaints instead of {expected} of {files}: {found}")
    return wrong


tree = Tree(ROOT)
missing = [f"no sources in {room}/" for room in MAY_USE if not tree.files[room]]
closed = [f"the door {door} is not there" for door in sorted(DOORS) if not (ROOT / door).exists()]
problems = test_checker() + missing + closed + violations(tree)
print("\n".join(problems) or "every include follows the arrows")
sys.exit(1 if problems else 0)
