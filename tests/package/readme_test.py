"""README's script prints what README says. It is built as README says: installed, found by find_package.
Usage: readme_test.py README BUILD CONFIG [CMAKE_OPTION...]

Words must be the same; numbers may differ by 1e-6 of their size: last digits depend on the processor."""
import math
import pathlib
import re
import subprocess
import sys
import tempfile

readme, build, config, *options = sys.argv[1:]
TEXT = pathlib.Path(readme).read_text()
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def block(language, number=0):
    """A block of README fenced as `language`, counted from 0."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) > number, f"{readme} has {len(found)} blocks of {language}"
    return found[number]


# What stands around the second block, the theorem; it must print what the text below it quotes.
THEOREM = """#include "cotangent.hpp"
using namespace cotangent;
int main() {
  Rng rng(7);
%s
  const Tensor far = (3.0 * Var(data.x)).value();
  print(theory::check_leaky_relu_theorem({net, far, data.y}, net.init(rng)).reason);
}
"""


def same(said, printed):
    """Equal but for the last digits of numbers and the width they are padded to."""
    words = ["".join(NUMBER.sub("#", text).split()) for text in (said, printed)]
    numbers = [list(map(float, NUMBER.findall(text))) for text in (said, printed)]
    return words[0] == words[1] and all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(*numbers))


def run(*command):
    print("$", *command, flush=True)
    words = [str(part) for part in command]
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE).stdout


assert same("a 1.0000001 [ 2.]", "a 1 [2.]") and same("", "")
for said, printed in [("a 1.001", "a 1"), ("a 1", "b 1"), ("1 2", "1"), ("[1]", "1"), ("-1", "1")]:
    assert not same(said, printed), (said, printed)

with tempfile.TemporaryDirectory() as folder:
    source, prefix, out = (pathlib.Path(folder) / name for name in ("source", "prefix", "build"))
    source.mkdir()
    (source / "script.cpp").write_text(block("cpp"))
    (source / "theorem.cpp").write_text(THEOREM % block("cpp", 1))
    targets = "".join(line + "\n" for line in block("cmake").splitlines()
                      if "script" in line and "project" not in line)
    (source / "CMakeLists.txt").write_text(block("cmake") + targets.replace("script", "theorem"))
    run("cmake", "--install", build, "--prefix", prefix, "--config", config)
    run("cmake", "-S", source, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={config}",
        *options)
    run("cmake", "--build", out, "--config", config)
    printed = run(out / "script")
    theorem = subprocess.run([out / "theorem"], cwd=folder, check=True, text=True,
                             stdout=subprocess.PIPE).stdout
if not same(block("text"), printed):
    sys.exit(f"README says\n{block('text')}\nbut its script printed\n{printed}")
quoted = re.search(r'`("[|]x_i[|] <= 1" fails[^`]*)`', " ".join(TEXT.split())).group(1)
if not theorem.startswith("certified (on this trajectory)") or quoted not in theorem:
    sys.exit(f"README quotes {quoted} and a certificate, but the theorem's block printed\n{theorem}")
lines = block("cpp").rstrip("\n").count("\n") + 1
print(f"README's script of {lines} lines prints what README says")
