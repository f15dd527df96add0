"""A project of Hetzner Cloud: what is in it, and what becomes of it in time."""

import base64
import dataclasses
import os
import pathlib
import time

from . import catalog
from .backends import Nothing
from .bill import Bill
from .clock import Clock
from .faults import Faults

RATE = 3600


@dataclasses.dataclass
class HcloudSettings:
    """Times are seconds of the project's clock."""

    creating: float = 0.2
    starting: float = 0.2
    stopping: float = 0.2
    deleting: float = 0.2
    attaching: float = 0.1
    detaching: float = 0.1
    volume: float = 0.1
    resizing: float = 0.1
    ruling: float = 0.1
    boot: float = 0.1
    servers: int = 10
    volumes: int = 10
    no_capacity: list = dataclasses.field(default_factory=list)  # "cx22", "cx22:fsn1"
    failing: list = dataclasses.field(default_factory=list)  # commands whose action ends in an error
    rate: int = RATE


# EUR an hour or a month, without tax; for arithmetic, not for quoting.
TYPES = {
    "cx22": (1, 2, 4, 40, "x86", 0.006),
    "cpx11": (22, 2, 2, 40, "x86", 0.007),
    "cax11": (45, 2, 4, 40, "arm", 0.006),
}
IPV4_HOUR, VOLUME_MONTH = 0.0008, 0.044
LOCATIONS = {"fsn1": (1, "Falkenstein DC Park 1", "DE", "Falkenstein", "eu-central"),
             "nbg1": (2, "Nuremberg DC Park 1", "DE", "Nuremberg", "eu-central"),
             "ash": (4, "Ashburn, VA", "US", "Ashburn, VA", "us-east")}  # fmt: skip
IMAGES = [(161547269, "ubuntu-24.04", "ubuntu", "24.04", "x86"), (161547270, "ubuntu-24.04", "ubuntu", "24.04", "arm"),
          (308205181, "debian-13", "debian", "13", "x86"), (308205182, "debian-13", "debian", "13", "arm")]  # fmt: skip


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds)) if seconds is not None else None


class Project:
    """Everything in one project.  `lock` is held by whoever looks or changes."""

    def __init__(self, folder, backend=None, **settings):
        self.folder = pathlib.Path(folder)
        (self.folder / "volumes").mkdir(parents=True, exist_ok=True)
        self.settings, self.backend = HcloudSettings(**settings), backend or Nothing()
        self.clock = Clock()
        self.lock = self.clock.lock
        self.bill, self.faults = Bill(), Faults()
        self.calls, self.errors = [], []
        seed = base64.b32encode(os.urandom(40)).decode()
        self.token, self.readonly_token = seed, seed[::-1]
        self.remaining = None
        self._next, self._host, self._net = 1000000 + os.urandom(1)[0], 0, os.urandom(2)
        self.servers, self.volumes, self.keys, self.firewalls, self.actions = {}, {}, {}, {}, {}

    def now(self):
        return self.clock.now()

    def signature_time(self):
        return self.now() - self.clock.ahead()

    def new_id(self):
        self._next += 1
        return self._next

    def address(self):
        self._host += 1
        return f"127.{32 + self._net[0] % 32}.{self._net[1]}.{self._host}"

    def state(self):
        """For the control port."""
        return {
            "now": self.now(),
            "servers": [s.as_json() for s in self.servers.values()],
            "volumes": [{**v.as_json(), "path": str(v.path)} for v in self.volumes.values()],
            "leftovers": self.leftovers(),
        }

    def guest(self, name, what):
        """Something happens to a server by itself: poweroff."""
        {"poweroff": self.servers[int(name)].went_off}[what]()

    def leftovers(self):
        return [f"server {s.name}" for s in self.servers.values()] + [f"volume {v.name}" for v in self.volumes.values()] \
            + [f"ssh key {k['name']}" for k in self.keys.values()] \
            + [f"firewall {w.name}" for w in self.firewalls.values()]  # fmt: skip

    # --- actions ---

    def act(self, command, things, seconds, then):
        """An action that is running now; `then` is done at its end, unless it is one that fails."""
        action = {"id": self.new_id(), "command": command, "status": "running", "progress": 0, "started": stamp(self.now()),
                  "finished": None, "resources": [{"id": t.id, "type": t.kind} for t in things], "error": None}  # fmt: skip
        self.actions[action["id"]] = action
        for thing in things:
            thing.locks += 1

        def end():
            for thing in things:
                thing.locks -= 1
            action.update(progress=100, finished=stamp(self.now()), status="success")
            if command in self.settings.failing:
                action.update(status="error", error={"code": "action_failed", "message": "Action failed"})
            else:
                then()

        self.clock.later(seconds, end)
        return action


