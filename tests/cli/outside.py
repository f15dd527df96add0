"""Honeycomb and healthchecks as far as `dormouse apply` speaks to them, in one server, and strict: what they would not
take is answered as they do and remembered as a complaint, unless a test expects it."""

import http.server
import json
import re
import socket
import threading
import urllib.parse

from report_sinks import Request, Wrong, must, unique

CONFIG_KEY, API_KEY, PING_KEY = "hcalk_thisIsTheConfigurationKey", "hcw_thisIsTheProjectsApiKey", "thisIsThePingKey"
INGEST_KEY = "hcaik_thisIsTheIngestKey"
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Refused(Exception):
    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


class Honeycomb:
    """One environment.  triggers: SLUG → ID → what it is."""

    def __init__(self):
        self.permissions = {name: True for name in ("events", "triggers", "recipients", "columns", "createDatasets")}
        self.datasets, self.columns, self.recipients, self.triggers = {}, {}, {}, {}
        self.made, self.most_triggers = 0, 100

    def id(self, kind):
        self.made += 1
        return f"{kind}{self.made}"

    def handle(self, request, parts):
        key = request.headers.get("x-honeycomb-team")
        if parts == ["auth"]:
            must(request.method == "GET", "the method")
            if key == INGEST_KEY:
                return 200, {"id": "k", "type": "ingest", "api_key_access": {"events": True}}
            if key != CONFIG_KEY:
                raise Refused(401, "unknown API key - check your credentials")
            return 200, {"id": "k", "type": "configuration", "api_key_access": self.permissions}
        if key != CONFIG_KEY:
            raise Refused(401, "unknown API key - check your credentials")
        what, *rest = parts
        if what in ("columns", "triggers"):
            must(rest and rest[0] in self.datasets, f"there is no dataset {rest}")
        body = None
        if request.method in ("POST", "PUT"):
            must(request.headers["content-type"] == "application/json", "the content type")
            body = json.loads(request.body, object_pairs_hook=unique)
        else:
            must(not request.body, "a body where none belongs")
        needs = {"datasets": "createDatasets", "columns": "columns", "recipients": "recipients",
                 "triggers": "triggers"}[what]  # fmt: skip
        if not self.permissions[needs] and request.method != "GET":
            raise Refused(401, "the key may not do that")
        return self.KINDS[what](self, request.method, rest, body)

    def datasets_list(self):
        return [{"name": name, "slug": slug, "description": "", "regular_columns_count": 0}
                for slug, name in self.datasets.items()]  # fmt: skip

    def make_dataset(self, name):
        slug = re.sub("[^a-z0-9_.]+", "-", name.lower())
        self.datasets[slug] = name
        self.columns.setdefault(slug, {})
        self.triggers.setdefault(slug, {})
        return slug

    def recipients_list(self):
        return [{"id": i, "created_at": "2026-01-01T00:00:00Z", **r} for i, r in self.recipients.items()]


def datasets(self, method, rest, body):
    if method == "GET":
        return 200, self.datasets_list()
    must(method == "POST" and not rest and set(body) <= {"name", "description", "expand_json_depth"}, f"{body}")
    must(isinstance(body["name"], str) and 0 < len(body["name"]) <= 255, "the name")
    must(body["name"] not in self.datasets.values(), "a second dataset of that name")
    return 201, {"name": body["name"], "slug": self.make_dataset(body["name"])}


def columns(self, method, rest, body):
    have = self.columns[rest[0]]
    if method == "GET":
        return 200, [{"id": f"c{n}", "key_name": n, "type": t, "hidden": False} for n, t in have.items()]
    must(method == "POST" and len(rest) == 1 and set(body) <= {"key_name", "type", "hidden", "description"}, f"{body}")
    must(body["type"] in ("string", "float", "integer", "boolean"), "the type")
    must(body["key_name"] not in have, "a second column of that name")
    have[body["key_name"]] = body["type"]
    return 201, {"id": "c", **body}


def recipients(self, method, rest, body):
    if method == "GET":
        return 200, self.recipients_list()
    must(method == "POST" and not rest and set(body) == {"type", "details"} and body["type"] == "email", f"{body}")
    must(set(body["details"]) == {"email_address"} and MAIL.fullmatch(body["details"]["email_address"]), f"{body}")
    if body["details"] in [r["details"] for r in self.recipients.values()]:
        raise Wrong("a second recipient of that address")
    made = self.id("rcp")
    self.recipients[made] = body
    return 201, {"id": made, **body}


