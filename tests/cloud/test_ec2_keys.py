"""Keys, regions, addresses and clocks; and what a person has to put right."""

import json
import os
import socket
import ssl
import subprocess
import threading

from real import fails, life, works


def test_refusals(make):
    s = make()
    s.use(image="ami-00000000000000bad")
    e = fails(s)
    assert e["kind"] == "config" and "InvalidAMIID" in e["why"] and "image_id" in e["hint"]
    s.use()
    s.fake.settings.default_vpc = False
    e = fails(s)
    assert e["kind"] == "config" and "subnet_id" in e["hint"]
    s.fake.settings.default_vpc = True
    s.fake.settings.vcpus = 0
    e = fails(s)
    assert e["kind"] == "full" and "Service Quotas" in e["hint"]
    s.fake.settings.vcpus = 32
    s.fake.settings.deny = ["ec2:RunInstances"]
    e = fails(s)
    assert e["kind"] == "denied" and "must allow ec2:RunInstances" in e["hint"]
    s.fake.settings.deny = []
    s.fake.faults.add("*", code="ExpiredToken", message="The security token included in the request is expired", status=400, times=0)
    e = fails(s)
    assert e["kind"] == "denied" and "ExpiredToken" in e["what"] + e["why"] and "get new ones" in e["hint"]
    s.fake.faults.clear()
    e = fails(s, AWS_SECRET_ACCESS_KEY="wrong")
    assert e["kind"] == "denied" and "get-caller-identity" in e["hint"] and "wrong" not in json.dumps(e)
    # Of the request that AWS cites, nothing is told on: the token would be in it.
    assert "\n" not in e["why"] and "content-type" not in e["why"]
    s.use(key='key_name = "of-another-region"')
    e = fails(s)
    assert e["kind"] == "config" and "InvalidKeyPair.NotFound" in e["what"] + e["why"] and "of one region" in e["hint"]
    s.use()
    e = fails(s, AWS_REGION="Nowhere!")
    assert e["kind"] == "config" and "region" in e["why"]
    e = fails(s, AWS_ENDPOINT_URL="http://ec2.example.org")
    assert e["kind"] == "config" and "https://" in e["hint"]
    e = fails(s, AWS_ENDPOINT_URL="http://127.0.0.1:9", timeout=3)
    assert e["kind"] in ("net", "timeout") and "hint" in e
    assert s.alive() == []


def no_keys(setup, **more):
    setup.env = {k: v for k, v in setup.env.items() if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    setup.env.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=str(setup.folder / "config"),
                     AWS_SHARED_CREDENTIALS_FILE=str(setup.folder / "credentials"), **more)  # fmt: skip
    return setup.fake.world.root_key


