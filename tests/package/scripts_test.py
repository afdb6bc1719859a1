"""Bad usage of the scripts. Usage: scripts_test.py ROOT

Each names what is wrong before its usage, and exits 2 before any work."""
import pathlib
import subprocess
import sys

SCRIPTS = pathlib.Path(sys.argv[1]) / "scripts"

for options, named in ((["bench", "--bogus"], "--bogus"), (["bench", "--threads", "x"], '"x"'),
                       (["bench", "--threads"], "--threads"), (["bench", "--out"], "--out wants"),
                       (["test", "--all", "--bogus"], "--bogus"), (["course", "--bogus"], "--bogus"),
                       (["course", "--data"], "--data wants"), (["mutate", "--bogus"], "--bogus")):
    made = subprocess.run([SCRIPTS / options[0], *options[1:]], text=True, capture_output=True, check=False)
    assert made.returncode == 2, (options, made)
    (complaint,) = [line for line in made.stderr.splitlines() if line.startswith(f"{options[0]}: ")]
    assert named in complaint and "usage: " in made.stderr, (options, made.stderr)
    assert subprocess.run([SCRIPTS / options[0], "--help"], capture_output=True, check=False).returncode == 0
print("The scripts name what they do not take.")
