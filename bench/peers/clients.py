"""How each client of the side by side is started, and where it says what it measured. A command is (words, folder, environment)."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pika

HERE = pathlib.Path(__file__).resolve().parent
FETCHED = HERE / "fetched"
DROP, QUEUE, SIZE = "peers-drop", "peers-queue", 100
TASKS = ("publish", "consume", "full speed", "stall", "held stall")
WINDOW = 10  # of a publisher that is held up: so many may be unconfirmed


def declare(broker) -> None:
    channel = pika.BlockingConnection(pika.URLParameters(broker.uri)).channel()
    channel.exchange_declare(DROP, "fanout", durable=True)
    channel.queue_declare(QUEUE, durable=True)
    channel.connection.close()


def purge(uri: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    connection.channel().queue_purge(QUEUE)
    connection.close()


def fill(broker, messages: int, folder: pathlib.Path) -> None:
    """The queue holds exactly so many messages afterwards; stamped, as every client's are."""
    purge(broker.uri)
    words, where, environment = Ours(broker.program).command("fill", broker.uri, messages, folder)
    subprocess.run([str(word) for word in words], cwd=where, env={**os.environ, **environment}, check=True, capture_output=True)


class Ours:
    """An experiment is measured whole: the load comes with it. What consuming costs is told by leaving the consumer out."""
    slower, start_s, tasks = 1, 0.5, TASKS
    consume_tasks = ("fill and consume", "fill")

    def __init__(self, program: pathlib.Path, read_coalescing: str | None = None):
        self.program = program
        self.name, self.options = "brokerlab", {}
        if read_coalescing:
            self.name, self.options = f"brokerlab, reads every {read_coalescing}", {"read_coalescing": read_coalescing}
            self.tasks = TASKS[1:]  # it publishes as the other does

    def experiment(self, task: str, amount: int) -> dict:
        body = {"size": SIZE}
        fast = {"name": "publisher", "arrivals": {"process": "closed"}, "confirms": {"enabled": False},
                "publish": {"routing_key": QUEUE, "mandatory": False, "body": body}}
        consumer = {"role": "consumer", "consume": {"queue": QUEUE, "ack": "auto", **self.options}}
        queue = {"queues": [{"name": QUEUE, "durable": True, "predeclared": True}]}
        own_queue = {"queues": [{"name": "own"}]}
        if task == "publish":
            fast["publish"] = {"exchange": DROP, "mandatory": False, "body": body}
            return {"topology": {"exchanges": [{"name": DROP, "type": "fanout", "predeclared": True}]},
                    "load": [{**fast, "stop": {"count": amount}}], "phases": {"measure": "300s"}}
        if task == "fill":
            return {"topology": queue, "load": [{**fast, "stop": {"count": amount}}], "phases": {"measure": "300s"}}
        consumer["consume"]["queue"] = "own"
        if task == "fill and consume":
            consumer["consume"]["subscribe"] = "after_load"
            fast["publish"]["routing_key"] = "own"
            return {"topology": own_queue, "load": [{**fast, "stop": {"count": amount}}], "roles": [consumer],
                    "phases": {"measure": "300s", "drain": "300s"}}
        if task == "saturate":
            fast["publish"]["routing_key"] = "own"
            return {"topology": own_queue, "load": [fast], "roles": [consumer], "phases": {"measure": f"{amount}s", "drain": "300s"}}
        steady = {"name": "publisher", "arrivals": {"process": "constant", "rate": 1000}, "publish": {"routing_key": "own", "body": body},
                  "confirms": {"window": WINDOW} if task == "held stall" else {"enabled": False}}
        return {"topology": own_queue, "load": [steady], "roles": [consumer], "phases": {"measure": f"{amount}s", "drain": "60s"}}

    def command(self, task: str, uri: str, amount: int, folder: pathlib.Path):
        (folder / "experiment.json").write_text(json.dumps({"name": "peers", **self.experiment(task, amount)}))
        shutil.rmtree(folder / "results", ignore_errors=True)
        return [self.program, "run", "experiment.json", "--quiet", "--json", "--out", "results"], folder, {"BROKERLAB_BROKER": uri}

    def run_of(self, folder: pathlib.Path) -> dict:
        return json.loads(next((folder / "results").glob("*/*/result.json")).read_text())["runs"][0]

    def delivered_per_s(self, _, folder: pathlib.Path) -> float:
        return self.run_of(folder)["rates"]["delivered_per_s"]

    def p99_ms(self, _, folder: pathlib.Path) -> float:
        return self.run_of(folder)["latency"]["end_to_end"]["p99_ns"] / 1e6


