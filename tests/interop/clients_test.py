#!/usr/bin/env python3
"""Our roles against clients that are not ours: Debian's pika and amqp-tools."""
import json
import shutil
import subprocess
import unittest

import pika

from harness import BROKER, LIMIT_S, WithBroker

MODULES = ["data_mining", "cloud_computing"]


def submission(number, **more):
    return {"StudentID": number, "Answer": f"answer {number}", "status": "submitted", **more}


class PikaStudent(WithBroker):
    """pika submits; demonstrator, assistant and coordinator are ours."""

    def test_direct(self):
        self.role("demonstrator")
        self.role("teaching-assistant")
        coordinator = self.role("module-coordinator")
        for number in range(20):
            self.channel.basic_publish("assignment_exchange", "correction", json.dumps(submission(number)).encode())
        coordinator.wait_for("done", times=20)
        for number in range(20):
            self.assertIn(f'"StudentID":{number},', coordinator.text)
        self.assertEqual(coordinator.text.count('"status":"validated"'), 20)

    def test_fanout_ignores_aloud(self):
        for name in ("demonstrator", "teaching-assistant"):
            self.role(name, "--variant", "fanout")
        coordinator = self.role("module-coordinator", "--variant", "fanout")
        self.channel.basic_publish("assignment_exchange", "", json.dumps(submission(1)).encode())
        coordinator.wait_for("done")
        coordinator.wait_for("ignored: not for this role", times=2)  # the submitted and the corrected one
        self.assertEqual(coordinator.text.count("received"), 3)

    def test_routed_as_documented_is_returned_at_last(self):
        programs = [self.role("demonstrator-dm"), self.role("demonstrator-cc"), self.role("teaching-assistant", "--variant", "routed")]
        coordinator = self.role("module-coordinator", "--variant", "routed-as-documented")
        for number in range(10):
            self.channel.basic_publish("assignment_exchange", ["demonstrator_dm", "demonstrator_cc"][number % 2],
                                       json.dumps(submission(number, Module=MODULES[number % 2])).encode())
        coordinator.wait_for('returned, nothing takes it: exchange "assignment_exchange", key "test"', times=10)
        self.assertEqual(coordinator.text.count('"status":"confirmed"'), 10)
        for program, messages in zip(programs, [5, 5, 10]):
            program.wait_for("received", times=messages)  # its output may come later than the coordinator's
        self.assertEqual([program.text.count("received") for program in programs], [5, 5, 10])

    def test_a_circle_as_documented_ends_at_the_hop_limit(self):
        demonstrator = self.role("demonstrator", "--variant", "direct-as-documented")
        self.channel.basic_publish("assignment_exchange", "correction", json.dumps(submission(1)).encode())
        demonstrator.wait_for("not handed on: it has passed through 16 roles")
        self.assertEqual(demonstrator.text.count("received"), 17)


class PikaRoles(WithBroker):
    """Our students; demonstrator and grader are pika programs as the course has them."""

    def test_our_student(self):
        self.channel.exchange_declare("assignment_exchange", "direct")
        for queue, key in (("correction_queue", "correction"), ("validation_queue", "validation"), ("results_queue", "results")):
            self.channel.queue_declare(queue)
            self.channel.queue_bind(queue, "assignment_exchange", key)
        student = self.program("load", "student", "--count", "5", "--rate", "100")
        self.assertEqual(student.end(), 0)
        for properties, body in self.receive("correction_queue", 5):
            assignment = json.loads(body)
            self.assertEqual(properties.content_type, "application/json")
            self.assertIsInstance(assignment["StudentID"], int)
            self.assertIsInstance(assignment["Answer"], str)
            self.assertIn(assignment["Module"], MODULES)
            self.assertEqual(assignment["status"], "submitted")
            assignment["status"] = "corrected"
            self.channel.basic_publish("assignment_exchange", "validation", json.dumps(assignment).encode())
        grader = self.role("teaching-assistant")
        grader.wait_for("published to", times=5)
        self.assertEqual({json.loads(body)["status"] for _, body in self.receive("results_queue", 5)}, {"validated"})

    def test_our_student_routes_by_module(self):
        queues = {"data_mining": "correction_queue_dm", "cloud_computing": "correction_queue_cc"}
        student = self.program("load", "student", "--variant", "routed", "--count", "40", "--rate", "400")
        self.assertEqual(student.end(), 0)
        depths = {module: self.channel.queue_declare(queue, passive=True).method.message_count for module, queue in queues.items()}
        self.assertEqual(sum(depths.values()), 40)
        for module, queue in queues.items():
            self.assertGreater(depths[module], 0)
            for _, body in self.receive(queue, depths[module]):
                self.assertEqual(json.loads(body)["Module"], module)


