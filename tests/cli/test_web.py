"""`dormouse web`: the page over HTTP, and what strangers try; what is in a page is in tests/unit/test_page.c."""

import base64
import html.parser
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from conftest import DORMOUSE, free_port, wait_for
from keeper_told import Told, proven

HOSTILE = "tank/x/<script>evil()</script>\"'&"


class Web:
    def __init__(self, told, *argv, unix=None):
        self.told, self.unix = told, unix
        self.port = free_port()
        place = f"unix:{unix}" if unix else f"localhost:{self.port}"
        self.log = told.setup.folder / "web.log"
        self.process = told.setup.popen("web", "--listen", place, *argv, stdout=open(self.log, "w"), stderr=open(self.log, "w"))
        wait_for(lambda: "web: at" in self.log.read_text())

    def connect(self):
        if self.unix:
            s = socket.socket(socket.AF_UNIX)
            s.connect(str(self.unix))
        else:
            s = socket.create_connection(("127.0.0.1", self.port))
        s.settimeout(30)
        return s

    def get(self, path="/", method="GET", host=None, **headers):
        c = http.client.HTTPConnection("localhost", self.port)
        c.sock = self.connect()
        c.putrequest(method, path, skip_host=True)
        c.putheader("Host", host or f"localhost:{self.port}")
        for name, value in headers.items():
            c.putheader(name.replace("_", "-"), value)
        c.endheaders()
        answer = c.getresponse()
        body = answer.read()
        c.close()
        return answer, body

    def server(self):
        """The process that speaks HTTP."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


@pytest.fixture
def told(setup):
    t = Told(setup)
    yield t
    t.end()


@pytest.fixture
def web(told):
    w = Web(told)
    yield w
    w.end()


class Text(html.parser.HTMLParser):
    """All text of a page, and the names of its elements and their attributes."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags, self.attributes = "", set(), set()
        self.feed(page.decode())

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_pages(web):
    """The status, a run, a dataset, and the same as JSON; a hostile name is text in each."""
    web.told.run(1, [proven("tank/x"), {"dataset": HOSTILE, "proven": False,
                                        "error": {"kind": "net", "what": HOSTILE, "why": "", "hint": HOSTILE}}])  # fmt: skip
    answer, body = web.get()
    page = Text(body)
    assert answer.status == 200 and HOSTILE + " is NOT safe: " + HOSTILE in page.text
    assert page.tags >= {"h1", "table", "svg"} and not page.attributes & {"style", "onload", "onclick"}
    assert body.count(b"<script") == 1
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Cache-Control"] == "no-store"
    status = json.loads(web.get("/status.json")[1])
    assert status["verdict"] == f"{HOSTILE} is NOT safe: {HOSTILE}" and status["format"] == 1
    run = status["backups"][0]["last"]["id"]
    page = Text(web.get(f"/run/{run}")[1])
    assert f"Run {run} of b: partly" in page.text
    answer, body = web.get("/dataset?backup=b&name=tank/x")
    assert answer.status == 200 and "No snapshot is known." in Text(body).text
    # The archive as somebody last saw it, and the whole command.
    look = {"root": "vault", "seen": True, "root_exists": True, "recorded": False, "seen_at": int(time.time()), "datasets": [
        {"name": "vault/tank/x", "type": "filesystem", "guid": "1", "points": [
            {"snapshot": "one", "guid": "7", "createtxg": "1", "creation": int(time.time()) - 60}]}]}  # fmt: skip
    web.told.say(web.told.link(), "record", backup="b", json=json.dumps(look))
    page = Text(web.get("/dataset?backup=b&name=tank/x")[1])
    assert "dormouse restore --backup 'b' 'tank/x@one' --to 'tank/x-restored'" in page.text
    # Nothing is asked for that is in no backup.
    for name in ("tank", "tank/xy", "tank/x@one", "tank/x%23a", "", "tank/x/" + "a" * 9000, "tank/x/" + "%01" * 2000):
        assert web.get(f"/dataset?backup=b&name={name}")[0].status == 404, name
    assert web.get("/dataset?backup=other&name=tank/x")[0].status == 404
    assert web.get("/run/9999")[0].status == 404
    for path, kind in (("/style.css", "text/css"), ("/live.js", "text/javascript")):
        answer, body = web.get(path)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind) and len(body) > 500
    answer, body = web.get("/", method="HEAD")
    assert answer.status == 200 and body == b"" and int(answer.headers["Content-Length"]) > 1000


