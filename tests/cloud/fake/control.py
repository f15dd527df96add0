"""For tests in other programs: faults, time and looks into the account, as JSON over HTTP.

GET  /state     instances, volumes, what is left over
GET  /bill      lines and the sum; /bill.txt for people
GET  /calls     what was asked, and how it ended
GET  /faults    those that are set, with how often each has struck
POST /faults    {"action": "RunInstances", "kind": "cut-after", "nth": 1, …}: see faults.py;  DELETE /faults
POST /settings  {"pending": 3, …}: see state.Settings
POST /advance   {"seconds": 3600}: the account's clock
POST /guest     {"instance": "i-…", "do": "poweroff" | "interrupt" | "crash"}"""

import dataclasses
import json

from .server import Handler


class Control(Handler):
    server_version = "fake-aws"

    def _json(self, value, status=200):
        self.answer(status, "application/json", (json.dumps(value, indent=1) + "\n").encode())

    def do_GET(self):
        world = self.world
        with world.lock:
            world.clock.catch_up()
            if self.path == "/state":
                self._json(world.state())
            elif self.path == "/bill":
                self._json(world.bill.as_json(world.now()))
            elif self.path == "/bill.txt":
                self.answer(200, "text/plain", world.bill.text(world.now()).encode())
            elif self.path == "/calls":
                self._json([call.as_json() for call in world.calls])
            elif self.path == "/faults":
                self._json([vars(fault) for fault in world.faults.all])
            else:
                self._json({"error": "no such thing"}, 404)

    def do_DELETE(self):
        with self.world.lock:
            self.world.faults.clear()
        self._json({})

    def do_POST(self):
        try:
            p = json.loads(self.body() or b"{}")
            with self.world.lock:
                self._json(self._do(p))
        except (TypeError, ValueError, KeyError, AttributeError) as e:
            self._json({"error": f"{type(e).__name__}: {e}"}, 400)

    def _do(self, p):
        world = self.world
        if self.path == "/faults":
            return vars(world.faults.add(**p))
        if self.path == "/settings":
            for name, value in p.items():
                getattr(world.settings, name)  # one that is not there is an error
                setattr(world.settings, name, value)
            return dataclasses.asdict(world.settings)
        if self.path == "/advance":
            world.clock.advance(p["seconds"])
            return {"now": world.now()}
        if self.path == "/guest":
            world.guest(p["instance"], p["do"])
            return world.state()
        raise KeyError(self.path)