class Rpc(WithBroker):
    """Request and reply as AMQP programs do it: reply_to says where, correlation_id which."""

    def setUp(self):
        super().setUp()
        self.channel.queue_declare("hello")

    def role_file(self, name, content):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({"description": "A test.", "topology": {"queues": [{"name": "hello"}]}, **content}))
        return str(path)

    def test_our_role_answers_pika(self):
        answerer = self.role(self.role_file("answerer", {"role": {"role": "answerer", "consume": {"queue": "hello"}, "publish": {"reply": True}}}))
        own = self.channel.queue_declare("", exclusive=True).method.queue
        direct = []
        self.channel.basic_consume("amq.rabbitmq.reply-to", lambda _c, _m, properties, body: direct.append((properties.correlation_id, body)),
                                   auto_ack=True)
        for reply_to, correlation_id, body in (("amq.rabbitmq.reply-to", "a-1", b"one"), (own, "b 2/\u00fc", b"two"), (own, None, b"three"),
                                               (None, "c", b"nobody waits"), (own, "x" * 255, b"")):
            self.channel.basic_publish("", "hello", body, pika.BasicProperties(reply_to=reply_to, correlation_id=correlation_id))
        self.assertEqual([(properties.correlation_id, body) for properties, body in self.receive(own, 3)],
                         [("b 2/\u00fc", b"two"), (None, b"three"), ("x" * 255, b"")])
        self.connection.process_data_events(1)
        self.assertEqual(direct, [("a-1", b"one")])
        answerer.wait_for("acknowledged", times=5)

    def test_pika_answers_our_load(self):
        file = self.role_file("asker", {"load": {"name": "asker", "replies": True, "publish": {"routing_key": "hello", "body": {"text": "what?"}}}})
        asker = self.program("load", file, "--count", "5", "--rate", "100")
        seen = []
        for properties, body in self.receive("hello", 5):
            seen.append(properties.correlation_id)
            self.assertEqual(body, b"what?")
            self.channel.basic_publish("", properties.reply_to, b"that", pika.BasicProperties(correlation_id=properties.correlation_id))
        self.assertEqual(seen, ["0", "1", "2", "3", "4"])
        self.assertEqual(asker.end(), 0)  # not before the last one was answered


class HostileBodies(WithBroker):
    """No role dies of a message: it is counted and said."""

    BODIES = [b"no json at all", b"", b"[1, 2]", b"null", b"\xff\xfe\x00", b"{" * 100000, b'{"StudentID": 1}',
              b'{"status": 7}', b'{"status": "confirmed"}', b"x" * (1 << 20),
              json.dumps(submission(2, Answer="y" * (1 << 20))).encode()]
    UNREADABLE, IGNORED = 7, 3

    def test_each_is_counted_and_the_next_is_served(self):
        demonstrator = self.role("demonstrator")
        for body in self.BODIES:
            self.channel.basic_publish("assignment_exchange", "correction", body)
        self.channel.basic_publish("assignment_exchange", "correction", json.dumps(submission(3)).encode())
        demonstrator.wait_for("published to", times=2)
        demonstrator.interrupt()
        self.assertEqual(demonstrator.end(), 0)
        self.assertEqual(demonstrator.text.count("unreadable: "), self.UNREADABLE)
        self.assertEqual(demonstrator.text.count("ignored: "), self.IGNORED)
        self.assertIn(f"12 received, 2 done, {self.IGNORED} ignored, {self.UNREADABLE} unreadable, 2 published", demonstrator.text)
        self.assertLess(len(demonstrator.text), 20000)  # a mebibyte is not shown
        bodies = [json.loads(body) for _, body in self.receive("validation_queue", 2)]
        self.assertEqual(len(bodies[0]["Answer"]), 1 << 20)
        self.assertEqual(bodies[1], submission(3) | {"status": "corrected"})

    def test_those_that_correct_whatever_comes_live_on_too(self):
        for name, variant, queue in (("demonstrator", "fanout-as-documented", "correction_queue"),
                                     ("teaching-assistant", "fanout", "validation_queue"),
                                     ("module-coordinator", "fanout", "results_queue")):
            with self.subTest(role=name):
                role = self.role(name, "--variant", variant)
                for body in self.BODIES[:6]:
                    self.channel.basic_publish("", queue, body)
                role.wait_for("unreadable: ", times=6)
                role.interrupt()
                self.assertEqual(role.end(), 0)


class Tools(WithBroker):
    """amqp-publish and amqp-consume of Debian's amqp-tools."""

    def tool(self, program, *arguments, **options):
        self.assertIsNotNone(shutil.which(program), f"{program} is not installed: script/bootstrap --test")
        return subprocess.run([program, "--url", BROKER.rstrip("/"), *arguments], timeout=LIMIT_S, capture_output=True, **options)

    def test_their_emitter_and_our_worker(self):
        worker = self.role("task-worker", "--set", "role.effort.scale=10ms", "--set", "queue=hello")
        for body in ("first.", "second.."):
            self.assertEqual(self.tool("amqp-publish", "-r", "hello", "-b", body).returncode, 0)
        worker.wait_for("acknowledged", times=2)
        for step in ("received: first.", "working for 10 ms", "received: second..", "working for 20 ms"):
            self.assertIn(step.replace(" ms", ""), worker.text.replace(" ms", "").replace("ms", ""))

    def test_our_emitter_and_their_worker(self):
        emitter = self.program("role", "task-emitter", "--variant", "v2", "--set", "queue=hello", "--set", "message=Hi there...")
        self.assertEqual(emitter.end(), 0)
        consumed = self.tool("amqp-consume", "-q", "hello", "-c", "1", "cat")
        self.assertEqual((consumed.returncode, consumed.stdout), (0, b"Hi there..."))


if __name__ == "__main__":
    unittest.main(verbosity=2)
