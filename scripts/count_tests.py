"""Prints 'passed failed skipped' for one test run. Usage: count_tests.py RESULTS

RESULTS holds ctest's report ctest.xml and one GoogleTest report <name>.xml for each GoogleTest program. Each
case of a program counts; a program that failed without a failing case (it crashed, leaked, hung) counts as
one failure more."""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count_cases(report):
    """Cases of a GoogleTest report: passed, failed, skipped."""
    passed = failed = skipped = 0
    for case in xml.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None:
            failed += 1
        elif case.get("result") == "completed":
            passed += 1
        else:
            skipped += 1
    return passed, failed, skipped


def count_entry(entry, report):
    """One ctest entry, with the report its program left, if any."""
    skip = entry.find("skipped")
    if skip is not None and skip.get("message", "").startswith("SKIP_"):
        return 0, 0, 1
    good = entry.get("status") == "run"
    if not report.exists():
        return int(good), int(not good), 0
    try:
        passed, failed, skipped = count_cases(report)
    except xml.ParseError:
        return 0, 1, 0
    return passed, failed + int(not good and failed == 0), skipped


results = pathlib.Path(sys.argv[1])
total = (0, 0, 0)
try:
    entries = list(xml.parse(results / "ctest.xml").getroot().iter("testcase"))
except (OSError, xml.ParseError):
    entries = None
if not entries:
    total = (0, 1, 0)  # ctest itself did not get through
else:
    for entry in entries:
        total = tuple(map(sum, zip(total, count_entry(entry, results / f"{entry.get('name')}.xml"))))
print(*total)
