"""README's script prints what README says. It is built as README says: installed, found by find_package.
Usage: readme_test.py README BUILD CONFIG [CMAKE_OPTION...]

Words must be the same; numbers may differ by 1e-6 of their size, for the last digits depend on the processor."""
import math
import pathlib
import re
import subprocess
import sys
import tempfile

readme, build, config, *options = sys.argv[1:]
TEXT = pathlib.Path(readme).read_text()
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def block(language):
    """The first block of README fenced as `language`."""
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"{readme} has no block of {language}"
    return found.group(1)


def same(said, printed):
    """Equal but for the last digits of numbers and the width they are padded to."""
    words = ["".join(NUMBER.sub("#", text).split()) for text in (said, printed)]
    numbers = [list(map(float, NUMBER.findall(text))) for text in (said, printed)]
    return words[0] == words[1] and all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(*numbers))


def run(*command):
    print("$", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE).stdout


assert same("a 1.0000001 [ 2.]", "a 1 [2.]") and same("", "")
for said, printed in [("a 1.001", "a 1"), ("a 1", "b 1"), ("1 2", "1"), ("[1]", "1"), ("-1", "1")]:
    assert not same(said, printed), (said, printed)

with tempfile.TemporaryDirectory() as folder:
    source, prefix, out = (pathlib.Path(folder) / name for name in ("source", "prefix", "build"))
    source.mkdir()
    (source / "script.cpp").write_text(block("cpp"))
    (source / "CMakeLists.txt").write_text(block("cmake"))
    run("cmake", "--install", build, "--prefix", prefix, "--config", config)
    run("cmake", "-S", source, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={config}", *options)
    run("cmake", "--build", out, "--config", config)
    printed = run(out / "script")
if not same(block("text"), printed):
    sys.exit(f"README says\n{block('text')}\nbut its script printed\n{printed}")
lines = block("cpp").rstrip("\n").count("\n") + 1
print(f"README's script of {lines} lines prints what README says")
