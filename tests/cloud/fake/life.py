"""Instances and volumes, and what becomes of them in time."""

import os

from . import catalog
from .state import Thing

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
USES_VCPUS = ("pending", "running", "stopping")


class Instance(Thing):
    """pending → running → (stopping → stopped → pending) → shutting-down → terminated"""

    def __init__(self, world, **facts):
        super().__init__(world.new_id("i"), facts.pop("tags"))
        self.world = world
        self.image = self.type = self.zone = self.subnet = self.client_token = self.user_data = self.key_name = None
        self.groups, self.on_shutdown, self.spot, self.public, self.ipv6 = [], "stop", False, True, False
        self.profile = self.credits = self.interface_tags = None
        self.metadata, self.root_device = {}, None
        self.__dict__.update(facts)
        self.reservation = world.new_id("r")
        self.interface = world.new_id("eni")
        self.state, self.reason, self.launched = "pending", None, world.now()
        self.public_address, self.private_address = None, None
        self.turn = 0  # of power: what was planned for an earlier one is void
        key = world.key_pairs.get(self.key_name)
        self.addresses = world.addresses()
        listening = [*self.addresses, "::1"] if self.ipv6 else self.addresses
        self.guest = {"instance_id": self.id, "addresses": listening, "system": self.image.system,
                      "key_race": self.image.key_race, "public_keys": [key.line] if key else [],
                      "user_data": self.user_data, "reachable": False, "root_login": False}  # fmt: skip
        self.machine = world.backend.machine(world.folder / self.id, self.guest, self.went_off)
        world.born(self)

    def _later(self, seconds, what):
        turn = self.turn

        def go():
            if self.turn == turn:
                what()

        self.world.clock.later(seconds, go)

    def _next_turn(self):
        self.turn += 1

    def start(self):
        self._next_turn()
        self.state, self.reason = "pending", None
        self.launched = self.world.now()
        self.private_address = self.addresses[1]
        late = self.world.settings.late_no_capacity
        if late > 0:
            self.world.settings.late_no_capacity = late - 1
            why = (
                "Server.InsufficientInstanceCapacity",
                "Server.InsufficientInstanceCapacity: Insufficient capacity to satisfy instance request",
            )
            self._later(self.world.settings.pending, lambda: self._terminated(why))
            return
        self._later(self.world.settings.pending, self._running)

    def _running(self):
        world = self.world
        self.state = "running"
        if self.public:
            self.public_address = self.addresses[0]
        kind = catalog.TYPES[self.type]
        now = world.now()
        price = kind.hour * (catalog.SPOT_FACTOR if self.spot else 1) / catalog.HOUR
        world.bill.open(f"{self.type}{' spot' if self.spot else ''}", self.id, now, price)
        if self.public_address:
            world.bill.open("public IPv4", self.id, now, catalog.PUBLIC_IPV4_HOUR / catalog.HOUR)
        self._later(world.settings.boot, self._boot)

    def _boot(self):
        world = self.world
        rules = [rule for group in self.groups for rule in world.groups[group].rules if rule["kind"] != "group"]
        # Its sshd is at another port; who opens either one means it.
        ports = (22, world.backend.ssh_port)
        opened = any(r["protocol"] == "-1" or (r["protocol"] == "tcp" and any(r["from"] <= port <= r["to"] for port in ports))
                     for r in rules)  # fmt: skip
        self.guest["reachable"] = opened or not world.settings.enforce_ingress
        self.machine.boot()

    def _off(self, orderly):
        self._next_turn()
        self.world.bill.close(self.id, self.world.now())
        self.machine.end(orderly)
        self.public_address = None

    def terminate(self, reason, orderly=True, force=False):
        if self.state == "terminated" or (self.state == "shutting-down" and not force):
            return
        self._off(orderly)
        self.state, self.reason = "shutting-down", reason
        if self.world.settings.stuck_shutting_down and not force:
            return
        self._when_off(self.world.settings.shutting_down, lambda: self._terminated(reason))

    def _when_off(self, seconds, what):
        """In so many seconds at the earliest, but not before the machine itself is off."""
        self._later(seconds, lambda: what() if self.machine.is_off() else self._when_off(0.2, what))

    def _terminated(self, reason):
        world = self.world
        self._next_turn()
        self.state, self.reason, self.private_address = "terminated", reason, None
        for group in self.groups:
            world.groups[group].busy_until = world.now() + world.settings.interface_lingers
        for volume in list(world.volumes.values()):
            if volume.instance is self:
                dies = volume.delete_on_termination
                volume.detached()
                if dies:
                    volume.delete()
        self._later(world.settings.terminated_visible, self._forgotten)

    def _forgotten(self):
        self.gone = True

    def stop(self, reason):
        if self.state != "running":
            return
        self._off(True)
        self.state, self.reason = "stopping", reason
        self._when_off(self.world.settings.stopping, self._stopped)

    def _stopped(self):
        self.state = "stopped"

    def went_off(self):
        """The guest switched itself off."""
        with self.world.lock:
            if self.state != "running":
                return
            reason = (
                "Client.InstanceInitiatedShutdown",
                "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
            )
            self.terminate(reason) if self.on_shutdown == "terminate" else self.stop(reason)

    def interrupt(self):
        """The provider takes a spot instance back."""
        self.terminate(
            ("Server.SpotInstanceTermination", "Server.SpotInstanceTermination: Instance terminated by the provider")
        )

    def crash(self):
        """It vanishes, as after a fault of its host."""
        self.terminate(("Server.InternalError", "Server.InternalError: Internal error on launch"), orderly=False)

    def volumes(self):
        return [v for v in self.world.volumes.values() if v.instance is self]


