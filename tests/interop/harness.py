"""What the interoperation tests share: brokerlab as a person runs it, the broker, and a proxy that can be cut."""
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import pika

PROGRAM = os.environ["BROKERLAB_TEST_PROGRAM"]
BROKER = os.environ["BROKERLAB_TEST_BROKER"]  # amqp://user:password@host:port/vhost
PASSWORD = re.search(r"://[^:]+:([^@]+)@", BROKER)[1]
LIMIT_S = 30

EXCHANGES = ["assignment_exchange", "models_fanout", "models_direct"]
QUEUES = ["correction_queue", "validation_queue", "results_queue", "correction_queue_dm", "correction_queue_cc",
          "confirmation_queue", "task_queue", "hello", "shared_queue", "TODO", "DONE", "consumer-0", "consumer-1", "consumer-2"]


def wait_until(condition):
    """Until `condition()` holds; fails when the time is over before."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition} does not hold after {LIMIT_S} s")
        time.sleep(0.02)


class Program:
    """A process of ours in the background: its lines of output as they come, and its end."""

    def __init__(self, arguments, folder, broker=BROKER, environment=None, terminal=False):
        variables = {name: value for name, value in os.environ.items() if not name.startswith("BROKERLAB_")}
        variables.update({"BROKERLAB_BROKER": broker, "TERM": "xterm"}, **(environment or {}))
        self.lines, self._text, self._changed = [], "", threading.Condition()
        self.terminal = None
        if terminal:
            self.terminal, child = pty.openpty()
            streams = {"stdin": child, "stdout": child, "stderr": child}
        else:
            streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen([PROGRAM, *arguments], cwd=folder, env=variables, **streams)
        if terminal:
            os.close(child)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        source = self.terminal if self.terminal is not None else self.process.stdout.fileno()
        while True:
            try:
                data = os.read(source, 65536)
            except OSError:  # the other end of the terminal is gone
                data = b""
            with self._changed:
                self._text += data.decode(errors="replace")
                self._changed.notify_all()
                if not data:
                    return

    @property
    def text(self):
        with self._changed:
            return self._text

    def wait_for(self, wanted, times=1):
        """Until `wanted` stands in the output so often; fails when the process ends or the time is over before."""
        with self._changed:
            there = self._changed.wait_for(lambda: self._text.count(wanted) >= times, LIMIT_S)
            if not there:
                raise AssertionError(f"{wanted!r} not seen {times} times in:\n{self._text}")
        return self

    def type(self, text):
        os.write(self.terminal, text.encode())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, limit_s=LIMIT_S):
        """Its exit status, with all of its output read."""
        status = self.process.wait(limit_s)
        self._reader.join(5)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None


class Proxy:
    """Stands between a role and the broker, so that a test can cut the connection and let it come back."""

    def __init__(self):
        target = pika.URLParameters(BROKER)
        self._target = (target.host, target.port)
        self._stop, self._sockets = threading.Event(), []
        self.port = 0
        self.open()

    def open(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def uri(self):
        return re.sub(r"@[^/]+/", f"@127.0.0.1:{self.port}/", BROKER)

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        self._sockets = []


class WithBroker(unittest.TestCase):
    """A clean broker and folder for each test, and an end to everything that it started."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="brokerlab-interop-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.connection = pika.BlockingConnection(pika.URLParameters(BROKER))
        self.addCleanup(self.connection.close)
        self.channel = self.connection.channel()
        self._clear()
        self.addCleanup(self._clear)

    def _clear(self):
        for queue in QUEUES:
            self.channel.queue_delete(queue)
        for exchange in EXCHANGES:
            self.channel.exchange_delete(exchange)

    def program(self, *arguments, **options):
        program = Program(list(arguments), self.folder, **options)
        self.addCleanup(program.kill)
        return program

    def role(self, *arguments, **options):
        """A role by hand that has begun to wait for messages."""
        return self.program("role", *arguments, **options).wait_for("waiting for messages")

    def receive(self, queue, number):
        """The next `number` messages of a queue, as (properties, body)."""
        messages = []
        for method, properties, body in self.channel.consume(queue, auto_ack=True, inactivity_timeout=LIMIT_S):
            self.assertIsNotNone(method, f"only {len(messages)} of {number} messages came to {queue}")
            messages.append((properties, body))
            if len(messages) == number:
                break
        self.channel.cancel()
        return messages
