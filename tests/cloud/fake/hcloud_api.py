"""The parts of the Hetzner Cloud API, version 1, that dormouse uses; as strict as the other one."""

import base64
import binascii
import hashlib
import json
import time

from .backends import Nothing, Sshd
from .control import Control
from .hcloud import (
    IMAGES, LOCATIONS, TYPES, Project, Server, Volume, image_json, location_json, pricing_json, stamp, type_json,
)  # fmt: skip
from .hcloud_firewalls import lets_in
from .hcloud_request import (
    NAME, PAGES, ROUTES, USER_DATA_LIMIT, HcloudError, by_reference, check_labels, find, invalid, listed, read_body,
    read_object, read_query, rename, route, selected, unique, unlocked,
)  # fmt: skip
from .server import Handler
from .server import Server as HttpServer

LISTS = ("name", "label_selector", "status", *PAGES)


@route("GET", "/locations", query=("name", *PAGES))
def locations(project, p, q):
    return listed(q, "locations", [n for n in LOCATIONS if n in q.get("name", [n])], location_json)


@route("GET", "/server_types", query=("name", *PAGES))
def server_types(project, p, q):
    return listed(q, "server_types", [n for n in TYPES if n in q.get("name", [n])], type_json)


@route("GET", "/server_types/ID")
def server_type(project, p, q, number):
    names = [n for n, facts in TYPES.items() if facts[0] == int(number)]
    if not names:
        raise HcloudError("not_found", "server type not found")
    return 200, {"server_type": type_json(names[0])}


@route(
    "GET",
    "/images",
    query=("name", "label_selector", "status", "type", "architecture", "bound_to", "include_deprecated", *PAGES),
)
def images(project, p, q):
    found = [i for i in IMAGES if i[1] in q.get("name", [i[1]]) and i[4] in q.get("architecture", [i[4]])
             and "system" in q.get("type", ["system"]) and "available" in q.get("status", ["available"])]  # fmt: skip
    return listed(q, "images", found, image_json)


@route("GET", "/images/ID")
def image(project, p, q, number):
    return 200, {"image": image_json(find({i[0]: i for i in IMAGES}, number, "image"))}


@route("GET", "/ssh_keys", query=("name", "label_selector", "fingerprint", *PAGES))
def ssh_keys(project, p, q):
    found = [k for k in project.keys.values() if k["name"] in q.get("name", [k["name"]])
             and k["fingerprint"] in q.get("fingerprint", [k["fingerprint"]])]  # fmt: skip
    return listed(q, "ssh_keys", selected(q, found, lambda k: k["labels"]))


@route("POST", "/ssh_keys", {"name!": "str", "public_key!": "str", "labels": "dict"})
def add_ssh_key(project, p, q):
    words = p["public_key"].split()
    try:
        data = base64.b64decode(words[1], validate=True)
        assert data[4:].startswith(words[0].encode())
    except (IndexError, binascii.Error, ValueError, AssertionError):
        raise invalid("public_key", "Not a valid OpenSSH public key.") from None
    unique(project.keys.values(), p["name"])
    print_ = hashlib.md5(data).hexdigest()
    fingerprint = ":".join(print_[n : n + 2] for n in range(0, 32, 2))
    if any(k["fingerprint"] == fingerprint for k in project.keys.values()):
        raise HcloudError("uniqueness_error", "SSH key with the same fingerprint already exists")
    key = {"id": project.new_id(), "name": p["name"], "fingerprint": fingerprint, "public_key": p["public_key"],
           "labels": check_labels(p), "created": stamp(project.now())}  # fmt: skip
    project.keys[key["id"]] = key
    return 201, {"ssh_key": key}


@route("GET", "/ssh_keys/ID")
def ssh_key(project, p, q, number):
    return 200, {"ssh_key": find(project.keys, number, "ssh key")}


@route("DELETE", "/ssh_keys/ID")
def delete_ssh_key(project, p, q, number):
    del project.keys[find(project.keys, number, "ssh key")["id"]]
    return 204, None


@route("GET", "/pricing")
def pricing(project, p, q):
    return 200, {"pricing": pricing_json()}


@route("GET", "/actions", query=("id", "status", *PAGES))
def actions(project, p, q):
    wanted = {int(n) for n in q.get("id", []) if n.isdigit()}
    return listed(q, "actions", [a for a in project.actions.values() if (not wanted or a["id"] in wanted)
                                 and a["status"] in q.get("status", [a["status"]])])  # fmt: skip


@route("GET", "/actions/ID")
def action(project, p, q, number):
    return 200, {"action": find(project.actions, number, "action")}


# --- servers ---


