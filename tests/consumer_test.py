"""Installs the build into a new folder and builds and runs a project that finds it there.
Usage: consumer_test.py BUILD CONFIG [CMAKE_OPTION...]"""
import pathlib
import subprocess
import sys
import tempfile

build, config, *options = sys.argv[1:]
consumer = pathlib.Path(__file__).parent / "consumer"


def run(*command):
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True)


with tempfile.TemporaryDirectory() as folder:
    prefix, out = pathlib.Path(folder) / "prefix", pathlib.Path(folder) / "build"
    run("cmake", "--install", build, "--prefix", prefix, "--config", config)
    run("cmake", "-S", consumer, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={config}", *options)
    run("cmake", "--build", out, "--config", config)
    run(out / "train")
    run(out / "bridge")
    # Nothing of the source tree may be needed once it is installed.
    root = str(pathlib.Path(__file__).resolve().parent.parent)
    package = prefix.rglob("*.cmake")
    leaks = [str(p) for p in package if root in p.read_text()]
    if leaks:
        sys.exit("these installed files name the source tree: " + ", ".join(leaks))
