"""Verdict::save's files, read by Python alone. Usage: verdict_file_test.py PROGRAM

PROGRAM DIR writes the verdicts: JSON, and points as .npz, which are zip files of arrays."""
import ast
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile


def load(path):
    """{name: (shape, numbers)} of an .npz of doubles."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            assert data[:6] == b"\x93NUMPY", data[:6]
            width, form = (2, "<H") if data[6] == 1 else (4, "<I")
            end = 8 + width + struct.unpack(form, data[8:8 + width])[0]
            header = ast.literal_eval(data[8 + width:end].decode("latin-1"))
            assert header["descr"] == "<f8", header
            numbers = struct.unpack(f"<{(len(data) - end) // 8}d", data[end:])
            arrays[name.removesuffix(".npy")] = (header["shape"], numbers)
    return arrays


def read(folder, name):
    def refuse(word):
        raise ValueError(f"{name} holds {word}, which is no JSON")

    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"), parse_constant=refuse)


with tempfile.TemporaryDirectory() as directory:
    folder = pathlib.Path(directory)
    subprocess.run([sys.argv[1], directory], check=True)

    refuted = read(folder, "refuted")
    assert refuted["outcome"] == "refuted", refuted
    assert refuted["statement"] == "|w|^2 <= 4 for all w", refuted
    assert refuted["witness"] == "refuted.npz", refuted
    witness = load(folder / refuted["witness"])
    assert set(witness) == {"a", "b"} and witness["b"][0] == (1, 1), witness
    square = math.fsum(x * x for _, numbers in witness.values() for x in numbers)
    # The counterexample is one, and the file says by how much, digit for digit.
    conclusion = refuted["conclusion"]
    assert square > 4.0 and math.isclose(
        square, conclusion["lhs"]["value"], rel_tol=1e-14), (square, conclusion)
    assert conclusion["rhs"]["value"] == 4.0, conclusion
    assert conclusion["disproved"] and not conclusion["holds"], conclusion
    assert conclusion["margin"] == conclusion["rhs"]["value"] - conclusion["lhs"]["value"], conclusion

    supported = read(folder, "supported")
    assert supported["outcome"] == "supported", supported
    assert "for all w" not in supported["statement"], supported["statement"]
    assert "|w - centre| <= 1.5" in supported["statement"], supported["statement"]
    search = supported["search"]
    expected = {"radius": 10.0, "domain": 1.5, "evaluations": 200, "not_evaluated": 0}
    assert expected.items() <= search.items(), search
    assert search["points"] == supported["points"] > 20, search
    assert search["seed"].count("philox") == 1, search
    centre = load(folder / search["centre"])
    assert centre["a"][1] == (0.1, 0.2), centre
    witness = load(folder / supported["witness"])
    away = math.dist(*(point["a"][1] + point["b"][1] for point in (witness, centre)))
    assert away <= 1.5, away

    unknown = read(folder, "open")
    assert unknown["outcome"] == "inconclusive" and unknown["source"] == "proxy O30", unknown
    assert '"quoted"' in unknown["statement"], unknown["statement"]
    values = [float(x) for x in unknown["series"][0]["values"]]
    assert values[0] == 1.0 and math.isnan(values[1]) and values[2] == -math.inf and values[3] == 0.1, values
    assert unknown["numbers"] == [{"name": "T", "value": 0.1 + 0.2}], unknown["numbers"]
    assert unknown["account"] == [{"name": "part", "value": 1.0}], unknown["account"]
    assert math.isnan(float(unknown["steps"][0]["margin"])), unknown["steps"]
    assert "witness" not in unknown and "search" not in unknown, unknown
print("Python reads what was saved")