@route("GET", "/servers", query=LISTS)
def servers(project, p, q):
    found = [
        s
        for s in project.servers.values()
        if s.name in q.get("name", [s.name]) and s.status in q.get("status", [s.status])
    ]
    return listed(q, "servers", selected(q, found, lambda s: s.labels), Server.as_json)


@route("GET", "/servers/ID")
def server(project, p, q, number):
    return 200, {"server": find(project.servers, number, "server").as_json()}


@route("POST", "/servers", {
    "name!": "str", "server_type!": "ref", "image!": "ref", "ssh_keys": "refs", "location": "ref", "user_data": "str",
    "labels": "dict", "start_after_create": "bool", "volumes": "ints", "automount": "bool", "public_net": "dict",
    "networks": "ints", "firewalls": "list"})  # fmt: skip
def create_server(project, p, q):
    if not NAME.fullmatch(p["name"]) or len(p["name"]) > 253:
        raise invalid("name", "Not a valid hostname.")
    kind = by_reference("server_type", p["server_type"], {n: facts[0] for n, facts in TYPES.items()})
    arch = TYPES[kind][4]
    chosen = [i for i in IMAGES if p["image"] in (i[0], str(i[0])) or (p["image"] == i[1] and i[4] == arch)]
    if not chosen:
        raise invalid("image", f"'{p['image']}' not found.")
    if chosen[0][4] != arch:
        raise invalid("image", "The image's architecture is not that of the server type.")
    location = by_reference("location", p.get("location", "fsn1"), {n: facts[0] for n, facts in LOCATIONS.items()})
    keys = []
    for one in p.get("ssh_keys", []):
        found = [k for k in project.keys.values() if one in (k["id"], k["name"], str(k["id"]))]
        if not found:
            raise invalid("ssh_keys", f"'{one}' not found.")
        keys.append(found[0]["public_key"])
    if len(p.get("user_data", "").encode()) > USER_DATA_LIMIT:
        raise invalid("user_data", f"Longer than {USER_DATA_LIMIT} bytes.")
    net = p.get("public_net", {})
    if set(net) - {"enable_ipv4", "enable_ipv6", "ipv4", "ipv6"}:
        raise invalid("public_net", "Unknown field.")
    labels = check_labels(p)
    walls = [find(project.firewalls, read_object({"firewall!": "int"}, one, "firewalls")["firewall"], "firewall")
             for one in p.get("firewalls", [])]  # fmt: skip
    unique(project.servers.values(), p["name"])
    attach = [find(project.volumes, number, "volume") for number in p.get("volumes", [])]
    for v in attach:
        _can_attach(v, location)
        unlocked(v)
    if "automount" in p and p["automount"] and not attach:
        raise invalid("automount", "Needs a volume.")
    if len(project.servers) >= project.settings.servers:
        raise HcloudError("resource_limit_exceeded", "server limit exceeded")
    if {kind, f"{kind}:{location}"} & set(project.settings.no_capacity):
        raise HcloudError("resource_unavailable", "error during placement")
    s = Server(project, p["name"], kind, chosen[0], location, labels, p.get("user_data", ""), keys,
               net.get("enable_ipv4", True), walls)  # fmt: skip
    s.machine.guest["reachable"] = lets_in(walls, project.backend.ssh_port)

    def created():
        s.status = "off"

    made = project.act("create_server", [s], project.settings.creating, created)
    following = []
    for v in attach:
        seconds = project.settings.creating + project.settings.attaching
        following.append(project.act("attach_volume", [s, v], seconds, lambda v=v: v.attached(s)))
    if p.get("start_after_create", True):
        following.append(project.act("start_server", [s], project.settings.creating + project.settings.starting, s.on))
    return 201, {"server": s.as_json(), "action": made, "next_actions": following,
                 "root_password": None if keys else "only-without-ssh-keys"}  # fmt: skip


@route("PUT", "/servers/ID", {"name": "str", "labels": "dict"})
def change_server(project, p, q, number):
    s = find(project.servers, number, "server")
    rename(project.servers.values(), s, p)
    return 200, {"server": s.as_json()}


@route("DELETE", "/servers/ID")
def delete_server(project, p, q, number):
    s = find(project.servers, number, "server")
    unlocked(s)
    s.status = "deleting"
    return 200, {"action": project.act("delete_server", [s], project.settings.deleting, s.delete)}


def _power(command, wanted, becomes):
    @route("POST", f"/servers/ID/actions/{command}", {})
    def power(project, p, q, number):
        s = find(project.servers, number, "server")
        unlocked(s)
        names = {"poweron": "start_server", "poweroff": "stop_server", "shutdown": "shutdown_server"}
        then = (
            (lambda: s.status != wanted and s.on()) if becomes == "running" else (lambda: s.off(command == "shutdown"))
        )
        seconds = project.settings.starting if becomes == "running" else project.settings.stopping
        return 201, {"action": project.act(names[command], [s], seconds, then)}

    return power


