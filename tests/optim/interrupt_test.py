"""Runs that are stopped from outside: Ctrl-C ends them with a result, kill -9 loses no more than a step.

Usage: interrupt_test.py PROGRAM [KILLS]. With KILLS each optimizer is killed so many times at random,
resumed, and must end with the bits of an undisturbed run; without it each is interrupted, and one twice; so
are comparisons and quick starts, which make many runs."""
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, KILLS = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
CASES = subprocess.run([PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def start(case, path, wait):
    """The program in its first step."""
    goes_on = path.exists()  # which says nothing once the child is at work
    child = subprocess.Popen([PROGRAM, case, str(path), str(wait)], stdout=subprocess.PIPE, text=True)
    assert goes_on or child.stdout.readline() == "running\n", case
    return child


def finish(case, path):
    done = subprocess.run([PROGRAM, case, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.removeprefix("running\n").splitlines()


def interrupted(case, folder):
    """The run ends where it is, its checkpoint goes on to what an undisturbed run gives."""
    path = folder / "interrupted.npz"
    child = start(case, path, 2000)
    time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    lines = child.stdout.read().splitlines()
    assert child.wait() == 0, f"{case}: exit code {child.returncode}"
    assert lines[0] == "stop interrupted", f"{case}: {lines[:1]}"
    assert finish(case, path) == finish(case, folder / "whole.npz"), f"{case}: other numbers"


def killed(case, folder, kills, stream):
    whole, path, deaths = finish(case, folder / "whole.npz"), folder / "killed.npz", 0
    for _ in range(kills):
        child = subprocess.Popen([PROGRAM, case, str(path), "100"], stdout=subprocess.PIPE, text=True)
        time.sleep(stream.uniform(0.002, 0.05))
        child.kill()
        child.communicate()
        deaths += child.returncode == -signal.SIGKILL
        if child.returncode == 0:
            path.unlink()  # it had come to its end: begin anew
    assert finish(case, path) == whole, f"{case}: other numbers after {deaths} kills"
    return deaths


def tuning(case, wait):
    """A comparison or a quick start, in its first call of f."""
    child = subprocess.Popen([PROGRAM, case, str(wait)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "running\n", case
    return child


def tuning_interrupted(case, seconds):
    """The first Ctrl-C ends it with what it has, not the run under way alone."""
    child = tuning(case, 2000)
    time.sleep(seconds)
    assert child.poll() is None, f"{case}: has ended within {seconds} s"
    child.send_signal(signal.SIGINT)
    text, _ = child.communicate(timeout=20)
    assert child.returncode == 0, f"{case}: exit code {child.returncode}"
    assert text.startswith("stop interrupted\n"), f"{case}, after {seconds} s: {text}"
    assert case != "compare" or text.endswith("runs 1\nlower 1\n"), text


def twice(child):
    """The second Ctrl-C ends the program, whose step would take a minute."""
    for _ in range(2):
        time.sleep(0.1)
        assert child.poll() is None
        child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == -signal.SIGINT, child.returncode


random_times, deaths = random.Random(7), 0
for one in CASES:
    with tempfile.TemporaryDirectory() as name:
        if KILLS:
            deaths += killed(one, pathlib.Path(name), KILLS, random_times)
        else:
            interrupted(one, pathlib.Path(name))
if KILLS:
    print(f"{len(CASES)} optimizers went on after {deaths} kills")
    sys.exit(0 if deaths > 5 * len(CASES) else 1)
with tempfile.TemporaryDirectory() as name:
    twice(start("gd", pathlib.Path(name) / "twice.npz", 60_000_000))
for one in ("compare", "quick_start"):
    for after in (0.02, 0.1, 0.5):
        tuning_interrupted(one, after)
    twice(tuning(one, 60_000_000))
print(f"{len(CASES)} optimizers, comparisons and quick starts ended with a result")
