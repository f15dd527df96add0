"""A strict fake of the parts of AWS that dormouse uses, whose instances are real."""

import json
import os
import pathlib

from .backends import Nothing, Sshd
from .control import Control
from .imds import CONTAINER_TOKEN, Imds
from .qemu import Qemu
from .server import Api, Server
from .state import World

__all__ = ["BACKENDS", "Fake"]

BACKENDS = {"none": Nothing, "sshd": Sshd, "qemu": Qemu}


class Fake:
    """The three servers and the account behind them.

    endpoint, imds_url, control_url: where they are.   world: the account (hold world.lock where that matters).
    env(): what a client needs in its environment.   ssh_port: where its instances listen.
    faults.add("RunInstances", kind="cut-after"), bill, calls: see faults.py, bill.py, server.Call.
    settings: state.Settings; the same names are keyword arguments here.   advance(seconds): the account's clock."""

    def __init__(self, folder, region="us-east-1", backend="none", ssh_port=None, **settings):
        self.folder = pathlib.Path(folder)
        maker = BACKENDS[backend]
        self.world = World(self.folder, region, maker() if backend == "none" else maker(ssh_port), **settings)
        self.world.clock.start()
        self.api, self.imds, self.control = (Server(h, self.world) for h in (Api, Imds, Control))
        self.endpoint, self.imds_url, self.control_url = self.api.url, self.imds.url, self.control.url

    @property
    def settings(self):
        return self.world.settings

    @property
    def faults(self):
        return self.world.faults

    @property
    def bill(self):
        return self.world.bill

    @property
    def calls(self):
        return self.world.calls

    @property
    def ssh_port(self):
        return self.world.backend.ssh_port

    def advance(self, seconds):
        with self.world.lock:
            self.world.clock.advance(seconds)

    def usd(self):
        return self.bill.total(self.world.now())

    def actions(self):
        """The names of the calls so far."""
        return [call.name for call in self.calls]

    def env(self, key=None, **more):
        """A clean environment for a client: only our credentials, no files of the user's."""
        key = key or self.world.root_key
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env.update(AWS_ACCESS_KEY_ID=key.id, AWS_SECRET_ACCESS_KEY=key.secret, AWS_REGION=self.world.region,
                   AWS_DEFAULT_REGION=self.world.region, AWS_ENDPOINT_URL=self.endpoint,
                   AWS_EC2_METADATA_SERVICE_ENDPOINT=self.imds_url, AWS_CONFIG_FILE="/dev/null",
                   AWS_SHARED_CREDENTIALS_FILE="/dev/null")  # fmt: skip
        if key.token:
            env["AWS_SESSION_TOKEN"] = key.token
        env.update(more)
        return env

    def describe(self):
        """What another program needs to know, as JSON."""
        key = self.world.root_key
        return json.dumps({"endpoint": self.endpoint, "imds": self.imds_url, "control": self.control_url,
                           "region": self.world.region, "access_key_id": key.id, "secret_access_key": key.secret,
                           "ssh_port": self.ssh_port, "container_token": CONTAINER_TOKEN}, indent=1) + "\n"  # fmt: skip

    def end(self):
        """Everything that runs ends; a mistake of the fake itself is an AssertionError."""
        for server in (self.api, self.imds, self.control):
            server.end()
        self.world.clock.end()
        for instance in self.world.instances.values():
            instance.machine.end(orderly=False)
        assert not self.world.errors, "\n".join(self.world.errors)
