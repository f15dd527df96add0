"""RunInstances and what belongs to it."""

import base64
import binascii

from . import catalog
from .backends import console_blob
from .ec2 import (
    FILTERS, PAGES, TAG_SPECIFICATIONS, action, check_id, filtered, page, tag_set, tags_at_creation, visible,
)  # fmt: skip
from .ec2_images import image_to_launch
from .ec2_volumes import check_shape
from .errors import ApiError, bad_value
from .life import CODES, USES_VCPUS, Instance, Volume
from .xml import time_text

USER_DATA_LIMIT = 16384
NOT_FOUND = "InvalidInstanceID.NotFound"
MALFORMED = "InvalidInstanceID.Malformed"

RUN = {
    "ImageId!": "str", "InstanceType": "str", "MinCount!": "int", "MaxCount!": "int", "ClientToken": "str",
    "KeyName": "str", "UserData": "str", "SubnetId": "str", "SecurityGroupId": ["str"], "SecurityGroup": ["str"],
    "Placement": {"AvailabilityZone": "str", "Tenancy": "str"},
    "InstanceInitiatedShutdownBehavior": "str", "DisableApiTermination": "bool", "EbsOptimized": "bool",
    "MetadataOptions": {"HttpTokens": "str", "HttpPutResponseHopLimit": "int", "HttpEndpoint": "str",
                        "HttpProtocolIpv6": "str", "InstanceMetadataTags": "str"},
    "CreditSpecification": {"CpuCredits!": "str"},
    "IamInstanceProfile": {"Name": "str", "Arn": "str"},
    "Monitoring": {"Enabled!": "bool"},
    "BlockDeviceMapping": [{"DeviceName": "str", "NoDevice": "str", "VirtualName": "str", "Ebs": {
        "VolumeSize": "int", "VolumeType": "str", "DeleteOnTermination": "bool", "Encrypted": "bool", "Iops": "int",
        "Throughput": "int", "SnapshotId": "str", "KmsKeyId": "str"}}],
    "NetworkInterface": [{"DeviceIndex": "int", "SubnetId": "str", "SecurityGroupId": ["str"], "Description": "str",
                          "AssociatePublicIpAddress": "bool", "DeleteOnTermination": "bool",
                          "Ipv6AddressCount": "int", "NetworkInterfaceId": "str"}],
    "InstanceMarketOptions": {"MarketType": "str", "SpotOptions": {
        "MaxPrice": "str", "SpotInstanceType": "str", "InstanceInterruptionBehavior": "str"}},
    "TagSpecification": TAG_SPECIFICATIONS,
}  # fmt: skip


def one_of(parameter, value, *allowed):
    if value is not None and value not in allowed:
        raise bad_value(parameter, value, f"Expecting one of: {', '.join(allowed)}")
    return value


@action("RunInstances", RUN)
def run_instances(world, p, _):
    made = world.once("RunInstances", p.get("ClientToken"), {k: v for k, v in p.items() if k != "ClientToken"},
                      lambda: _launch(world, p))  # fmt: skip
    if any(instance.state == "terminated" for instance in made):
        raise ApiError("IdempotentInstanceTerminated",
                       "The request cannot be completed because one or more of the instances it made are terminated.")  # fmt: skip
    return {"reservationId": made[0].reservation, "ownerId": world.account, "groupSet": None,
            "instancesSet": [describe(one) for one in made]}  # fmt: skip


