"""A fake cloud for each test, and botocore as a client that is not ours."""

import pathlib
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fake import Fake  # noqa: E402


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def client(fake, service="ec2", key=None, **config):
    """A botocore client of the fake, without retries: what a test sees is what the fake said."""
    import botocore.config
    import botocore.session

    key = key or fake.world.root_key
    session = botocore.session.Session()
    session.set_credentials(key.id, key.secret, key.token)
    config = {"retries": {"max_attempts": 0}, "read_timeout": 20, **config}
    return session.create_client(service, region_name=fake.world.region, endpoint_url=fake.endpoint,
                                 config=botocore.config.Config(**config))  # fmt: skip


@pytest.fixture
def make_fake(tmp_path_factory):
    """Fake(…) with settings; ended after the test."""
    made = []

    def make(backend="none", **settings):
        made.append(Fake(tmp_path_factory.mktemp("aws"), backend=backend, **settings))
        return made[-1]

    yield make
    for fake in made:
        fake.end()


@pytest.fixture
def fake(make_fake):
    """One whose instances are only entries in a table."""
    return make_fake()


@pytest.fixture
def ec2(fake):
    return client(fake)