def test_who_may_look(told):
    """By a name that is ours, with the token where there is one, and never to change anything."""
    token = told.setup.folder / "token"
    token.write_text("0123456789abcdef\n")
    token.chmod(0o600)
    web = Web(told, "--token-file", str(token), "--host", "backup.example")
    try:
        assert web.get()[0].status == 401 and "Basic" in web.get()[0].headers["WWW-Authenticate"]

        def by(password):
            return web.get(Authorization="Basic " + base64.b64encode(f"me:{password}".encode()).decode())[0].status

        assert [by(p) for p in ("0123456789abcdef", "0123456789abcdeF", "", "0123456789abcdef0")] == [200, 401, 401, 401]
        assert web.get(Authorization="Basic %%%")[0].status == 401
        good = {"Authorization": "Basic " + base64.b64encode(b"x:0123456789abcdef").decode()}
        assert web.get(host="backup.example", **good)[0].status == 200
        # A page of somebody else, whose name leads here: DNS rebinding.
        assert web.get(host="evil.example", **good)[0].status == 421
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "NONSENSE"):
            answer, _ = web.get(method=method, **good)
            assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", method
    finally:
        web.end()
    # What cannot be meant is refused before anything listens.
    done = told.setup.run("web", "--listen", ":0", check=3)
    assert "everybody would see all of it" in done.stderr and "--token-file" in done.stderr
    token.chmod(0o644)
    assert "others may read the token" in told.setup.run("web", "--token-file", str(token), check=3).stderr
    token.chmod(0o600)
    token.write_text("short")
    assert "too short" in told.setup.run("web", "--token-file", str(token), check=3).stderr


