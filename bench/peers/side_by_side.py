#!/usr/bin/python3
"""Us and the peers on one private broker, in interleaved rounds; medians as a Markdown table.

  bench/peers/fetch                                   once: the peers, into bench/peers/fetched
  bench/peers/side_by_side.py --build build           some 20 minutes with 3 rounds

publish   processor time per message of the client, to an exchange without queues, at full speed
consume   the same, of a filled queue, automatic acknowledgement
delivered messages per second through one queue, one publisher and one consumer of the same tool at full speed
both      the processor time of that run per delivered message, sending and receiving together
memory    the most resident memory of the tool's processes in that run
stall     1,000 messages/s for 12 s while the broker stands still for 2 s: the 99th percentile that each tool reports, beside the true one;
          without confirms, and by a publisher that is held up, for it may have 10 unconfirmed messages

A tool's time is that of all its processes. What a client costs once, to start, is taken out by running it twice with different numbers
of messages."""
import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import clients

STALL_AT, STALL, STALL_LOAD = 4.0, 2.0, 12.0
LIMIT_S = 180  # no command takes so long


class Broker:
    """A private broker for work by hand; ended with the block."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path):
        self.program, self.folder = program, folder

    def __enter__(self):
        started = subprocess.run([self.program, "broker", "start", "--dir", self.folder], capture_output=True, text=True, check=True)
        self.uri = re.search(r"amqp://\S+", started.stdout).group(0)
        status = subprocess.run([self.program, "broker", "status"], capture_output=True, text=True, check=True).stdout
        self.identity = re.search(rf"^(\S+)  .*\n\s+{re.escape(self.uri)}$", status, re.M).group(1)
        return self

    def __exit__(self, *_):
        subprocess.run([self.program, "broker", "stop", self.identity], capture_output=True, check=False)

    def pids(self) -> list[int]:
        """Of the Erlang machines that run in its folder."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if command.split(b"\0")[0].endswith(b"beam.smp") and str(self.folder).encode() in command:
                found.append(int(entry.name))
        return found

    def stall(self, after: float, seconds: float) -> None:
        time.sleep(after)
        pids = self.pids()
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


class Measured:
    """A finished command: its output, processor time and peak memory, its children's included."""

    def __init__(self, command: list, folder: pathlib.Path, environment: dict | None = None):
        with tempfile.TemporaryFile("w+") as output:
            began = time.monotonic()
            process = subprocess.Popen([str(word) for word in command], cwd=folder, stdout=output, stderr=subprocess.STDOUT,
                                       env={**os.environ, **(environment or {})})
            watch = MemoryWatch(process.pid)
            limit = threading.Timer(LIMIT_S, process.kill)
            limit.start()
            _, status, usage = os.wait4(process.pid, 0)
            limit.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            self.peak_bytes = watch.stop()
            self.seconds = time.monotonic() - began
            output.seek(0)
            self.output = output.read()
        self.cpu_us = (usage.ru_utime + usage.ru_stime) * 1e6
        if process.returncode != 0:
            raise RuntimeError(f"{command[0]}: exit status {process.returncode}\n{self.output[-2000:]}")


