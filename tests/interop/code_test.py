#!/usr/bin/env python3
"""Code on demand by hand, and with clients and workers that are not ours."""
import json
import os
import re
import signal
import unittest

from harness import WithBroker, wait_until

ECHO = {"cmd": "echo", "id_projet": "theirs", "id_task": 1, "phrase": "hello", "url": ""}


class ByHand(WithBroker):
    def lists(self):
        try:
            return json.loads((self.folder / "projects.json").read_text())
        except FileNotFoundError:
            return {"to_do": [], "in_progress": [], "finished": []}

    def end(self, *programs):
        for program in programs:
            program.interrupt()
            self.assertEqual(program.end(), 0, program.text)

    def test_a_project_by_client_and_executor(self):
        executor = self.role("executor", "--variant", "ack-when-done")
        client = self.role("client", "--set", "n=10")
        client.wait_for("n_queens-1 is finished: 724")
        self.end(client, executor)
        self.assertIn("ordered n_queens-1, 10 tasks", client.text)
        self.assertIn("n_queens-1: 10/10 done", client.text)
        self.assertEqual(len(set(re.findall(r"process (\d+): task", executor.text))), 10, "a process for each task")
        self.assertEqual(self.lists()["finished"][0]["results"], [64, 48, 65, 93, 92, 92, 93, 65, 48, 64])

    def test_a_project_by_workers_that_consume(self):
        workers = self.role("code-worker", "--instances", "2")
        client = self.role("client", "--set", "n=8", "--set", "project=board", "--set", "depth=2")
        client.wait_for("board is finished: 92")
        self.end(client, workers)
        again = self.role("client", "--set", "n=8", "--set", "project=board")
        again.wait_for("board is finished already: 92")
        self.end(again)

    def test_a_client_killed_in_mid_project_goes_on(self):
        client = self.role("client", "--variant", "echo", "--set", "tasks=4")
        wait_until(lambda: len(self.lists()["in_progress"]) == 4)
        client.process.send_signal(signal.SIGKILL)
        self.assertEqual(client.end(), -signal.SIGKILL)
        worker = self.role("code-worker")
        client = self.role("client", "--variant", "echo", "--set", "tasks=4")
        client.wait_for("goes on with what is unfinished, 0 tasks to send")
        client.wait_for("echo-1 is finished")
        self.end(client, worker)
        self.assertEqual(self.lists()["finished"][0]["result"], "\n".join(f"task {i} of project echo-1" for i in range(1, 5)))

    def test_an_executor_that_asks_the_gateway(self):
        gateway = self.program("gateway", "--listen", "127.0.0.1:0", environment={"BROKERLAB_TOKEN": "geheim"}).wait_for("listening on")
        url = re.search(r"listening on (http://[^/]+)/", gateway.text)[1]
        refused = self.program("role", "executor", "--variant", "gateway", "--set", f"gateway={url}")
        self.assertEqual(refused.end(), 1)
        self.assertIn("token", refused.text)
        executor = self.role("executor", "--variant", "gateway", "--set", f"gateway={url}", environment={"BROKERLAB_TOKEN": "geheim"})
        self.assertIn('POST "/rabbit/" 200', gateway.text)
        client = self.role("client")
        client.wait_for("n_queens-1 is finished: 724")
        self.end(client, executor, gateway)
        self.assertNotIn("geheim", executor.text + gateway.text)

    def test_a_worker_of_somebody_else(self):
        client = self.role("client", "--variant", "echo", "--set", "tasks=3", "--set", "project=theirs")
        tasks = [json.loads(body) for _, body in self.receive("TODO", 3)]
        for task in tasks:
            self.assertEqual(list(task), ["cmd", "id_projet", "id_task", "phrase", "url"])
        for task in reversed(tasks):
            result = {"id_projet": task["id_projet"], "id_task": str(task["id_task"]), "result": task["phrase"].upper()}
            for hostile in (b"", b"[]", b'{"id_projet": "theirs"}', json.dumps(dict(result, state="sent")).encode(), b"\xff" * 1000,
                            json.dumps(dict(result, id_projet="nobody's")).encode(), json.dumps(result).encode(), json.dumps(result).encode()):
                self.channel.basic_publish("", "DONE", hostile)
        client.wait_for("theirs is finished")
        self.end(client)
        self.assertEqual(self.lists()["finished"][0]["results"], [f"TASK {i} OF PROJECT THEIRS" for i in (1, 2, 3)])

    def test_a_client_of_somebody_else(self):
        for role, options in (("executor", ["--variant", "ack-when-done"]), ("code-worker", [])):
            with self.subTest(role=role):
                program = self.role(role, *options)
                for body in (b"", b"no task", b"[" * 100000, b'{"id_projet": 1}', b"\x00\xff" * 500000,
                             json.dumps(dict(ECHO, cmd="touch hacked; $(touch hacked)")).encode(),
                             json.dumps(dict(ECHO, cmd="n_queens", arguments={"n": 10 ** 9})).encode(),
                             json.dumps(dict(ECHO, phrase="x" * 1000000)).encode(), json.dumps(ECHO).encode()):
                    self.channel.basic_publish("", "TODO", body)
                results = [json.loads(body) for _, body in self.receive("DONE", 4)]
                results.sort(key=lambda each: (each["cmd"], len(each["phrase"])))
                self.assertEqual([each["state"] for each in results], ["done", "done", "refused", "refused"])
                self.assertEqual(results[0], dict(ECHO, state="done", result="hello"))
                self.assertEqual(len(results[1]["result"]), 1000000)
                program.interrupt()
                self.assertEqual(program.end(), 0)
                self.assertIn("5 unreadable", program.text)
                self.assertFalse(os.path.exists(self.folder / "hacked"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
