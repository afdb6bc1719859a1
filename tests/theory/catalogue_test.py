"""The catalogue against the tree and a run of its tests. Usage: catalogue_test.py BUILD SOURCES PROGRAM

PROGRAM prints the catalogue as JSON. docs/results.md says the same. Of a row in state here: its check is
declared in theory/*.hpp, its suite stands in a test that calls the check and ran without a failure, and its
lesson's record shows it with the verdict it expects. Nothing in a record cites what is no row.
BUILD/test-results holds GoogleTest's reports and, under lessons/, the records."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

TEST_MACRO = r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*{},"
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def sources(folder, pattern):
    """Files and their texts without comments."""
    return {path: COMMENT.sub("", path.read_text()) for path in sorted(folder.glob(pattern))}


def suites(results):
    """Of each suite in GoogleTest's reports: [cases that passed, cases that did not]; unreadable reports."""
    counts, unread = {}, []
    for path in sorted(results.glob("*.xml")):
        if path.name == "ctest.xml":
            continue
        try:
            root = xml.parse(path).getroot()
        except xml.ParseError:
            unread.append(f"{path.name} is no report: did its program crash?")
            continue
        for suite in root.iter("testsuite"):
            for part in suite.get("name").split("/"):  # instantiations: Prefix/Suite, Suite/0, Prefix/Suite/0
                count = counts.setdefault(part, [0, 0])
                for case in suite.iter("testcase"):
                    failed = case.find("failure") is not None or case.find("error") is not None
                    count[0] += not failed and case.get("result") == "completed"
                    count[1] += failed
    return counts, unread


def records(folder):
    """The checks of every lesson's record; and records not to be read."""
    checks, unread = {}, []
    for path in sorted(folder.glob("*.json")):
        try:
            checks[path.stem] = [(c["source"], c["verdict"], c["expected"])
                                 for c in json.loads(path.read_text())["checks"]]
        except (ValueError, KeyError, TypeError):
            unread.append(f"lessons/{path.name} is no record")
    return checks, unread


def problems(rows, root, build):
    """Whatever the rows say that the tree and the run do not show, and the other way round."""
    headers, tests = sources(root / "theory", "*.hpp"), sources(root / "tests", "**/*.cpp")
    ran, found = suites(build / "test-results")
    shown, unread = records(build / "test-results/lessons")
    found += unread
    for row in rows:
        say = lambda problem: found.append(f"{row['id']}: {problem}")
        if row["state"] != "here":
            continue
        call = re.compile(rf"\b{row['check']}\s*\(")
        if not any(map(call.search, headers.values())):
            say(f"{row['check']} is declared in no theory/*.hpp")
        suite = re.compile(TEST_MACRO.format(re.escape(row["test"])))
        holders = [text for text in tests.values() if suite.search(text)]
        if not holders:
            say(f"the suite {row['test']} is in no test")
        elif not any(map(call.search, holders)):
            say(f"no test with the suite {row['test']} calls {row['check']}")
        passed, failed = ran.get(row["test"], (0, 0))
        if failed:
            say(f"the suite {row['test']} failed")
        elif not passed:
            say(f"the suite {row['test']} did not run")
        name = row["lesson"]
        if not name:
            continue
        if not re.fullmatch(r"\d\d_\w+", name) or not (root / "examples" / f"{name}.cpp").is_file():
            say(f"there is no lesson {name}")
        if name not in shown:
            say(f"the lesson {name} left no record")
            continue
        verdicts = [(verdict, expected) for source, verdict, expected in shown[name]
                    if source == row["source"]]
        if not verdicts:
            say(f"the lesson {name} shows no {row['source']}")
        elif any(verdict != expected for verdict, expected in verdicts):
            say(f"the lesson {name} expects another verdict for {row['source']}")
    known = {row["source"] for row in rows}
    for name, checks in shown.items():
        found += sorted({f"the lesson {name} cites {source}, which is no row"
                         for source, _, _ in checks if source and source not in known})
    return found


