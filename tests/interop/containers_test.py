#!/usr/bin/env python3
"""docker-compose.yml without Docker: what it says is valid, and the exact command of each container does its part."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

import yaml

from harness import BROKER, LIMIT_S, PROGRAM, WithBroker, wait_until

SOURCE = pathlib.Path(os.environ["BROKERLAB_TEST_SOURCE"])
E = ["gateway", "executor", "code-worker", "client"]
A4 = ["demonstrator-dm", "demonstrator-cc", "teaching-assistant", "module-coordinator", "student"]


def compose():
    """The file as docker-compose understands it, everything merged."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose is not installed: script/bootstrap --test"
    done = subprocess.run([program, "-f", SOURCE / "docker-compose.yml", "config"], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


class Declaration(unittest.TestCase):
    def setUp(self):
        self.services = compose()["services"]

    def test_every_role_has_a_container(self):
        self.assertLessEqual({"broker", *A4, *E}, set(self.services))

    def test_all_restart_and_have_a_health_check_and_the_bridge(self):
        self.assertEqual(compose()["networks"]["lab"]["driver"], "bridge")
        for name, service in self.services.items():
            if service.get("profiles"):
                continue  # not part of `up`
            with self.subTest(service=name):
                self.assertEqual(service["restart"], "unless-stopped")
                self.assertIn("test", service["healthcheck"])
                self.assertIn("lab", service["networks"])

    def test_logs_and_results_are_kept_in_a_volume(self):
        self.assertIn("results", compose()["volumes"])
        for name in A4 + E:
            mounted = [volume if isinstance(volume, str) else f"{volume['source']}:{volume['target']}"
                       for volume in self.services[name]["volumes"]]
            self.assertTrue(any(each.startswith("results:/results") for each in mounted), mounted)

    def test_only_the_page_of_the_broker_is_published_and_only_here(self):
        published = [str(port) for service in self.services.values() for port in service.get("ports", [])]
        self.assertTrue(published)
        for port in published:
            self.assertTrue(port.startswith("127.0.0.1:") or "127.0.0.1" in port, port)

    def test_nothing_in_the_image_runs_as_root(self):
        lines = (SOURCE / "Dockerfile").read_text().splitlines()
        last_stage = lines[max(index for index, line in enumerate(lines) if line.startswith("FROM ")):]
        self.assertTrue(any(line.startswith("USER ") and line != "USER root" for line in last_stage))


    def test_the_image_has_every_library_the_program_links(self):
        """The packages of the last stage, against what the program of this machine wants."""
        listed = set((SOURCE / "Dockerfile").read_text().rsplit("FROM ", 1)[1].split())
        dynamic = subprocess.run(["readelf", "-d", PROGRAM], capture_output=True, text=True, check=True).stdout
        base = {"libc6", "libgcc-s1", "libstdc++6"}  # librsvg and others of the list depend on these
        for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
            owner = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True, check=True).stdout
            packages = {line.split(":")[0] for line in owner.splitlines()}  # several where 32-bit libraries are installed
            transitive = {"libglib2.0-0", "libcairo2"}  # of librsvg2-2
            with self.subTest(library=library):
                self.assertTrue(packages & (listed | transitive | base), packages)


class Containers(WithBroker):
    """Each container's command as a plain process against the test's broker."""

    def container(self, name, service, **elsewhere):
        """`elsewhere`: what is in another place here, where all containers share one network and one disk."""
        places = {"/results": str(self.folder), "/tmp/": f"{self.folder}/{name}-", **elsewhere}
        there = re.compile("|".join(map(re.escape, places)))

        def here(text):
            return there.sub(lambda found: places[found[0]], text)

        environment = {variable: here(str(value)) for variable, value in service["environment"].items()}
        environment["BROKERLAB_BROKER"] = BROKER
        program = self.program(*map(here, service["command"]), environment=environment)
        program.healthy = lambda: subprocess.run(list(map(here, service["healthcheck"]["test"][1:])), stderr=subprocess.DEVNULL).returncode == 0
        return program

    def test_a4_confirms_assignments(self):
        services = compose()["services"]
        running = {name: self.container(name, services[name]) for name in A4}
        coordinator = running["module-coordinator"]
        coordinator.wait_for('returned, nothing takes it: exchange "assignment_exchange", key "test"', times=3)
        self.assertIn('"status":"confirmed"', coordinator.text)
        for name, program in running.items():
            with self.subTest(container=name):
                wait_until(program.healthy)
                program.process.terminate()  # as `docker stop` does
                self.assertEqual(program.end(), 0)
                self.assertFalse(program.healthy())
                self.assertTrue((self.folder / "logs" / f"{name}-0.log").exists())

    def test_e_finishes_a_project(self):
        services = compose()["services"]
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        elsewhere = {"0.0.0.0:8081": f"127.0.0.1:{port}", "127.0.0.1/8081": f"127.0.0.1/{port}", "gateway:8081": f"127.0.0.1:{port}"}
        running = {}
        for name in E:  # in the order in which they depend on each other
            running[name] = self.container(name, services[name], **elsewhere)
            wait_until(running[name].healthy)
        running["client"].wait_for("is finished: ")
        for program in running.values():
            program.process.terminate()
            self.assertEqual(program.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
