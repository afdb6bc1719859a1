"""The course in a browser. Usage: course_browser_test.py PROGRAMS SOURCES [SCREENSHOTS]

Runs every lesson of the folder PROGRAMS with --smoke, makes the course's pages, and opens all of them in
Chromium at 1280 and at 400 pixels, in the light and in the dark: no message on the console, every picture is
there, nothing is wider than the screen, formulas have a height. Chromium is driven by its own chromedriver,
over HTTP. Exits 77 (skipped) where chromium or chromedriver is missing."""
import base64
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SKIPPED = 77
PROGRAMS, SOURCES = map(pathlib.Path, sys.argv[1:3])
SCREENSHOTS = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars"]
WIDTHS = (1280, 400)

# What a page says of itself, in its own words.
FACTS = """
document.querySelectorAll('details').forEach(d => d.open = true);
const box = e => e.getBoundingClientRect();
const images = [...document.images].map(i => [i.alt, i.complete, i.naturalWidth, box(i).width]);
const formulas = [...document.querySelectorAll('math')].map(m => [m.textContent, box(m).height]);
const wide = [...document.querySelectorAll('body *')].filter(e => box(e).right > innerWidth + 1 &&
  !e.closest('pre, math')).map(e => e.tagName + ' ' + e.textContent.slice(0, 40));
return {images, formulas, wide, width: document.documentElement.scrollWidth, inner: innerWidth,
  height: document.documentElement.scrollHeight, code: document.querySelectorAll('.statement code').length,
  background: getComputedStyle(document.body).backgroundColor,
  links: [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))};
"""


def made_record(like):
    """A record with all a record may have, and nothing short in it."""
    rows = [{"name": f"the two sides of inequality {k} of the proof, in words", "lhs": -1.2345678e-123,
             "rhs": 1 / 3, "margin": None, "holds": k % 2 == 0, "where": f"iterate {10 ** k}, coordinate 17"}
            for k in range(6)]
    check = {"name": "a_name_without_any_spaces_that_is_longer_than_a_narrow_screen_is_wide",
             "source": "ece8101 O7", "claim": "f(w_k) - f* <= (1 - mu/L)^k (f(w_0) - f*) " * 4,
             "lhs": 1e-300, "rhs": 2.0, "margin": 2.0,
             "verdict": "not_applicable", "expected": "not_applicable", "scope": "2000 points, seed 7",
             "note": "The second hypothesis fails at iterate 10. " * 3, "hypotheses": rows, "steps": rows,
             "witness": "50_made.txt"}
    wide = " + ".join(f"\\frac{{x_{{{k}}}^2}}{{\\sqrt{{{k} + y}}}}" for k in range(1, 20))
    return like | {"lesson": "50_made", "checks": [check], "figures": [], "captions": {},
                   "claim": "A claim. " * 20,
                   "statement": f"In the line $z = {wide}$ and\n\n$$z = {wide}$$", "seconds": 7000.5}


