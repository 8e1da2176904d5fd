#!/usr/bin/python3
"""What many clients cost the machine that plays them: the catalogue's many-clients (10,000 publishers at 1/s on 1,000 connections, 1,000
consumers) on a private broker, beside the same messages from one publisher to one consumer; medians of interleaved runs.

  bench/many_clients.py --build build [--rounds 3]

Processor time is that of the process's whole life over the time of the load, and so contains its start. What many clients add beside
the one is one write and one read of a socket per message instead of a few for hundreds, and the pacing of ten thousand schedules."""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

PUBLISHERS, CONSUMERS, RATE = 10_000, 1_000, 10_000


def one_of_each(catalogue: pathlib.Path) -> dict:
    experiment = json.loads((catalogue / "many-clients.json").read_text())
    experiment["name"] = "one-client"
    del experiment["quick"]
    experiment["topology"] = {"queues": [{"name": "inbox"}]}
    experiment["load"] = [{"name": "device", "arrivals": {"process": "constant", "rate": RATE},
                           "publish": {"routing_key": "inbox", "body": {"size": "100B"}}, "confirms": {"window": 1000}}]
    experiment["roles"] = [{"role": "reader", "consume": {"queue": "inbox", "ack": "auto"}}]
    return experiment


def measured(program: pathlib.Path, experiment: str, folder: pathlib.Path) -> list[dict]:
    """The processes of one run; its load lasts as long as the experiment says."""
    done = subprocess.run([program, "run", experiment, "--quiet", "--json", "--out", folder / "results"], capture_output=True, text=True,
                          check=True)
    run = json.loads(done.stdout)["runs"][0]
    seconds = (run["phase_ns"]["measure_end"] - run["phase_ns"]["start"]) / 1e9
    return [{"process": each["process"], "memory_mb": each["resident_bytes"] / 1e6, "core_share": each["cpu_ns"] / 1e9 / seconds,
             "us_per_message": each["cpu_ns"] / 1e3 / each["messages"]} for each in run["processes"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(__file__).parents[1] / "build")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    program = options.build.resolve() / "cli/brokerlab"
    catalogue = pathlib.Path(__file__).resolve().parents[1] / "experiments/catalogue"
    figures: dict = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        one = folder / "one-client.json"
        one.write_text(json.dumps(one_of_each(catalogue)))
        for _ in range(options.rounds):
            for clients, experiment in ((f"{PUBLISHERS:,} + {CONSUMERS:,}", "many-clients"), ("1 + 1", str(one))):
                for process in measured(program, experiment, folder):
                    figures.setdefault((clients, process.pop("process")), []).append(process)
    print("| clients | process | memory, MB | of a core, % | us per message |\n| --- | --- | --- | --- | --- |")
    for (clients, process), runs in figures.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(f"| {clients} | {process} | {middle['memory_mb']:.0f} | {100 * middle['core_share']:.1f} | {middle['us_per_message']:.1f} |")


if __name__ == "__main__":
    main()
