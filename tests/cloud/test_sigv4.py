"""Our signatures and those of botocore, for the same random requests."""

import datetime
import json
import os
import pathlib
import random
import subprocess
import types

import botocore.auth
import botocore.awsrequest
import botocore.credentials

DORMOUSE = pathlib.Path(os.environ["DORMOUSE"])
SIGN = DORMOUSE.parent / "tests" / "unit" / "sign_aws"
SEED = int(os.environ.get("SIGV4_SEED", "6"))
LETTERS = "abcXYZ019-._~ +%&=:;,'\"\\|\täß€𝄞"
HOSTS = ["ec2.us-west-2.amazonaws.com", "sts.eu-central-1.amazonaws.com", "localhost:8773"]


def text(dice, letters, least, most):
    return "".join(dice.choice(letters) for _ in range(dice.randint(least, most)))


def request(dice):
    plain = "abcdefghijklmnopqrstuvwxyz0123456789"
    headers = {"host": dice.choice(HOSTS), "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    for _ in range(dice.randint(0, 4)):
        headers["x-" + text(dice, plain + "-", 1, 8)] = text(dice, plain + " ,;=", 0, 20) + "."
    return {
        "id": "AKIA" + text(dice, plain.upper(), 16, 16), "secret": text(dice, plain + "+/", 1, 80),
        "session": dice.choice([None, text(dice, plain + "+/=", 1, 400)]),
        "region": dice.choice(["us-east-1", "eu-central-1", "cn-north-1"]), "service": dice.choice(["ec2", "sts", "ssm"]),
        "at": dice.randint(0, 4102444800), "method": dice.choice(["POST", "GET"]),
        "path": "/" + dice.choice(["", "services/Cloud", "a%20b/c~d"]), "headers": headers, "body": text(dice, LETTERS, 0, 300),
    }  # fmt: skip


def by_botocore(r, monkeypatch):
    at = datetime.datetime.fromtimestamp(r["at"], datetime.timezone.utc).replace(tzinfo=None)

    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return at

    # Older and newer ones ask for the time in different ways.
    monkeypatch.setattr(botocore.auth, "datetime", types.SimpleNamespace(datetime=Clock))
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: at, raising=False)
    keys = botocore.credentials.Credentials(r["id"], r["secret"], r["session"])
    made = botocore.awsrequest.AWSRequest(r["method"], f"https://{r['headers']['host']}{r['path']}", dict(r["headers"]),
                                          r["body"].encode())  # fmt: skip
    botocore.auth.SigV4Auth(keys, r["service"], r["region"]).add_auth(made)
    return made.headers["Authorization"]


def test_as_botocore(monkeypatch):
    dice = random.Random(SEED)
    requests = [request(dice) for _ in range(300)]
    lines = "".join(json.dumps({k: v for k, v in r.items() if v is not None}) + "\n" for r in requests)
    done = subprocess.run([SIGN], input=lines, capture_output=True, text=True, check=True)
    ours = done.stdout.splitlines()
    assert len(ours) == len(requests)
    for r, signed in zip(requests, ours):
        assert signed == by_botocore(r, monkeypatch), f"SIGV4_SEED={SEED}: {r}"