class PerfTest:
    name, slower, start_s, tasks = "PerfTest", 1, 1.5, TASKS

    def command(self, task: str, uri: str, amount: int, folder: pathlib.Path):
        words = ["java", "-cp", f"{FETCHED}/perftest/*", "com.rabbitmq.perf.PerfTest", "-h", uri + "%2f", "-s", SIZE, "-a"]
        words += {"publish": ["-x", 1, "-y", 0, "-e", DROP, "-t", "fanout", "-p", "-u", QUEUE, "-sb", "-C", amount],
                  "consume": ["-x", 0, "-y", 1, "-p", "-u", QUEUE, "-D", amount],
                  "saturate": ["-x", 1, "-y", 1, "-z", amount],
                  "stall": ["-x", 1, "-y", 1, "-r", 1000, "-z", amount],
                  "held stall": ["-x", 1, "-y", 1, "-r", 1000, "-z", amount, "-c", WINDOW]}[task]
        return words, folder, {}

    def delivered_per_s(self, run, _) -> float:
        return float(re.search(r"receiving rate avg: (\d+) msg/s", run.output).group(1))

    def p99_ms(self, run, _) -> float:
        return float(re.search(r"consumer latency min/median/75th/95th/99th \d+/\d+/\d+/\d+/(\d+) µs", run.output).group(1)) / 1000


class Omq:
    """Confirms always: full speed is a large window. Declares queues only on RabbitMQ 4. Its percentiles are those of the last second,
    so that there is none of a run with a stall."""
    name, slower, tasks = "omq", 5, ("publish", "consume", "full speed")
    program = FETCHED / "bin/omq"

    def command(self, task: str, uri: str, amount: int, folder: pathlib.Path):
        words = [self.program, "amqp091", "--uri", uri, "--size", SIZE, "-d=false"]
        words += {"publish": ["-x", 1, "-y", 0, "-t", f"/exchanges/{DROP}", "-c", 1000, "-C", amount],
                  "consume": ["-x", 0, "-y", 1, "-T", f"/queues/{QUEUE}", "--consumer-credits", 1000, "-D", amount],
                  "saturate": ["-x", 1, "-y", 1, "-t", f"/queues/{QUEUE}", "-T", f"/queues/{QUEUE}", "--consumer-credits", 1000,
                               "-c", 1000, "-z", f"{amount}s"]}[task]
        return words, folder, {}

    def delivered_per_s(self, run, _) -> float:
        return float(re.search(r"TOTAL CONSUMED messages=\d+ rate=([\d.]+)", run.output).group(1))


class Library:
    tasks = ("publish", "consume")

    def __init__(self, name: str, words: list, slower: int):
        self.name, self.words, self.slower = name, words, slower

    def command(self, task: str, uri: str, amount: int, folder: pathlib.Path):
        return [*self.words, task, uri + "%2f", DROP if task == "publish" else QUEUE, amount, SIZE], folder, {}


def available(build: pathlib.Path, only: list | None) -> list:
    """Ours first. What is not there is said."""
    peers = [(PerfTest(), (FETCHED / "perftest").exists()), (Omq(), Omq.program.exists()),
             (Library("rabbitmq-c", [build / "bench/rabbitmq_c_client"], 1), (build / "bench/rabbitmq_c_client").exists()),
             (Library("amqplib (Node)", ["node", HERE / "amqplib_client.js"], 2), (FETCHED / "node/node_modules/amqplib").exists()),
             (Library("pika (Python)", [sys.executable, HERE / "pika_client.py"], 10), True)]
    for client, there in peers:
        if not there:
            print(f"{client.name} is not there: run bench/peers/fetch, or build it", file=sys.stderr)
    program = build / "cli/brokerlab"
    chosen = [Ours(program), Ours(program, "1ms")] + [client for client, there in peers if there]
    return [client for client in chosen if not only or client.name in only or isinstance(client, Ours)]
