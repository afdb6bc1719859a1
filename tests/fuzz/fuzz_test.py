"""Fuzzes readers of files by libFuzzer, in a build of its own: clang++ with the address, leak and
undefined-behaviour sanitizers.
Usage: fuzz_test.py ROOT BUILD           makes that build in BUILD
       fuzz_test.py ROOT BUILD HARNESS   runs a harness on tests/fuzz/corpus/HARNESS and on what comes of it

A run takes COTANGENT_FUZZ_SECONDS, or 60. What it finds is left as BUILD/found/HARNESS-*; it belongs into the
corpus, which the program fuzz_tests replays. Exits with 77, which says skipped, where clang++ has no
libFuzzer."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT, BUILD = map(pathlib.Path, sys.argv[1:3])
SANITIZERS = "-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"


def has_fuzzer():
    """Whether there is a clang++ whose programs libFuzzer can drive."""
    if not shutil.which("clang++"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "empty.cpp"
        source.write_text('extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) '
                          '{ return 0; }\n')
        command = ["clang++", "-fsanitize=fuzzer,address", source, "-o", pathlib.Path(folder) / "empty"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def build():
    options = {"CMAKE_BUILD_TYPE": "Debug", "CMAKE_CXX_COMPILER": "clang++",
               "CMAKE_CXX_FLAGS": f"{SANITIZERS} -O1", "COTANGENT_BUILD_FUZZERS": "ON",
               "COTANGENT_BUILD_TESTS": "OFF", "COTANGENT_BUILD_EXAMPLES": "OFF",
               "COTANGENT_BUILD_BENCHMARKS": "OFF"}
    given = [f"-D{name}={value}" for name, value in options.items()]
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", *given], check=True)
    subprocess.run(["cmake", "--build", BUILD, "--target", "fuzzer"], check=True)


def run(harness):
    """libFuzzer's exit code: not 0, as 77, for a crash, a leak, 10 s or more than 1 GiB for one input."""
    seconds = os.environ.get("COTANGENT_FUZZ_SECONDS", "60")
    grown, found = BUILD / "grown" / harness, BUILD / "found"
    for folder in (grown, found):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-max_len=16384", "-timeout=10", "-rss_limit_mb=1024",
               "-malloc_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={found}/{harness}-"]
    environment = {**os.environ, "COTANGENT_HARNESS": harness, "OPENBLAS_NUM_THREADS": "1"}
    command = [BUILD / "tests/fuzz/fuzzer", *options, grown, ROOT / "tests/fuzz/corpus" / harness]
    return subprocess.run(command, env=environment, check=False).returncode


if not has_fuzzer():
    print("clang++ with libFuzzer is not installed")
    sys.exit(77)
if len(sys.argv) == 3:
    build()
else:
    sys.exit(run(sys.argv[3]) != 0)  # 77 of libFuzzer's does not say skipped
