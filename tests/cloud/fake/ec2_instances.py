"""Instances: what is answered about them, and what can be done to them."""

from . import catalog
from .backends import console_blob
from .ec2 import FILTERS, PAGES, action, check_id, filtered, page, tag_set, visible
from .ec2_launch import RUN, launch, one_of, room
from .errors import ApiError
from .life import CODES
from .xml import time_text

NOT_FOUND = "InvalidInstanceID.NotFound"
MALFORMED = "InvalidInstanceID.Malformed"


@action("RunInstances", RUN)
def run_instances(world, p, _):
    made = world.once("RunInstances", p.get("ClientToken"), {k: v for k, v in p.items() if k != "ClientToken"},
                      lambda: launch(world, p))  # fmt: skip
    if any(instance.state == "terminated" for instance in made):
        raise ApiError("IdempotentInstanceTerminated",
                       "The request cannot be completed because one or more of the instances it made are terminated.")  # fmt: skip
    return {"reservationId": made[0].reservation, "ownerId": world.account, "groupSet": None,
            "instancesSet": [describe(one) for one in made]}  # fmt: skip


def state(name):
    return {"code": CODES[name], "name": name}


def describe(i):
    world = i.world
    there = i.state not in ("terminated", "shutting-down")
    groups = [{"groupId": g, "groupName": world.groups[g].name} for g in i.groups if g in world.groups]
    mapping = []
    for v in i.volumes():
        status = (
            "attached"
            if v.stale or (v.attachment == "attaching" and world.settings.instances_say_attached)
            else v.attachment
        )
        mapping.append({"deviceName": v.device, "ebs": {
            "volumeId": v.id, "status": "detaching" if status == "busy" else status,
            "attachTime": time_text(v.attached_at), "deleteOnTermination": v.delete_on_termination}})  # fmt: skip
    public, private = i.public_address, i.private_address
    ipv6 = "::1" if i.ipv6 and i.state in ("running", "stopping", "stopped") else None
    reason = ("pending", "pending") if i.state == "pending" else i.reason
    dns = f"ec2-{public.replace('.', '-')}.compute-1.amazonaws.com" if public else ""
    interface = {
        "networkInterfaceId": i.interface, "subnetId": i.subnet, "vpcId": world.vpc["id"], "ownerId": world.account,
        "status": "in-use", "privateIpAddress": private, "sourceDestCheck": True, "groupSet": groups,
        "interfaceType": "interface", "ipv6AddressesSet": [{"ipv6Address": ipv6}] if ipv6 else None,
        "attachment": {"attachmentId": "eni-attach" + i.interface[3:], "deviceIndex": 0, "status": "attached",
                       "attachTime": time_text(i.launched), "deleteOnTermination": True},
        "association": {"publicIp": public, "publicDnsName": dns, "ipOwnerId": "amazon"} if public else None,
    }  # fmt: skip
    return {
        "instanceId": i.id, "imageId": i.image.id, "instanceState": state(i.state), "instanceType": i.type,
        "launchTime": time_text(i.launched), "amiLaunchIndex": 0, "keyName": i.key_name, "ebsOptimized": False,
        "placement": {"availabilityZone": i.zone, "groupName": "", "tenancy": "default"},
        "monitoring": {"state": "disabled"}, "architecture": i.image.arch, "rootDeviceType": "ebs",
        "rootDeviceName": i.root_device, "virtualizationType": "hvm", "hypervisor": "xen",
        "clientToken": i.client_token or "", "enaSupport": True, "sourceDestCheck": True if there else None,
        "privateDnsName": f"ip-{private.replace('.', '-')}.ec2.internal" if private else "", "dnsName": dns,
        "privateIpAddress": private, "ipAddress": public, "ipv6Address": ipv6, "subnetId": i.subnet if there else None,
        "vpcId": world.vpc["id"] if there else None, "groupSet": groups if there else None,
        "networkInterfaceSet": [interface] if there else None, "blockDeviceMapping": mapping,
        "instanceLifecycle": "spot" if i.spot else None,
        "iamInstanceProfile": {"arn": i.profile, "id": "AIPAFAKE0000000000001"} if i.profile else None,
        "metadataOptions": {"state": "applied", "httpTokens": i.metadata.get("HttpTokens", "optional"),
                            "httpPutResponseHopLimit": i.metadata.get("HttpPutResponseHopLimit", 1),
                            "httpEndpoint": i.metadata.get("HttpEndpoint", "enabled"),
                            "httpProtocolIpv6": i.metadata.get("HttpProtocolIpv6", "disabled"),
                            "instanceMetadataTags": i.metadata.get("InstanceMetadataTags", "disabled")},
        "reason": f"{i.reason[1]} ({time_text(world.now())[:19].replace('T', ' ')} GMT)" if i.reason else "",
        "stateReason": {"code": reason[0], "message": reason[1]} if reason else None,
        "tagSet": tag_set(i.tags),
    }  # fmt: skip