class Volume(Thing):
    """creating → available ⇄ in-use; its file is there from the beginning, and has its size."""

    def __init__(self, world, size, kind, zone, tags=None, snapshot=None, **facts):
        super().__init__(world.new_id("vol"), tags)
        self.serial = self.id.replace("-", "")
        self.world, self.size, self.kind, self.zone, self.snapshot = world, size, kind, zone, snapshot
        shape = catalog.VOLUME_TYPES[kind]
        self.iops = facts.pop("iops", None) or (shape.iops and shape.iops[2])
        self.throughput = facts.pop("throughput", None) or (shape.throughput and shape.throughput[2])
        self.encrypted = facts.pop("encrypted", False)
        self.created, self.state = world.now(), "creating"
        self.instance = self.device = self.attachment = self.attached_at = None
        self.delete_on_termination = False
        self.stale = self.turn = 0
        self.modifications = []
        self.path = world.folder / "volumes" / f"{self.id}.raw"
        with open(self.path, "wb") as f:
            f.truncate(size * catalog.GIB)
        if snapshot and snapshot.path.exists():
            with open(snapshot.path, "rb") as source, open(self.path, "r+b") as f:
                _copy_sparse(source, f)
        world.volumes[self.id] = self
        self._meter()
        world.born(self)
        world.clock.later(world.settings.creating, self._available)

    def _available(self):
        if self.state == "creating":
            self.state = "available"

    def _meter(self):
        shape, now = catalog.VOLUME_TYPES[self.kind], self.world.now()
        self.world.bill.close(self.id, now)
        month = shape.month * self.size
        if self.kind == "gp3":
            month += 0.005 * max(0, self.iops - 3000) + 0.04 * max(0, self.throughput - 125)
        elif self.iops:
            month += 0.065 * self.iops
        self.world.bill.open(f"{self.size} GiB {self.kind}", self.id, now, month / catalog.MONTH)

    def attach_at_launch(self, instance, device, dies):
        self.turn += 1
        self.instance, self.device, self.delete_on_termination = instance, device, dies
        self.state, self.attachment, self.attached_at = "in-use", "attached", self.world.now()

    def attach(self, instance, device):
        self.instance, self.device, self.delete_on_termination = instance, device, False
        self.state, self.attachment, self.attached_at = "in-use", "attaching", self.world.now()
        self.stale = 0
        if self.world.settings.stuck_attaching > 0:
            self.world.settings.stuck_attaching -= 1
            return
        self._later(self.world.settings.attaching, self._attached)

    def _later(self, seconds, what):
        """Unless it is attached or detached in another way before."""
        self.turn += 1
        turn = self.turn

        def go():
            if self.turn == turn:
                what()

        self.world.clock.later(seconds, go)

    def _attached(self):
        if self.instance.state in ("running", "stopped"):
            self.attachment = "attached"
            self.instance.machine.attach(self.serial, self.path)

    def detach(self, force):
        if self.world.settings.busy_detaching and not force and self.attachment == "attached":
            self.attachment = "busy"
            return
        self.attachment = "detaching"
        self.stale = self.world.settings.stale_attached_polls
        self._later(self.world.settings.detaching, self.detached)

    def detached(self):
        self.turn += 1
        self.instance.machine.detach(self.serial)
        self.state, self.instance, self.device, self.attachment, self.attached_at = "available", None, None, None, None

    def delete(self):
        self.world.bill.close(self.id, self.world.now())
        self.gone, self.state = True, "deleted"
        os.unlink(self.path)

    def modify(self, size, kind, iops, throughput):
        world = self.world
        change = {"state": "modifying", "started": world.now(), "ended": None, "progress": 0,
                  "from": (self.size, self.kind, self.iops, self.throughput), "to": (size, kind, iops, throughput)}  # fmt: skip
        self.modifications.append(change)

        def optimizing():
            if self.gone:
                return
            self.size, self.kind, self.iops, self.throughput = change["to"]
            os.truncate(self.path, size * catalog.GIB)
            self._meter()
            if self.instance:
                self.instance.machine.resize(self.serial)
            change.update(state="optimizing", progress=50)
            world.clock.later(world.settings.optimizing, completed)

        def completed():
            change.update(state="completed", progress=100, ended=world.now())

        world.clock.later(world.settings.modifying, optimizing)
        return change


