"""What RunInstances takes, and what it refuses."""

import base64
import binascii

from . import catalog
from .ec2 import TAG_SPECIFICATIONS, tags_at_creation
from .ec2_images import image_to_launch
from .ec2_volumes import check_shape
from .errors import ApiError, bad_value
from .life import USES_VCPUS, Instance, Volume

USER_DATA_LIMIT = 16384

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


def launch(world, p):
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
    room(world, name, kind, zone, spot, count)
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
    ipv6 = first.get("Ipv6AddressCount") == 1
    if ipv6 and not world.settings.ipv6:
        raise ApiError("InvalidParameterCombination", f"The subnet '{subnet['id']}' does not have any IPv6 CIDR blocks")
    public = first.get("AssociatePublicIpAddress")
    return {"zone": subnet["zone"], "subnet": subnet["id"], "groups": groups, "ipv6": ipv6,
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


def room(world, name, kind, zone, spot, count):
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
