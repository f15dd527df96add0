"""Runs and those who are told of them: the real keeper against a strict server that is every kind of sink.  A script
stands in for zfs."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

from conftest import DORMOUSE, free_port, wait_for
from report_world import one_of, world  # noqa: F401

SECRETS = ["hcaik_thisIsTheIngestKey", "otlp-bearer-token", "tenant-header-secret", "kuma-push-token",
           "ntfy-access-token", "ntfy-secret-topic", "webhook-hmac-secret", "webhook-secret-path",
           "aaaaaaaa-0000-4000-8000-00000000000f"]  # fmt: skip


def all_sinks(w):
    key = w.file("key", "hcaik_thisIsTheIngestKey\n")
    mail = w.file("sendmail", f'#!/bin/sh\necho "$@" >>{w.folder}/mail.args\ncat >>{w.folder}/mail\n', 0o700)
    command = f'cat >>{w.folder}/command; env | grep ^DORMOUSE_ >>{w.folder}/command.env'
    return f"""
report "honeycomb" {{
  dataset      = "zfs replication"
  api_key_file = "{key}"
  url          = "{w.url}/honeycomb"
}}
report "otlp" {{
  url           = "{w.url}/otlp/"
  token_command = ["echo", "otlp-bearer-token"]
  headers       = {{ x-tenant = "tenant-header-secret" }}
}}
report "healthchecks" {{
  check = "aaaaaaaa-0000-4000-8000-00000000000f"
  url   = "{w.url}/hc"
}}
report "uptime_kuma" {{
  url   = "{w.url}/kuma"
  token = "kuma-push-token"
}}
report "ntfy" {{
  url   = "{w.url}/ntfy"
  topic = "ntfy-secret-topic"
  token = "ntfy-access-token"
}}
report "webhook" "ops" {{
  url    = "{w.url}/hook/webhook-secret-path"
  secret = "webhook-hmac-secret"
}}
report "mail" {{
  to      = ["root@localhost"]
  program = "{mail}"
}}
report "command" {{ command = ["sh", "-c", "{command}"] }}
report "prometheus" {{ file = "{w.folder}/dormouse.prom" }}
report "journald" {{ socket = "{w.folder}/journal" }}
"""


def test_everybody_is_told(world):
    """Of a run that went well and one that did not; and no secret is anywhere but where it belongs."""
    w = world
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(str(w.folder / "journal"))
    journal.settimeout(10)
    w.write(all_sinks(w))
    w.sinks.start()
    w.run("backup", check=0)
    got = w.sinks.got
    # The keeper that the command has started ends once all are told.
    wait_for(lambda: not w.pids("daemon"))
    root = got["honeycomb"][0][0]["data"]
    assert root["name"] == "backup.run" and root["outcome"] == "success" and root["error"] is False
    assert (root["serviceResult"], root["exitCode"], root["exitStatus"]) == ("success", "exited", "0")
    assert root["datasets_total"] == root["datasets_ok"] == 3 and root["spooled"] is False
    assert 60 <= root["rpo_lag_s"] < 120 and root["backup"] == "x" and root["trigger"] == "manual"
    names = [e["data"]["name"] for e in got["honeycomb"][0]]
    assert "look" in names and all("trace.parent_id" in e["data"] for e in got["honeycomb"][0][1:])
    assert len(got["otlp"]) == 2
    (start, rid, _), (end, same, log) = got["healthchecks"]
    assert (start, end) == ("/start", "/success") and rid == same
    assert "3 of 3 datasets proven" in log and "what is there" in log
    assert got["uptime_kuma"][0]["status"] == "up" and got["ntfy"][0]["priority"] == 3
    assert [r["kind"] for r in got["webhook"]] == ["start", "run"] and got["webhook"][1]["outcome"] == "success"
    assert got["webhook"][1]["trace"] == root["trace.trace_id"]
    mail = (w.folder / "mail").read_text()
    assert mail.startswith("To: root@localhost\nSubject: ") and "\n\nbackup 'x': done\n" in mail
    assert (w.folder / "mail.args").read_text() == "-t -i\n"
    assert "DORMOUSE_OUTCOME=success" in (w.folder / "command.env").read_text()
    assert json.loads((w.folder / "command").read_text().split("\n")[1])["outcome"] == "success"
    told = [journal.recv(65536).decode() for _ in range(2)]
    assert "\nPRIORITY=6\n" in told[1] and "\nDORMOUSE_DATASETS_OK=3\n" in told[1]
    prom = (w.folder / "dormouse.prom").read_text()
    promtool = subprocess.run(["promtool", "check", "metrics"], input=prom, capture_output=True, text=True, check=False)
    assert promtool.returncode == 0 and not promtool.stderr, promtool.stderr
    assert 'dormouse_last_run_outcome{backup="x",outcome="success"} 1' in prom
    # And one that fails, with a secret in what zfs says.
    (w.folder / "broken").touch()
    w.run("backup", check=2)
    w.all_told()
    root = got["honeycomb"][1][0]["data"]
    assert root["outcome"] == "failed" and root["exitStatus"] == "2" and root["error.stage"] == "look"
    assert "cannot open: token" in root["error.message"] and root["error.kind"]
    assert got["uptime_kuma"][1]["status"] == "down" and got["ntfy"][1]["priority"] == 4
    assert got["healthchecks"][3][0] == "/fail"
    assert 'outcome="success"} 0' in (w.folder / "dormouse.prom").read_text()
    # What is kept: the file's own secrets are in none of it.  One that is in a file of its own is nothing that
    # dormouse knows of while it runs a backup; it is not in what is told.
    kept = b"".join(p.read_bytes() for p in (w.folder / "state").iterdir())
    shown = (w.run("history", "--export", check=0).stdout + w.run("history", "2", check=0).stdout
             + w.run("history", "--sinks", check=0).stdout)  # fmt: skip
    for secret in SECRETS[1:]:
        assert secret.encode() not in kept and secret not in shown, secret
    w.write(all_sinks(w).replace("api_key_file", "api_key").replace(f"{w.folder}/key", SECRETS[0]))
    w.run("backup", check=2)
    w.all_told()
    assert "cannot open: token ***" in got["honeycomb"][2][0]["data"]["error.message"]
    assert SECRETS[0] not in w.run("history", "3", check=0).stdout + w.run("history", "--json", "3", check=0).stdout
    # Nor in a line, where a dataset is called so, which has no snapshot.
    (w.folder / "broken").unlink()
    (w.folder / "odd").write_text(f"/{SECRETS[3]}")
    w.run("backup", check=1)
    lines = w.run("history", "4", check=0).stdout
    assert "FAILED cannot replicate 'tank/x/***'" in lines and SECRETS[3] not in lines
    w.all_told()
    told = b"".join(w.sinks.bodies) + (w.folder / "mail").read_bytes() + (w.folder / "command").read_bytes()
    for secret in SECRETS[1:3] + SECRETS[4:5] + SECRETS[6:7]:
        assert secret.encode() not in told, secret


def test_node_exporter(world):
    """Its textfile collector takes what is written for it, each time."""
    w = world
    w.write(f'report "prometheus" {{ file = "{w.folder}/dormouse.prom" }}\n')
    port = free_port()
    exporter = subprocess.Popen(
        ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
         f"--collector.textfile.directory={w.folder}", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=open(w.folder / "exporter.log", "w"))  # fmt: skip

    def told():
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode().splitlines()
        except OSError:
            return []

    try:
        for broken, outcome in ((False, "success"), (True, "failed")):
            if broken:
                (w.folder / "broken").touch()
            w.run("backup", check=2 if broken else 0)
            w.all_told()
            wait_for(told)
            lines = told()
            assert "node_textfile_scrape_error 0" in lines
            assert f'dormouse_last_run_outcome{{backup="x",outcome="{outcome}"}} 1' in lines
            # What the last one that came to them left of them.
            assert 'dormouse_dataset_proven{backup="x",dataset="tank/x/a"} 1' in lines
            assert any(line.startswith("node_textfile_mtime_seconds{") and "/dormouse.prom" in line for line in lines)
        assert (w.folder / "dormouse.prom").stat().st_mode & 0o777 == 0o644
        assert 'dormouse_last_run_outcome{backup="x",outcome="failed"} 1\n' in w.run("metrics", check=0).stdout
    finally:
        exporter.kill()
        exporter.wait()


def test_history(world):
    """A waterfall within 80 columns beside the lines, all of it as JSON, and as lines of JSON."""
    w = world
    w.run("backup", check=0)
    (w.folder / "broken").touch()
    w.run("backup", check=2)
    text = w.run("history", "1", check=0).stdout
    assert re.search(r"^backup\.run  .*\|=+\| ", text, re.M) and "\n  look  " in text and "look     what is there" in text
    assert max(len(line) for line in text.split("\n\n")[1].split("\n")) <= 80
    assert "x|" in w.run("history", "2", check=0).stdout
    run = w.json("history", "--json", "1")
    assert run["run"]["exit"] == 0 and run["spans"][0]["outcome"] == "success" and run["events"][0]["text"]
    lines = [json.loads(line) for line in w.run("history", "--export", check=0).stdout.splitlines()]
    assert [r["run"]["id"] for r in lines] == [1, 2] and lines[0]["spans"] == run["spans"]
    done = w.run("history", "99", check=2)
    assert "there is no run 99" in done.stderr and "hint:" in done.stderr
    assert "nobody was told anything yet" in w.run("history", "--sinks", check=0).stdout


def test_a_run_that_dies(world):
    """Its spans so far are there, and that it died is told."""
    w = world
    w.write(one_of("ops", w))
    w.sinks.start()
    w.stay()
    (w.folder / "slow").touch()
    run = subprocess.Popen([DORMOUSE, "backup"], env=w.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: [s["name"] for s in w.json("history", "--json", "1")["spans"]] == ["backup.run", "look"]
             if w.json("history", "--json") else False)  # fmt: skip
    run.kill()
    run.wait()
    wait_for(lambda: w.sinks.got.get("webhook"))
    told = w.sinks.got["webhook"][0]
    assert told["outcome"] == "died" and told["title"] == "backup 'x' died on the way"
    assert [s["outcome"] for s in told["spans"]] == ["died", "died"] and told["spans"][0]["ended_ms"] > 0
    assert w.json("history", "--json", "1")["spans"] == told["spans"]
    assert "died" in w.run("history", "1", check=0).stdout


def test_a_keeper_that_dies(world):
    """What it had yet to tell the next one tells, and says that it is late; a run that it watched goes on under its
    number."""
    w = world
    w.write(one_of("ops", w))
    w.stay()
    w.run("backup", check=0)
    wait_for(lambda: w.standing("ops")["tries"] > 0)
    w.daemon.kill()
    w.daemon.wait()
    w.sinks.start()
    began = w.json("history", "--json")[0]["began"]  # this starts the next
    wait_for(lambda: w.sinks.got.get("webhook"))
    told = w.sinks.got["webhook"][0]
    assert told["spooled"] is True and abs(told["spans"][0]["began_ms"] / 1000 - began) < 2
    wait_for(lambda: w.standing("ops")["waiting"] == 0)
    assert w.standing("ops")["error"] == "" and w.standing("ops")["ok_ms"] > 0
    # A run that outlives its keeper.
    (w.folder / "slow").touch()
    run = subprocess.Popen([DORMOUSE, "backup"], env=w.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: w.pids("daemon") and len(w.json("history", "--json")) == 2)
    for pid in w.pids("daemon"):
        os.kill(pid, signal.SIGKILL)
    (w.folder / "slow").unlink()
    run.communicate(timeout=30)
    runs = w.json("history", "--json")
    assert [r["id"] for r in runs] == [2, 1] and runs[0]["exit"] == run.returncode
    spans = w.json("history", "--json", "2")["spans"]
    assert spans[0]["outcome"] in ("success", "failed") and all(s["ended_ms"] > 0 for s in spans)


def test_a_sink_that_fails(world):
    """It is tried again, in order, at growing intervals, and what it takes in part is not sent twice; the backup is
    what it is."""
    w = world
    w.write(f'report "honeycomb" {{\n  dataset = "zfs replication"\n  api_key = "{SECRETS[0]}"\n'
            f'  url = "{w.url}/honeycomb"\n  timeout = "1s"\n}}\n' + one_of("ops", w))  # fmt: skip
    answers = []
    w.sinks.answer = lambda kind, taken: answers.pop(0)(taken) if kind == "honeycomb" and answers else None
    w.sinks.start()
    w.stay()

    def part(events, second, error):
        return 200, [{"status": second, "error": error} if i == 1 else {"status": 202} for i in range(len(events))], {}

    def told():
        return w.standing("honeycomb")

    # A status of 400 within a 200: that event is lost, and said to be; the others are not sent again.
    answers[:] = [lambda events: part(events, 400, "Event has too many columns.")]
    w.run("backup", check=0)
    wait_for(lambda: told() and told()["refused"] == 1 and not told()["waiting"])
    assert "too many columns" in told()["error"] and len(w.sinks.got["honeycomb"]) == 1
    # 429 for one of them, then for all, then an error, then no answer: sent again until it is taken, in order.
    answers[:] = [lambda events: part(events, 429, "rate limiting"), lambda events: (429, {"error": "rate limiting"}, {}),
                  lambda events: (503, "", {"retry-after": "1"}), lambda events: time.sleep(2),
                  lambda events: (500, "<html>", {})]  # fmt: skip
    before = len(w.sinks.bodies)
    w.run("backup", check=0)
    w.run("backup", check=0)
    wait_for(lambda: not answers and told()["waiting"] == 0, seconds=30)
    batches = [json.loads(body[: body.rindex(b"]") + 1]) for body in w.sinks.bodies[before:] if b"/1/batch" in body]
    assert len(batches[0]) > 1 and [len(b) for b in batches[1:6]] == [1] * 5
    assert batches[1][0]["data"]["trace.span_id"] == batches[0][1]["data"]["trace.span_id"]
    runs = [{e["data"]["run_id"] for e in b} for b in batches]
    assert runs == [{2}] * (len(batches) - 1) + [{3}]
    assert batches[-2][0]["data"]["spooled"] is True and batches[-2][0]["time"] == batches[0][1]["time"]
    # Nobody else was kept waiting.
    assert [r["run"] for r in w.sinks.got["webhook"]] == [1, 2, 3] and not any(
        r["spooled"] for r in w.sinks.got["webhook"])  # fmt: skip
    # A key that is wrong: no second try, and it is said what to do.
    answers[:] = [lambda events: (401, {"error": f"unknown API key {SECRETS[0]}"}, {})]
    w.run("backup", check=0)
    wait_for(lambda: told()["refused"] == 2 and told()["waiting"] == 0)
    assert "401: unknown API key ***\n" in told()["error"] and "hint: is its key" in told()["error"]
    text = w.run("history", "--sinks", check=0).stdout
    assert "refused 2" in text and "unknown API key" in text


def test_tls(world):
    """Nobody is told who cannot show a certificate that is trusted."""
    w = world
    w.sinks.start(tls=True)
    w.url = f"https://localhost:{w.sinks.port}"
    w.write(one_of("ops", w) + one_of("trusting", w, f'  ca_file = "{w.folder}/cert.pem"\n'))
    done = w.run("report", "test", check=1)
    assert re.search(r"^ops +webhook +not now: no answer from 'localhost.*certificate", done.stdout, re.M)
    assert "hint: does its certificate fit?" in done.stdout and re.search("^trusting +webhook +taken$", done.stdout, re.M)
    assert len(w.sinks.got["webhook"]) == 1 and w.sinks.got["webhook"][0]["kind"] == "test"
    # Without TLS secrets go only to this host itself.
    w.write('report "webhook" {\n  url = "http://192.0.2.1/"\n}\n')
    done = w.run("report", "test", check=2)
    assert "is no address that secrets may be sent to" in done.stdout and "allow_http" in done.stdout


def test_secrets(world):
    """Those that others may read, that are not there, or that no command prints are used by nobody."""
    w = world
    w.sinks.start()
    good, open_to_all = w.file("good", "webhook-hmac-secret"), w.file("open", "webhook-hmac-secret", 0o644)
    for form, wrong in ((f'secret_file = "{good}"', None), (f'secret_file = "{open_to_all}"', "others may read"),
                        (f'secret_file = "{w.folder}/none"', "No such file"),
                        ('secret_command = ["echo", "webhook-hmac-secret"]', None),
                        ('secret_command = ["sh", "-c", "echo half; exit 3"]', "exit code 3"),
                        ('secret_command = ["echo", "two words"]', "not one word"),
                        ('secret_command = ["true"]', "is empty")):  # fmt: skip
        w.write(f'report "webhook" {{\n  url = "{w.url}/hook/webhook-secret-path"\n  {form}\n}}\n')
        done = w.run("report", "--json", "test", check=2 if wrong else 0)
        (answer,) = json.loads(done.stdout)
        assert answer["said"] == ("not now" if wrong else "taken"), answer
        assert not wrong or (wrong in answer["why"] and answer["hint"] and "half" not in answer["why"]), answer
    done = w.run("report", "test", "other", check=3)
    assert "there is no report 'other'" in done.stderr
    w.write("")
    assert "no report block" in w.run("report", "test", check=3).stderr


def test_what_is_told(world):
    """A sink hears of what it wants, and of the backups that it names; mail that is refused is not sent again."""
    w = world
    mail = w.file("sendmail", f"#!/bin/sh\ncat >/dev/null\necho tried >>{w.folder}/mail\nexit 67\n", 0o700)
    w.write(one_of("mine", w, '  backups = ["x"]\n') + one_of("others", w, '  backups = ["y"]\n')
            + f'report "mail" {{\n  to = ["nobody"]\n  program = "{mail}"\n  on = ["failure"]\n}}\n'
            + 'backup "y" {\n  source = "tank/x/a"\n  destination = "vault/y"\n}\n')  # fmt: skip
    # One that takes longer than a keeper waits that has nothing to do.
    w.sinks.answer = lambda kind, taken: time.sleep(2)
    w.sinks.start()
    w.run("backup", "x", check=0)
    wait_for(lambda: not w.pids("daemon"))
    w.sinks.answer = None
    assert len(w.sinks.got["webhook"]) == 1
    assert w.standing("mine")["ok_ms"] > 0 and w.standing("others") is None
    assert not (w.folder / "mail").exists() and w.standing("mail")["ok_ms"] == 0
    (w.folder / "broken").touch()
    w.run("backup", "x", check=2)
    w.all_told()
    assert (w.folder / "mail").read_text() == "tried\n"
    assert w.standing("mail")["refused"] == 1 and "exit code 67" in w.standing("mail")["error"]
    # A report block that is gone is told nothing, and keeps nobody waiting.
    w.sinks.stop()
    w.run("backup", "x", check=2)
    wait_for(lambda: w.standing("mine")["tries"] > 0)
    w.write("")
    w.all_told()
    assert "no report block of that name" in w.standing("mine")["error"]
