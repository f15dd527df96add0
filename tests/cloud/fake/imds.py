"""What an instance asks about itself: IMDSv2, and the credentials of a container.  Version 1 is refused."""

import json
import secrets

from .server import Handler
from .xml import time_text

LONGEST = 21600
CONTAINER_TOKEN = "Fake container token"


class Imds(Handler):
    """world.imds: {"role", "instance-id", "zone", "user-data", "seconds"}; a role that is None: no credentials."""

    server_version = "EC2ws"

    def _text(self, status, text=""):
        self.answer(status, "text/plain", text.encode())

    def do_PUT(self):
        if self.body() is None or self.path != "/latest/api/token":
            self._text(404)
            return
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= LONGEST:
            self._text(400)
            return
        if "X-Forwarded-For" in self.headers:
            self._text(403)
            return
        token = secrets.token_urlsafe(40) + "=="
        self.world.imds_tokens[token] = self.world.signature_time() + int(ttl)
        self.answer(200, "text/plain", token.encode(), X_Aws_Ec2_Metadata_Token_Ttl_Seconds=ttl)

    def do_GET(self):
        facts = self.world.imds
        with self.world.lock:
            self.world.imds_requests.append(self.path)
        if self.path.startswith("/v2/credentials/"):
            self._container()
            return
        token = self.headers.get("X-aws-ec2-metadata-token", "")
        if self.world.imds_tokens.get(token, 0) <= self.world.signature_time():
            self._text(401)
            return
        base = "/latest/meta-data/iam/security-credentials/"
        role = facts["role"]
        texts = {
            "/latest/meta-data/instance-id": facts["instance-id"],
            "/latest/meta-data/placement/region": self.world.region,
            "/latest/meta-data/placement/availability-zone": facts["zone"],
            "/latest/user-data": facts["user-data"],
            "/latest/meta-data/spot/instance-action": facts.get("spot"),
            base: role, base[:-1]: role,
        }  # fmt: skip
        if role and self.path == base + role:
            self.answer(200, "application/json", json.dumps(self._credentials(role)).encode())
        elif texts.get(self.path):
            self._text(200, texts[self.path])
        else:
            self._text(404)

    def _session(self, role):
        with self.world.lock:
            arn = f"arn:aws:iam::{self.world.account}:role/{role}"
            return self.world.role_session(arn, self.world.imds["instance-id"], self.world.imds["seconds"])

    def _credentials(self, role):
        key = self._session(role)
        return {"Code": "Success", "LastUpdated": time_text(self.world.signature_time())[:19] + "Z", "Type": "AWS-HMAC",
                "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token,
                "Expiration": time_text(key.expires)[:19] + "Z"}  # fmt: skip

    def _container(self):
        if self.headers.get("Authorization") != CONTAINER_TOKEN:
            self._text(401)
            return
        key = (
            self._session(self.path.rpartition("/")[2])
            if self.path.rpartition("/")[2] == self.world.imds["role"]
            else None
        )
        if key is None:
            self._text(404)
            return
        self.answer(200, "application/json", json.dumps({
            "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token, "RoleArn": key.arn,
            "Expiration": time_text(key.expires)[:19] + "Z"}).encode())  # fmt: skip
