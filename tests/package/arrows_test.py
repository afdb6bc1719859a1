"""The arrows: rooms include the rooms below them and no private headers of theirs but the doors; inner rooms
include downward only; no units include one another in a circle; an umbrella lists its room's public headers,
each with a comment, and nothing else; public headers, examples and benchmarks include no private headers.

Usage: arrows_test.py ROOT"""
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "scripts"))
from room_arrows import (APART, DOORS, FLOORS, INSTALLED, MAY_USE, OUTSIDE,  # noqa: E402
                         Tree, private)


def between_rooms(tree):
    """Includes against the arrows between rooms, past the doors, or that do not start at the root."""
    for room, allowed in MAY_USE.items():
        for path in tree.files[room]:
            for number, quoted, target, _ in tree.includes[path]:
                there = target.split("/")[0]
                ours = there in MAY_USE or there in OUTSIDE
                if has_dots(target):
                    continue
                if (quoted or ours) and there not in allowed:
                    yield f"{path}:{number}: {room} must not include {target}"
                elif ours and there != room and private(target) and target not in DOORS:
                    yield f"{path}:{number}: {target} is private to {there} and not a door"


def has_dots(target):
    return any(part in (".", "..") for part in target.split("/"))


def by_dots(tree):
    """Includes that do not name their header by its place below the root."""
    for path, includes in tree.includes.items():
        yield from (f"{path}:{i.line}: {i.target} is to be named by its place below the root"
                    for i in includes if has_dots(i.target))


def unknown_places(tree):
    """Sources in folders that are no room, and in inner rooms of flat rooms or of inner rooms."""
    yield from (f"{name}/ has sources and is no room: MAY_USE does not list it" for name in tree.unknown)
    for room, files in tree.files.items():
        for path in files:
            if path.count("/") > (2 if room in FLOORS else 1):
                yield f"{path}: {room} has no inner rooms" + (" within inner rooms" if room in FLOORS else "")


def into_the_works(tree):
    """Private headers that a public header, an umbrella, an example or a benchmark includes."""
    for room in MAY_USE:
        for path in [*tree.shelf(room), *(INSTALLED & set(tree.files[room]))]:
            for number, _, target, _ in tree.includes[path]:
                # What is private to another room and no door is complained of already.
                if target.split("/")[0] in MAY_USE and private(target) and target not in INSTALLED and (
                        target.split("/")[0] == room or target in DOORS):
                    yield f"{path}:{number}: {target} is private, and public headers' includes are installed"
    for path in tree.outside:
        if path.startswith("tests/"):
            continue
        for number, _, target, _ in tree.includes[path]:
            if has_dots(target):
                continue
            if target.split("/")[0] in MAY_USE and private(target):
                yield f"{path}:{number}: {target} is private to its room"
            elif target.split("/")[0] in OUTSIDE - {path.split("/")[0], "cotangent.hpp"}:
                yield f"{path}:{number}: {path.split('/')[0]} must not include {target}"


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
            for number, _, target, _ in tree.includes[path]:
                if target.split("/")[0] != room or has_dots(target):
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


def umbrellas(tree):
    """Public headers that their room's umbrella does not list, and what it lists wrongly."""
    for room in MAY_USE:
        umbrella = f"{room}/{room}.hpp"
        includes, shelf = tree.includes.get(umbrella, []), tree.shelf(room)
        listed = {i.target for i in includes} | APART
        yield from (f"{path}: {umbrella} does not list it" for path in shelf if path not in listed)
        for number, _, target, comment in includes:
            if target.split("/")[0] in MAY_USE.keys() - MAY_USE[room] or has_dots(target):
                continue  # complained of already
            if target not in shelf:
                there = "no public header of its room" if target in tree.includes else "not there"
                yield f"{umbrella}:{number}: {target} is {there}"
            elif not comment:
                yield f"{umbrella}:{number}: no comment says what {target} is"
    yield from (f"cotangent.hpp:{number}: {target} is not the umbrella of a room"
                for number, _, target, _ in tree.includes.get("cotangent.hpp", [])
                if target not in {f"{room}/{room}.hpp" for room in MAY_USE} and not private(target))


