"""What a person sees of `dormouse web`: nothing is blocked or fails, it fits, keys reach everything, and it is live."""

import importlib.util
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest

spec = importlib.util.spec_from_file_location("cli_conftest", pathlib.Path(__file__).parent.parent / "cli/conftest.py")
cli = importlib.util.module_from_spec(spec)
sys.modules["cli_conftest"] = cli
spec.loader.exec_module(cli)

NOW = int(time.time())
NAMES = ["tank/x", *(f"tank/x/{n}" for n in ("etc", "git", "home", "home/dana", "home/lee", "mail", "media", "www"))]


class Page:
    """A daemon that knows of some runs, and the page."""

    def __init__(self, folder):
        self.setup = setup = cli.Setup(folder, name="archiver")
        setup.config.write_text(setup.config.read_text() + 'backup "safe" {\n  source = "tank/x"\n  destination = "archiver:vault"\n  compress = "none"\n}\n')
        log = open(folder / "log", "w")
        self.processes = [setup.popen("daemon", stdout=log, stderr=log)]
        cli.wait_for((folder / "run/control.sock").exists)
        for exit, bad in ((0, ()), (1, ("home/lee",)), (0, ())):
            self.tell(exit, bad)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.url = f"http://localhost:{s.getsockname()[1]}"
        web = open(folder / "web.log", "w")
        self.processes.append(setup.popen("web", "--listen", self.url.removeprefix("http://"), stdout=web, stderr=web))
        cli.wait_for(lambda: "web: at" in (folder / "web.log").read_text())

    def say(self, link, op, answer=True, **members):
        link.sendall(json.dumps({"op": op, **members}).encode() + b"\n")
        line = b""
        while answer and not line.endswith(b"\n"):
            line += link.recv(1 << 16)
        return json.loads(json.loads(line)["json"]) if answer else None

    def link(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(self.setup.folder / "run/control.sock"))
        return s

    def tell(self, exit, bad=()):
        link = self.link()
        run = self.say(link, "run-begin", backup="safe")["id"]
        ms = NOW * 1000 - 40000
        spans = [("backup.run", 0, 0, 40), ("snapshot.take", 1, 0, 1), ("machine.start", 1, 1, 19), ("machine.boot", 3, 2, 12),
                 ("machine.ssh", 3, 12, 19), ("replicate.dataset", 1, 19, 31), ("prove", 1, 31, 34), ("machine.stop", 1, 34, 40)]  # fmt: skip
        self.say(link, "run-story", answer=False, json=json.dumps({
            "lines": [[NOW - 40, "snapshot 9 snapshots taken"], [NOW - 21, "wake     archiver is ready"],
                      [NOW - 10, "send     tank/x/media: 2 snapshots arrived"], [NOW - 6, "prove    all of it is there"]],
            "spans": [{"id": i + 1, "parent": p, "name": n, "began_ms": ms + a * 1000, "ended_ms": ms + b * 1000,
                       "outcome": "success", "attrs": {"dataset": "tank/x/media"} if n.startswith("replicate") else {}}
                      for i, (n, p, a, b) in enumerate(spans)]}))  # fmt: skip
        datasets = [{"dataset": n, "proven": not n.endswith(tuple(bad) or ("//",)), "newest": "s", "newest_at": NOW - 360 - 100 * i,
                     "local": "s", "local_at": NOW - 60, "size": str(3 ** (i + 14)),
                     **({"error": {"kind": "conflict", "what": f"{n} and its copy have gone different ways", "why": "the archive has @by-hand",
                                   "hint": f"dormouse repair {n} --keep-both"}} if n.endswith(tuple(bad) or ("//",)) else {})}
                    for i, n in enumerate(NAMES)]  # fmt: skip
        self.say(link, "run-end", number=exit, json=json.dumps({
            "bytes": "734003200", "took_ms": 40000, "datasets": datasets,
            "pool": {"pool": "vault", "on": "archiver", "used": str(410 << 30), "size": str(500 << 30)}}))  # fmt: skip
        link.close()
        return run

    def end(self):
        for p in reversed(self.processes):
            p.terminate()
            p.wait(20)
        self.setup.end()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    p = Page(tmp_path_factory.mktemp("p"))
    yield p
    p.end()