def test_files_and_roles(make):
    s = make()
    key = no_keys(s)
    e = fails(s)
    assert e["kind"] == "denied" and "there are no keys for AWS" in e["why"]
    (s.folder / "credentials").write_text(f"[base]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n")
    role = f"arn:aws:iam::{s.fake.world.account}:role/backup"
    (s.folder / "config").write_text(
        f"[profile one]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = night\n"
        f"[profile program]\ncredential_process = sh -c 'cat \"{s.folder}/keys.json\"'\n"
        "[profile bad]\nsource_profile = none\nrole_arn = x\n[profile sso]\nsso_start_url = https://x\n"
        "[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\nsource_profile = a\n")  # fmt: skip
    (s.folder / "keys.json").write_text(json.dumps({"Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret}))
    for profile in ("base", "one", "program"):
        life(s, AWS_PROFILE=profile)
    assert [c.parameters["RoleSessionName"] for c in s.fake.calls if c.name == "AssumeRole"][0] == "night"
    # One that the block names is meant whatever the environment has.
    s.use('  profile = "base"')
    life(s, AWS_ACCESS_KEY_ID="AKIAWRONG", AWS_SECRET_ACCESS_KEY="wrong")
    s.use()
    for profile, text in (("none", "no profile 'none'"), ("bad", "is not there"), ("sso", "export-credentials"),
                          ("a", "without end")):  # fmt: skip
        e = fails(s, AWS_PROFILE=profile)
        assert text in e["what"] + e["why"] + e["hint"]
    (s.folder / "config").write_text("nonsense secret\n")
    e = fails(s)
    assert "line 1 of" in e["why"] and "secret" not in json.dumps(e)


def test_tokens_of_another_service(make):
    """As a cluster or a CI hands them out: in a file, which is read anew, for a role."""
    s = make()
    no_keys(s)
    world, file = s.fake.world, s.folder / "token"
    role = f"arn:aws:iam::{world.account}:role/backup"
    file.write_text(world.add_identity_token(role) + "\n")
    life(s, AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=str(file))
    assert [c.parameters["RoleSessionName"] for c in s.fake.calls if c.service == "sts"][0] == "dormouse"
    (s.folder / "config").write_text(
        f"[profile cluster]\nrole_arn = {role}\nrole_session_name = night\nweb_identity_token_file = {file}\n")
    life(s, AWS_PROFILE="cluster")
    assert [c.parameters["RoleSessionName"] for c in s.fake.calls if c.service == "sts"][-1] == "night"
    # One who asks for a profile means it, whatever the environment has.
    s.use('  profile = "cluster"')
    life(s, AWS_ROLE_ARN="arn:aws:iam::1:role/other", AWS_WEB_IDENTITY_TOKEN_FILE="/nowhere")
    s.use()
    secret = file.read_text().strip()
    for text, role_asked, why in (
        (secret, f"arn:aws:iam::{world.account}:role/other", "AccessDenied"), ("fake.unknown", role, "InvalidIdentityToken"),
        (world.add_identity_token(role, seconds=-1), role, "Expired"),
    ):  # fmt: skip
        file.write_text(text)
        e = fails(s, AWS_ROLE_ARN=role_asked, AWS_WEB_IDENTITY_TOKEN_FILE=str(file))
        assert "by the token in" in e["why"] and why in e["why"] and text not in json.dumps(e), e
        assert why != "AccessDenied" or "trust policy" in e["hint"]
    e = fails(s, AWS_WEB_IDENTITY_TOKEN_FILE=str(file))
    assert e["kind"] == "config" and "AWS_ROLE_ARN is not" in e["what"] + e["why"]
    file.unlink()
    e = fails(s, AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=str(file))
    assert "cannot read the token" in e["what"] + e["why"]
    assert s.alive() == []


def test_region_and_endpoint(make):
    """By the profile, where the environment says neither."""
    s = make()
    key = no_keys(s)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        s.env.pop(name)
    (s.folder / "config").write_text(
        f"[default]\nregion = {s.fake.world.region}\nservices = here\naws_access_key_id = {key.id}\n"
        f"aws_secret_access_key = {key.secret}\n[services here]\nec2 =\n  endpoint_url = {s.fake.endpoint}\n"
        "[profile other]\nregion = eu-central-1\nendpoint_url = http://127.0.0.1:9\n")  # fmt: skip
    life(s)
    life(s, AWS_ENDPOINT_URL_EC2=s.fake.endpoint, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    s.use(f'  region = "us-east-1"\n  endpoint = "{s.fake.endpoint}"')
    life(s, AWS_REGION="eu-central-1", AWS_ENDPOINT_URL_EC2="http://127.0.0.1:9")
    s.use()
    s.fake.settings.deny = []
    e = fails(s, AWS_REGION="eu-central-1")
    assert e["kind"] == "denied"  # another region's signature


def test_machine_and_container(make):
    s = make()
    no_keys(s)
    s.env["AWS_EC2_METADATA_DISABLED"] = "false"
    s.env.pop("AWS_REGION"), s.env.pop("AWS_DEFAULT_REGION")
    life(s)
    s.env.update(AWS_EC2_METADATA_DISABLED="true", AWS_REGION="us-east-1", AWS_CONTAINER_AUTHORIZATION_TOKEN="Fake container token",
                 AWS_CONTAINER_CREDENTIALS_FULL_URI=s.fake.imds_url + "/v2/credentials/instance")  # fmt: skip
    life(s)
    e = fails(s, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://example.org/x")
    assert e["kind"] == "config"


def test_keys_that_expire(make):
    """They are told to be good, and are not: new ones, once."""
    s = make()
    key = no_keys(s)
    count = s.folder / "count"
    program = s.folder / "program"
    program.write_text(f"#!/bin/sh\nprintf x >>'{count}'\ncat '{s.folder}/keys.json'\n")
    program.chmod(0o755)
    (s.folder / "config").write_text(f"[default]\ncredential_process = {program}\n")
    (s.folder / "keys.json").write_text(json.dumps({"Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret}))
    s.fake.faults.add("RunInstances", code="RequestExpired", message="x", status=400)
    s.fake.faults.add("DescribeInstances", code="ExpiredToken", message="x", status=400)
    works(s)
    assert len(count.read_text()) == 4  # the check, the start, and again for each


def test_clock(make):
    """A clock that is wrong is put right once, by what the other side says."""
    s = make()
    for ahead, outcome in ((3600, "RequestExpired"), (-3600, "AuthFailure")):
        s.fake.settings.clock_ahead = ahead
        del s.fake.calls[:]
        token = os.urandom(16).hex()
        works(s, token=token)
        assert [c.outcome for c in s.fake.calls if c.outcome != "ok"] == [outcome]
        works(s, "stop", token=token)


class Tls:
    """What is in front of the fake, for a client that believes its certificate."""

    def __init__(self, folder, port):
        self.certificate, key = folder / "tls.pem", folder / "tls.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                        self.certificate], check=True, capture_output=True)  # fmt: skip
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.behind, self.listener = port, socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain = self.listener.accept()[0]
            except OSError:
                return
            try:
                front = self.context.wrap_socket(plain, server_side=True)
            except OSError:
                continue
            back = socket.create_connection(("127.0.0.1", self.behind))
            for x, y in ((front, back), (back, front)):
                threading.Thread(target=self.copy, args=(x, y), daemon=True).start()

    @staticmethod
    def copy(x, y):
        try:
            while data := x.recv(65536):
                y.sendall(data)
            y.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_tls(make, make_project):
    s = make()
    tls = Tls(s.folder, s.fake.api.port)
    s.use(f'  endpoint = "{tls.url}"')
    e = fails(s)
    assert e["kind"] == "denied" and "certificate" in e["why"] and "in between" in e["hint"]
    assert "AWS_CA_BUNDLE names its certificate" in e["hint"]
    # It is no matter of another cloud.
    e = fails(make_project(), HCLOUD_ENDPOINT=tls.url)
    assert e["kind"] == "denied" and "in between" in e["hint"] and "AWS" not in e["hint"]
    life(s, AWS_CA_BUNDLE=str(tls.certificate))
    tls.listener.shutdown(socket.SHUT_RDWR)
