#!/usr/bin/python3 -IS
"""usage: sshd_machine.py FOLDER

A machine for tests, as the program of an `exec` target: "on" is a real sshd on a loopback port, and, if the folder
names one, an imported pool.  One request on standard input, one answer on standard output (dormouse-provider(7)).

FOLDER/machine.json: {"port": N, "pool": NAME or null, "pool_dir": DIR, "fail": {"start": "text"}, "delay": seconds,
"delay_stop": seconds, "doors": more of them, "late": seconds until its port answers, which it does not wait for}
FOLDER/sshd_config is written by whoever made the folder; FOLDER/log gets one line per request."""

# It is started for every request, and in emulation each import costs: only what all of them need is here.
import json
import os
import sys

folder = sys.argv[1]
token_file = folder + "/token"
pid_file = folder + "/sshd.pid"


def text_of(path, otherwise=""):
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return otherwise


settings = json.loads(text_of(folder + "/machine.json"))


def answer(**fields):
    print(json.dumps(fields), flush=True)


def pid():
    try:
        number = int(text_of(pid_file))
        os.kill(number, 0)
        return number
    except (OSError, ValueError):
        return None


def session_pids():
    """sshd and everything below it: a machine that goes takes its connections along."""
    import subprocess

    done = subprocess.run(["ps", "-eo", "pid=,ppid="], stdout=subprocess.PIPE, text=True, check=True)
    children = {}
    for line in done.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, queue = [], [pid()]
    while queue:
        one = queue.pop()
        if one:
            found.append(one)
            queue += children.get(one, [])
    return found


def facts():
    token = text_of(token_file)
    if pid() is None:
        return {"power": "absent"}
    return {
        "power": "running", "token": token, "id": f"sshd {pid()}", "address": "127.0.0.1",
        "doors": [{"port": 22, "host": "127.0.0.1", "at": settings["port"]}, *settings.get("doors", [])],
    }  # fmt: skip


def start(request):
    import subprocess
    import time

    if pid() is None:
        answer(progress="switching on")
        time.sleep(settings.get("delay", 0))
        # Another one of us may have been killed just as it imported the pool: then it may be busy for a moment, or go
        # again.
        for _ in range(20 if settings.get("pool") else 0):
            done = subprocess.run(["zpool", "import", "-N", *settings.get("import", []), "-d", settings["pool_dir"],
                                   settings["pool"]], check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
            if done.returncode == 0 or subprocess.run(["zpool", "list", settings["pool"]], check=False,
                                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.3)
        with open(token_file, "w") as f:
            f.write(request.get("token") or "")
        # -r: for each connection it goes on as it is, and is not started anew.
        sshd = ["/usr/sbin/sshd", "-r", "-f", folder + "/sshd_config", "-E", folder + "/sshd.log"]
        nobody = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if settings.get("late"):
            later = subprocess.Popen(["sh", "-c", 'sleep "$0"; exec "$@" -D', str(settings["late"]), *sshd], **nobody,
                                     start_new_session=True)  # fmt: skip
            with open(pid_file, "w") as f:
                f.write(str(later.pid))
        else:
            subprocess.run(sshd, check=True, **nobody)
        for _ in range(200):
            if pid() is not None:
                break
            time.sleep(0.02)
        with open(folder + "/starts", "a") as starts:
            starts.write("x")


def stop():
    import signal
    import subprocess
    import time

    time.sleep(settings.get("delay_stop", 0))
    for one in session_pids():
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for path in (pid_file, token_file):
        if os.path.exists(path):
            os.unlink(path)
    if settings.get("pool"):
        for _ in range(20):
            if subprocess.run(["zpool", "list", settings["pool"]], capture_output=True, check=False).returncode != 0:
                break
            if subprocess.run(["zpool", "export", settings["pool"]], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.5)


request = json.loads(sys.stdin.readline())
op = request["op"]
with open(folder + "/log", "a") as log:
    log.write(op + "\n")
if op in settings.get("fail", {}):
    answer(ok=False, error={"kind": "denied", "what": settings["fail"][op], "why": "", "hint": "look at machine.json"})
elif op == "check":
    answer(ok=True)
elif op == "start":
    start(request)
    answer(ok=True, **dict(facts(), token=request["token"]))
elif op == "describe":
    answer(ok=True, **facts())
elif op == "stop":
    stop()
    answer(ok=True, power="absent")
elif op == "list":
    answer(ok=True, machines=[facts()] if pid() else [])
else:
    answer(ok=False, error={"kind": "usage", "what": f"'{op}' is not an operation", "why": "", "hint": ""})