_power("poweron", "running", "running")
_power("poweroff", "off", "off")
_power("shutdown", "off", "off")


# --- volumes ---


def _can_attach(v, location):
    if v.server:
        raise HcloudError("volume_already_attached", "volume is already attached to a server, detach first")
    if v.location != location:
        raise invalid("volumes", "Volume and server must be in the same location.")


@route("GET", "/volumes", query=LISTS)
def volumes(project, p, q):
    found = [
        v
        for v in project.volumes.values()
        if v.name in q.get("name", [v.name]) and v.status in q.get("status", [v.status])
    ]
    return listed(q, "volumes", selected(q, found, lambda v: v.labels), Volume.as_json)


@route("GET", "/volumes/ID")
def volume(project, p, q, number):
    return 200, {"volume": find(project.volumes, number, "volume").as_json()}


@route("POST", "/volumes", {"name!": "str", "size!": "int", "server": "int", "location": "ref", "labels": "dict",
                            "automount": "bool", "format": "str"})  # fmt: skip
def create_volume(project, p, q):
    if ("server" in p) == ("location" in p):
        raise invalid("location", "Exactly one of server and location must be there.")
    if not 10 <= p["size"] <= 10240:
        raise invalid("size", "Must be from 10 to 10240.")
    if p.get("format", "ext4") not in ("ext4", "xfs"):
        raise invalid("format", "Must be ext4 or xfs.")
    to = find(project.servers, p["server"], "server") if "server" in p else None
    location = to.location if to else by_reference("location", p["location"], {n: f[0] for n, f in LOCATIONS.items()})
    labels = check_labels(p)
    unique(project.volumes.values(), p["name"])
    if len(project.volumes) >= project.settings.volumes:
        raise HcloudError("resource_limit_exceeded", "volume limit exceeded")
    if to:
        unlocked(to)
    v = Volume(project, p["name"], p["size"], location, labels, p.get("format"))

    def created():
        v.status = "available"

    made = project.act("create_volume", [v], project.settings.volume, created)
    following = (
        [project.act("attach_volume", [to, v], project.settings.attaching, lambda: v.attached(to))] if to else []
    )
    return 201, {"volume": v.as_json(), "action": made, "next_actions": following}


@route("PUT", "/volumes/ID", {"name": "str", "labels": "dict"})
def change_volume(project, p, q, number):
    v = find(project.volumes, number, "volume")
    rename(project.volumes.values(), v, p)
    return 200, {"volume": v.as_json()}


@route("DELETE", "/volumes/ID")
def delete_volume(project, p, q, number):
    v = find(project.volumes, number, "volume")
    unlocked(v)
    if v.protected:
        raise HcloudError("protected", "volume deletion is protected")
    if v.server:
        raise HcloudError("service_error", f"volume with ID '{v.id}' is still attached to a server", 422)
    v.delete()
    return 204, None


@route("POST", "/volumes/ID/actions/attach", {"server!": "int", "automount": "bool"})
def attach_volume(project, p, q, number):
    v = find(project.volumes, number, "volume")
    s = find(project.servers, p["server"], "server")
    _can_attach(v, s.location)
    unlocked(v, s)
    return 201, {"action": project.act("attach_volume", [s, v], project.settings.attaching, lambda: v.attached(s))}


@route("POST", "/volumes/ID/actions/detach", {})
def detach_volume(project, p, q, number):
    v = find(project.volumes, number, "volume")
    if not v.server:
        raise invalid("volume", "The volume is not attached to a server.")
    unlocked(v, v.server)
    return 201, {"action": project.act("detach_volume", [v.server, v], project.settings.detaching, v.detached)}


@route("POST", "/volumes/ID/actions/resize", {"size!": "int"})
def resize_volume(project, p, q, number):
    v = find(project.volumes, number, "volume")
    unlocked(v)
    if not v.size < p["size"] <= 10240:
        raise invalid("size", f"Must be larger than {v.size}, and at most 10240.")
    return 201, {"action": project.act("resize_volume", [v], project.settings.resizing, lambda: v.resized(p["size"]))}


@route("POST", "/volumes/ID/actions/change_protection", {"delete": "bool"})
def change_volume_protection(project, p, q, number):
    v = find(project.volumes, number, "volume")
    v.protected = p.get("delete", v.protected)
    return 201, {"action": project.act("change_protection", [v], 0, lambda: None)}


# --- HTTP ---


class HcloudCall:
    def __init__(self, name, path, raw):
        self.name, self.path, self.raw, self.outcome = name, path, raw, ""

    def as_json(self):
        return {
            "action": self.name,
            "path": self.path,
            "body": (self.raw or b"").decode(errors="replace"),
            "outcome": self.outcome,
        }


