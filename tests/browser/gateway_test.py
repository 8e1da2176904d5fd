#!/usr/bin/env python3
"""gateway_test.py BROKERLAB [SCREENSHOTS]: uses the gateway's page in a real browser, in front of a real broker.

A queue is created, messages are sent and received, by clicks and keys only, on a phone and on a desk; nothing that was sent is ever run."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

from webdriver import Browser

PROGRAM = sys.argv.pop(1)
SCREENSHOTS = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
HOSTILE = '</pre><script>alert(1)</script><img src=x onerror=alert(2)> {"a": 1}'
WATCH = """
  window.seen = {alerts: 0, violations: [], errors: []};
  window.alert = function () { window.seen.alerts += 1; };
  document.addEventListener('securitypolicyviolation', function (event) { window.seen.violations.push(event.violatedDirective); });
  window.addEventListener('error', function (event) { window.seen.errors.push(String(event.message)); });
"""
ENTRIES = """return Array.prototype.map.call(document.querySelectorAll('#log li'), function (item) {
  var text = item.querySelector('pre');
  return [item.querySelector('span').className, item.querySelector('span').textContent, text && text.textContent];
});"""


class Service:
    """A private broker and a gateway in front of it, both gone after the with statement."""

    def __init__(self, *more, **environment):
        self.more, self.environment = more, environment

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="brokerlab-gateway-")
        self.env = dict(os.environ, TMPDIR=self.folder, XDG_RUNTIME_DIR=self.folder)
        started = subprocess.run([PROGRAM, "broker", "start"], env=self.env, check=True, timeout=120, capture_output=True, text=True)
        self.env["BROKERLAB_BROKER"] = started.stdout.splitlines()[0]
        self.gateway = subprocess.Popen([PROGRAM, "gateway", "--listen", "127.0.0.1:0", *self.more], text=True,
                                        env=dict(self.env, **self.environment), stderr=subprocess.PIPE)
        for line in self.gateway.stderr:
            if found := re.search(r"listening on (http://[^ ]+)/", line):
                self.url = found[1]
                return self
        raise AssertionError("the gateway did not start")

    def __exit__(self, *_):
        self.gateway.send_signal(signal.SIGINT)
        self.gateway.stderr.close()
        self.status = self.gateway.wait(timeout=30)
        subprocess.run([PROGRAM, "broker", "stop"], env=self.env, check=True, timeout=60, stdout=subprocess.DEVNULL)
        shutil.rmtree(self.folder)

    def ask(self, path, **form):
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(self.url + path, data=data, timeout=20) as response:
            return json.load(response)


class GatewayInABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(Browser())
        cls.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        cls.service = cls.enterClassContext(Service())

    def look(self, width, theme, url=None):
        self.browser.view(width, 900, theme)
        self.browser.log()
        self.browser.visit((url or self.service.url) + "/")

    def entry(self, count):
        """The newest entry, once there are so many."""
        return self.browser.until(f"var all = (function () {{ {ENTRIES} }})(); return all.length === {count} && all[0];")

    def assert_quiet(self, width):
        self.assertEqual(self.browser.run("return window.seen"), {"alerts": 0, "violations": [], "errors": []})
        self.assertEqual(self.browser.log(), [])
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)

    def test_create_send_receive(self):
        for width, theme in [(360, "light"), (360, "dark"), (1400, "light")]:
            with self.subTest(width=width, theme=theme):
                queue = f"by hand {width} {theme}"
                self.look(width, theme)
                self.browser.type("#queue", queue)
                self.browser.click("#create button")
                self.assertEqual(self.entry(1), ["OK", f'queue "{queue}" has been created', None])
                self.browser.type("#message", HOSTILE)
                self.browser.click("#send button")
                self.assertEqual(self.entry(2), ["OK", f'sent to queue "{queue}"', HOSTILE])
                self.assertEqual(self.browser.run("return document.getElementById('message').value"), "")
                self.browser.click("#receive")
                self.assertEqual(self.entry(3), ["OK", f'received from queue "{queue}"', HOSTILE])
                if SCREENSHOTS:
                    self.browser.screenshot(SCREENSHOTS / f"gateway-{width}-{theme}.png")
                self.browser.click("#receive")
                self.assertEqual(self.entry(4), ["NO", f'queue "{queue}" is empty', None])
                self.assert_quiet(width)

    def test_what_others_sent_is_text(self):
        self.service.ask("/rabbit/", nom_queue="theirs")
        long = "x" * 5000 + "\n" + "<b>" * 50
        for text in (HOSTILE, "", long):
            self.service.ask("/rabbit/theirs", msg=text)
        self.look(360, "light")
        self.browser.type("#queue", "theirs")
        for count, text in enumerate((HOSTILE, "", long), 1):
            self.browser.click("#receive")
            self.assertEqual(self.entry(count)[2], text)
        self.assert_quiet(360)

    def test_without_a_name_nothing_is_asked(self):
        self.look(360, "light")
        self.browser.click("#receive")
        self.browser.click("#create button")
        self.assertEqual(self.browser.run(ENTRIES), [])

    def test_another_page_takes_nothing_away(self):
        """A page of another origin with pictures, frames, forms and scripts that ask the gateway for messages."""
        self.service.ask("/rabbit/", nom_queue="guarded")
        self.service.ask("/rabbit/guarded", msg="still here")
        target = self.service.url + "/rabbit/guarded"
        # A service of ours on another port is another origin, as a page of the network would be.
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "evil.html"
            page.write_text(f"""<img src="{target}"><iframe src="{target}"></iframe>
              <form method="post" action="{target}" target="f"><input name="msg" value="forged"></form><iframe name="f"></iframe>
              <script>window.done = 0; document.forms[0].submit();
              fetch('{target}', {{mode: 'no-cors'}}).finally(function () {{ window.done += 1; }});
              fetch('{target}', {{mode: 'no-cors', method: 'POST', body: 'msg=forged'}}).finally(function () {{ window.done += 1; }});
              </script>""")
            self.browser.open(page)
            self.browser.until("return window.done === 2 && document.readyState === 'complete';")
        self.assertEqual(self.service.ask("/rabbit/guarded"), {"state": "OK", "msg": "still here"})
        self.assertEqual(self.service.ask("/rabbit/guarded"), {"state": "NO", "msg": 'queue "guarded" is empty'})

    def test_a_token_is_asked_for(self):
        with Service(BROKERLAB_TOKEN="geheim") as guarded:
            self.look(360, "light", guarded.url)
            self.browser.type("#queue", "mine")
            self.browser.click("#create button")
            self.assertEqual(self.entry(1)[0], "NO")
            self.browser.type("#token", "geheim")
            self.browser.click("#create button")
            self.assertEqual(self.entry(2), ["OK", 'queue "mine" has been created', None])
        self.assertEqual(guarded.status, 0, "Ctrl-C is an orderly end")


if __name__ == "__main__":
    unittest.main(verbosity=2)
