"""What stands behind cotangent.hpp, that every public header compiles alone, and in what words the compiler
refuses an operation of a script that is wrong. Usage: headers_test.py ROOT COMPILER

The build has shown that a header compiles alone where a source includes it before all else, and it is true of
a header that includes others and has no code; the rest is compiled here."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT, COMPILER = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
BASE = [COMPILER, "-std=c++20", f"-I{ROOT}"]
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)
FORBIDDEN = re.compile(r"/(xtensor|xtl|xsimd|fmt|nlohmann|CLI)/|/(iostream|random|functional|regex|ranges)$")


def run(*command, **more):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          **more)


IS_GNU = "Free Software" in run(COMPILER, "--version").stdout


def files_behind(script):
    """Every file the preprocessor reads for the source file `script`."""
    made = run(*BASE, "-M", str(script))
    if made.returncode:
        sys.exit(f"{script} does not preprocess:\n{made.stdout}")
    return made.stdout.replace("\\\n", " ").split(":", 1)[1].split()


def forbidden(files):
    return [f for f in files if FORBIDDEN.search(f)]


def compile_alone(header, *flags):
    """The compiler's complaints about a source of one line that includes `header`."""
    warnings = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Werror"]
    source = f'#include "{header}"\n'
    made = run(*BASE, *warnings, *flags, "-fsyntax-only", "-x", "c++", "-", input=source)
    return made.stdout if made.returncode else ""


OPERATION = """const CustomOp kTwice({.name = "twice",
                       .forward = [](%s) { return %s; },
                       .pullback = [](%s) { %s; }});
"""
FORWARD = "const OpInputs& in, const OpAttributes&"
PULLBACK = "const OpRecord& p, const Var& g, OpCotangents& out"
WRONG = [
    OPERATION % ("const Tensor& in", "in", PULLBACK, "out.add(0, 2.0 * g)"),
    OPERATION % (FORWARD, "in.value(0)", PULLBACK, "out.add(0, 2.0 * g)"),
    OPERATION % (FORWARD, "in[0]", "const OpRecord& p, const Var& g", "p.out()"),
    OPERATION % (FORWARD, "in[0]", PULLBACK, "out.add(0, 2.0 * p.input(0))"),
    OPERATION % (FORWARD, "in[0]", PULLBACK, "out.push(0, g)"),
    OPERATION % (FORWARD, "in[0]", PULLBACK, "out.add(p, g)"),
]


def speaks_of_the_works(scripts):
    """Complaints if the compiler accepts a wrong script, or refuses one in words of the library's inside."""
    source = '#include "cotangent.hpp"\nusing namespace cotangent;\n' + "".join(
        f'#line 1 "script {k}"\nnamespace script_{k} {{ {script} }}\n' for k, script in enumerate(scripts))
    without_lines = "-fno-diagnostics-show-caret" if IS_GNU else "-fno-caret-diagnostics"
    said = run(*BASE, "-fsyntax-only", without_lines, "-x", "c++", "-", input=source).stdout
    complaints = [f"this was not refused:\n{script}" for k, script in enumerate(scripts)
                  if not re.search(rf"^script {k}:", said, re.M)]
    return complaints + ([f"the compiler speaks of detail::\n{said}"] if "detail::" in said else [])


def first_included(room):
    """The headers that are the first include of a source in `room`."""
    lines = (INCLUDE.search(path.read_text()) for path in room.rglob("*.cpp"))
    return {pathlib.Path(line[1]) for line in lines if line}


def has_code(header):
    """Whether anything but comments and directives stands in it."""
    return any(line.strip() and not line.lstrip().startswith(("#", "//"))
               for line in header.read_text().splitlines())


def test_checker(folder):
    """The two checks on headers that are wrong on purpose."""
    problems = []
    names = ["xtensor/xtensor.hpp", "fmt/format.h", "iostream", "random", "functional", "regex", "ranges"]
    (folder / "planted.cpp").write_text("".join(f"#include <{name}>\n" for name in ["vector", *names]))
    noticed = forbidden(files_behind(folder / "planted.cpp"))
    problems += [f"<{name}> behind a script was not noticed" for name in names
                 if not any(f.endswith(f"/{name}") for f in noticed)]
    (folder / "planted.hpp").write_text("#pragma once\nstd::vector<int> numbers();\n")
    if not compile_alone(folder / "planted.hpp"):
        problems.append("a header without its includes was not noticed")
    right = OPERATION % (FORWARD, "in[0]", PULLBACK, "out.add(0, 2.0 * g)")
    if len(speaks_of_the_works(["detail::Buffer b = 1;\n", right])) != 2:
        problems.append("a refusal in words of the works was not noticed, or an operation that is right")
    (folder / "planted.cpp").write_text('// A comment.\n#include "a/first.hpp"\n\n#include "a/second.hpp"\n')
    if first_included(folder) != {pathlib.Path("a/first.hpp")}:
        problems.append("the first include of a source was not found")
    if has_code(folder / "planted.cpp") or not has_code(folder / "planted.hpp"):
        problems.append("code is taken for no code, or the other way round")
    return problems


script = ROOT / "tests/package/consumer/train.cpp"
behind = [pathlib.Path(os.path.realpath(f)) for f in files_behind(script)]
public = sorted({f.relative_to(ROOT) for f in behind if f.suffix == ".hpp" and f.is_relative_to(ROOT)})
problems = [f"{script.name} reads {f}" for f in forbidden(map(str, behind))]
cure = ["-fno-new-ttp-matching"] if IS_GNU else []
rooms = {header.parts[0] for header in public if len(header.parts) > 1}
compiled = set().union(*(first_included(ROOT / room) for room in rooms))
others = [header for header in public if header not in compiled and has_code(ROOT / header)]
with ThreadPoolExecutor(os.cpu_count()) as pool:
    complaints = list(pool.map(compile_alone, others))
problems += [f"{header} does not compile alone:\n{text}" for header, text in zip(others, complaints) if text]
bridge = "autodiff/xtensor.hpp"  # the one public header that is not behind cotangent.hpp
if text := compile_alone(bridge, *cure):
    problems.append(f"{bridge} does not compile alone:\n{text}")
problems += speaks_of_the_works(WRONG)
with tempfile.TemporaryDirectory() as folder:
    problems += test_checker(pathlib.Path(folder))
print("\n".join(problems) or f"{len(public)} public headers compile alone, {len(others)} of them tried here; "
      f"{len(behind)} files behind a script")
sys.exit(1 if problems else 0)
