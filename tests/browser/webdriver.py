"""A headless Chromium driven through chromedriver, with the standard library only."""
import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

CHROMIUM_ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


class Browser:
    """One chromedriver, one browser, one fresh profile; all three are gone after the with statement."""

    def __enter__(self):
        chromedriver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        if not chromedriver or not chromium:
            raise SystemExit("chromium and chromedriver are missing: apt install chromium chromium-driver")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.profile = tempfile.mkdtemp(prefix="brokerlab-chromium-")
        self.driver = subprocess.Popen([chromedriver, f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = None
        try:
            self._await_driver()
            options = {"binary": chromium, "args": CHROMIUM_ARGUMENTS + [f"--user-data-dir={self.profile}"]}
            capabilities = {"alwaysMatch": {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": options}}
            self.session = self._call("POST", "/session", {"capabilities": capabilities})["sessionId"]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        if self.session:
            self._call("DELETE", f"/session/{self.session}")
        self.driver.terminate()
        self.driver.wait(timeout=20)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _await_driver(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                self._call("GET", "/status")
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline or self.driver.poll() is not None:
                    raise
                time.sleep(0.05)

    def _call(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, data=data,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from error

    def devtools(self, command, **parameters):
        return self._call("POST", f"/session/{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, path):
        self.visit(f"file://{path}")

    def visit(self, url):
        self._call("POST", f"/session/{self.session}/url", {"url": url})

    def element(self, selector):
        found = self._call("POST", f"/session/{self.session}/element", {"using": "css selector", "value": selector})
        return next(iter(found.values()))

    def click(self, selector):
        """As a person does: fails when something lies over it."""
        self._call("POST", f"/session/{self.session}/element/{self.element(selector)}/click", {})

    def type(self, selector, text):
        element = self.element(selector)
        self._call("POST", f"/session/{self.session}/element/{element}/clear", {})
        self._call("POST", f"/session/{self.session}/element/{element}/value", {"text": text})

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._call("GET", f"/session/{self.session}/screenshot")))

    def run(self, script):
        return self._call("POST", f"/session/{self.session}/execute/sync", {"script": script, "args": []})

    def until(self, script, seconds=30):
        """Waits until the script returns something true; returns it. Fails after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(script)
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"still not true after {seconds} s: {script}")
            time.sleep(0.05)

    def log(self):
        """What the console was told since the last call."""
        return self._call("POST", f"/session/{self.session}/se/log", {"type": "browser"})

    def view(self, width, height, theme, media=""):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.devtools("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": theme}])