def make_course(folder):
    """Runs the lessons and makes the pages, as scripts/course does, and one of a record made here."""
    lessons = sorted(p for p in PROGRAMS.iterdir() if re.fullmatch(r"[0-9]{2}_[a-z_]+", p.name)
                     and os.access(p, os.X_OK))
    assert lessons, f"no lessons in {PROGRAMS}"
    for lesson in lessons:
        made = subprocess.run([lesson, "--smoke", "--out", folder], text=True, capture_output=True,
                              check=False)
        said = f"{made.stdout}\n{made.stderr}"
        assert made.returncode == 0, f"{lesson.name}: exit code {made.returncode}\n{said}"
        (folder / f"{lesson.name}.txt").write_text(made.stdout)
        shutil.copy(SOURCES / f"{lesson.name}.cpp", folder)
    like = json.loads((folder / f"{lessons[0].name}.json").read_text())
    (folder / "50_made.json").write_text(json.dumps(made_record(like)))
    (folder / "50_made.txt").write_text("a line of output much wider than any screen " * 10)
    made = subprocess.run([PROGRAMS / "course_page", folder], text=True, capture_output=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return [folder / f"{name}.html" for name in ("index", "50_made", *(lesson.name for lesson in lessons))]


class Driver:
    """A chromedriver with one window."""

    def __init__(self, profile):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.session = ""
        self.profile = profile

    def __enter__(self):
        for attempt in range(100):
            try:
                if self.call("GET", "/status")["ready"]:
                    break
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None and attempt < 99, "chromedriver does not start"
                time.sleep(0.1)
        capabilities = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                        "goog:chromeOptions": {"binary": shutil.which("chromium"),
                                               "args": FLAGS + [f"--user-data-dir={self.profile}"]}}
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = f"/session/{made['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self.call("DELETE", self.session)
        finally:
            self.process.terminate()
            self.process.wait(20)

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"},
                                         method=method)
        # Past any proxy of the environment: the driver is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from error

    def command(self, path, **body):
        return self.call("POST", self.session + path, body)

    def devtools(self, name, **parameters):
        return self.command("/goog/cdp/execute", cmd=name, params=parameters)

    def screen(self, width, height, scheme):
        """A screen of exactly this many pixels: windows have a least width."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=False)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme}])

    def facts(self, page):
        self.command("/url", url=page.as_uri())
        facts = self.command("/execute/sync", script=FACTS, args=[])
        facts["console"] = self.command("/se/log", type="browser")
        return facts

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("GET", self.session + "/screenshot")))


def check(page, facts, width):
    problems = [f"console: {entry['message']}" for entry in facts["console"]]
    problems += [f"picture {alt}: not there" for alt, complete, natural, _ in facts["images"]
                 if not complete or natural == 0]
    problems += [f"picture {alt}: not shown" for alt, _, _, shown in facts["images"] if shown < 100]
    problems += [f"formula {text}: no height" for text, height in facts["formulas"] if height < 5]
    problems += [f"beyond the right edge: {element}" for element in facts["wide"]]
    if facts["inner"] != width or facts["width"] > facts["inner"]:
        problems.append(f"{facts['width']} pixels on a screen of {facts['inner']}, which was to be {width}")
    files = [link[2:] for link in facts["links"] if link.startswith("./")]
    problems += [f"leads nowhere: {file}" for file in files if not (page.parent / file).is_file()]
    if shutil.which("blahtexml") and facts["code"]:
        problems.append(f"{facts['code']} formulas are not converted")
    return [f"{page.name} at {width}: {problem}" for problem in problems]


def check_can_fail(driver, folder):
    """A page with a defect of each kind, so that silence means something."""
    page = folder / "broken.html"
    page.write_text("<!DOCTYPE html><link rel=icon href='data:,'><script>console.error('said')</script>"
                    "<img alt=gone src='data:image/png;base64,AAAA'><div style='width: 2000px'>wide</div>"
                    "<a href='./gone.txt'>x</a>"
                    "<math style='display: none'><mi>x</mi></math><p class=statement><code>x</code></p>")
    driver.screen(400, 800, "light")
    found = "\n".join(check(page, driver.facts(page), 400))
    kinds = ["console: ", "picture gone: not there", "formula x: no height", "right edge: DIV",
             "on a screen of 400", "leads nowhere: gone.txt"]
    missed = [kind for kind in kinds if kind not in found]
    assert not missed, f"not noticed: {missed}\n{found}"


def main():
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        print("skipped: install chromium and chromium-driver")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "course"
        folder.mkdir()
        pages = make_course(folder)
        problems, pictures, formulas, backgrounds = [], 0, 0, set()
        with Driver(pathlib.Path(name) / "profile") as driver:
            check_can_fail(driver, folder)
            for page in pages:
                for width in WIDTHS:
                    for scheme in ("light", "dark"):
                        driver.screen(width, 900, scheme)
                        facts = driver.facts(page)
                        problems += check(page, facts, width)
                        backgrounds.add((scheme, facts["background"]))
                        if SCREENSHOTS:
                            driver.screen(width, min(facts["height"], 6000), scheme)
                            driver.screenshot(SCREENSHOTS / f"{page.stem}_{width}_{scheme}.png")
                pictures += len(facts["images"])
                formulas += len(facts["formulas"])
    print(f"{len(pages)} pages with {pictures} pictures and {formulas} formulas, at {WIDTHS} pixels, "
          "light and dark")
    if len(backgrounds) != 2 or len({color for _, color in backgrounds}) != 2:
        problems.append(f"light and dark are not two: {backgrounds}")
    if not pictures and shutil.which("gnuplot") or not formulas and shutil.which("blahtexml"):
        problems.append(f"{pictures} pictures, {formulas} formulas")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
