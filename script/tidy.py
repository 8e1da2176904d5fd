#!/usr/bin/env python3
"""Runs clang-tidy on every source file that has changed, itself, in a header of ours that it includes, or in the checks, since it
was last found clean. What was found clean stands in script/tidied.json, by the digest of its content, and is committed with the
change: clang-tidy takes a quarter of an hour over all files, and CI has no more.
Usage: script/tidy.py [FILE...]   (all tracked sources of the rooms without arguments)"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-tidy"
CLEAN = ROOT / "script" / "tidied.json"
INCLUDE = re.compile(r'^#include "([a-z]+/[a-z0-9_/]+\.h)"', re.M)


def fingerprint(name: str) -> str:
    """Of the file, every header of ours below it, and the checks."""
    seen, waiting = set(), [name]
    while waiting:
        path = waiting.pop()
        if path not in seen and (ROOT / path).exists():
            seen.add(path)
            waiting += INCLUDE.findall((ROOT / path).read_text())
    whole = hashlib.sha256()
    for path in sorted(seen) + [".clang-tidy"]:
        whole.update(path.encode() + b"\0" + (ROOT / path).read_bytes())
    return whole.hexdigest()[:16]


def tidy(name: str) -> tuple[str, bool, str]:
    command = ["clang-tidy", "-p", str(BUILD), "--quiet", "--warnings-as-errors=*", name]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return name, run.returncode == 0, run.stdout or run.stderr


def main() -> int:
    # A compile database of its own: clang cannot read the precompiled headers of the other build folders.
    configure = ["cmake", "-S", ".", "-B", str(BUILD), "-G", "Ninja", "-DBROKERLAB_BENCH=OFF", "-DBROKERLAB_TESTS=OFF"]
    subprocess.run(configure, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    names = sys.argv[1:]
    if not names:
        tracked = subprocess.run(["git", "ls-files", "*.cpp"], cwd=ROOT, capture_output=True, text=True, check=True)
        names = [name for name in tracked.stdout.split() if not name.startswith(("tests/", "bench/"))]
    clean = json.loads(CLEAN.read_text()) if CLEAN.exists() else {}
    prints = {name: fingerprint(name) for name in names}
    changed = [name for name in names if clean.get(name) != prints[name]]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, passed, report in pool.map(tidy, changed):
            if passed:
                clean[name] = prints[name]
            else:
                failures += 1
                print(report, flush=True)
    tracked_now = {name: clean[name] for name in sorted(clean) if (ROOT / name).exists()}
    CLEAN.write_text(json.dumps(tracked_now, indent=1) + "\n")
    print(f"{len(names)} files, {len(changed)} of them looked at, {failures} with findings")
    return 1 if failures else 0


sys.exit(main())