def check_query(self, slug, q, frequency):
    must(set(q) <= {"time_range", "calculations", "filters", "filter_combination", "breakdowns", "havings"}, f"{q}")
    must(isinstance(q["time_range"], int) and 0 < q["time_range"] <= 86400, "time_range")
    must(frequency <= q["time_range"] <= 4 * frequency, f"time_range {q['time_range']} for frequency {frequency}")
    (calculation,) = q["calculations"]
    must(calculation == {"op": "COUNT"} and q["filter_combination"] in ("AND", "OR"), f"{q}")
    for f in q["filters"]:
        must(set(f) == {"column", "op", "value"} and f["op"] == "=" and isinstance(f["value"], str), f"{f}")
        must(f["column"] in self.columns[slug], f"unknown column {f['column']}")


def check_trigger(self, slug, t):
    must(set(t) <= {"name", "description", "query", "frequency", "alert_type", "threshold", "disabled", "recipients",
                    "evaluation_schedule_type", "tags"}, f"{t}")  # fmt: skip
    must(0 < len(t["name"]) <= 120 and len(t["description"]) <= 1023, "the name")
    frequency = t["frequency"]
    must(isinstance(frequency, int) and 60 <= frequency <= 86400 and frequency % 60 == 0, f"frequency {frequency}")
    check_query(self, slug, t["query"], frequency)
    must(set(t["threshold"]) == {"op", "value", "exceeded_limit"} and t["threshold"]["op"] in (">", ">=", "<", "<="),
         "the threshold")  # fmt: skip
    must(1 <= t["threshold"]["exceeded_limit"] <= 5 and t["alert_type"] in ("on_change", "on_true"), "when it fires")
    must(t["evaluation_schedule_type"] == "frequency" and t["disabled"] in (True, False), "when it is asked")
    must(t["recipients"], "nobody is told")
    for r in t["recipients"]:
        must(set(r) == {"id"} and r["id"] in self.recipients, f"there is no recipient {r}")
    for tag in t["tags"]:
        must(re.fullmatch("[a-z]{1,32}", tag["key"]) and re.fullmatch("[a-z][a-z0-9/-]{0,127}", tag["value"]), "tags")


def shown_trigger(self, i, t):
    told = [{"id": r["id"], "type": self.recipients[r["id"]]["type"],
             "target": self.recipients[r["id"]]["details"].get("email_address", "#ops")} for r in t["recipients"]]
    return {**t, "id": i, "recipients": told, "triggered": False, "query_id": f"q{i}",
            "query": {**t["query"], "breakdowns": [], "orders": [], "havings": []}}  # fmt: skip


def triggers(self, method, rest, body):
    slug, have = rest[0], self.triggers[rest[0]]
    if method == "GET":
        return 200, [shown_trigger(self, i, t) for i, t in have.items()]
    if method == "POST":
        must(len(rest) == 1, "the address")
        check_trigger(self, slug, body)
        must(body["name"] not in [t["name"] for t in have.values()], "a second trigger of that name")
        if len(have) >= self.most_triggers:
            raise Refused(403, "you have reached the limit of triggers of your plan")
        i = self.id("trg")
    else:
        must(len(rest) == 2, "the address")
        i = rest[1]
        if i not in have:
            raise Refused(404, "Trigger not found.")
        if method == "DELETE":
            del have[i]
            return 204, None
        must(method == "PUT", "the method")
        check_trigger(self, slug, body)
    have[i] = body
    return 200 if method == "PUT" else 201, shown_trigger(self, i, body)


Honeycomb.KINDS = {"datasets": datasets, "columns": columns, "recipients": recipients, "triggers": triggers}