def _launch(world, p):
    if not 1 <= p["MinCount"] <= p["MaxCount"]:
        raise ApiError("InvalidParameterValue", "minCount must be at least 1, and maxCount at least minCount")
    name = p.get("InstanceType", "m1.small")
    kind = catalog.TYPES.get(name)
    if kind is None:
        raise ApiError("InvalidParameterValue", f"Invalid value '{name}' for InstanceType.")
    image = image_to_launch(world, p["ImageId"])
    if image.arch != kind.arch:
        raise ApiError("InvalidParameterValue", f"The architecture '{kind.arch}' of the specified instance type does not "
                       f"match the architecture '{image.arch}' of the specified AMI. Specify an instance type and an AMI "
                       "that have matching architectures, and try again.")  # fmt: skip
    user_data = _user_data(p.get("UserData"))
    if "KeyName" in p and p["KeyName"] not in world.key_pairs:
        raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{p['KeyName']}' does not exist")
    one_of("instanceInitiatedShutdownBehavior", p.get("InstanceInitiatedShutdownBehavior"), "stop", "terminate")
    one_of("cpuCredits", p.get("CreditSpecification", {}).get("CpuCredits"), "standard", "unlimited")
    if "CreditSpecification" in p and not name.startswith("t"):
        raise ApiError("InvalidParameterCombination", f"The CreditSpecification is not supported for {name}")
    _metadata(p.get("MetadataOptions", {}))
    spot = _market(p)
    facts = _network(world, p)
    zone = facts["zone"]
    resources = ["instance", "volume", "network-interface"] + (["spot-instances-request"] if spot else [])
    tags = tags_at_creation(p, *resources)
    disks = _disks(world, p, image, zone)
    profile = p.get("IamInstanceProfile")
    if profile is not None:
        if len(profile) != 1:
            raise ApiError(
                "InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' or '.arn', and not both"
            )
        name_of_profile = profile.get("Name") or profile["Arn"].rsplit("/", 1)[-1]
        if f"arn:aws:iam::{world.account}:role/{name_of_profile}" not in world.roles:
            raise bad_value("iamInstanceProfile.name", name_of_profile, "Invalid IAM Instance Profile name")
        facts["profile"] = f"arn:aws:iam::{world.account}:instance-profile/{name_of_profile}"
    count = p["MaxCount"]
    _room(world, name, kind, zone, spot, count)
    made = []
    for _ in range(count):
        one = Instance(world, image=image, type=name, spot=spot, user_data=user_data, key_name=p.get("KeyName"),
                       client_token=p.get("ClientToken"), tags=tags.get("instance"), root_device=image.root,
                       on_shutdown=p.get("InstanceInitiatedShutdownBehavior", "stop"),
                       metadata=p.get("MetadataOptions", {}), interface_tags=tags.get("network-interface"), **facts)  # fmt: skip
        if made:
            one.reservation = made[0].reservation
        world.instances[one.id] = one
        for device, size, volume_kind, dies, more in disks:
            Volume(world, size, volume_kind, zone, tags=tags.get("volume"), **more).attach_at_launch(one, device, dies)
        made.append(one)
        one.start()
    return made


def _user_data(text):
    if text is None:
        return b""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
    if len(data) > USER_DATA_LIMIT:
        raise ApiError("InvalidParameterValue", f"User data is limited to {USER_DATA_LIMIT} bytes")
    return data


def _metadata(options):
    one_of("HttpTokens", options.get("HttpTokens"), "optional", "required")
    one_of("HttpEndpoint", options.get("HttpEndpoint"), "enabled", "disabled")
    one_of("HttpProtocolIpv6", options.get("HttpProtocolIpv6"), "enabled", "disabled")
    one_of("InstanceMetadataTags", options.get("InstanceMetadataTags"), "enabled", "disabled")
    if not 1 <= options.get("HttpPutResponseHopLimit", 1) <= 64:
        raise bad_value("HttpPutResponseHopLimit", options["HttpPutResponseHopLimit"], "Expecting 1 to 64")


def _market(p):
    """Whether it is a spot instance."""
    market = p.get("InstanceMarketOptions")
    if market is None:
        return False
    if "MarketType" not in market:
        raise ApiError("MissingParameter", "The request must contain the parameter InstanceMarketOptions.MarketType")
    one_of("marketType", market["MarketType"], "spot")
    options = market.get("SpotOptions", {})
    one_of("spotInstanceType", options.get("SpotInstanceType"), "one-time", "persistent")
    behaviour = one_of(
        "instanceInterruptionBehavior", options.get("InstanceInterruptionBehavior"), "hibernate", "stop", "terminate"
    )
    if behaviour in ("hibernate", "stop") and options.get("SpotInstanceType") != "persistent":
        raise ApiError("InvalidParameterCombination", f"'{behaviour}' needs a persistent spot request")
    if (
        p.get("InstanceInitiatedShutdownBehavior") == "stop"
        and options.get("SpotInstanceType", "one-time") == "one-time"
    ):
        raise ApiError("InvalidParameterCombination", "A one-time spot instance cannot be stopped")
    if "MaxPrice" in options:
        try:
            price = float(options["MaxPrice"])
        except ValueError:
            raise bad_value("maxPrice", options["MaxPrice"]) from None
        if price < catalog.TYPES[p["InstanceType"]].hour * catalog.SPOT_FACTOR:
            raise ApiError("SpotMaxPriceTooLow", "Your Spot request price is lower than the minimum required price")
    return True


