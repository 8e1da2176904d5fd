#!/usr/bin/env python3
"""Checks the house against ARCHITECTURE.md: each room includes only what its row of the table allows, every path that the
page names exists, no source file has outgrown one noun (450 lines), and no two headers declare a class of one name, of which the
linker would take either."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST_FILE = 450


def allowed_includes(page: str) -> dict[str, set[str]]:
    """Room -> rooms it may include, from the table under "## Rooms"."""
    table = page.split("## Rooms", 1)[1].split("\n## ", 1)[0]
    rules = {}
    for row in re.findall(r"^\| ([a-z]+)/ \|.*\| ([^|]+) \|$", table, re.M):
        room, text = row
        names = set(re.findall(r"[a-z]+", text))
        rules[room] = {"*"} if "all" in names else names & set(re.findall(r"^\| ([a-z]+)/ ", table, re.M))
    return rules


def classes(name: str, text: str) -> list[str]:
    """The classes that a header defines at the level of its namespace, with their namespace."""
    namespace = re.search(r"^namespace ([a-z:_]+) \{", text, re.M)
    found = re.findall(r"^(?:class|struct) (\w+)(?: final)?(?: :.*)? \{", text, re.M)
    return [f"{namespace[1]}::{each}" for each in found] if namespace and name.endswith(".h") else []


def main() -> int:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    rules = allowed_includes(page)
    problems = []
    declared: dict[str, str] = {}
    files = subprocess.run(["git", "ls-files", "*.h", "*.cpp"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in files.stdout.split():
        room = name.split("/", 1)[0]
        lines = (ROOT / name).read_text().splitlines()
        if len(lines) > LONGEST_FILE:
            problems.append(f"{name}: {len(lines)} lines; does it still hold one noun?")
        for each in classes(name, "\n".join(lines)):
            if each in declared and not name.startswith("tests/"):
                problems.append(f"{name}: {each} is declared in {declared[each]}, too")
            declared.setdefault(each, name)
        if room not in rules or "*" in rules[room]:
            continue
        for number, line in enumerate(lines, 1):
            included = re.match(r'#include "([a-z]+)/', line)
            if included and included[1] != room and included[1] not in rules[room]:
                problems.append(f"{name}:{number}: {room}/ may not include {included[1]}/")
    for path in re.findall(r"`([a-z_]+/[A-Za-z0-9_./-]*)`", page):
        if not (ROOT / path).exists() and not path.startswith(("results/", "build/")):
            problems.append(f"ARCHITECTURE.md names {path}, which does not exist")
    for name in files.stdout.split():
        if name.endswith(".h") and name.split("/", 1)[0] in rules and not name.startswith(("tests/", "bench/")):
            if f"`{name}`" not in page:
                problems.append(f"{name}: no noun in ARCHITECTURE.md leads to it")
    print("\n".join(problems) if problems else f"{len(files.stdout.split())} files in order")
    return 1 if problems else 0


sys.exit(main())