class Server:
    """initializing → starting → running ⇄ off → deleted; it is paid for until it is deleted, also while it is off."""

    kind = "server"

    def __init__(self, project, name, server_type, image, location, labels, user_data, keys, ipv4, firewalls):
        self.project, self.id, self.name = project, project.new_id(), name
        self.type, self.image, self.location, self.labels = server_type, image, location, labels
        self.status, self.created, self.locks, self.turn = "initializing", project.now(), 0, 0
        self.ip = project.address()
        self.ipv4, self.firewalls = ipv4, firewalls
        guest = {"instance_id": str(self.id), "addresses": [self.ip], "system": "cloud-init", "key_race": False,
                 "public_keys": keys, "user_data": user_data.encode(), "reachable": True, "root_login": True}  # fmt: skip
        self.machine = project.backend.machine(project.folder / f"server-{self.id}", guest, self.went_off)
        project.servers[self.id] = self
        hourly = TYPES[server_type][5] + (IPV4_HOUR if ipv4 else 0)
        project.bill.open(server_type, self.id, self.created, hourly / catalog.HOUR, step=catalog.HOUR)

    def volumes(self):
        return [v for v in self.project.volumes.values() if v.server is self]

    def on(self):
        self.status = "running"
        self.turn += 1
        turn = self.turn
        self.project.clock.later(self.project.settings.boot, lambda: self.turn == turn and self.machine.boot())

    def off(self, orderly=True):
        self.turn += 1
        self.status = "off"
        self.machine.end(orderly)

    def went_off(self):
        with self.project.lock:
            if self.status == "running":
                self.off()

    def delete(self):
        self.off(orderly=False)
        for volume in self.volumes():
            volume.detached()
        self.project.bill.close(self.id, self.project.now())
        del self.project.servers[self.id]

    def as_json(self):
        ipv4 = (
            {"id": self.id + 1, "ip": self.ip, "blocked": False, "dns_ptr": f"static.{self.ip}.example"}
            if self.ipv4
            else None
        )
        return {
            "id": self.id, "name": self.name, "status": self.status, "created": stamp(self.created), "labels": self.labels,
            "public_net": {"ipv4": ipv4, "ipv6": {"id": self.id + 2, "ip": "2001:db8::/64", "blocked": False, "dns_ptr": []},
                           "floating_ips": [], "firewalls": [{"id": w.id, "status": "applied"} for w in self.firewalls]},
            "private_net": [], "server_type": type_json(self.type), "location": location_json(self.location),
            "image": image_json(self.image), "iso": None, "rescue_enabled": False, "locked": self.locks > 0,
            "backup_window": None, "outgoing_traffic": 0, "ingoing_traffic": 0, "included_traffic": 20 << 40,
            "protection": {"delete": False, "rebuild": False}, "volumes": [v.id for v in self.volumes()],
            "load_balancers": [], "primary_disk_size": TYPES[self.type][3], "placement_group": None,
        }  # fmt: skip