class Healthchecks:
    """One project.  checks: UUID → what it is."""

    def __init__(self):
        self.checks, self.most_checks = {}, 20

    def handle(self, request, parts):
        if request.headers.get("x-api-key") != API_KEY:
            raise Refused(401, "wrong api key")
        query = dict(urllib.parse.parse_qsl(request.query))
        must(request.path.endswith("/checks/") or len(parts) == 1, f"the address {request.target}")
        if request.method == "GET":
            must(not parts and set(query) <= {"slug", "tag"}, "the list")
            return 200, {"checks": [self.shown(u) for u, c in self.checks.items() if c["slug"] == query["slug"]]}
        if request.method == "DELETE":
            if parts[0] not in self.checks:
                raise Refused(404, "not found")
            gone = self.shown(parts[0])
            del self.checks[parts[0]]
            return 200, gone
        must(request.method == "POST" and request.headers["content-type"] == "application/json", "the method")
        body = json.loads(request.body, object_pairs_hook=unique)
        must(set(body) <= {"name", "slug", "tags", "desc", "timeout", "grace", "schedule", "tz", "channels", "unique",
                           "methods", "manual_resume"}, f"{body}")  # fmt: skip
        for what in ("timeout", "grace"):
            must(what not in body or (isinstance(body[what], int) and 60 <= body[what] <= 31536000), what)
        must(re.fullmatch("[a-z0-9_-]*", body.get("slug", "")) and not {"timeout", "schedule"} <= set(body), "the slug")
        if parts:
            if parts[0] not in self.checks:
                raise Refused(404, "not found")
            return 200, self.put(parts[0], body)
        must(set(body.pop("unique", [])) <= {"name", "slug", "tags", "timeout", "grace"}, "unique")
        same = [u for u, c in self.checks.items() if c["slug"] == body["slug"]]
        if same:
            return 200, self.put(same[0], body)
        if len(self.checks) >= self.most_checks:
            raise Refused(403, "")
        return 201, self.put(f"00000000-0000-4000-8000-{len(self.checks):012}", body)

    def put(self, uuid, body):
        check = self.checks.setdefault(uuid, {"name": "", "slug": "", "tags": "", "timeout": 86400, "grace": 3600})
        check.update(body)
        if "timeout" in body:
            check.pop("schedule", None)
        return self.shown(uuid)

    def shown(self, uuid):
        shown = {k: v for k, v in self.checks[uuid].items() if k != "channels"}
        if "schedule" in shown:
            shown.pop("timeout")
        return {**shown, "uuid": uuid, "status": "new", "ping_url": f"https://hc-ping.com/{uuid}"}


class Outside:
    """fault: (nth, kind) of the requests from now on: "500", "429"; "before" and "after" it was done the connection
    ends without an answer; "garbage" in place of what would have been answered; "gone": what is to be taken away has
    just been, by somebody else; "echo": 400, with the address and the key in it."""

    def __init__(self):
        self.honeycomb, self.healthchecks = Honeycomb(), Healthchecks()
        self.complaints, self.seen, self.fault = [], [], None
        outside = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes

            def do_GET(self):
                outside.handle(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def calls(self):
        """What is not only looked at."""
        return [f"{method} {path}" for method, path in self.seen if method != "GET"]

    def act(self, request):
        service, *parts = [urllib.parse.unquote(p) for p in request.path.strip("/").split("/")]
        must(request.headers["user-agent"].startswith("dormouse/"), "the user agent")
        if service == "hc" and parts[:3] == ["api", "v3", "checks"]:
            return self.healthchecks.handle(request, parts[3:])
        must(service == "hny" and parts[0] == "1" and parts[1] in (*Honeycomb.KINDS, "auth"), f"{request.target}")
        return self.honeycomb.handle(request, parts[1:])

    def handle(self, handler):
        request = Request(handler)
        self.seen.append((request.method, request.path))
        nth = self.fault and self.fault[0] == len(self.seen)
        kind = self.fault[1] if nth else None
        if kind == "before":
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            status, body = (int(kind), {"error": "not now"}) if kind in ("500", "429") else self.act(request)
        except Refused as e:
            status, body = e.status, {"error": str(e)}
        except (Wrong, KeyError, ValueError, TypeError, IndexError) as e:
            self.complaints.append(f"{request.method} {request.target}: {e!r}")
            status, body = 400, {"error": "bad request"}
        if kind == "echo":
            key = request.headers.get("x-honeycomb-team", request.headers.get("x-api-key"))
            status, body = 400, {"error": f"cannot {request.target} for {key}"}
        if kind == "gone":
            status, body = 404, {"error": "not found"}
        if kind == "after":
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        text = b"" if body is None else b"<html>" if kind == "garbage" else json.dumps(body).encode()
        handler.send_response(status)
        if status != 204:
            handler.send_header("content-length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