def violations(tree):
    return [*between_rooms(tree), *by_dots(tree), *unknown_places(tree), *into_the_works(tree),
            *between_inner_rooms(tree), *circles(tree), *umbrellas(tree)]


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


def umbrella(*targets):
    return [f"{line}  // what it is" for line in include(*targets)]


def test_checker():
    """Sources that are wrong on purpose, in a place that says nothing else of them, and right ones."""
    places = {"autodiff": "autodiff/tape/planted.cpp", "optim": "optim/methods/planted.cpp",
              "theory": "theory/rates/planted.cpp"}
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
        ("optim", "#include <autodiff/ops/rule_ops.hpp>"), ("theory", '#include "report/text.hpp"'),
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
        (1, {"autodiff/tape/a.cpp": include("autodiff/ops/rule_ops.hpp")}),
        (1, {"autodiff/memory/a.cpp": include("autodiff/kernels/loops.hpp")}),
        (1, {"autodiff/tape/a.cpp": include("autodiff/ops.hpp")}),
        (1, {"autodiff/tensor/a.cpp": include("autodiff/page.hpp"), "autodiff/tape/page.cpp": []}),
        (1, {"autodiff/autodiff.hpp": umbrella("autodiff/page.hpp"),
             "autodiff/page.hpp": include("autodiff/op.hpp"),
             "autodiff/tensor/page.cpp": []}),
        (1, {"autodiff/error.hpp": include("autodiff/memory/buffer.hpp"),
             "autodiff/autodiff.hpp": umbrella("autodiff/error.hpp")}),
        (1, {"autodiff/diagnose/a.cpp": include("autodiff/autodiff.hpp")}),
        (1, {"autodiff/attic/a.cpp": []}),
        (1, {"theory/kernels/a.cpp": include("theory/proxies/a.hpp")}),
        (1, {"theory/numerics/a.cpp": include("theory/claims/a.hpp")}),
        (1, {"optim/loop/a.cpp": include("optim/parts/a.hpp")}),
        (0, {"theory/claims/a.cpp": include("theory/numerics/a.hpp"),
             "theory/rates/a.cpp": include("theory/claims/a.hpp", "theory/rates/b.hpp")}),
        # Circles: of two units in one inner room, by way of a source or a public header, in a flat room.
        (1, {"autodiff/ops/a.hpp": include("autodiff/ops/b.hpp"),
             "autodiff/ops/b.hpp": include("autodiff/ops/a.hpp")}),
        (1, {"autodiff/ops/a.hpp": [], "autodiff/ops/a.cpp": include("autodiff/ops/b.hpp"),
             "autodiff/ops/b.hpp": include("autodiff/ops/a.hpp"),
             "autodiff/ops/c.cpp": include("autodiff/ops/a.hpp")}),
        (1, {"autodiff/autodiff.hpp": umbrella("autodiff/page.hpp"), "autodiff/page.hpp": [],
             "autodiff/ops/page.cpp": include("autodiff/page.hpp", "autodiff/ops/b.hpp"),
             "autodiff/ops/b.hpp": include("autodiff/page.hpp")}),
        (1, {"nn/nn.hpp": umbrella("nn/a.hpp", "nn/b.hpp"), "nn/a.hpp": [], "nn/b.hpp": include("nn/a.hpp"),
             "nn/a.cpp": include("nn/b.hpp")}),
        (0, {"nn/nn.hpp": umbrella("nn/a.hpp", "nn/b.hpp"), "nn/a.hpp": [], "nn/b.hpp": include("nn/a.hpp"),
             "nn/b.cpp": include("nn/b.hpp", "nn/a.hpp"), "nn/a.cpp": include("nn/a.hpp")}),
        # Public headers that no umbrella lists.
        (1, {"nn/nn.hpp": umbrella("nn/a.hpp"), "nn/a.hpp": [], "nn/b.hpp": []}),
        (1, {"nn/a.hpp": []}),
        (0, {"autodiff/xtensor.hpp": [], "report/text.hpp": []}),
        # What an umbrella must not hold: the works, what is not there, a line without a comment.
        (1, {"autodiff/autodiff.hpp": umbrella("autodiff/tape/state.hpp"), "autodiff/tape/state.hpp": []}),
        (1, {"report/report.hpp": umbrella("report/text.hpp"), "report/text.hpp": []}),
        (1, {"nn/nn.hpp": umbrella("nn/gone.hpp")}),
        (1, {"nn/nn.hpp": include("nn/a.hpp"), "nn/a.hpp": []}),
        (1, {"cotangent.hpp": umbrella("autodiff/tape/state.hpp")}),
        (1, {"cotangent.hpp": umbrella("nn/linear.hpp")}),
        (0, {"cotangent.hpp": umbrella("nn/nn.hpp")}),
        # The works in public headers, and in what is installed with them.
        (1, {"autodiff/autodiff.hpp": umbrella("autodiff/page.hpp"), "autodiff/tape/page.cpp": [],
             "autodiff/page.hpp": include("autodiff/tensor/access.hpp")}),
        (1, {"nn/nn.hpp": umbrella("nn/a.hpp"), "nn/a.hpp": include("autodiff/tensor/access.hpp")}),
        (1, {"report/report.hpp": umbrella("report/a.hpp"), "report/a.hpp": include("report/text.hpp")}),
        (1, {"autodiff/memory/buffer.hpp": include("autodiff/memory/block_cache.hpp")}),
        (0, {"autodiff/autodiff.hpp": umbrella("autodiff/page.hpp"), "autodiff/tensor/page.cpp": [],
             "autodiff/page.hpp": include("autodiff/memory/buffer.hpp")}),
        # The works in examples and benchmarks; tests may.
        (1, {"examples/a.cpp": include("autodiff/tape/state.hpp")}),
        (1, {"benchmarks/support/a.hpp": include("autodiff/tensor/access.hpp")}),
        (1, {"examples/support/a.h": include("report/text.hpp")}),
        (1, {"examples/a.cpp": include("tests/support/expect.hpp")}),
        (0, {"examples/a.cpp": include("cotangent.hpp", "nn/nn.hpp", "examples/support/lesson.hpp"),
             "tests/a.cpp": include("autodiff/tape/state.hpp", "report/text.hpp")}),
        # Places that are none, and sources by other endings.
        (1, {"attic/a.cpp": []}),
        (1, {"attic/deep/a.h": []}),
        (0, {"docs/a.md": [], "build/a.cpp": [], ".cache/a.cpp": []}),
        (0, {"enclose/enclose.hpp": umbrella("enclose/ball.hpp"),
             "enclose/ball.hpp": include("autodiff/tape.hpp"), "enclose/replay/ball.cpp": [],
             "theory/rates/a.cpp": include("enclose/ball.hpp")}),
        (1, {"enclose/rules/a.cpp": include("nn/linear.hpp")}),
        (1, {"nn/a.cpp": include("enclose/ball.hpp")}),
        (1, {"autodiff/tape/deep/a.cpp": []}),
        *((1, {f"{room}/inner/a.cpp": []}) for room in ("nn", "report")),
        (1, {"nn/a.inc": include("optim/sgd.hpp")}),
        (1, {"autodiff/tape/a.inc": include("autodiff/ops/rule_ops.hpp")}),
        (1, {"nn/a.h": []}),
        # Places by dots.
        *((1, {path: [line]}) for path in ("nn/a.cpp", "autodiff/tape/a.cpp", "tests/a.cpp", "examples/a.cpp")
          for line in ('#include "../x.hpp"', "#include <../x.hpp>", '#include "nn/../optim/sgd.hpp"',
                       '#include "./a.hpp"')),
    ]
    for expected, files in trees:
        found = planted(files)
        if len(found) != expected:
            wrong.append(f"{len(found)} complaints instead of {expected} of {files}: {found}")
    return wrong


tree = Tree(ROOT)
missing = [f"no sources in {room}/" for room in MAY_USE if not tree.files[room]]
closed = [f"{header} is listed as a door or installed, and not there" for header in sorted(DOORS | INSTALLED)
          if not (ROOT / header).exists()]
problems = test_checker() + missing + closed + violations(tree)
print("\n".join(problems) or "every include follows the arrows")
sys.exit(1 if problems else 0)