def _network(world, p):
    """Zone, subnet, groups, and whether there is a public address."""
    interfaces = p.get("NetworkInterface", [])
    if interfaces:
        if "SubnetId" in p:
            raise ApiError("InvalidParameterCombination",
                           "Network interfaces and an instance-level subnet ID may not be specified on the same request")  # fmt: skip
        if "SecurityGroupId" in p or "SecurityGroup" in p:
            raise ApiError("InvalidParameterCombination",
                           "Network interfaces and an instance-level security groups may not be specified on the same request")  # fmt: skip
        if len(interfaces) > 1 or interfaces[0].get("DeviceIndex") != 0:
            raise ApiError(
                "InvalidParameterValue", "Each network interface requires a device index; here there is only 0."
            )
        if "NetworkInterfaceId" in interfaces[0]:
            raise ApiError("InvalidNetworkInterfaceID.NotFound",
                           f"The networkInterface ID '{interfaces[0]['NetworkInterfaceId']}' does not exist")  # fmt: skip
    first = interfaces[0] if interfaces else {}
    zone = p.get("Placement", {}).get("AvailabilityZone")
    one_of("tenancy", p.get("Placement", {}).get("Tenancy"), "default")
    if zone is not None and zone not in world.zones:
        raise ApiError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    subnet_id = first.get("SubnetId") or p.get("SubnetId")
    if subnet_id is None:
        if not world.settings.default_vpc:
            raise ApiError("VPCIdNotSpecified", "No default VPC for this user")
        subnet = next(s for s in world.subnets.values() if s["default"] and s["zone"] == (zone or s["zone"]))
    elif subnet_id not in world.subnets:
        raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
    else:
        subnet = world.subnets[subnet_id]
        if zone not in (None, subnet["zone"]):
            raise bad_value(
                "availabilityZone", zone, f"Subnet '{subnet_id}' is in the availability zone {subnet['zone']}"
            )
    groups = first.get("SecurityGroupId") or p.get("SecurityGroupId") or []
    for name in p.get("SecurityGroup", []):
        found = [g.id for g in world.groups.values() if g.name == name]
        if not found:
            raise ApiError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
        groups = groups + found
    for group in groups:
        if group not in world.groups or not world.seen(world.groups[group]):
            raise ApiError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
    if not groups:
        groups = [g.id for g in world.groups.values() if g.name == "default"]
    if not 0 <= first.get("Ipv6AddressCount", 0) <= 1:
        raise bad_value("ipv6AddressCount", first["Ipv6AddressCount"])
    if first.get("Ipv6AddressCount"):
        raise ApiError("InvalidParameterCombination", f"The subnet '{subnet['id']}' does not have any IPv6 CIDR blocks")
    public = first.get("AssociatePublicIpAddress")
    return {"zone": subnet["zone"], "subnet": subnet["id"], "groups": groups,
            "public": subnet["public"] if public is None else public}  # fmt: skip


