"""The HTTP side: requests in, signatures checked, faults done, answers out."""

import http.server
import json
import socket
import threading
import time
import traceback
import urllib.parse
import uuid

from . import ec2, ec2_images, ec2_instances, ec2_network, ec2_volumes, pricing, sigv4, sts_ssm, xml  # noqa: F401
from .errors import ApiError

BODY_LIMIT = 1 << 20
FORM = "application/x-www-form-urlencoded"
JSON = "application/x-amz-json-1.1"
NOT_SIGNED = ApiError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
JSON_SERVICES = {"ssm": sts_ssm.ssm, "pricing": pricing.pricing}


class Cut(Exception):
    """The connection ends here."""


class Handler(http.server.BaseHTTPRequestHandler):
    """What the three servers of ours share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    @property
    def world(self):
        return self.server.world

    def date_time_string(self, timestamp=None):
        # Clients correct their clocks by this header.
        return super().date_time_string(self.world.signature_time() if timestamp is None else timestamp)

    def body(self):
        """None where the length is wrong or missing."""
        text = self.headers.get("Content-Length", "0" if self.command in ("GET", "DELETE") else "")
        if not text.isdigit() or int(text) > BODY_LIMIT or "Transfer-Encoding" in self.headers:
            return None
        return self.rfile.read(int(text))

    def answer(self, status, content_type, body, **headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def cut(self):
        """As a network does it: a reset, no answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raise Cut

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (Cut, ConnectionError):
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass


class Api(Handler):
    """EC2, STS and SSM on one port; which one is meant, says the scope of the signature."""

    server_version = "AmazonEC2"
    sys_version = ""

    def do_POST(self):
        request_id = str(uuid.uuid4())
        body = self.body()
        if body is None:
            self.close_connection = True
            self.answer(411, "text/plain", b"length required")
            return
        headers = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        service = sigv4.service_of(headers)
        if "authorization" not in headers and Call(self.world, "sts", self.path, headers, body).name in sts_ssm.UNSIGNED:
            service = "sts"
        if service not in ("ec2", "sts", *JSON_SERVICES):
            # Nothing says whose words to use; EC2's it is.
            self.answer(403, "text/xml;charset=UTF-8", xml.ec2_error(NOT_SIGNED, request_id))
            return
        call = Call(self.world, service, self.path, headers, body)
        with self.world.lock:
            self.world.clock.catch_up()
            faults = self.world.faults.of(call.name)
            self.world.calls.append(call)
        for fault in faults:
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            elif fault.kind == "cut-before":
                call.outcome = "cut before"
                self.cut()
            elif fault.kind == "error":
                call.refused(ApiError(fault.code, fault.message, fault.status), request_id)
                self._send(call, request_id)
                return
        with self.world.lock:
            self.world.clock.catch_up()
            call.execute(request_id)
        for fault in faults:
            if fault.kind == "cut-after":
                call.outcome += ", cut after"
                self.cut()
            elif fault.kind == "garbage":
                call.outcome += ", garbage"
                call.answer = fault.body.encode()
        self._send(call, request_id)

    def do_GET(self):
        error = ApiError("InvalidAction", "Only POST is served here", 405)
        self.answer(405, "text/xml;charset=UTF-8", xml.ec2_error(error, str(uuid.uuid4())))

    def _send(self, call, request_id):
        kind = JSON if call.service in JSON_SERVICES else "text/xml;charset=UTF-8"
        self.answer(call.status, kind, call.answer, x_amzn_RequestId=request_id)


class Call:
    """One request, as the tests see it in world.calls: service, name, parameters (nested only for a person's eye: flat),
    outcome ("ok" or the code of the error)."""

    def __init__(self, world, service, path, headers, body):
        self.world, self.service, self.path, self.headers, self.raw = world, service, path, headers, body
        self.at = time.time()
        self.status, self.answer, self.outcome = 200, b"", ""
        self.pairs, self.malformed = [], None
        if service in JSON_SERVICES:
            self.name = headers.get("x-amz-target", [""])[0].rpartition(".")[2]
        else:
            self._form()
            self.name = self.parameters.get("Action", "")

    def as_json(self):
        return {"service": self.service, "action": self.name, "parameters": self.parameters, "outcome": self.outcome}

    @property
    def parameters(self):
        return dict(self.pairs)

    def _form(self):
        content_type = self.headers.get("content-type", [""])[0].lower().replace(" ", "")
        if content_type not in (FORM, FORM + ";charset=utf-8"):
            return  # whose parameters nobody sees
        try:
            self.pairs = urllib.parse.parse_qsl(self.raw.decode("ascii"), keep_blank_values=True, strict_parsing=True,
                                                errors="strict")  # fmt: skip
        except ValueError:
            self.malformed = ApiError("MalformedQueryString", "The query string contains a syntax error", 400)

    def refused(self, error, request_id):
        self.status, self.outcome = error.status, error.code
        if self.service in JSON_SERVICES:
            self.answer = json.dumps({"__type": error.code, "message": error.message}).encode()
        else:
            self.answer = (xml.ec2_error if self.service == "ec2" else xml.sts_error)(error, request_id)

    def execute(self, request_id):
        try:
            self._execute(request_id)
            self.outcome = "ok"
        except ApiError as e:
            self.refused(e, request_id)

    def _execute(self, request_id):
        world = self.world
        path, _, query = self.path.partition("?")
        if path != "/" or query:
            raise ApiError("InvalidAction", "A request has its parameters in its body, and the path /")
        key = None
        if self.service != "sts" or self.name not in sts_ssm.UNSIGNED:
            key = sigv4.verify("POST", path, query, self.headers, self.raw, self.service, world.region, world.keys,
                               world.signature_time())  # fmt: skip
        if self.malformed:
            raise self.malformed
        self._bucket()
        if self.service == "ec2":
            self.answer = xml.ec2_answer(self.name, ec2.call(world, key, self.pairs), request_id)
        elif self.service == "sts":
            self.answer = xml.sts_answer(self.name, sts_ssm.sts(world, key, self.pairs), request_id)
        else:
            if self.headers.get("content-type", [""])[0] != JSON:
                raise ApiError("UnknownOperationException", "")
            self.answer = json.dumps(
                JSON_SERVICES[self.service](world, key, self.headers.get("x-amz-target", [""])[0], self.raw)
            ).encode()

    def _bucket(self):
        """Throttling: so many requests at once, and so many more a second."""
        limit = self.world.settings.buckets.get(self.name)
        if not limit:
            return
        size, refill = limit
        now = self.world.now()
        level, at = self.world.levels.get(self.name, (size, now))
        level = min(size, level + (now - at) * refill)
        if level < 1:
            self.world.levels[self.name] = (level, now)
            raise ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)
        self.world.levels[self.name] = (level - 1, now)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler, world):
        super().__init__(("127.0.0.1", 0), handler)
        self.world = world
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        # Without the polling of serve_forever: it would make each test wait for its end.
        while True:
            try:
                connection, address = self.get_request()
            except OSError:
                return
            self.process_request(connection, address)

    def handle_error(self, request, client_address):
        self.world.errors.append(traceback.format_exc())

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.server_close()
