"""The diffs that pages of documentation show are in the files they name, and no line of C++ or of the tests'
Python is wider than 110 columns. Usage: docs_test.py ROOT"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])


def missing(page, root):
    """Added lines of the page's ```diff blocks not in their files, in order; and how many were sought."""
    problems, looked_for = [], 0
    for block in re.findall(r"```diff\n(.*?)```", page, re.S):
        lines, at, name = [], 0, None
        for line in block.splitlines():
            if line.startswith("+++ b/"):
                name, at = line[6:], 0
                lines = (root / name).read_text().splitlines() if (root / name).exists() else []
            elif line.startswith("+") and line[1:].strip():
                looked_for += 1
                if line[1:] in lines[at:]:
                    at = lines.index(line[1:], at) + 1
                else:
                    problems.append(f"{name}: {line[1:]}")
    return problems, looked_for


def wide(text):
    """The numbers of the lines that no window of 110 columns shows."""
    return [number for number, line in enumerate(text.splitlines(), 1) if len(line) > 110]


planted, _ = missing("```diff\n+++ b/CMakeLists.txt\n+no such line\n```", ROOT)
if len(planted) != 1:
    sys.exit("a line that is nowhere was not noticed")
if wide(f"{'é' * 110}\n{'e' * 111}\n") != [2]:
    sys.exit("a line of 111 columns was not noticed, or one of 110 was")
failed = False
shown = [page for page in sorted(ROOT.glob("*/*.md")) if "```diff" in page.read_text()]
if ROOT / "theory/ADDING_A_CHECK.md" not in shown:
    sys.exit("theory/ADDING_A_CHECK.md shows no diff")
for page in shown:
    problems, looked_for = missing(page.read_text(), ROOT)
    print(f"{page.relative_to(ROOT)}: {looked_for} lines of diffs, {len(problems)} not in their files")
    for problem in problems:
        print("  " + problem)
    failed |= bool(problems) or looked_for == 0
folders = [top for top in ROOT.iterdir() if top.is_dir() and not top.name.startswith((".", "build"))]
sources = [path for folder in folders for path in sorted(folder.rglob("*"))
           if path.suffix in (".cpp", ".hpp", ".h") or
           path.suffix == ".py" and folder.name == "tests"]
for path in sources:
    for number in wide(path.read_text()):
        print(f"{path.relative_to(ROOT)}:{number}: wider than 110 columns")
        failed = True
print(f"{len(sources)} sources looked through for wide lines")
sys.exit(failed)
