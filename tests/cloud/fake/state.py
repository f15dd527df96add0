"""The account: its settings, its credentials, and everything that is in it."""

import base64
import dataclasses
import hashlib
import json
import pathlib
import random

from . import catalog
from .backends import Nothing
from .bill import Bill
from .clock import Clock
from .errors import ApiError
from .faults import Faults


@dataclasses.dataclass
class Settings:
    """All of it may be changed while the fake runs.  Times are seconds of the account's clock."""

    # How long a change of state takes.
    pending: float = 0.2
    boot: float = 0.1  # from running to an open port
    shutting_down: float = 0.2
    stopping: float = 0.2
    terminated_visible: float = 3600
    creating: float = 0.1
    attaching: float = 0.1
    detaching: float = 0.1
    modifying: float = 0.2
    optimizing: float = 0.5
    snapshotting: float = 0.5
    # For so long after an instance is gone, its security group cannot be deleted.
    interface_lingers: float = 0.2
    # The traps of a store that is only eventually consistent, in looks at a thing.
    hidden_polls: int = 0  # not found right after creation
    stale_attached_polls: int = 0  # still "attached" after a detach
    instances_say_attached: bool = False  # DescribeInstances is ahead of DescribeVolumes
    stuck_attaching: int = 0  # so many attachments stay "attaching" until they are detached
    busy_detaching: bool = False  # detaching stays "busy" unless it is forced
    stuck_shutting_down: bool = False  # until terminated with Force
    # What there is too little of.
    vcpus: int = 32
    instances: int = 20
    storage_gib: int = 50 * 1024
    attachments: int = 27
    no_capacity: list = dataclasses.field(default_factory=list)  # "TYPE", "TYPE:ZONE", "spot", "TYPE:ZONE:spot"
    late_no_capacity: int = 0  # so many launches are accepted, and then fail
    not_offered: list = dataclasses.field(default_factory=lambda: ["is4gen.medium:us-east-1c"])  # "TYPE:ZONE"
    # Requests a second: {action: [bucket, refill]}.
    buckets: dict = dataclasses.field(default_factory=dict)
    deny: list = dataclasses.field(default_factory=list)  # "ec2:RunInstances", "sts:*", …
    default_vpc: bool = True
    ipv6: bool = False  # whether subnets have it; the address is ::1, which only one instance at a time can have
    enforce_ingress: bool = True  # no ssh unless a security group has port 22 open
    page: int = 1000  # the most results in one answer
    not_running_code: str = "IncorrectState"  # or IncorrectInstanceState
    clock_ahead: float = 0  # the server's clock, against ours, in signatures


@dataclasses.dataclass
class Credentials:
    id: str
    secret: str
    arn: str
    user_id: str
    token: str = None
    expires: float = None


