"""The kernels built for newer processors share no function with the rest of the library: the linker keeps one
copy of a shared inline function, and an older processor would then meet instructions it does not know. Each
level uses registers as wide as it has, and only v3 fuses multiplications with additions: v1 and v4 give the
same bits.

Usage: isa_test.py LEVEL=OBJECT[,OBJECT...]..."""
import platform
import re
import subprocess
import sys


def shared(level, names):
    """The global names that another object could define as well: those that do not carry the level's name."""
    own = re.compile(rf"\b(xsimd_)?{level}\b")
    sanitizers = ("DW.ref.", "__asan", "__odr_asan", "__ubsan")
    return [n for n in names if not own.search(n) and not n.startswith(sanitizers)]


def defined(objects):
    lines = subprocess.run(["nm", "-C", "--extern-only", "--defined-only", *objects],
                           text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    return [m.group(1) for m in (re.match(r"[0-9a-f]+ [A-Za-z] (.*)", line) for line in lines) if m]


def registers(code):
    """The widest vector registers that disassembled code names."""
    return next((r for r in ("zmm", "ymm", "xmm") if f"%{r}" in code), "none")


def disassembled(objects):
    command = ["objdump", "-d", "--no-show-raw-insn", *objects]
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout


WIDEST = {"v1": "xmm", "v3": "ymm", "v4": "zmm"}
FUSED = re.compile(r"\bvfn?m(?:add|sub)\w*")
problems = []
if FUSED.findall("vfmadd213pd vmulpd vfnmsub132sd vfmaddsub") != ["vfmadd213pd", "vfnmsub132sd", "vfmaddsub"]:
    problems.append("the check itself does not tell fused instructions")
foreign = ["std::abs(double)", "xsimd::f(int)"]
if shared("v3", [*foreign, "cotangent::kernel::v3::kTable"]) != foreign:
    problems.append("the check itself does not tell shared names from its own")
for argument in sys.argv[1:]:
    level, objects = argument.split("=")
    names = defined(objects.split(","))
    if not any("kTable" in n for n in names):
        problems.append(f"{level}: no table of kernels among {len(names)} names")
    code = disassembled(objects.split(","))
    if level in WIDEST and platform.machine() == "x86_64" and registers(code) != WIDEST[level]:
        problems.append(f"{level}: its widest registers are {registers(code)}, not {WIDEST[level]}")
    if level != "v3":
        problems += [f"{level}: {name} is fused" for name in sorted(set(FUSED.findall(code)))]
    problems += [f"{level}: {name} may be shared" for name in shared(level, names)]
print("\n".join(problems) or "each instruction set's kernels stand alone")
sys.exit(1 if problems else 0)
