"""The scripts of examples/scripts. Usage: training_scripts_test.py SOURCES [PROGRAMS]

Each NAME.cpp of SOURCES stands beside the same in PyTorch, NAME.py, and has at most 1.3 times its lines,
blank lines and comments left out; run in an empty directory, PROGRAMS/NAME reaches what is asked of both.
Without PROGRAMS those in PyTorch run instead; skipped where /usr/bin/python3 has none."""
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
PYTHON = "/usr/bin/python3"
SOURCES = pathlib.Path(sys.argv[1])
# What the last line printed says, and its least value.
WANTED = {"three_spirals": ("test accuracy", 0.95), "adamw_schedule": ("explained", 0.98)}


def lines(text, comment):
    """How many lines are neither blank nor a comment."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith(comment))


def reached(name, *command):
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(list(map(str, command)), cwd=folder, text=True, capture_output=True,
                              check=False)
    assert made.returncode == 0, f"{name}: exit code {made.returncode}\n{made.stdout}\n{made.stderr}"
    print(made.stdout, end="")
    found = re.search(rf"{WANTED[name][0]} (\S+)$", made.stdout.strip().splitlines()[-1])
    assert found, f"{name} does not end with \"{WANTED[name][0]}\" and a number"
    return float(found.group(1))


def main():
    names = sorted(path.stem for path in SOURCES.glob("*.cpp"))
    assert names == sorted(WANTED) == sorted(path.stem for path in SOURCES.glob("*.py")), names
    assert lines("a\n\n  // b\n  c // d\n", "//") == 2
    for name in names:
        ours = lines((SOURCES / f"{name}.cpp").read_text(), "//")
        theirs = lines((SOURCES / f"{name}.py").read_text(), "#")
        print(f"{name}: {ours} lines, {theirs} with PyTorch")
        assert ours <= 1.3 * theirs, name
    programs = [pathlib.Path(folder) for folder in sys.argv[2:]]
    if not programs and subprocess.run([PYTHON, "-c", "import torch"], capture_output=True,
                                       check=False).returncode != 0:
        print("skipped: PyTorch is not installed")
        return SKIPPED
    for name in names:
        command = [programs[0] / name] if programs else [PYTHON, "-B", SOURCES / f"{name}.py"]
        number = reached(name, *command)
        assert number >= WANTED[name][1], f"{name}: {WANTED[name][0]} {number}, wanted {WANTED[name][1]}"
    return 0


sys.exit(main())