class Volume:
    kind = "volume"

    def __init__(self, project, name, size, location, labels, file_system):
        self.project, self.id, self.name, self.size = project, project.new_id(), name, size
        self.location, self.labels, self.format = location, labels, file_system
        self.status, self.created, self.locks, self.server = "creating", project.now(), 0, None
        self.protected = False
        self.path = project.folder / "volumes" / f"{self.id}.raw"
        with open(self.path, "wb") as f:
            f.truncate(size * catalog.GIB)
        project.volumes[self.id] = self
        self.meter()

    def meter(self):
        self.project.bill.close(self.id, self.project.now())
        self.project.bill.open(
            f"{self.size} GB volume", self.id, self.project.now(), self.size * VOLUME_MONTH / catalog.MONTH
        )

    def attached(self, server):
        if server.id in self.project.servers:
            self.server = server
            server.machine.attach(str(self.id), self.path)

    def detached(self):
        if self.server:
            self.server.machine.detach(str(self.id))
        self.server = None

    def resized(self, size):
        self.size = size
        os.truncate(self.path, size * catalog.GIB)
        self.meter()
        if self.server:
            self.server.machine.resize(str(self.id))

    def delete(self):
        self.project.bill.close(self.id, self.project.now())
        del self.project.volumes[self.id]
        os.unlink(self.path)

    def as_json(self):
        return {"id": self.id, "name": self.name, "size": self.size, "server": self.server and self.server.id,
                "location": location_json(self.location), "linux_device": f"/dev/disk/by-id/scsi-0HC_Volume_{self.id}",
                "protection": {"delete": self.protected}, "labels": self.labels, "status": self.status, "format": self.format,
                "created": stamp(self.created)}  # fmt: skip


class Firewall:
    kind = "firewall"

    def __init__(self, project, name, labels, rules):
        self.project, self.id, self.name, self.labels, self.rules = project, project.new_id(), name, labels, rules
        self.created, self.locks = project.now(), 0
        project.firewalls[self.id] = self

    def servers(self):
        return [s for s in self.project.servers.values() if self in s.firewalls]

    def as_json(self):
        return {"id": self.id, "name": self.name, "labels": self.labels, "created": stamp(self.created), "rules": self.rules,
                "applied_to": [{"type": "server", "server": {"id": s.id}} for s in self.servers()]}  # fmt: skip


def location_json(name):
    number, text, country, city, zone = LOCATIONS[name]
    return {"id": number, "name": name, "description": text, "country": country, "city": city, "latitude": 50.0,
            "longitude": 12.0, "network_zone": zone}  # fmt: skip


def money(net, digits=10):
    return {"net": f"{net:.{digits}f}", "gross": f"{net * 1.19:.16f}"}


def pricing_json():
    address = [{"location": location, "price_hourly": money(IPV4_HOUR), "price_monthly": money(IPV4_HOUR * 625)}
               for location in LOCATIONS]  # fmt: skip
    free = [{"location": location, "price_hourly": money(0), "price_monthly": money(0)} for location in LOCATIONS]
    return {"currency": "EUR", "vat_rate": "19.00", "image": {"price_per_gb_month": money(0.011)},
            "volume": {"price_per_gb_month": money(VOLUME_MONTH)}, "server_backup": {"percentage": "20.0000000000"},
            "primary_ips": [{"type": "ipv4", "prices": address}, {"type": "ipv6", "prices": free}],
            "server_types": [{"id": TYPES[name][0], "name": name, "prices": type_json(name)["prices"]} for name in TYPES],
            "floating_ips": [], "load_balancer_types": []}  # fmt: skip


def type_json(name):
    number, cores, memory, disk, arch, hour = TYPES[name]
    prices = [{"location": location, "price_hourly": money(hour), "price_monthly": money(hour * 624),
               "included_traffic": 20 << 40, "price_per_tb_traffic": money(1)}
              for location in LOCATIONS]  # fmt: skip
    return {"id": number, "name": name, "description": name.upper(), "cores": cores, "memory": float(memory), "disk": disk,
            "deprecated": False, "deprecation": None, "prices": prices, "storage_type": "local", "cpu_type": "shared",
            "architecture": arch}  # fmt: skip


def image_json(image):
    number, name, flavor, version, arch = image
    return {"id": number, "type": "system", "status": "available", "name": name, "description": name, "image_size": None,
            "disk_size": 5, "created": "2026-01-01T00:00:00+00:00", "created_from": None, "bound_to": None,
            "os_flavor": flavor, "os_version": version, "rapid_deploy": True, "protection": {"delete": False},
            "deprecated": None, "labels": {}, "deleted": None, "architecture": arch}  # fmt: skip
