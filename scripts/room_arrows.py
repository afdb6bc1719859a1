"""The rooms as data, and what the includes say of them. For tests/package/arrows_test.py and scripts/rooms.

A public header stands on its room's shelf, <room>/<name>.hpp; what has three parts is the works. A unit is a
header with its source; a public header X.hpp and the X.cpp in one of its room's inner rooms are one unit."""
import collections
import pathlib
import re

MAY_USE = {
    "autodiff": {"autodiff"},
    "nn": {"nn", "autodiff"},
    "report": {"report", "autodiff"},
    "optim": {"optim", "autodiff", "report"},
    "enclose": {"enclose", "autodiff"},
    "theory": {"theory", "autodiff", "nn", "report", "optim", "enclose"},
}
# What is no room and has sources. Only tests may look into the rooms; the others see public headers.
OUTSIDE = {"examples", "tests", "benchmarks", "cotangent.hpp"}

# The inner rooms, lowest floor first: each may include those of lower floors only. Rooms yet to come may be listed.
FLOORS = {
    "autodiff": [["memory", "kernels"], ["tensor"], ["tape", "files"], ["ops"], ["plan"], ["transforms", "samples"],
                 ["diagnose"]],
    "optim": [["objective"], ["loop"], ["parts"], ["methods"], ["tuning"]],
    "enclose": [["balls"], ["record"], ["rules"], ["replay"]],
    "theory": [["numerics"], ["claims"], ["kernels"], ["conditions", "proxies"],
               ["rates", "dynamics", "landscape", "generalisation", "approximation"]],
}
# Public headers that stand beneath all inner rooms: words that need nothing.
GROUND = {"autodiff/error.hpp", "autodiff/matmul_options.hpp"}
# The inner room of a public header that has neither its name nor a source of its name.
STANDS_IN = {
    "autodiff/function.hpp": "memory", "autodiff/xtensor.hpp": "tensor", "autodiff/op.hpp": "tape",
    "autodiff/sample_functions.hpp": "samples",
    "optim/estimators.hpp": "parts", "optim/rules.hpp": "parts", "optim/run_options.hpp": "loop",
    "optim/recipe.hpp": "loop",
}
# Headers of inner rooms that other rooms may include.
DOORS = {
    "autodiff/tensor/access.hpp", "autodiff/kernels/loops.hpp", "autodiff/kernels/products.hpp",
    "autodiff/kernels/lapack.hpp", "autodiff/kernels/compensated.hpp", "autodiff/kernels/length.hpp", "autodiff/files/files.hpp",
    "autodiff/kernels/transcendental.hpp", "autodiff/files/utf8.hpp", "autodiff/ops/loss_node.hpp",
    "autodiff/plan/planner.hpp", "autodiff/samples/sweep.hpp", "autodiff/tape/probe.hpp",
    "autodiff/ops/record_facts.hpp",
}
# Headers of inner rooms that public headers include, so that they are installed too.
INSTALLED = {"autodiff/memory/buffer.hpp", "autodiff/memory/recycled.hpp"}
# Private headers of rooms without inner rooms, which stand on the shelf all the same.
PRIVATE = {
    "nn/loss_rules.hpp",
    "report/child_process.hpp", "report/course_html.hpp", "report/gnuplot.hpp", "report/mathml.hpp",
    "report/page_head.hpp", "report/text.hpp",
}
# Public headers that no umbrella lists: the bridge to a library that a script need not have.
APART = {"autodiff/xtensor.hpp"}

HEADERS = (".hpp", ".h")
SOURCES = {*HEADERS, ".cpp", ".inc", ".hh", ".hxx", ".ipp", ".c", ".cc", ".cxx"}
Include = collections.namedtuple("Include", "line quoted target comment")
PATTERN = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]\s*(?://\s*(.*))?')


def sources_below(root, name):
    """The sources of a folder, or a single one, by their paths from the root."""
    paths = [root / name] if (root / name).is_file() else (root / name).rglob("*")
    return sorted(p.relative_to(root).as_posix() for p in paths if p.suffix in SOURCES)


def private(header):
    """Whether a header of a room is none of its public ones."""
    return header.count("/") > 1 or header in PRIVATE


class Tree:
    """The sources below a root, room by room, with their includes."""

    def __init__(self, root):
        self.files = {room: sources_below(root, room) for room in MAY_USE}
        self.outside = [path for name in sorted(OUTSIDE) for path in sources_below(root, name)]
        self.unknown = [top.name for top in sorted(root.iterdir())
                        if top.is_dir() and not top.name.startswith((".", "build")) and
                        top.name not in {*MAY_USE, *OUTSIDE} and sources_below(root, top.name)]
        self.includes, self.lines = {}, {}
        for path in [*sum(self.files.values(), []), *self.outside]:
            lines = (root / path).read_text().splitlines()
            found = [(number, PATTERN.match(line)) for number, line in enumerate(lines, 1)]
            self.includes[path] = [Include(n, m[1] == '"', m[2], m[3]) for n, m in found if m]
            self.lines[path] = len(lines)
        # Public header -> the inner room of the source of its name.
        self.source_in = {}
        for path in sum(self.files.values(), []):
            room, *inner, name = path.split("/")
            if len(inner) == 1 and name.endswith(".cpp"):
                self.source_in[f"{room}/{name[:-4]}.hpp"] = inner[0]

    def inner_room(self, path):
        """The inner room of a file; None for an umbrella and the ground; "" if there is no telling."""
        room, *inner, name = path.split("/")
        if inner:
            return inner[0]
        if name == f"{room}.hpp" or path in GROUND:
            return None
        page = name.removesuffix(".hpp")
        if any(page in names for names in FLOORS.get(room, [])):
            return page
        return STANDS_IN.get(path) or self.source_in.get(path, "")

    def unit(self, path):
        room, *inner, name = path.split("/")
        if not inner and path in self.source_in:
            inner = [self.source_in[path]]
        return "/".join([room, *inner, pathlib.PurePath(name).stem])

    def shelf(self, room):
        """The public headers of a room, without its umbrella."""
        return [p for p in self.files[room] if p.count("/") == 1 and p.endswith(HEADERS) and
                p not in PRIVATE and p != f"{room}/{room}.hpp"]
