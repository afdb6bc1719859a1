"""Only the proof's source makes a word of numbers: nothing else in theory/ or examples/ sets an outcome.
Usage: outcomes_test.py SOURCES"""
import pathlib
import re
import sys

DECIDES = "theory/claims/proof.cpp"
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
# An assignment, or a designated initialiser; a comparison is neither, nor is the member's default.
SETS = re.compile(r"\boutcome\s*=(?!=)|\boutcome\{")
DEFAULT = "Outcome outcome = Outcome::inconclusive;"


def sets_outcome(text):
    return SETS.search(COMMENT.sub("", text).replace(DEFAULT, "")) is not None


for planted in ("v.outcome = Outcome::certified;", "Verdict v{.outcome = Outcome::refuted};", "outcome =x;"):
    assert sets_outcome(planted), planted
for harmless in ("v.outcome == Outcome::certified", DEFAULT, "// v.outcome = certified", "outcomes = 3"):
    assert not sets_outcome(harmless), harmless

root = pathlib.Path(sys.argv[1])
found = [str(path.relative_to(root)) for folder in ("theory", "examples")
         for path in sorted((root / folder).rglob("*"))
         if path.suffix in (".cpp", ".hpp", ".inc") and sets_outcome(path.read_text())]
assert found == [DECIDES], f"an outcome is set in {found}; only {DECIDES} may: give a Proof the numbers"
print("only the proof sets an outcome")