class HcloudApi(Handler):
    """A call's name, for faults and in project.calls, is its function's here: create_server, volumes, …"""

    def _any(self):
        raw = self.body()
        path, _, query = self.path.partition("?")
        route_ = next(
            ((f, m, b, q) for method, r, f, b, q in ROUTES if method == self.command and (m := r.fullmatch(path))), None
        )
        project = self.world
        call = HcloudCall(route_[0].__name__ if route_ else "", self.path, raw)
        with project.lock:
            project.clock.catch_up()
            faults = project.faults.of(call.name)
            project.calls.append(call)
        for fault in faults:
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            elif fault.kind == "cut-before":
                call.outcome = "cut before"
                self.cut()
            elif fault.kind == "error":
                self._send(call, fault.status, HcloudError(fault.code, fault.message, fault.status).as_json())
                return
        with project.lock:
            project.clock.catch_up()
            try:
                status, value = self._call(project, route_, raw, query)
            except HcloudError as e:
                status, value = e.status, e.as_json()
            # What is sent is what it was now: an action goes on changing.
            text = json.dumps(value).encode() if value is not None else b""
        for fault in faults:
            if fault.kind == "cut-after":
                call.outcome = "cut after"
                self.cut()
            elif fault.kind == "garbage":
                text = fault.body.encode()
        self._send(call, status, value, text)

    do_GET = do_POST = do_PUT = do_DELETE = _any

    def _call(self, project, route_, raw, query):
        words = self.headers.get("Authorization", "").split(" ")
        if len(words) != 2 or words[0] != "Bearer" or words[1] not in (project.token, project.readonly_token):
            raise HcloudError("unauthorized", "unable to authenticate")
        self._rate(project)
        if route_ is None:
            raise HcloudError("not_found", "not found")
        if words[1] == project.readonly_token and self.command != "GET":
            raise HcloudError("token_readonly", "token is only allowed to perform GET requests")
        function, match, body, allowed = route_
        if raw is None:
            raise HcloudError("json_error", "no Content-Length", 411)
        if raw and self.headers.get("Content-Type", "").split(";")[0] != "application/json":
            raise HcloudError("json_error", "Content-Type is not application/json", 415)
        p = read_body(body or {}, raw)
        return function(project, p, read_query(allowed, query), *match.groups())

    def _rate(self, project):
        limit = project.settings.rate
        left, at = project.remaining or (limit, project.now())
        left = min(limit, left + (project.now() - at) * limit / 3600)
        project.remaining = (left - 1 if left >= 1 else left, project.now())
        if left < 1:
            raise HcloudError("rate_limit_exceeded", "Limit of requests per hour reached")

    def _send(self, call, status, value, text=None):
        call.outcome = value["error"]["code"] if status >= 400 else call.outcome or "ok"
        left, _ = self.world.remaining or (self.world.settings.rate, 0)
        limits = {"RateLimit_Limit": str(self.world.settings.rate), "RateLimit_Remaining": str(int(left)),
                  "RateLimit_Reset": str(int(self.world.signature_time()) + 1)}  # fmt: skip
        if status == 204:
            self.send_response(204)
            self.end_headers()
            return
        body = json.dumps(value).encode() if text is None else text
        self.answer(status, "application/json; charset=utf-8", body, **limits)


class Hcloud:
    """The server and its project: endpoint, token, project (hold project.lock where that matters), faults, bill, calls,
    settings, advance(seconds), ssh_port; see Fake for what they are."""

    def __init__(self, folder, backend="none", ssh_port=None, **settings):
        self.project = self.world = Project(folder, Sshd(ssh_port) if backend == "sshd" else Nothing(), **settings)
        self.project.clock.start()
        self.api, self.control = HttpServer(HcloudApi, self.project), HttpServer(Control, self.project)
        self.control_url = self.control.url
        self.endpoint, self.token = self.api.url + "/v1", self.project.token
        self.faults, self.bill, self.calls = self.project.faults, self.project.bill, self.project.calls
        self.settings, self.ssh_port = self.project.settings, self.project.backend.ssh_port

    def describe(self):
        """What another program needs to know, as JSON."""
        facts = {"endpoint": self.endpoint, "token": self.token, "control": self.control_url, "ssh_port": self.ssh_port}
        return json.dumps(facts, indent=1) + "\n"

    def actions(self):
        return [call.name for call in self.calls]

    def advance(self, seconds):
        with self.project.lock:
            self.project.clock.advance(seconds)

    def end(self):
        self.api.end()
        self.control.end()
        self.project.clock.end()
        for server in self.project.servers.values():
            server.machine.end(orderly=False)
        assert not self.project.errors, "\n".join(self.project.errors)
