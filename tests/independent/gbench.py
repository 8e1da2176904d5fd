"""Has compare.py of Google Benchmark compare two of its JSON files, both in {"baseline", "candidate"} on standard input, and prints
what it found."""
import json
import pathlib
import subprocess
import sys
import tempfile

given = json.load(sys.stdin)
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for side in ("baseline", "candidate"):
        (folder / f"{side}.json").write_text(json.dumps(given[side]))
    subprocess.run([sys.executable, sys.argv[1], "--no-color", "--dump_to_json", str(folder / "found.json"), "benchmarks",
                    str(folder / "baseline.json"), str(folder / "candidate.json")], check=True, stdout=subprocess.DEVNULL, timeout=60)
    print((folder / "found.json").read_text())
