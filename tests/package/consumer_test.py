"""Installs the build into a new folder and builds and runs a project that finds it there.
Usage: consumer_test.py BUILD CONFIG [CMAKE_OPTION...]"""
import pathlib
import subprocess
import sys
import tempfile

build, config, *options = sys.argv[1:]
compiler = next(option.split("=", 1)[1] for option in options if option.startswith("-DCMAKE_CXX_COMPILER="))
consumer = pathlib.Path(__file__).parent / "consumer"


def run(*command):
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True)


with tempfile.TemporaryDirectory() as folder:
    prefix, out = pathlib.Path(folder) / "prefix", pathlib.Path(folder) / "build"
    run("cmake", "--install", build, "--prefix", prefix, "--config", config)
    run("cmake", "-S", consumer, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={config}",
        *options)
    run("cmake", "--build", out, "--config", config)
    run(out / "train")
    run(out / "bridge")
    # The package's target brings the flag that cures xtensor under GCC; without it the bridge says so.
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    if "Free Software" in version:
        include = f"-I{prefix}/include/cotangent"
        plain = [compiler, "-std=c++20", include, "-E", "-o", "/dev/null", consumer / "bridge.cpp"]
        subprocess.run([*plain, "-fno-new-ttp-matching"], check=True)
        refused = subprocess.run(plain, capture_output=True, text=True, check=False)
        if refused.returncode == 0 or "link the target cotangent::xtensor" not in refused.stderr:
            sys.exit("a user of the bridge without the cure was not told:\n" + refused.stderr)
    # Nothing of the source tree may be needed once it is installed.
    root = str(pathlib.Path(__file__).resolve().parents[2])
    package = prefix.rglob("*.cmake")
    leaks = [str(p) for p in package if root in p.read_text()]
    if leaks:
        sys.exit("these installed files name the source tree: " + ", ".join(leaks))
