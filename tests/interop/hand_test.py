#!/usr/bin/env python3
"""Roles and loads by hand, as a person at a terminal and as a script runs them."""
import json
import os
import re
import socket
import unittest

from harness import BROKER, PASSWORD, Proxy, WithBroker, wait_until

STAMP = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  "


class ByHand(WithBroker):
    def test_every_step_is_said_and_logged(self):
        demonstrator = self.role("demonstrator")
        student = self.program("role", "student")
        self.assertEqual(student.end(), 0)
        demonstrator.wait_for("confirmed by the broker")
        demonstrator.interrupt()
        self.assertEqual(demonstrator.end(), 0)
        for step in ("log: ", "connected to amqp://", 'waiting for messages of queue "correction_queue"', 'received: {"StudentID"',
                     "done", 'published to exchange "assignment_exchange", key "validation": {"StudentID"', '"status":"corrected"',
                     "confirmed by the broker", "interrupted: ", "in all: 1 received, 1 done, 1 published, 1 confirmed", "closed"):
            self.assertIn(step, demonstrator.text)
        log = (self.folder / "logs" / "demonstrator-0.log").read_text()
        self.assertIn(str(self.folder / "logs" / "demonstrator-0.log"), demonstrator.text)
        self.assertEqual(log.splitlines(), demonstrator.text.splitlines())
        for line in log.splitlines():
            self.assertRegex(line, STAMP + "demonstrator-0  ")
        self.assertIn('published to exchange "assignment_exchange", key "correction"', student.text)
        self.assertNotIn("interrupted", student.text)

    def test_no_password_anywhere(self):
        student = self.program("load", "student", "--count", "2", "--rate", "50")
        self.assertEqual(student.end(), 0)
        wrong = self.program("role", "demonstrator", broker=BROKER.replace(PASSWORD, "canary-of-a-password"))
        self.assertEqual(wrong.end(), 1)
        self.assertIn("refused the login", wrong.text)
        self.assertNotIn("try 2", wrong.text)  # another try cannot help
        texts = [student.text, wrong.text] + [path.read_text() for path in (self.folder / "logs").iterdir()]
        for text in texts:
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn("canary-of-a-password", text)
        self.assertEqual(sorted(path.name for path in (self.folder / "logs").iterdir()), ["demonstrator-0.log", "student-0.log"])

    def test_two_of_a_kind_have_logs_of_their_own(self):
        first, second = self.role("task-worker"), self.role("task-worker")
        third = self.role("task-worker", "--id", "nightly")
        for program in (first, second, third):
            program.interrupt()
            self.assertEqual(program.end(), 0)
        self.assertEqual(sorted(path.name for path in (self.folder / "logs").iterdir()),
                         ["task-worker-0.2.log", "task-worker-0.log", "task-worker-nightly.log"])

    def test_the_second_interrupt_ends_at_once(self):
        worker = self.role("receiver", "--variant", "effort")
        self.channel.basic_publish("", "shared_queue", b'{"effort": 3600}')
        worker.wait_for("working for")
        worker.interrupt()
        worker.wait_for("interrupted: finishing")
        self.assertIsNone(worker.process.poll())
        worker.interrupt()
        self.assertEqual(worker.end(), 0)
        self.assertIn("interrupted again", worker.text)

    def test_a_load_with_an_end_ends_by_itself(self):
        self.role("task-worker", "--set", "role.effort.scale=1ms")
        emitter = self.program("load", "task-emitter", "--variant", "v3")
        self.assertEqual(emitter.end(), 0)
        self.assertIn("in all: 10 published, 10 confirmed", emitter.text)

    def test_a_stream_without_an_end_ends_by_an_interrupt(self):
        stream = self.program("load", "student", environment={"BROKERLAB_RATE": "100", "BROKERLAB_ID": "eve", "BROKERLAB_LOG_DIR": "elsewhere"})
        stream.wait_for("confirmed by the broker", times=20)
        stream.interrupt()
        self.assertEqual(stream.end(), 0)
        published = int(re.search(r"in all: (\d+) published", stream.text)[1])
        self.assertIn(f"in all: {published} published, {published} confirmed", stream.text)
        self.assertTrue((self.folder / "elsewhere" / "student-eve.log").exists())

    def test_parameters_of_the_task_emitter(self):
        (self.folder / "own.csv").write_text("one,a.\ntwo,b..\n")
        message = self.program("role", "task-emitter", "--variant", "v2", "--set", "queue=hello", "--set", "message=Hi there...")
        self.assertEqual(message.end(), 0)
        rows = self.program("role", "task-emitter", "--variant", "v3", "--set", "queue=hello", "--set", "file=own.csv")
        self.assertEqual(rows.end(), 0)
        self.assertEqual([body for _, body in self.receive("hello", 3)], [b"Hi there...", b"one a.", b"two b.."])

    def test_wrong_usage(self):
        for arguments, wanted in ((["role", "studnet"], 'did you mean "student"'),
                                  (["role", "student", "--variant", "fanuot"], 'did you mean "fanout"'),
                                  (["role", "student", "--set", "load.publish.rooting_key=x"], 'did you mean "routing_key"'),
                                  (["load", "demonstrator"], "publishes nothing of itself")):
            with self.subTest(arguments=arguments):
                program = self.program(*arguments)
                self.assertEqual(program.end(), 2)
                self.assertIn(wanted, program.text)

    def test_a_role_file_of_ones_own(self):
        (self.folder / "mine.json").write_text('{"description": "mine", "topology": {"queues": [{"name": "hello"}]},'
                                               '"role": {"role": "mine", "consume": {"queue": "hello"}}}')
        mine = self.role("mine.json", "--instances", "2")
        self.channel.basic_publish("", "hello", "caf\u00e9 \x1b[2J".encode())
        mine.wait_for("acknowledged").wait_for("  mine-1  waiting")
        self.assertIn("received: caf\u00e9 \\x1b[2J", mine.text)


