#!/usr/bin/env python3
"""Counts what the hot paths cost in instructions, and compares that with the committed baseline.

  bench/instructions.py --build build            print, and fail when something costs over 5 % more than the baseline
  bench/instructions.py --build build --update   write the baseline anew

Counts (callgrind's) do not depend on the machine's noise, so that a rise is a change of the program. Each benchmark runs twice with
different numbers of iterations; the difference is what the iterations cost, without the start of the program. The files have the form of
Google Benchmark's JSON, with instructions in the place of times. Exit status: 0 as the baseline, 1 risen, 2 not measured."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE / "instructions.json"
MOST_RISE = 0.05
FEW, MANY = 2_000, 22_000
WATCHED = {
    "amqp_micro": ["publish_template/12", "publish_template/100", "publish_template/1024", "publish_changing_key",
                   "parse_delivery/12", "parse_delivery/100", "parse_delivery/1024"],
    "core_micro": ["HistogramRecord", "LedgerMark", "RecordingAppendPublish"],
    "analysis_micro": ["LedgerMessage"],
}


def instructions(program: pathlib.Path, benchmark: str, iterations: int) -> int:
    environment = dict(os.environ, BROKERLAB_ITERATIONS=str(iterations),
                       # The C library chooses its copying by the processor; here it is to be the same everywhere.
                       GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2,-AVX512F,-ERMS,-FSRM")
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program),
               f"--benchmark_filter=^{re.escape(benchmark)}(/iterations:.*)?$"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or counted is None or "ERROR" in done.stdout or benchmark not in done.stdout:
        sys.exit(f"{' '.join(command)}: not measured\n{done.stdout}{done.stderr}")
    return int(counted.group(1))


def measure(build: pathlib.Path) -> dict:
    benchmarks = []
    for program, names in WATCHED.items():
        for name in names:
            each = (instructions(build / "bench" / program, name, MANY) -
                    instructions(build / "bench" / program, name, FEW)) / (MANY - FEW)
            benchmarks.append({"name": name, "run_name": name, "run_type": "iteration", "iterations": MANY - FEW,
                               "real_time": round(each, 2), "cpu_time": round(each, 2), "time_unit": "ns"})
    return {"context": {"executable": "bench/instructions.py", "unit": "instructions, not ns", "compiler": compiler(build)},
            "benchmarks": benchmarks}


def compiler(build: pathlib.Path) -> str:
    cache = (build / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M).group(1)
    kind = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M).group(1)
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return f"{version}, {kind}, {os.uname().machine}"


def compare(before: dict, now: dict) -> int:
    if before["context"]["compiler"] != now["context"]["compiler"]:
        print(f"not comparable: the baseline is of {before['context']['compiler']}, this is {now['context']['compiler']}")
        return 0
    known = {one["name"]: one["cpu_time"] for one in before["benchmarks"]}
    risen = 0
    for one in now["benchmarks"]:
        name, count, was = one["name"], one["cpu_time"], known.get(one["name"])
        change = None if was is None else count / was - 1
        worse = change is None or change > MOST_RISE
        risen += worse
        said = "no baseline" if change is None else f"{change:+7.1%}"
        print(f"{name:<26} {count:>9.1f} instructions  {said}{'  RISEN' if worse else ''}")
    if risen:
        print(f"{risen} above the baseline by over {MOST_RISE:.0%}: make it cheaper, or say in the commit why it costs more and"
              " run bench/instructions.py --update")
    return 1 if risen else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--update", action="store_true", help="write the baseline")
    options = parser.parse_args()
    now = measure(options.build)
    if options.update:
        BASELINE.write_text(json.dumps(now, indent=1) + "\n")
    return compare(json.loads(BASELINE.read_text()), now)


if __name__ == "__main__":
    sys.exit(main())