def page_problems(root, program, page):
    made = subprocess.run([root / "scripts/results", "--check", "--out", page, program], text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [made.stdout.strip()] if made.returncode else []


# A tree and a run in which one row is checked, tested and shown; then one fault at a time.
ROW = {"id": "O99", "source": "proxy O99", "state": "here", "check": "check_it", "test": "It",
       "lesson": "08_it"}
GOOD = {
    "theory/it.hpp": "Verdict check_it(double constant);\n",
    "tests/theory/it_test.cpp": "TEST(It, Holds) { check_it(1.0); }\n",
    "examples/08_it.cpp": "",
    "build/test-results/it_test.xml":
        '<testsuites><testsuite name="It"><testcase name="Holds" result="completed"/></testsuite>'
        "</testsuites>",
    "build/test-results/lessons/08_it.json":
        '{"checks": [{"source": "proxy O99", "verdict": "refuted", "expected": "refuted"}]}',
}
XML, RECORD = "build/test-results/it_test.xml", "build/test-results/lessons/08_it.json"
OTHER = '{"checks": [{"source": "proxy O98", "verdict": "certified", "expected": "certified"}]}'
NOTHING_RAN = "O99: the suite It did not run"
FAULTS = [  # what stands otherwise in the tree, in the row, and all that is to be said of it
    ({"theory/it.hpp": "// check_it(constant)\nVerdict recheck_it(double);\nVerdict check_it_all();\n"}, {},
     ["O99: check_it is declared in no theory/*.hpp"]),
    ({"theory/it.hpp": None, "theory/claims/it.hpp": "Verdict check_it(double);\n"}, {},
     ["O99: check_it is declared in no theory/*.hpp"]),
    ({}, {"check": "check_that"},
     ["O99: check_that is declared in no theory/*.hpp", "O99: no test with the suite It calls check_that"]),
    ({"tests/theory/it_test.cpp": "TEST(Item, Holds) { check_it(1.0); }\n// TEST(It, Holds)\n"}, {},
     ["O99: the suite It is in no test"]),
    ({"tests/theory/it_test.cpp": "TEST(It, Holds) {}  // check_it(1.0)\n"}, {},
     ["O99: no test with the suite It calls check_it"]),
    ({"tests/theory/it_test.cpp": "TEST(It, Holds) {}\n",
      "tests/other_test.cpp": "TEST(That, Holds) { check_it(1.0); }\n"}, {},
     ["O99: no test with the suite It calls check_it"]),
    ({XML: None}, {}, [NOTHING_RAN]),
    ({XML: GOOD[XML].replace('"It"', '"Item"')}, {}, [NOTHING_RAN]),
    ({XML: GOOD[XML].replace("completed", "skipped")}, {}, [NOTHING_RAN]),
    ({XML: GOOD[XML].replace("completed", "suppressed")}, {}, [NOTHING_RAN]),
    ({XML: None, "build/test-results/ctest.xml": GOOD[XML]}, {}, [NOTHING_RAN]),
    ({XML: GOOD[XML].replace("/></testsuite>", '><failure message="no"/></testcase></testsuite>')}, {},
     ["O99: the suite It failed"]),
    ({"build/test-results/more.xml":
      GOOD[XML].replace("/></testsuite>", "><failure/></testcase></testsuite>")}, {},
     ["O99: the suite It failed"]),
    ({XML: GOOD[XML][:40]}, {}, ["it_test.xml is no report: did its program crash?", NOTHING_RAN]),
    ({"examples/08_it.cpp": None}, {}, ["O99: there is no lesson 08_it"]),
    ({}, {"lesson": "08_that"},
     ["O99: there is no lesson 08_that", "O99: the lesson 08_that left no record"]),
    ({RECORD: None}, {}, ["O99: the lesson 08_it left no record"]),
    ({RECORD: "{"}, {}, ["lessons/08_it.json is no record", "O99: the lesson 08_it left no record"]),
    ({RECORD: '{"checks": []}'}, {}, ["O99: the lesson 08_it shows no proxy O99"]),
    ({RECORD: GOOD[RECORD].replace('"verdict": "refuted"', '"verdict": "certified"')}, {},
     ["O99: the lesson 08_it expects another verdict for proxy O99"]),
    ({"build/test-results/lessons/09_it.json": OTHER}, {},
     ["the lesson 09_it cites proxy O98, which is no row"]),
    ({RECORD: OTHER}, {},
     ["O99: the lesson 08_it shows no proxy O99", "the lesson 08_it cites proxy O98, which is no row"]),
]
HARMLESS = [
    ({}, {}), ({RECORD: None, "examples/08_it.cpp": None}, {"lesson": ""}),
    ({XML: GOOD[XML].replace('"It"', '"Every/It/0"')}, {}),
    ({"tests/theory/it_test.cpp": "TEST_F(It,\n  Holds) { verdict = theory::check_it (1.0); }\n"}, {}),
    ({name: None for name in GOOD}, {"state": "planned", "check": "", "test": "", "lesson": ""}),
]


def planted(change, row):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in (GOOD | change).items():
            if text is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
        return problems([ROW | row], root, root / "build")


def test_checker(root, program):
    wrong = [f"planted {change} {row}: {found}" for change, row, expected in FAULTS
             if (found := planted(change, row)) != expected]
    wrong += [f"wrongly refused {change} {row}: {found}" for change, row in HARMLESS
              if (found := planted(change, row))]
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "results.md"
        for stale in ("", (root / "docs/results.md").read_text().replace("| planned |", "| here |", 1)):
            page.write_text(stale)
            if not page_problems(root, program, page):
                wrong.append("a page that says something else was not noticed")
    return wrong


build, root, program = map(pathlib.Path, sys.argv[1:4])
rows = json.loads(subprocess.run([program], text=True, stdout=subprocess.PIPE, check=True).stdout)
found = test_checker(root, program) + page_problems(root, program, root / "docs/results.md")
found += problems(rows, root, build)
here = sum(row["state"] == "here" for row in rows)
print("\n".join(found) or f"{len(rows)} rows; the {here} in state here are declared, tested and shown so")
sys.exit(1 if found else 0)