class World:
    """`lock` is held by whoever looks or changes."""

    def __init__(self, folder, region="us-east-1", backend=None, clock=None, dice=None, **settings):
        self.folder = pathlib.Path(folder)
        (self.folder / "volumes").mkdir(parents=True, exist_ok=True)
        self.region, self.account = region, "123456789012"
        self.zones = [region + letter for letter in "abc"]
        self.settings = Settings(**settings)
        self.backend = backend or Nothing()
        self.clock = clock or Clock()
        self.lock = self.clock.lock
        self.random = dice or random.SystemRandom()
        self.bill, self.faults = Bill(), Faults()
        self.calls, self.errors = [], []  # what was asked; mistakes of the fake itself
        self.imds = {"role": "instance", "instance-id": "i-0123456789abcdef0", "zone": self.zones[0], "user-data": "",
                     "seconds": 6 * 3600}  # fmt: skip
        self.imds_tokens, self.imds_requests = {}, []
        self.keys, self.roles = {}, {}
        self.identity_tokens = {}  # of another service: which role it is for, whose it is, until when
        self.instances, self.volumes, self.snapshots = {}, {}, {}
        self.key_pairs, self.groups = {}, {}
        self.images = catalog.images()
        self.parameters = catalog.parameters(self.images)
        self.tokens = {}
        self.levels = {}
        self.vpc, self.subnets = None, {}
        self._network()
        # Loopback addresses: one third and fourth byte for each instance, another second byte for each fake.
        self._net = self.random.randrange(1 << 14)
        self._host = 0
        root = f"arn:aws:iam::{self.account}:"
        self.root_key = self.add_key("AKIAIOSFAKE000000001", f"{root}user/dormouse", "AIDAFAKE000000000001")
        self.add_role("backup")
        self.add_role("instance", external_id=None)

    def now(self):
        return self.clock.now()

    def signature_time(self):
        """What the server takes for the time when it checks signatures and credentials: advance() leaves it alone."""
        return self.clock.now() - self.clock.ahead() + self.settings.clock_ahead

    # --- names ---

    def new_id(self, prefix):
        return f"{prefix}-0{self.random.randrange(1 << 64):016x}"

    def addresses(self):
        """A public and a private one; both are loopback, so that they can be reached."""
        self._host += 1
        middle, low = self._net >> 6, (self._net & 63) << 2 | self._host >> 8
        assert self._host < 1024
        return f"127.{64 + middle % 64}.{low}.{self._host & 255}", f"127.{128 + middle % 64}.{low}.{self._host & 255}"

    # --- credentials ---

    def add_key(self, key_id, arn, user_id):
        secret = base64.b64encode(self.random.randbytes(30)).decode()
        key = self.keys[key_id] = Credentials(key_id, secret, arn, user_id)
        return key

    def session(self, arn, user_id, seconds):
        key_id = "ASIA" + "".join(self.random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        key = self.add_key(key_id, arn, user_id)
        # With the signs that must not be lost on the way.
        key.token = "Fake+Token/" + base64.b64encode(self.random.randbytes(120)).decode() + "=="
        key.expires = self.signature_time() + seconds
        return key

    def add_role(self, name, external_id=None, longest=3600):
        arn = f"arn:aws:iam::{self.account}:role/{name}"
        self.roles[arn] = {"name": name, "external_id": external_id, "longest": longest,
                           "id": "AROA" + name.upper().ljust(17, "0")[:17]}  # fmt: skip
        return arn

    def add_identity_token(self, role, subject="system:serviceaccount:backup", seconds=3600):
        token = "fake." + base64.urlsafe_b64encode(self.random.randbytes(90)).decode()
        self.identity_tokens[token] = {"role": role, "subject": subject, "expires": self.signature_time() + seconds}
        return token

    def role_session(self, arn, name, seconds):
        role = self.roles[arn]
        assumed = f"arn:aws:sts::{self.account}:assumed-role/{role['name']}/{name}"
        return self.session(assumed, f"{role['id']}:{name}", seconds)

    def denied(self, service, action):
        return any(one in (f"{service}:{action}", f"{service}:*", "*") for one in self.settings.deny)

    # --- the network ---

    def _network(self):
        self.vpc = {"id": self.new_id("vpc"), "cidr": "172.31.0.0/16", "default": True, "tags": {}}
        for n, zone in enumerate(self.zones):
            subnet = {"id": self.new_id("subnet"), "zone": zone, "cidr": f"172.31.{16 * n}.0/20", "default": True,
                      "public": True, "vpc": self.vpc["id"], "tags": {}}  # fmt: skip
            self.subnets[subnet["id"]] = subnet
        group = Group(self.new_id("sg"), "default", "default VPC security group", self.vpc["id"])
        group.rules.append(
            {"protocol": "-1", "from": None, "to": None, "source": group.id, "kind": "group", "id": self.new_id("sgr")}
        )
        self.groups[group.id] = group

    def add_private_subnet(self, zone):
        """One whose instances get no public address unless they ask."""
        subnet = {"id": self.new_id("subnet"), "zone": zone, "cidr": "172.31.128.0/20", "default": False,
                  "public": False, "vpc": self.vpc["id"], "tags": {}}  # fmt: skip
        self.subnets[subnet["id"]] = subnet
        return subnet["id"]

    # --- what a client sees ---

    def born(self, thing):
        thing.hidden = self.settings.hidden_polls

    @staticmethod
    def seen(thing):
        """False, some times, after it was made."""
        if thing.hidden > 0:
            thing.hidden -= 1
            return False
        return True

    def find(self, table, name, code, what):
        thing = table.get(name)
        if thing is None or thing.gone or not self.seen(thing):
            raise ApiError(code, f"The {what} '{name}' does not exist")
        return thing

    def once(self, action, token, parameters, make):
        """What `make` gave when the same client token came first."""
        if token is None:
            return make()
        if not 1 <= len(token) <= 64 or not token.isascii() or not token.isprintable():
            raise ApiError("InvalidParameterValue", "Invalid client token: at most 64 ASCII characters")
        stamp = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=repr).encode()).hexdigest()
        known = self.tokens.get((action, token))
        if known is None:
            known = self.tokens[action, token] = (stamp, make())
        elif known[0] != stamp:
            raise ApiError("IdempotentParameterMismatch",
                           "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")  # fmt: skip
        return known[1]

    def state(self):
        """For the control port."""
        return {
            "now": self.now(),
            "instances": [{"id": i.id, "state": i.state, "type": i.type, "zone": i.zone, "address": i.public_address,
                           "private_address": i.private_address, "tags": i.tags, "token": i.client_token,
                           "reason": i.reason and i.reason[0], "folder": str(i.machine.folder)}
                          for i in self.instances.values()],
            "volumes": [{"id": v.id, "state": v.state, "size": v.size, "type": v.kind, "zone": v.zone, "tags": v.tags,
                         "instance": v.instance and v.instance.id, "attachment": v.attachment, "path": str(v.path)}
                        for v in self.volumes.values() if not v.gone],
            "leftovers": self.leftovers(),
        }  # fmt: skip

    def guest(self, name, what):
        """Something happens to an instance by itself: poweroff, interrupt, crash."""
        instance = self.instances[name]
        {"poweroff": instance.went_off, "interrupt": instance.interrupt, "crash": instance.crash}[what]()

    def leftovers(self):
        """What somebody pays for, or would have to tidy away: [text]."""
        found = [f"{i.id} {i.state}" for i in self.instances.values() if i.state != "terminated"]
        found += [f"{v.id} {v.state}" for v in self.volumes.values() if not v.gone]
        found += [f"{s.id} {s.state}" for s in self.snapshots.values() if not s.gone]
        found += [f"key pair {k.name}" for k in self.key_pairs.values()]
        return found + [f"security group {g.name}" for g in self.groups.values() if g.name != "default"]


class Thing:
    """Something with an identifier and tags."""

    def __init__(self, thing_id, tags=None):
        self.id, self.tags = thing_id, dict(tags or {})
        self.hidden, self.gone = 0, False


class Group(Thing):
    def __init__(self, group_id, name, description, vpc, tags=None):
        super().__init__(group_id, tags)
        self.name, self.description, self.vpc = name, description, vpc
        self.rules = []
        self.busy_until = 0


class KeyPair(Thing):
    def __init__(self, key_id, name, line, kind, fingerprint, created, tags):
        super().__init__(key_id, tags)
        self.name, self.line, self.kind, self.fingerprint, self.created = name, line, kind, fingerprint, created
