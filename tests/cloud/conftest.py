"""A fake cloud for each test, and botocore as a client that is not ours."""

import functools
import http.client
import os
import pathlib
import re
import sys
import time
import urllib.parse

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fake import Fake  # noqa: E402

AWS = "/usr/bin/aws"
# Ubuntu 24.04 has no package of it.
collect_ignore = [] if os.path.exists(AWS) or "ID=ubuntu" not in open("/etc/os-release").read() else ["test_awscli.py"]


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


@functools.cache
def session():
    """One for all: it keeps the model, which takes a second to read."""
    import botocore.session

    return botocore.session.Session()


def client(fake, service="ec2", key=None, **config):
    """A botocore client of the fake, without retries: what a test sees is what the fake said."""
    import botocore.config

    key = key or fake.world.root_key
    config = {"retries": {"max_attempts": 0}, "read_timeout": 20, **config}
    return session().create_client(service, region_name=fake.world.region, endpoint_url=fake.endpoint,
                                   aws_access_key_id=key.id, aws_secret_access_key=key.secret,
                                   aws_session_token=key.token, config=botocore.config.Config(**config))  # fmt: skip


def signed(fake, pairs, service="ec2", key=None, at=None, region=None, headers=None, body=None):
    """A request as botocore would send it, for tests that need one that botocore would not make: (headers, body)."""
    import datetime
    from unittest import mock

    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials

    key = key or fake.world.root_key
    if body is None:
        body = urllib.parse.urlencode(pairs)
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", **(headers or {})}
    request = botocore.awsrequest.AWSRequest("POST", fake.endpoint + "/", headers=headers, data=body)
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key.id, key.secret, key.token), service,
                                     region or fake.world.region)  # fmt: skip
    if at is None:
        signer.add_auth(request)
    else:
        now = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).replace(tzinfo=None)
        # Older and newer ones ask for the time in different ways.
        with (
            mock.patch("botocore.auth.datetime") as fixed,
            mock.patch("botocore.auth.get_current_datetime", lambda: now, create=True),
        ):
            fixed.datetime.utcnow.return_value = now
            signer.add_auth(request)
    return dict(request.headers), body


def post(fake, headers, body, path="/", connection=None):
    """(status, code of the error or None, the whole answer); a header whose value is a list is sent once for each."""
    own = connection is None
    connection = connection or http.client.HTTPConnection("127.0.0.1", fake.api.port, timeout=20)
    connection.putrequest("POST", path, skip_accept_encoding=True, skip_host="Host" in headers)
    for name, value in [*headers.items(), ("Content-Length", str(len(body)))]:
        for one in value if isinstance(value, list) else [value]:
            connection.putheader(name, one)
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    text = answer.read().decode()
    if own:
        connection.close()
    m = re.search(r"<Code>(.*?)</Code>", text) or re.search(r'"__type": "(.*?)"', text)
    return answer.status, m and m.group(1), text


def ask(fake, action, /, service="ec2", connection=None, **parameters):
    """A signed request with parameters as they are on the wire ("Tag.1.Key" may be Tag_1_Key): see post()."""
    version = {"ec2": "2016-11-15", "sts": "2011-06-15"}[service]
    pairs = [("Action", action), ("Version", version), *((k.replace("_", "."), v) for k, v in parameters.items())]
    return post(fake, *signed(fake, pairs, service), connection=connection)


def check_answers(fake):
    """Whatever the fake has answered, botocore's model knows."""
    import aws_model

    wrong = []
    for call in fake.calls:
        if call.outcome == "ok" and call.service in ("ec2", "sts"):
            wrong += aws_model.check_answer(call.service, call.name, call.answer)
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.fixture
def make_fake(tmp_path_factory):
    """Fake(…) with settings; ended after the test, when all its answers are checked against botocore's model."""
    made = []

    def make(backend="none", **settings):
        made.append(Fake(tmp_path_factory.mktemp("aws"), backend=backend, **settings))
        return made[-1]

    yield make
    for fake in made:
        fake.end()
        check_answers(fake)


@pytest.fixture
def fake(make_fake):
    """One whose instances are only entries in a table."""
    return make_fake()


@pytest.fixture
def line(fake):
    """One connection for many requests."""
    connection = http.client.HTTPConnection("127.0.0.1", fake.api.port, timeout=20)
    yield connection
    connection.close()


@pytest.fixture
def ec2(fake):
    return client(fake)


@pytest.fixture
def make(make_fake, tmp_path_factory):
    """A host with a target on a fake cloud of its own: see real.py."""
    import real

    made = []

    def setup(backend="none", **settings):
        settings = {"enforce_ingress": False, **settings}
        made.append(real.Setup(tmp_path_factory.mktemp("e"), make_fake(backend, **settings)))
        return made[-1]

    yield setup
    for one in made:
        one.end()


@pytest.fixture
def make_project(tmp_path_factory):
    """The same at Hetzner Cloud: see hcloud_project.py."""
    from fake.hcloud_api import Hcloud
    from hcloud_project import Project

    made = []

    def project(backend="none", **settings):
        fake = Hcloud(tmp_path_factory.mktemp("hcloud"), backend, **settings)
        made.append(Project(tmp_path_factory.mktemp("h"), fake))
        return made[-1]

    yield project
    for one in made:
        one.end()
        one.fake.end()


@pytest.fixture
def setup(make):
    """One whose machines are real."""
    return make("sshd")
