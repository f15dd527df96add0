"""A server that is every sink a report block can name, and strict: what it does not know in the form that the service
documents, it answers with 400 and remembers as a complaint."""

import hashlib
import hmac
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading
import urllib.parse

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Wrong(Exception):
    pass


def must(what, why):
    if not what:
        raise Wrong(why)


def unique(pairs):
    must(len(dict(pairs)) == len(pairs), f"a name twice: {pairs}")
    return dict(pairs)


def honeycomb(request):
    must(request.headers["x-honeycomb-team"] == "hcaik_thisIsTheIngestKey", "the key")
    must(request.headers["content-type"] == "application/json", "the content type")
    events = json.loads(request.body, object_pairs_hook=unique)
    must(isinstance(events, list) and 0 < len(events) <= 2000 and len(request.body) < 5_000_000, "the batch")
    for e in events:
        must(set(e) == {"time", "samplerate", "data"} and TIME.fullmatch(e["time"]) and e["samplerate"] == 1, f"{e}")
        data = e["data"]
        must(all(isinstance(v, (str, int, float, bool)) for v in data.values()), f"not flat: {data}")
        must(re.fullmatch("[0-9a-f]{32}", data["trace.trace_id"]), "trace.trace_id")
        must(re.fullmatch("[0-9a-f]{16}", data["trace.span_id"]), "trace.span_id")
        must(data["duration_ms"] >= 0 and len(data) <= 2000 and data["name"], "the event")
    known = {e["data"]["trace.span_id"] for e in events}
    return events, [{"status": 202} for _ in events], known


def otlp(request):
    must(request.headers["content-type"] == "application/json", "the content type")
    must(request.headers["authorization"] == "Bearer otlp-bearer-token", "the token")
    must(request.headers["x-tenant"] == "tenant-header-secret", "the header")
    body = json.loads(request.body, object_pairs_hook=unique)
    if request.path.endswith("/v1/traces"):
        spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        ids = {s["spanId"] for s in spans}
        for s in spans:
            must(re.fullmatch("[0-9a-f]{32}", s["traceId"]) and re.fullmatch("[0-9a-f]{16}", s["spanId"]), "ids")
            must("parentSpanId" not in s or s["parentSpanId"] in ids, "a parent that is not there")
            must(int(s["endTimeUnixNano"]) >= int(s["startTimeUnixNano"]) > 10**18, "the times")
            must(isinstance(s["startTimeUnixNano"], str) and s["kind"] == 1 and s["status"]["code"] in (1, 2), "types")
            for attr in s["attributes"]:
                (kind, value), = attr["value"].items()
                must(isinstance(value, {"stringValue": str, "intValue": str, "doubleValue": float,
                                        "boolValue": bool}[kind]), f"{attr}")  # fmt: skip
    else:
        must(request.path.endswith("/v1/metrics"), "the path")
        for m in body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]:
            (point,) = m["gauge"]["dataPoints"]
            must(isinstance(point["asInt"], str) and int(point["timeUnixNano"]) > 10**18 and m["unit"], f"{m}")
    return body, {"partialSuccess": {}}, None


def healthchecks(request):
    what = re.fullmatch(rf"/hc/aaaaaaaa-0000-4000-8000-00000000000f(/start|/fail|/log)?(\?rid={UUID})?", request.target)
    must(what, f"the address {request.target}")
    must(len(request.body) <= 10000, "the body")
    return (what[1] or "/success", what[2], request.body.decode()), "OK", None


def uptime_kuma(request):
    query = dict(urllib.parse.parse_qsl(request.query, strict_parsing=True))
    must(request.method == "GET" and request.path == "/kuma/api/push/kuma-push-token", "the address")
    must(set(query) <= {"status", "msg", "ping"} and query["status"] in ("up", "down"), "the query")
    must("ping" not in query or float(query["ping"]) >= 0, "the ping")
    return query, {"ok": True}, None


def ntfy(request):
    must(request.path in ("/ntfy", "/ntfy/") and request.headers["authorization"] == "Bearer ntfy-access-token", "who")
    body = json.loads(request.body)
    must(body["topic"] == "ntfy-secret-topic" and 1 <= body["priority"] <= 5 and body["message"], f"{body}")
    must(set(body) <= {"topic", "title", "message", "priority", "tags"}, f"{body}")
    return body, {"id": "x"}, None


def webhook(request):
    want = hmac.new(b"webhook-hmac-secret", request.body, hashlib.sha256).hexdigest()
    must(request.headers["x-dormouse-signature-256"] == f"sha256={want}", "the signature")
    return json.loads(request.body, object_pairs_hook=unique), {}, None


KINDS = {"/honeycomb/1/batch/zfs%20replication": honeycomb, "/otlp/": otlp, "/hc/": healthchecks,
         "/kuma/": uptime_kuma, "/ntfy": ntfy, "/hook/webhook-secret-path": webhook}  # fmt: skip


class Request:
    def __init__(self, handler):
        self.method, self.target = handler.command, handler.path
        self.path, _, self.query = handler.path.partition("?")
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.body = handler.rfile.read(int(self.headers.get("content-length", 0)))


class Sinks:
    """got[KIND]: what was taken, in its order.  answer(KIND) may return (status, body, headers) in place of the usual
    answer, or None; it is asked after the check."""

    def __init__(self, folder):
        self.folder, self.got, self.complaints, self.answer, self.server = folder, {}, [], None, None
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.bodies = []

    def handle(self, handler):
        request = Request(handler)
        self.bodies.append(request.body + request.target.encode())
        status, body, headers = 200, b"", {}
        kind = next((f for prefix, f in KINDS.items() if request.path.startswith(prefix)), None)
        try:
            must(kind, f"nobody has the address {request.target}")
            must(request.method == ("GET" if kind is uptime_kuma else "POST"), "the method")
            must(request.headers["user-agent"].startswith("dormouse/"), "the user agent")
            taken, body, _ = kind(request)
            own = self.answer(kind.__name__, taken) if self.answer else None
            if own:
                status, body, headers = own
            if status == 200:
                self.got.setdefault(kind.__name__, []).append(taken)
        except (Wrong, KeyError, ValueError, TypeError) as e:
            self.complaints.append(f"{request.target}: {e!r}")
            status, body = 400, {"error": "bad request"}
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def start(self, tls=False):
        sinks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes

            def do_POST(self):
                sinks.handle(self)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, address):
                pass  # who does not like our certificate hangs up

        self.server = Server(("127.0.0.1", self.port), Handler)
        if tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem", "-days",
                            "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                           check=True, capture_output=True)  # fmt: skip
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
