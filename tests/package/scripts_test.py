"""What the scripts refuse. Usage: scripts_test.py ROOT

Each names what is wrong before its usage, and exits 2 before any work. `rooms` says why includes cannot be
drawn, and every survivor that mutate's list argues is one of today's mutants."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

SCRIPTS = pathlib.Path(sys.argv[1]).resolve() / "scripts"
sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))


def run(name, *options):
    return subprocess.run([SCRIPTS / name, *options], text=True, capture_output=True, check=False)


def loaded(name):
    """A script as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


for options, named in ((["bench", "--bogus"], "--bogus"), (["bench", "--threads", "x"], '"x"'),
                       (["bench", "--threads"], "--threads"), (["bench", "--out"], "--out wants"),
                       (["test", "--all", "--bogus"], "--bogus"), (["course", "--bogus"], "--bogus"),
                       (["course", "--data"], "--data wants"), (["mutate", "--bogus"], "--bogus"),
                       (["claims", "--bogus"], "--bogus"), (["claims", "--share", "2"], '"2"'),
                       (["claims", "--seed"], "--seed wants"), (["claims", "--kind"], "--kind wants"),
                       (["results"], "PROGRAM"), (["results", "program", "--bogus"], "--bogus"),
                       (["character_width", "--bogus"], "--bogus"),
                       (["rooms", "--bogus"], "--bogus"), (["rooms", "--root"], "--root")):
    made = run(*options)
    assert made.returncode == 2, (options, made)
    (complaint,) = [line for line in made.stderr.splitlines() if line.startswith(f"{options[0]}: ")]
    assert named in complaint and "usage: " in made.stderr, (options, made.stderr)
    assert run(options[0], "--help").returncode == 0
print("The scripts name what they do not take.")


def drawn(files):
    """What rooms says of a tree of these headers and what each includes."""
    with tempfile.TemporaryDirectory() as root:
        for path, included in files.items():
            header = pathlib.Path(root, path)
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_text("// A header.\n" + "".join(f'#include "{target}"\n' for target in included))
        return run("rooms", "--root", root)


rooms = loaded("rooms")
UP, DOWN = "autodiff/tape/a.hpp", "autodiff/ops/a.hpp"
made = drawn({UP: [], DOWN: [UP]})
assert made.returncode == 0 and not made.stderr, made
for files, expected in (
        ({UP: [DOWN], DOWN: []}, ["arrow upward: tape -> ops"]),
        ({UP: [DOWN], DOWN: [UP]}, ["arrow upward: tape -> ops", "circle: ops -> tape, tape -> ops"]),
        ({"autodiff/memory/a.hpp": ["autodiff/kernels/a.hpp"], "autodiff/kernels/a.hpp": []},
         ["arrow sideways: memory -> kernels"]),
        ({"autodiff/attic/a.hpp": []}, ["no floor: attic is in no floor of autodiff"])):
    made = drawn(files)
    assert made.returncode == 1 and made.stderr.splitlines() == expected, (files, made)
many = rooms.faults("autodiff", dict.fromkeys([name for names in rooms.FLOORS["autodiff"] for name in names] +
                                              ["a", "b", "c"], 1), set())
assert many[-1].startswith("13 boxes"), many
print("rooms says why includes cannot be drawn.")

mutate = loaded("mutate")
keys = {mutant.key() for mutant in mutate.find_mutants()[0]}
stale = [key for key in mutate.argued_survivors() if key not in keys]
assert len(keys) > 1000 and not stale, "\n".join(["in scripts/mutate_survivors.txt and no mutant:", *stale])
print("Every survivor argued is a mutant.")