def picture(browser, name):
    """For docs/, where DORMOUSE_PICTURES says."""
    if os.environ.get("DORMOUSE_PICTURES"):
        browser.picture(pathlib.Path(os.environ["DORMOUSE_PICTURES"]) / name)


def fits(browser):
    return browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


# Of all text that is seen, the least contrast with what is behind it (WCAG 2, 1.4.3).
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  let least = 99;
  for (const e of document.querySelectorAll("main *, header *, footer *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
    let back = e;
    while (back && parse(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
    const a = light(getComputedStyle(e).color), b = light(getComputedStyle(back || document.body).backgroundColor);
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()"""


@pytest.mark.parametrize("width, height, dark", [(1100, 900, False), (1100, 900, True), (390, 844, False), (390, 844, True)])
def test_it_can_be_read(page, browser, width, height, dark):
    """On a desk and on a phone, by day and by night; and no style or script is refused by the page's own policy."""
    browser.look(width, height, dark)
    run = json.loads(page.setup.run("history", "--json", check=0).stdout)[0]["id"]
    for name, path in (("status", "/"), ("run", f"/run/{run}"), ("dataset", "/dataset?backup=safe&name=tank/x")):
        browser.open(page.url + path)
        assert browser.complaints() == [], path
        assert fits(browser), path
        assert browser.run(CONTRAST) >= 4.5, path
        assert browser.run("getComputedStyle(document.body).backgroundColor") == ("rgb(23, 22, 20)" if dark else "rgb(251, 250, 248)")
        picture(browser, f"{name}-{'phone' if width < 600 else 'desk'}{'-dark' if dark else ''}.png")


def test_by_keys_and_by_ear(page, browser):
    """Tab reaches each link in the order of the page, seen; headings, names of pictures, one main part."""
    browser.look(1100, 900)
    browser.open(page.url)
    reached = []
    for _ in range(40):
        browser.key("Tab", 9)
        reached.append(browser.run("(document.activeElement.getAttribute('href') || document.activeElement.tagName)"))
        if reached.count("#main") > 1:
            break
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle !== 'none' "
                           "|| document.activeElement === document.body"), reached  # fmt: skip
    assert reached[0] == "#main"
    links = browser.run("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
    assert [r for r in reached if r in links][: len(links)] == links
    assert browser.run("document.querySelectorAll('main').length === 1 && document.querySelectorAll('h1').length === 1")
    assert browser.run("[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-hidden') === 'true' "
                       "|| s.getAttribute('aria-label'))")  # fmt: skip
    assert browser.run("[...document.querySelectorAll('th')].every(t => t.scope)")
    assert browser.run("document.documentElement.lang === 'en' && document.title.length > 5")
    ids = browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_it_is_live(page, browser):
    """A run that ends is seen without anybody's doing, where the focus is it stays, and what changed is said."""
    browser.look(1100, 900)
    browser.open(page.url)
    cli.wait_for(lambda: browser.run("document.getElementById('live').textContent") == "\u00b7 live")
    first = browser.run("document.querySelector('a[id^=r]').id")
    browser.run(f"document.getElementById('{first}').focus()")
    page.tell(1, ("home/lee",))
    cli.wait_for(lambda: "NOT safe" in browser.run("document.title"), 15)
    assert "home/lee" in browser.run("document.querySelector('h1').textContent")
    assert browser.run("document.activeElement.id") == first
    assert "home/lee" in browser.run("document.getElementById('said').textContent")
    picture(browser, "status-bad.png")
    browser.run("document.querySelector('a[href$=\"tank/x/etc\"]').focus()")
    page.tell(0)
    cli.wait_for(lambda: "NOT safe" not in browser.run("document.title"), 15)
    assert browser.run("document.activeElement.getAttribute('href')").endswith("tank/x/etc")


def test_without_a_script(page, browser):
    browser.look(1100, 900)
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page.url)
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('tbody tr').length") > 9
    path = page.setup.folder / "page.html"
    page.setup.run("status", "--html", str(path), check=0)
    browser.open(f"file://{path}")
    assert browser.complaints() == [] and browser.run("document.scripts.length === 0 && document.links.length === 1")


def test_axe(page, browser):
    """axe-core finds nothing serious, by day; by night, where only colours differ, those are enough."""
    axe = pathlib.Path(os.environ.get("DORMOUSE_AXE") or "/nowhere")
    if not axe.exists():
        pytest.skip("axe-core is not here: ./dev setup browser")

    def violations(dark, **options):
        browser.look(1100, 900, dark)
        found = browser.run(f"axe.run({json.dumps(options)}).then(r => [r.violations, r.passes])")
        assert len(found[1]) > 0  # it has looked
        return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found[0] if v["impact"] in ("serious", "critical")]

    run = page.tell(1, ("home/lee",))
    for path in ("/", f"/run/{run}", "/dataset?backup=safe&name=tank/x", "/run/999999"):
        browser.look(1100, 900)
        browser.open(page.url + path)
        browser.run(axe.read_text() + "; 0")
        assert violations(False) == [], path
        assert violations(True, runOnly=["color-contrast"]) == [], path
    page.tell(0)


# A zfs with one dataset and its copy, which has what was received; what it sends ends when there is a file.
ZFS = """#!/bin/sh
for name; do :; done
each() {{
	case $name in tank/x) echo tank/x ;; vault) echo vault; [ ! -e {folder}/received ] || echo vault/tank/x ;; esac
}}
case "$*" in
*name,type,guid*)
	each | while read -r d; do
		printf '%s\\tfilesystem\\t5\\toff\\t-\\t600000000\\t600000000\\t900000000000\\t0\\t-' $d
		printf '\\t-%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14
		echo
	done ;;
*snapshot,bookmark*) each | grep tank/x | while read -r d; do printf '%s@a\\t17\\t1\\t{now}\\t1\\n' $d; done ;;
send*) until [ -e {folder}/enough ]; do head -c 500000 /dev/zero && sleep 0.2 || exit; done ;;
receive*) cat >/dev/null && touch {folder}/received ;;
esac
"""


def test_a_backup_is_seen(page, browser):
    """A real run, which wakes a machine and sends to it: what it is about, how far it is and how long it will take moves
    by itself, and then it is over."""
    setup = page.setup
    bin = setup.folder / "bin"
    bin.mkdir()
    (bin / "zfs").write_text(ZFS.format(folder=setup.folder, now=NOW - 60))
    (bin / "zfs").chmod(0o755)
    with open(setup.machine / "sshd_config", "a") as f:
        f.write(f"SetEnv PATH={bin}:/usr/bin:/bin\n")
    browser.look(1100, 900)
    browser.open(page.url)
    live = "(document.querySelector('.live') || {innerText: ''}).innerText"

    def so_far():
        found = re.search(r"([\d.]+) MiB of 572\.2 MiB, some [\w ]+ left", browser.run(live))
        return float(found[1]) if found else 0

    env = dict(setup.env, PATH=f"{bin}:{os.environ['PATH']}")
    backup = subprocess.Popen([cli.DORMOUSE, "backup", "safe"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        cli.wait_for(lambda: "running for" in browser.run(live))
        cli.wait_for(lambda: so_far() > 0)
        first = so_far()
        cli.wait_for(lambda: so_far() > first)
        picture(browser, "live.png")
    finally:
        (setup.folder / "enough").touch()
        said, _ = backup.communicate(timeout=60)
    assert backup.returncode == 0, said
    cli.wait_for(lambda: "only dataset is restorable" in browser.run("document.querySelector('h1').textContent"))
    assert browser.run(live) == ""