class MemoryWatch(threading.Thread):
    """Resident memory of a process and its descendants, ten times a second."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.1):
            self.peak = max(self.peak, self.resident(self.pid))

    def resident(self, pid: int) -> int:
        try:
            pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE") + sum(self.resident(int(child)) for child in children)

    def stop(self) -> int:
        self.ended.set()
        self.join()
        return self.peak


def each(client, task: str, count: int, broker: Broker, folder: pathlib.Path) -> float:
    """Processor microseconds per message, start-up taken out."""
    def once(messages: int) -> float:
        if task == "consume":
            clients.fill(broker, messages, folder)
        return Measured(*client.command(task, broker.uri, messages, folder)).cpu_us

    def marginal() -> float:
        few = count // 5
        return (once(count) - once(few)) / (count - few)

    if task != "consume" or not hasattr(client, "consume_tasks"):
        return marginal()
    task, without = client.consume_tasks
    both = marginal()
    task = without
    return both - marginal()


def stalled(client, task: str, broker: Broker, folder: pathlib.Path) -> float:
    stall = threading.Thread(target=broker.stall, args=(STALL_AT + client.start_s, STALL))
    stall.start()
    run = Measured(*client.command(task, broker.uri, int(STALL_LOAD), folder))
    stall.join()
    return client.p99_ms(run, folder)


def full_speed(client, seconds: int, broker: Broker, folder: pathlib.Path) -> dict:
    def once(length: int) -> tuple:
        clients.purge(broker.uri)  # what an earlier run has left
        run = Measured(*client.command("saturate", broker.uri, length, folder))
        return run, client.delivered_per_s(run, folder)

    short, short_rate = once(seconds // 4)
    run, rate = once(seconds)
    return {"delivered": rate, "both": (run.cpu_us - short.cpu_us) / (rate * seconds - short_rate * (seconds // 4)),
            "memory": run.peak_bytes / 1e6}


def rounds(tools: list, options, broker: Broker, folder: pathlib.Path) -> dict:
    figures: dict = {}

    def measure(client, task: str) -> dict:
        if task == "full speed":
            return full_speed(client, options.seconds, broker, folder)
        if task in ("stall", "held stall"):
            return {task: stalled(client, task, broker, folder)}
        return {task: each(client, task, options.messages // client.slower, broker, folder)}

    for number in range(options.rounds):
        for client in tools:
            print(f"round {number + 1} of {options.rounds}: {client.name}", file=sys.stderr)
            for task in client.tasks:
                if options.task and task not in options.task:
                    continue
                try:
                    for figure, value in measure(client, task).items():
                        figures.setdefault((client.name, figure), []).append(value)
                except (RuntimeError, AttributeError, subprocess.CalledProcessError) as error:
                    print(f"{client.name} {task}: {error}", file=sys.stderr)
    return figures


def true_p99_ms() -> float:
    affected = STALL / STALL_LOAD
    return 1000 * STALL * (1 - 0.01 / affected)


def table(tools: list, figures: dict) -> str:
    ours = tools[0].name
    columns = [("publish", "publish, us CPU", "{:.2f}"), ("consume", "consume, us CPU", "{:.2f}"), ("delivered", "delivered /s", "{:,.0f}"),
               ("both", "both at full speed, us CPU", "{:.2f}"),
               ("memory", "memory, MB", "{:.0f}"), ("stall", f"p99 in a stall, ms (true: {true_p99_ms():,.0f})", "{:,.1f}"),
               ("held stall", "the same, publisher held up", "{:,.1f}")]
    lines = ["| client | " + " | ".join(heading for _, heading, _ in columns) + " |", "| --- |" + " --- |" * len(columns)]
    for client in tools:
        cells = []
        for figure, _, form in columns:
            values = figures.get((client.name, figure))
            text = form.format(statistics.median(values)) if values else ""
            base = figures.get((ours, figure))
            if values and base and client.name != ours and "stall" not in figure:
                text += f" ({statistics.median(values) / statistics.median(base):.2g} x)"
            cells.append(text)
        lines.append(f"| {client.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=300_000, help="per run of a client; slow ones get fewer")
    parser.add_argument("--seconds", type=int, default=12, help="of the longer run at full speed")
    parser.add_argument("--only", action="append", help="only this client; may be repeated")
    parser.add_argument("--task", action="append", choices=clients.TASKS,
                        help="only this one; may be repeated")
    parser.add_argument("--json", type=pathlib.Path, help="all figures of all rounds")
    options = parser.parse_args()
    tools = clients.available(options.build.resolve(), options.only)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        with Broker(options.build.resolve() / "cli/brokerlab", folder / "node") as broker:
            clients.declare(broker)
            figures = rounds(tools, options, broker, folder)
    print(table(tools, figures))
    if options.json:
        options.json.write_text(json.dumps({f"{name}: {figure}": values for (name, figure), values in figures.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