class Reach(WithBroker):
    def test_five_tries_two_seconds_apart(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        program = self.program("role", "demonstrator", broker=f"amqp://guest:guest@127.0.0.1:{port}")
        self.assertEqual(program.end(), 1)
        tries = re.findall(r"T(\d\d):(\d\d):(\d\d\.\d+)Z .* no connection to amqp://\S+, try (\d) of 5", program.text)
        self.assertEqual([each[3] for each in tries], ["1", "2", "3", "4", "5"])
        times = [int(hours) * 3600 + int(minutes) * 60 + float(seconds) for hours, minutes, seconds, _ in tries]
        for earlier, later in zip(times, times[1:]):
            self.assertGreaterEqual((later - earlier) % 86400, 1.9)
        self.assertIn("after 5 tries", program.text)

    def test_a_lost_connection_comes_back(self):
        proxy = Proxy()
        self.addCleanup(proxy.cut)
        worker = self.role("task-worker", "--set", "role.effort.scale=1ms", broker=proxy.uri())
        proxy.cut()
        worker.wait_for("lost the connection")
        self.channel.queue_delete("task_queue")  # as a broker that was restarted knows nothing of it
        proxy.open()
        worker.wait_for("connected to amqp://127.0.0.1:%d" % proxy.port, times=2)
        self.channel.basic_publish("", "task_queue", b"after.")
        worker.wait_for("received: after.")
        worker.wait_for("acknowledged")
        worker.interrupt()
        self.assertEqual(worker.end(), 0)

    def test_a_broker_that_stays_away_ends_the_role(self):
        proxy = Proxy()
        worker = self.role("task-worker", broker=proxy.uri())
        proxy.cut()
        self.assertEqual(worker.end(), 1)
        for number in range(1, 6):
            self.assertIn(f"try {number} of 5", worker.text)

    def test_interrupt_while_trying(self):
        program = self.program("role", "demonstrator", broker="amqp://guest:guest@127.0.0.1:1")
        program.wait_for("try 1 of 5").interrupt()
        self.assertEqual(program.end(), 0)
        self.assertIn("interrupted", program.text)


class Terminal(WithBroker):
    def test_the_sender_asks_and_takes_what_is_right(self):
        sender = self.program("role", "sender", "--variant", "effort", terminal=True)
        for effort, number in (("3", "4711"), ("", ""), ("99", "12"), ("x", "4712")):
            sender.wait_for("Effort of the task", times=sender.text.count("Effort of the task") or 1)
            asked = sender.text.count("Number of the task")
            sender.type(effort + "\n")
            sender.wait_for("Number of the task", times=asked + 1)
            closed = sender.text.count("  closed")
            sender.type(number + "\n")
            sender.wait_for("  closed", times=closed + 1)
            sender.wait_for("Effort of the task", times=closed + 2)
        sender.type("\x04")
        self.assertEqual(sender.end(), 0)
        tasks = [json.loads(body) for _, body in self.receive("shared_queue", 4)]
        self.assertEqual((tasks[0]["effort"], tasks[0]["id"]), (3, 4711))
        self.assertEqual(tasks[3]["id"], 4712)
        for task in tasks:
            self.assertIn(task["effort"], range(1, 11))
            self.assertIn(task["id"], range(1000, 10000))
        self.assertIn("not a number from 1 to 10", sender.text)

    def test_a_script_is_never_asked(self):
        sender = self.program("role", "sender", "--variant", "effort")
        self.assertEqual(sender.end(), 0)
        (properties, _), = self.receive("shared_queue", 1)
        self.assertEqual(properties.delivery_mode, 2)
        self.assertNotIn("Effort of the task", sender.text)

    def test_the_receiver_shows_a_bar_while_it_works(self):
        receiver = self.role("receiver", "--variant", "effort", terminal=True)
        self.channel.basic_publish("", "shared_queue", b'{"effort": 0.6}')
        receiver.wait_for("acknowledged")
        self.assertRegex(receiver.text, "\u2501+\u2500* +[1-9][0-9]? %  0\\.\\d of 0\\.6 s")
        quiet = self.role("receiver", "--variant", "effort")
        receiver.interrupt()
        self.assertEqual(receiver.end(), 0)
        self.channel.basic_publish("", "shared_queue", b'{"effort": 0.2}')
        quiet.wait_for("acknowledged")
        self.assertNotIn("\u2501", quiet.text)
        self.assertNotIn("\x1b", quiet.text)

    def browser(self):
        """A folder with an xdg-open that notes what it was called with."""
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "xdg-open").write_text(f'#!/bin/sh\necho "$1" > "{self.folder}/opened.part"; mv "{self.folder}/opened.part" "{self.folder}/opened"\n')
        (folder / "xdg-open").chmod(0o755)
        return {"PATH": f"{folder}:{os.environ['PATH']}"}

    def test_the_management_page_is_opened_when_asked_for_at_a_terminal(self):
        environment = self.browser()
        emitter = self.program("role", "task-emitter", "--open-management", terminal=True, environment=environment)
        self.assertEqual(emitter.end(), 0)
        self.assertIn("opening http://127.0.0.1:15672", emitter.text)
        wait_until((self.folder / "opened").exists)
        self.assertEqual((self.folder / "opened").read_text().strip(), "http://127.0.0.1:15672")
        script = self.program("role", "task-emitter", "--open-management", environment={"PATH": "/nonexistent"})
        self.assertEqual(script.end(), 0)
        self.assertIn("not opened", script.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
