#!/usr/bin/env python3
"""report_test.py WRITE_REPORTS FIXTURES: looks at reports in a real browser.

For each fixture, on a phone (light and dark) and on a desk: nothing on the console, no violation of the policy, no alert, no request,
every chart drawn with something in it, no sideways scrolling."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from webdriver import Browser

WRITE_REPORTS, FIXTURES = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))
VIEWS = [(360, "light"), (360, "dark"), (1400, "light")]

# Runs before any script of the page: an alert is counted instead of shown, and so is what the policy forbids.
WATCH = """
  window.seen = {alerts: 0, violations: [], errors: []};
  window.alert = function () { window.seen.alerts += 1; };
  document.addEventListener('securitypolicyviolation', function (event) { window.seen.violations.push(event.violatedDirective); });
  window.addEventListener('error', function (event) { window.seen.errors.push(String(event.message)); });
"""
OPEN_ALL = "document.querySelectorAll('details').forEach(function (each) { each.open = true; }); return true;"
UNDRAWN = """
  return Array.prototype.filter.call(document.querySelectorAll('.live'), function (place) {
    return place.querySelectorAll('svg path, svg rect').length < 3 || place.querySelectorAll('svg text').length < 2;
  }).map(function (place) { return place.parentNode.dataset.chart; });
"""


class ReportInABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="brokerlab-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        fixtures = sorted(str(path) for path in FIXTURES.glob("*.json"))
        subprocess.run([WRITE_REPORTS, str(cls.folder), *fixtures], check=True, timeout=120)
        cls.pages = sorted(cls.folder.glob("*.html"))
        cls.browser = cls.enterClassContext(Browser())
        cls.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def look(self, page, width, theme):
        """Opens the page as high as it is, with everything unfolded, so that every chart comes into view."""
        self.browser.view(width, 900, theme)
        self.browser.log()
        self.browser.open(page)
        self.browser.run(OPEN_ALL)
        self.browser.view(width, self.browser.run("return document.documentElement.scrollHeight"), theme)

    def test_every_page_at_every_width(self):
        self.assertGreaterEqual(len(self.pages), 6)
        for page in self.pages:
            for width, theme in VIEWS:
                with self.subTest(page=page.name, width=width, theme=theme):
                    self.look(page, width, theme)
                    self.browser.until(f"var missing = (function () {{ {UNDRAWN} }}()); return missing.length === 0;")
                    figures = self.browser.run("return document.querySelectorAll('figure').length")
                    self.assertGreater(figures, 4)
                    seen = self.browser.run("return window.seen")
                    self.assertEqual(seen, {"alerts": 0, "violations": [], "errors": []})
                    self.assertEqual(self.browser.log(), [])
                    self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').filter(function (each) {"
                                                      " return each.name.slice(0, 5) !== 'data:'; }).length"), 0)
                    self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)

    def test_dark_and_light_differ(self):
        def background():
            self.browser.until("return document.querySelector('.live svg rect') !== null")
            return self.browser.run("return [getComputedStyle(document.body).backgroundColor,"
                                    " document.querySelector('.live svg rect').getAttribute('fill')]")
        page = self.folder / "work_queue.html"
        self.look(page, 1400, "light")
        light = background()
        self.browser.view(1400, 900, "dark")
        self.browser.until("return document.querySelector('.live svg rect').getAttribute('fill') !== '#ffffff'")
        self.assertEqual(light, ["rgb(255, 255, 255)", "#ffffff"])
        self.assertEqual(background(), ["rgb(23, 26, 33)", "#171a21"])

    def test_charts_carry_the_names_and_figures_of_the_result(self):
        self.look(self.folder / "work_queue.html", 1400, "light")
        texts = self.browser.until("var svg = document.querySelector('[data-chart=\"busy-time-per-worker\"] svg');"
                                   " return svg && svg.textContent;")
        self.assertIn("worker-1", texts)
        self.assertRegex(texts, r"Jain 0\.61\d")
        self.look(self.folder / "hostile.html", 1400, "light")
        texts = self.browser.until("var svg = document.querySelector('[data-chart=\"latency\"] svg'); return svg && svg.textContent;")
        self.assertIn('"><script>alert(1)</script>', texts)

    def test_a_tooltip_needs_no_inline_style(self):
        self.look(self.folder / "hostile.html", 1400, "light")
        for name, height in {"latency": 0.5, "throughput": 0.5, "messages-per-worker": 0.5, "ledger": 0.25}.items():
            box = self.browser.until(f"var at = document.querySelector('[data-chart=\"{name}\"] .live svg');"
                                     " if (!at) return null; var box = at.getBoundingClientRect();"
                                     f" return [box.left + box.width / 2, box.top + box.height * {height}];")
            before = self.browser.run(f"return document.querySelectorAll('[data-chart=\"{name}\"] svg text').length")
            self.browser.devtools("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
            self.browser.until(f"return document.querySelectorAll('[data-chart=\"{name}\"] svg text').length > {before}")
        self.assertEqual(self.browser.run("return window.seen"), {"alerts": 0, "violations": [], "errors": []})
        self.assertEqual(self.browser.log(), [])

    def test_on_paper_still_pictures_take_the_place_of_charts(self):
        self.look(self.folder / "work_queue.html", 800, "dark")
        self.browser.view(800, 900, "dark", media="print")
        shown = self.browser.run("""
          return Array.prototype.map.call(document.querySelectorAll('figure'), function (figure) {
            var still = figure.querySelector('.still img');
            return [getComputedStyle(figure.querySelector('.live')).display, still.naturalWidth > 0];
          });""")
        self.assertEqual(shown, [["none", True]] * len(shown))

    def test_the_checks_can_fail(self):
        """A page with a script of somebody else's: the policy must stop it, and this test must see that."""
        page = self.folder / "work_queue.html"
        forged = self.folder / "forged.html"
        forged.write_text(page.read_text().replace("</main>", "<script>alert(9)</script><p style='color:red'>x</p></main>"))
        self.addCleanup(forged.unlink)
        self.look(forged, 360, "light")
        seen = self.browser.run("return window.seen")
        self.assertEqual(seen["alerts"], 0)
        self.assertEqual(sorted(set(re.sub("-(elem|attr)$", "", each) for each in seen["violations"])), ["script-src", "style-src"])
        self.assertGreaterEqual(len(self.browser.log()), 2)
        open_page = self.folder / "open.html"
        open_page.write_text("<script>alert(9)</script><div style='width:900px'>wide</div>")
        self.addCleanup(open_page.unlink)
        self.look(open_page, 360, "light")
        self.assertEqual(self.browser.run("return window.seen.alerts"), 1)
        self.assertGreater(self.browser.run("return document.documentElement.scrollWidth"), 360)


if __name__ == "__main__":
    unittest.main(verbosity=2)
