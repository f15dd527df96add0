"""A keeper, and what runs would tell it: for what is seen of them."""

import json
import socket
import time

from conftest import wait_for


class Told:
    """A keeper, and what a run would tell it."""

    def __init__(self, setup):
        self.setup, self.links = setup, []
        setup.config.write_text(setup.config.read_text() + 'backup "b" {\n  source = "tank/x"\n  destination = "arch:vault"\n}\n')
        self.daemon = setup.popen("daemon", stdout=open(setup.folder / "log", "w"), stderr=open(setup.folder / "log", "w"))
        wait_for((setup.folder / "run/control.sock").exists)

    def link(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(self.setup.folder / "run/control.sock"))
        self.links.append(s)
        return s

    def say(self, link, op, answer=True, **members):
        link.sendall(json.dumps({"op": op, **members}).encode() + b"\n")
        if not answer:
            return None
        line = b""
        while not line.endswith(b"\n"):
            line += link.recv(1 << 16)
        reply = json.loads(line)
        assert reply["event"] == "answer", reply
        return json.loads(reply["json"])

    def run(self, exit, datasets=(), **result):
        link = self.link()
        self.say(link, "run-begin", backup="b")
        result = {"bytes": "1000", "took_ms": 2000, "datasets": list(datasets), **result}
        self.say(link, "run-end", number=exit, json=json.dumps(result))
        link.close()

    def end(self):
        for link in self.links:
            link.close()
        self.daemon.terminate()
        self.daemon.wait(20)

    def status(self, check, *more):
        return json.loads(self.setup.run("status", "--json", *more, check=check).stdout)


def proven(name, **more):
    return {"dataset": name, "proven": True, "newest": "s", "newest_at": int(time.time()) - 360, "size": "5", **more}