@pytest.fixture
def prometheus(tmp_path):
    """Starts Prometheus itself, to look twice a second; what is returned waits until a query has that answer."""
    processes = []

    def start(**scrape):
        port = free_port()
        config = {"global": {"scrape_interval": "500ms"}, "scrape_configs": [{"job_name": "dormouse", **scrape}]}
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # which is YAML, too
        processes.append(subprocess.Popen(
            ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=open(tmp_path / "prometheus.log", "w"), stderr=subprocess.STDOUT))  # fmt: skip

        def ask(query):
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
            try:
                return sorted(float(s["value"][1]) for s in json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"])
            except OSError:
                return None

        return lambda query, answer: wait_for(lambda: ask(query) == answer)

    yield start
    for p in processes:
        p.kill()
        p.wait()


def test_prometheus(told, prometheus):
    """It brings the token and sees each value, and what has changed; then that we are gone."""
    token = told.setup.folder / "token"
    token.write_text("0123456789abcdef\n")
    token.chmod(0o600)
    told.run(1, [proven("tank/x"), {"dataset": HOSTILE, "proven": False}])
    link = told.link()
    told.say(link, "run-begin", backup="b")
    web = Web(told, "--token-file", str(token))
    try:
        assert web.get("/metrics")[0].status == 401
        sees = prometheus(authorization={"credentials_file": str(token)},
                          static_configs=[{"targets": [f"localhost:{web.port}"]}])  # fmt: skip
        answer, body = web.get("/metrics", Authorization="Bearer 0123456789abcdef")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        check = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
        assert check.returncode == 0 and not check.stderr, check.stderr
        sees("up", [1])
        sees("dormouse_running", [1])
        sees('dormouse_last_run_outcome{outcome="partial"}', [1])
        sees("dormouse_last_success_timestamp_seconds", [0])
        sees(f"dormouse_dataset_proven{{dataset={json.dumps(HOSTILE)}}}", [0])
        told.say(link, "run-end", number=0, json=json.dumps({"bytes": "4096", "datasets": [proven("tank/x")]}))
        sees("time() - dormouse_last_success_timestamp_seconds < bool 60", [1])
        sees("dormouse_dataset_proven", [1])
        sees("dormouse_run_sent_bytes", [4096])
    finally:
        web.end()
    sees("up", [0])


def test_a_socket_in_the_file_system(told):
    path = told.setup.folder / "w.sock"
    web = Web(told, unix=path)
    try:
        assert path.stat().st_mode & 0o777 == 0o600
        assert web.get(host="whatever")[0].status == 200
    finally:
        web.end()


def test_it_is_live(web):
    """Who watches is told when something has changed, soon, and only then."""
    events = web.connect()
    events.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n".encode())
    seen = b""
    while b"retry:" not in seen:
        seen += events.recv(4096)
    assert b"text/event-stream" in seen
    web.told.run(0, [proven("tank/x")])
    began = time.monotonic()
    while b"event: changed" not in seen:
        seen += events.recv(4096)
    assert time.monotonic() - began < 10
    assert b"only dataset is restorable" in web.get()[1]
    # So many may watch, and the next one is told to come again.
    others = []
    for _ in range(31):
        s = web.connect()
        s.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n".encode())
        assert b" 200 " in s.recv(4096)
        others.append(s)
    assert web.get("/events")[0].status == 503
    for s in [*others, events]:
        s.close()
    assert web.get()[0].status == 200


def test_abuse(told):
    """Bounded connections, slow ones, and what is no HTTP; it is there for others again at once."""
    told.setup.env["DORMOUSE_WEB_PATIENCE_S"] = "2"
    web = Web(told)
    for text in (b"\x00" * 100 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 1000,
                 b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
                 b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                 b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"):  # fmt: skip
        s = web.connect()
        try:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except OSError:
            pass
        s.close()
    assert web.get()[0].status == 200
    # A hundred that say nothing fill it, and are given up after a while; so is one that sends a byte now and then.
    idle = [web.connect() for _ in range(120)]
    for s in idle[:50]:
        s.sendall(b"GET / HT")
    blocked = web.connect()
    blocked.settimeout(0.5)
    blocked.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n".encode())
    with pytest.raises(OSError):
        assert blocked.recv(10) == b""
        raise ConnectionResetError
    wait_for(lambda: answers(web))
    drip = web.connect()
    began = time.monotonic()
    with pytest.raises(OSError):
        for _ in range(100):
            drip.sendall(b"T")
            time.sleep(0.2)
    assert 1 < time.monotonic() - began < 10
    for s in idle:
        s.close()
    web.end()


def answers(web):
    try:
        return web.get()[0].status == 200
    except OSError:
        return False


def test_what_the_server_cannot_do(web):
    """The process that strangers speak to has no file, no program, and no other user's rights; with it the other ends."""
    assert web.get()[0].status == 200
    pid = web.server()
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"
    if os.geteuid() == 0:
        assert status["Uid"].split()[0] != "0"
    opened = {os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd")}
    assert not any(name.startswith("/") and "log" not in name and name != "/dev/null" for name in opened), opened
    libraries = subprocess.run(["ldd", DORMOUSE], capture_output=True, text=True, check=True).stdout
    assert "microhttpd" not in libraries
    os.kill(pid, signal.SIGKILL)
    assert web.process.wait(20) == 2
    assert "the page's server has ended" in web.log.read_text()


def test_many(web):
    web.told.run(0, [proven(f"tank/x/{i:03}") for i in range(1000)])
    web.get()
    time.sleep(1.1)
    began = time.monotonic()
    answer, body = web.get()
    assert answer.status == 200 and time.monotonic() - began < 2
    assert b"976 more, all safe" in body