NAMES = {
    "instance-id": lambda i: i.id, "instance-state-name": lambda i: i.state, "client-token": lambda i: i.client_token,
    "instance-state-code": lambda i: CODES[i.state], "instance-type": lambda i: i.type, "image-id": lambda i: i.image.id,
    "instance-lifecycle": lambda i: "spot" if i.spot else None, "availability-zone": lambda i: i.zone,
    "key-name": lambda i: i.key_name, "subnet-id": lambda i: i.subnet, "reservation-id": lambda i: i.reservation,
    "ip-address": lambda i: i.public_address, "private-ip-address": lambda i: i.private_address,
    "instance.group-id": lambda i: i.groups, "architecture": lambda i: i.image.arch,
    "block-device-mapping.volume-id": lambda i: [v.id for v in i.volumes()],
}  # fmt: skip


def _named(world, ids):
    for one in ids:
        check_id("instanceId", one, "i", MALFORMED)
    return visible(world, world.instances, ids, NOT_FOUND, "instance ID")


@action("DescribeInstances", {"InstanceId": ["str"], "Filter": FILTERS, **PAGES})
def describe_instances(world, p, _):
    ids = p.get("InstanceId", [])
    found, token = page(world, p, filtered(p, _named(world, ids), NAMES), ids=ids)
    reservations = {}
    for i in found:
        reservations.setdefault(i.reservation, []).append(i)
    return {"reservationSet": [{"reservationId": r, "ownerId": world.account, "groupSet": None,
                                "instancesSet": [describe(i) for i in those]} for r, those in reservations.items()],
            "nextToken": token}  # fmt: skip


@action("DescribeInstanceStatus", {"InstanceId": ["str"], "Filter": FILTERS, "IncludeAllInstances": "bool", **PAGES})
def describe_instance_status(world, p, _):
    ids = p.get("InstanceId", [])
    found = [i for i in _named(world, ids) if i.state == "running" or p.get("IncludeAllInstances")]
    found, token = page(world, p, filtered(p, found, NAMES), ids=ids)

    def item(i):
        checks = {"status": "initializing" if i.state == "running" else "not-applicable"}
        return {"instanceId": i.id, "availabilityZone": i.zone, "instanceState": state(i.state),
                "systemStatus": checks, "instanceStatus": checks}  # fmt: skip

    return {"instanceStatusSet": [item(i) for i in found], "nextToken": token}


def _changed(those, before):
    return {"instancesSet": [{"instanceId": i.id, "currentState": state(i.state), "previousState": state(before[i.id])}
                             for i in those]}  # fmt: skip


@action("TerminateInstances", {"InstanceId!": ["str"], "SkipOsShutdown": "bool", "Force": "bool"})
def terminate_instances(world, p, _):
    those = _named(world, p["InstanceId"])
    before = {i.id: i.state for i in those}
    for i in those:
        i.terminate(("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"),
                    orderly=not p.get("SkipOsShutdown"), force=p.get("Force", False))  # fmt: skip
    return _changed(those, before)


@action("StopInstances", {"InstanceId!": ["str"], "Force": "bool", "SkipOsShutdown": "bool"})
def stop_instances(world, p, _):
    those = _named(world, p["InstanceId"])
    before = {i.id: i.state for i in those}
    for i in those:
        if i.state not in ("running", "stopping", "stopped"):
            raise ApiError(
                "IncorrectInstanceState", f"This instance '{i.id}' is not in a state from which it can be stopped."
            )
        if i.spot:
            raise ApiError(
                "UnsupportedOperation",
                f"You can't stop the Spot Instance '{i.id}' because it is associated with a one-time Spot Instance request.",
            )
    for i in those:
        i.stop(("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"))
    return _changed(those, before)


@action("StartInstances", {"InstanceId!": ["str"]})
def start_instances(world, p, _):
    those = _named(world, p["InstanceId"])
    before = {i.id: i.state for i in those}
    for i in those:
        if i.state not in ("stopped", "running", "pending"):
            raise ApiError(
                "IncorrectInstanceState", f"The instance '{i.id}' is not in a state from which it can be started."
            )
    for i in those:
        if i.state == "stopped":
            room(world, i.type, catalog.TYPES[i.type], i.zone, i.spot, 1)
            i.start()
    return _changed(those, before)


@action("GetConsoleOutput", {"InstanceId!": "str", "Latest": "bool"})
def get_console_output(world, p, _):
    i = _named(world, [p["InstanceId"]])[0]
    blob = console_blob(i.machine)
    return {"instanceId": i.id, "timestamp": time_text(world.now()), "output": blob or None}


@action("DescribeInstanceTypeOfferings", {"LocationType": "str", "Filter": FILTERS, **PAGES})
def describe_instance_type_offerings(world, p, _):
    where = one_of("locationType", p.get("LocationType", "region"), "region", "availability-zone")
    places = [world.region] if where == "region" else world.zones

    class Offering:
        tags = {}

        def __init__(self, kind, place):
            self.kind, self.place = kind, place

    found = [Offering(kind, place) for kind in catalog.TYPES for place in places
             if f"{kind}:{place}" not in world.settings.not_offered]  # fmt: skip
    found = filtered(p, found, {"instance-type": lambda o: o.kind, "location": lambda o: o.place})
    found, token = page(world, p, found)
    return {"instanceTypeOfferingSet": [{"instanceType": o.kind, "locationType": where, "location": o.place} for o in found],
            "nextToken": token}  # fmt: skip