def _disks(world, p, image, zone):
    """[(device, size, kind, whether it goes with the instance, more)], the root disk first."""
    root = {
        "device": image.root,
        "size": image.size,
        "kind": "gp3" if "gp3" in image.name else "gp2",
        "dies": True,
        "more": {},
    }
    disks = [root]
    for mapping in p.get("BlockDeviceMapping", []):
        if "DeviceName" not in mapping:
            raise ApiError("MissingParameter", "The request must contain the parameter BlockDeviceMapping.DeviceName")
        if "NoDevice" in mapping or "VirtualName" in mapping:
            continue
        ebs = mapping.get("Ebs", {})
        kind = ebs.get("VolumeType")
        if mapping["DeviceName"] == image.root:
            disk = root
            if kind in ("sc1", "st1"):
                raise ApiError("InvalidParameterValue", f"The volume type '{kind}' is not supported for root volumes")
            if "VolumeSize" in ebs and ebs["VolumeSize"] < image.size:
                raise ApiError("InvalidBlockDeviceMapping", f"Volume of size {ebs['VolumeSize']}GB is smaller than "
                               f"snapshot 'snap-root', expect size >= {image.size}GB")  # fmt: skip
            if "SnapshotId" in ebs or "Encrypted" in ebs and not ebs["Encrypted"]:
                raise ApiError(
                    "InvalidBlockDeviceMapping", "snapshotId and encrypted=false cannot be given for the root disk"
                )
        else:
            disk = {"device": mapping["DeviceName"], "size": None, "kind": "gp2", "dies": True, "more": {}}
            if any(d["device"] == disk["device"] for d in disks):
                raise ApiError(
                    "InvalidBlockDeviceMapping",
                    f"The device '{disk['device']}' is used in more than one block-device mapping",
                )
            disks.append(disk)
        snapshot = None
        if "SnapshotId" in ebs:
            snapshot = world.find(world.snapshots, ebs["SnapshotId"], "InvalidSnapshot.NotFound", "snapshot")
            disk["more"]["snapshot"], disk["size"] = snapshot, snapshot.size
        disk["size"] = ebs.get("VolumeSize", disk["size"])
        disk["kind"] = ebs.get("VolumeType", disk["kind"])
        disk["dies"] = ebs.get("DeleteOnTermination", True)
        if disk["size"] is None:
            raise ApiError("MissingParameter", "The request must contain the parameter size or snapshotId")
        disk["more"].update(check_shape(disk["kind"], disk["size"], ebs.get("Iops"), ebs.get("Throughput")))
        disk["more"]["encrypted"] = ebs.get("Encrypted", False)
    return [(d["device"], d["size"], d["kind"], d["dies"], d["more"]) for d in disks]


def _room(world, name, kind, zone, spot, count):
    settings = world.settings
    if f"{name}:{zone}" in settings.not_offered:
        raise ApiError("Unsupported", f"Your requested instance type ({name}) is not supported in your requested "
                       f"Availability Zone ({zone}). Please retry your request by not specifying an Availability Zone or "
                       f"choosing {', '.join(z for z in world.zones if z != zone)}.")  # fmt: skip
    there = [i for i in world.instances.values() if i.state in USES_VCPUS]
    if sum(catalog.TYPES[i.type].vcpus for i in there) + kind.vcpus * count > settings.vcpus:
        raise ApiError("VcpuLimitExceeded", f"You have requested more vCPU capacity than your current vCPU limit of "
                       f"{settings.vcpus} allows for the instance bucket that the specified instance type belongs to. "
                       "Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.")  # fmt: skip
    if len(there) + count > settings.instances:
        raise ApiError(
            "InstanceLimitExceeded",
            f"You have requested more instances than your current limit of {settings.instances}",
        )
    none = settings.no_capacity
    if name in none or f"{name}:{zone}" in none or (spot and ("spot" in none or f"{name}:{zone}:spot" in none)):
        raise ApiError("InsufficientInstanceCapacity", f"We currently do not have sufficient {name} capacity in the "
                       f"Availability Zone you requested ({zone}). Our system will be working on provisioning additional "
                       "capacity.", 500)  # fmt: skip


# --- answers ---


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
    reason = ("pending", "pending") if i.state == "pending" else i.reason
    dns = f"ec2-{public.replace('.', '-')}.compute-1.amazonaws.com" if public else ""
    interface = {
        "networkInterfaceId": i.interface, "subnetId": i.subnet, "vpcId": world.vpc["id"], "ownerId": world.account,
        "status": "in-use", "privateIpAddress": private, "sourceDestCheck": True, "groupSet": groups,
        "interfaceType": "interface",
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
        "privateIpAddress": private, "ipAddress": public, "subnetId": i.subnet if there else None,
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
            _room(world, i.type, catalog.TYPES[i.type], i.zone, i.spot, 1)
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