class Snapshot(Thing):
    """pending → completed; of the volume as it is at the call."""

    def __init__(self, world, volume, description, tags):
        super().__init__(world.new_id("snap"), tags)
        self.world, self.volume_id, self.size, self.description = world, volume.id, volume.size, description
        self.encrypted = volume.encrypted
        self.created, self.state = world.now(), "pending"
        self.path = world.folder / "volumes" / f"{self.id}.raw"
        with open(volume.path, "rb") as source, open(self.path, "wb") as f:
            f.truncate(volume.size * catalog.GIB)
            used = _copy_sparse(source, f)
        world.snapshots[self.id] = self
        world.bill.open("snapshot", self.id, world.now(), used / catalog.GIB * catalog.SNAPSHOT_MONTH / catalog.MONTH)
        world.clock.later(world.settings.snapshotting, self._completed)

    def _completed(self):
        self.state = "completed"

    def delete(self):
        self.world.bill.close(self.id, self.world.now())
        self.gone = True
        os.unlink(self.path)


def _copy_sparse(source, target):
    """The used parts of one file into another one of at least that size; the result is their length."""
    total, at = 0, 0
    end = os.fstat(source.fileno()).st_size
    while at < end:
        try:
            at = os.lseek(source.fileno(), at, os.SEEK_DATA)
        except OSError:
            break
        hole = os.lseek(source.fileno(), at, os.SEEK_HOLE)
        source.seek(at)
        target.seek(at)
        left = hole - at
        while left:
            piece = source.read(min(left, 1 << 20))
            target.write(piece)
            left -= len(piece)
        total += hole - at
        at = hole
    return total
