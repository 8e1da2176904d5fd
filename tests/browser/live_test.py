#!/usr/bin/env python3
"""live_test.py BROKERLAB [SCREENSHOTS]: watches a real run while it goes on.

Its metrics are scraped again and again in both formats and read by prometheus_client, its page is looked at in a real browser; what they
showed is compared with the result."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from webdriver import Browser

PROGRAM = sys.argv.pop(1)
SCREENSHOTS = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
QUEUE = '"><script>\\n'
EXPERIMENT = {
    "name": "watched",
    "topology": {"queues": [{"name": QUEUE}]},
    "load": [{"name": "emitter", "arrivals": {"process": "constant", "rate": 400},
              "publish": {"routing_key": QUEUE}, "confirms": {"window": 100}}],
    "roles": [{"role": "worker", "instances": 2, "consume": {"queue": QUEUE, "prefetch": 5}, "effort": {"kind": "sleep", "seconds": "1ms"}}],
    "phases": {"measure": "2s"},
    "variants": {"one": {}, "two": {}},
}


def read(text, accept):
    if accept == OPEN_METRICS:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
    else:
        from prometheus_client.parser import text_string_to_metric_families as families
    return {(sample.name, tuple(sorted(sample.labels.items()))): (sample.value, family.type)
            for family in families(text) for sample in family.samples}


class Watched(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="brokerlab-live-")))
        (self.folder / "watched.json").write_text(json.dumps(EXPERIMENT))
        self.env = dict(os.environ, TMPDIR=str(self.folder), XDG_RUNTIME_DIR=str(self.folder), BROKERLAB_TAG="branch=main")

    def start(self, *options):
        self.out = self.enterContext(open(self.folder / "out.json", "w+"))
        self.process = subprocess.Popen([PROGRAM, "run", "watched.json", *options], cwd=self.folder, env=self.env, text=True,
                                        stdout=self.out, stderr=subprocess.PIPE)
        self.addCleanup(self.process.stderr.close)
        addresses = {}
        while len(addresses) < 2:
            line = self.process.stderr.readline()
            self.assertTrue(line, "the program ended")
            if found := re.match(r"(live view|metrics): (http://\S+)", line):
                addresses[found[1]] = found[2]
        # Somebody must read on, or the program would wait for room in the pipe.
        reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(self.process.terminate)
        return addresses

    def scrape(self, url, accept):
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=10) as response:
            return response.read().decode()

    def watch(self, url, scrapes):
        """Scrapes until the program is gone, in both formats by turns."""
        while True:
            try:
                for accept in ("text/plain", OPEN_METRICS):
                    scrapes.append((accept, self.scrape(url, accept)))
            except OSError:
                return
            time.sleep(0.05)

    def test_what_was_shown_is_what_came_out(self):
        with Browser() as browser:
            addresses = self.start("--metrics", "0", "--ui", "0", "--json")
            scrapes = []
            watching = threading.Thread(target=self.watch, args=(addresses["metrics"], scrapes))
            watching.start()
            self.look(browser, addresses["live view"])
            self.assertEqual(self.process.wait(timeout=60), 0)
            watching.join()
        self.out.seek(0)
        self.check_scrapes(scrapes, json.load(self.out))

    def look(self, browser, url):
        browser.view(1400, 1500, "light")
        browser.log()
        browser.visit(url)
        browser.until("return document.querySelectorAll('#rates path').length > 5 && "
                      "document.getElementById('stage').textContent === 'load'")
        self.assertEqual(browser.run("return document.querySelector('#entries tbody th').textContent"), "emitter")
        for width, theme in ((390, "dark"), (1400, "light")):
            browser.view(width, 1500, theme)
            browser.until(f"return window.innerWidth === {width} && document.querySelectorAll('#workers svg').length === 1;")
            self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), width)
            if SCREENSHOTS:
                browser.screenshot(SCREENSHOTS / f"live-{width}-{theme}.png")
        end = browser.until("return document.getElementById('end').textContent", 90)
        self.assertIn("watched: valid", end)
        self.assertIn("report.html", end)
        self.process.wait(timeout=60)
        self.assertEqual(browser.run("return document.documentElement.className"), "ended", "it asks no more")
        self.assertEqual(browser.log(), [])
        if SCREENSHOTS:
            browser.screenshot(SCREENSHOTS / "live-end.png")

    def check_scrapes(self, scrapes, result):
        try:
            import prometheus_client  # noqa: F401
        except ImportError:
            self.skipTest("python3-prometheus-client is not installed: run script/bootstrap --test")
        self.assertGreater(len(scrapes), 20)
        before = {}
        for accept, text in scrapes:
            now = read(text, accept)
            for key, (value, kind) in now.items():
                if kind in ("counter", "histogram"):
                    self.assertGreaterEqual(value, before.get(key, 0), f"{key} has fallen")
                    before[key] = value
            self.assertEqual(set(before) - set(now), set(), "a counter has vanished")
        self.check_last(read(scrapes[-1][1], scrapes[-1][0]), result)

    def check_last(self, last, result):
        for run in result["runs"]:
            def value(name, **labels):
                found = [value for (sample, given), (value, _) in last.items() if sample == name
                         and dict(given)["variant"] == run["variant"] and labels.items() <= dict(given).items()]
                self.assertEqual(len(found), 1, (name, labels))
                return found[0]

            ledger, latency = run["ledger"], run["latency"]
            self.assertEqual(ledger["published"], 800)
            self.assertEqual(value("messaging_client_sent_messages_total", messaging_destination_name=QUEUE), ledger["published"])
            self.assertEqual(value("messaging_client_consumed_messages_total", messaging_consumer_group_name="worker"), ledger["deliveries"])
            self.assertEqual(value("brokerlab_confirmed_messages_total", kind="load"), ledger["confirmed"])
            self.assertEqual(value("brokerlab_done_messages_total"), ledger["done"])
            self.assertEqual(value("messaging_client_operation_duration_seconds_count", messaging_operation_name="publish"),
                             latency["confirm"]["count"])
            for name, stream in (("brokerlab_end_to_end_seconds", "end_to_end"), ("brokerlab_done_seconds", "done"),
                                 ("brokerlab_send_delay_seconds", "send_delay"), ("messaging_process_duration_seconds", "service")):
                of_result = latency[stream]
                self.assertEqual(value(name + "_count"), of_result["count"])
                # The result's mean is of a histogram with three digits.
                self.assertAlmostEqual(value(name + "_sum") / of_result["count"] * 1e9 / of_result["mean_ns"], 1, delta=0.002)
            self.assertEqual(result["environment"]["tags"], {"branch": "main"})
            self.assertEqual({dict(labels)["branch"] for _, labels in last}, {"main"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
