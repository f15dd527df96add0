"""Zones, networks, security groups, key pairs, tags."""

import base64
import binascii
import hashlib
import ipaddress
import re

from .ec2 import (
    FILTERS, PAGES, TAG_SPECIFICATIONS, action, check_tags, filtered, page, tag_set, tags_at_creation, visible,
)  # fmt: skip
from .errors import ApiError, bad_value
from .state import Group, KeyPair, Thing
from .xml import time_text


class Zone(Thing):
    pass


def _as_things(table):
    """Dicts of the world's network as things with tags."""

    def thing(one):
        made = Thing(one["id"])
        made.tags, made.facts = one["tags"], one
        return made

    return [thing(one) for one in table]


@action("DescribeAvailabilityZones", {"ZoneName": ["str"], "Filter": FILTERS, "AllAvailabilityZones": "bool"})
def describe_availability_zones(world, p, _):
    for name in p.get("ZoneName", []):
        if name not in world.zones:
            raise ApiError("InvalidParameterValue", f"Invalid availability zone: [{name}]")
    found = [Zone(name) for name in world.zones if name in p.get("ZoneName", world.zones)]
    found = filtered(p, found, {"zone-name": lambda z: z.id, "state": lambda z: "available",
                                "region-name": lambda z: world.region, "zone-type": lambda z: "availability-zone",
                                "opt-in-status": lambda z: "opt-in-not-required"})  # fmt: skip
    return {"availabilityZoneInfo": [
        {"zoneName": z.id, "zoneState": "available", "regionName": world.region, "zoneId": f"use1-az{world.zones.index(z.id) + 1}",
         "zoneType": "availability-zone", "groupName": world.region, "networkBorderGroup": world.region,
         "optInStatus": "opt-in-not-required"} for z in found]}  # fmt: skip


@action("DescribeVpcs", {"VpcId": ["str"], "Filter": FILTERS, **PAGES})
def describe_vpcs(world, p, _):
    for name in p.get("VpcId", []):
        if name != world.vpc["id"]:
            raise ApiError("InvalidVpcID.NotFound", f"The vpc ID '{name}' does not exist")
    default = world.settings.default_vpc
    found = filtered(p, _as_things([world.vpc]), {
        "is-default": lambda v: "true" if default else "false", "vpc-id": lambda v: v.id,
        "isDefault": lambda v: "true" if default else "false", "state": lambda v: "available"})  # fmt: skip
    found, token = page(world, p, found)
    return {"vpcSet": [{"vpcId": v.id, "state": "available", "cidrBlock": v.facts["cidr"], "instanceTenancy": "default",
                        "isDefault": default, "ownerId": world.account, "tagSet": tag_set(v.tags)} for v in found],
            "nextToken": token}  # fmt: skip


@action("DescribeSubnets", {"SubnetId": ["str"], "Filter": FILTERS, **PAGES})
def describe_subnets(world, p, _):
    for name in p.get("SubnetId", []):
        if name not in world.subnets:
            raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{name}' does not exist")
    those = [s for s in world.subnets.values() if s["id"] in p.get("SubnetId", world.subnets)]
    default = lambda s: "true" if s.facts["default"] and world.settings.default_vpc else "false"  # noqa: E731
    found = filtered(p, _as_things(those), {
        "subnet-id": lambda s: s.id, "vpc-id": lambda s: s.facts["vpc"], "availability-zone": lambda s: s.facts["zone"],
        "default-for-az": default, "defaultForAz": default, "state": lambda s: "available"})  # fmt: skip
    found, token = page(world, p, found)
    return {"subnetSet": [
        {"subnetId": s.id, "vpcId": s.facts["vpc"], "availabilityZone": s.facts["zone"], "cidrBlock": s.facts["cidr"],
         "state": "available", "availableIpAddressCount": 4091, "defaultForAz": default(s) == "true",
         "mapPublicIpOnLaunch": s.facts["public"], "assignIpv6AddressOnCreation": False, "ownerId": world.account,
         "ipv6CidrBlockAssociationSet": [{"associationId": "subnet-cidr-assoc" + s.id[6:], "ipv6CidrBlock": "2001:db8::/64",
                                          "ipv6CidrBlockState": {"state": "associated"}}] if world.settings.ipv6 else None,
         "tagSet": tag_set(s.tags)} for s in found], "nextToken": token}  # fmt: skip


# --- key pairs ---


def _public_key(blob):
    """The line, its kind and its fingerprint; only what the provider takes."""
    bad = ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
    try:
        words = blob.decode("ascii").split()
        data = base64.b64decode(words[1], validate=True)
    except (UnicodeDecodeError, IndexError, binascii.Error, ValueError):
        raise bad from None
    name = words[0].encode()
    if words[0] not in ("ssh-ed25519", "ssh-rsa") or data[: 4 + len(name)] != len(name).to_bytes(4, "big") + name:
        raise bad
    if words[0] == "ssh-ed25519":
        if len(data) != 51:
            raise bad
        return "ed25519", base64.b64encode(hashlib.sha256(data).digest()).decode()
    return "rsa", ":".join(f"{b:02x}" for b in hashlib.md5(data).digest())


@action("ImportKeyPair", {"KeyName!": "str", "PublicKeyMaterial!": "blob", "TagSpecification": TAG_SPECIFICATIONS})
def import_key_pair(world, p, _):
    name = p["KeyName"]
    if not 1 <= len(name) <= 255 or not name.isascii() or name != name.strip():
        raise bad_value("keyName", name)
    tags = tags_at_creation(p, "key-pair").get("key-pair")
    kind, fingerprint = _public_key(p["PublicKeyMaterial"])
    if name in world.key_pairs:
        raise ApiError("InvalidKeyPair.Duplicate", f"The keypair '{name}' already exists.")
    line = " ".join(p["PublicKeyMaterial"].decode().split())
    pair = world.key_pairs[name] = KeyPair(world.new_id("key"), name, line, kind, fingerprint, world.now(), tags)
    world.born(pair)
    return {"keyName": name, "keyFingerprint": fingerprint, "keyPairId": pair.id, "tagSet": tag_set(pair.tags)}


@action("DescribeKeyPairs", {"KeyName": ["str"], "KeyPairId": ["str"], "Filter": FILTERS, "IncludePublicKey": "bool"})
def describe_key_pairs(world, p, _):
    names, ids = p.get("KeyName", []), p.get("KeyPairId", [])
    for name in names:
        if name not in world.key_pairs or not world.seen(world.key_pairs[name]):
            raise ApiError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    for one in ids:
        if one not in [k.id for k in world.key_pairs.values()]:
            raise ApiError("InvalidKeyPair.NotFound", f"The keyPairId '{one}' does not exist")
    found = [k for k in world.key_pairs.values()
             if (not names and not ids and world.seen(k)) or k.name in names or k.id in ids]  # fmt: skip
    found = filtered(
        p, found, {"key-name": lambda k: k.name, "key-pair-id": lambda k: k.id, "fingerprint": lambda k: k.fingerprint}
    )
    return {"keySet": [{"keyPairId": k.id, "keyName": k.name, "keyFingerprint": k.fingerprint, "keyType": k.kind,
                        "createTime": time_text(k.created), "tagSet": tag_set(k.tags),
                        "publicKey": k.line if p.get("IncludePublicKey") else None} for k in found]}  # fmt: skip


@action("DeleteKeyPair", {"KeyName": "str", "KeyPairId": "str"})
def delete_key_pair(world, p, _):
    if len(p) != 1:
        raise ApiError("MissingParameter", "The request must contain the parameter KeyName or KeyPairId")
    # One that is not there is no error.
    for k in list(world.key_pairs.values()):
        if p.get("KeyName") == k.name or p.get("KeyPairId") == k.id:
            del world.key_pairs[k.name]
            return {"return": True, "keyPairId": k.id}
    return {"return": True}


# --- security groups ---

GROUP_TEXT = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
PERMISSIONS = [{"IpProtocol!": "str", "FromPort": "int", "ToPort": "int",
                "IpRanges": [{"CidrIp!": "str", "Description": "str"}],
                "Ipv6Ranges": [{"CidrIpv6!": "str", "Description": "str"}]}]  # fmt: skip


def _group(world, p):
    if "GroupId" not in p:
        raise ApiError("MissingParameter", "The request must contain the parameter GroupId")
    return world.find(world.groups, p["GroupId"], "InvalidGroup.NotFound", "security group")


@action("CreateSecurityGroup", {"GroupName!": "str", "GroupDescription!": "str", "VpcId": "str",
                                "TagSpecification": TAG_SPECIFICATIONS})  # fmt: skip
def create_security_group(world, p, _):
    name = p["GroupName"]
    for parameter in ("GroupName", "GroupDescription"):
        if not GROUP_TEXT.fullmatch(p[parameter]):
            raise bad_value(parameter, p[parameter], "Character sets beyond ASCII are not supported.")
    if name.startswith("sg-"):
        raise bad_value("groupName", name, "Group names may not be in the format sg-*")
    tags = tags_at_creation(p, "security-group").get("security-group")
    if "VpcId" not in p and not world.settings.default_vpc:
        raise ApiError("VPCIdNotSpecified", "No default VPC for this user")
    if p.get("VpcId", world.vpc["id"]) != world.vpc["id"]:
        raise ApiError("InvalidVpcID.NotFound", f"The vpc ID '{p['VpcId']}' does not exist")
    if any(g.name == name for g in world.groups.values()):
        raise ApiError(
            "InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{world.vpc['id']}'"
        )
    group = Group(world.new_id("sg"), name, p["GroupDescription"], world.vpc["id"], tags)
    world.groups[group.id] = group
    world.born(group)
    return {"return": True, "groupId": group.id, "tagSet": tag_set(group.tags)}


@action("DescribeSecurityGroups", {"GroupId": ["str"], "GroupName": ["str"], "Filter": FILTERS, **PAGES})
def describe_security_groups(world, p, _):
    ids, names = p.get("GroupId", []), p.get("GroupName", [])
    found = visible(world, world.groups, ids, "InvalidGroup.NotFound", "security group")
    for name in names:
        if name not in [g.name for g in world.groups.values()]:
            raise ApiError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
    if names:
        found = [g for g in found if g.name in names]
    found = filtered(p, found, {"group-id": lambda g: g.id, "group-name": lambda g: g.name, "vpc-id": lambda g: g.vpc,
                                "description": lambda g: g.description})  # fmt: skip
    found, token = page(world, p, found, ids=ids)

    def permissions(g):
        together = {}
        for r in g.rules:
            together.setdefault((r["protocol"], r["from"], r["to"]), []).append(r)
        items = []
        for (protocol, start, end), rules in together.items():
            items.append({
                "ipProtocol": protocol, "fromPort": start, "toPort": end, "prefixListIds": None,
                "groups": [{"groupId": r["source"], "userId": world.account} for r in rules if r["kind"] == "group"],
                "ipRanges": [{"cidrIp": r["source"], "description": r.get("text")} for r in rules if r["kind"] == "ipv4"],
                "ipv6Ranges": [{"cidrIpv6": r["source"], "description": r.get("text")} for r in rules if r["kind"] == "ipv6"],
            })  # fmt: skip
        return items

    everywhere = [
        {"ipProtocol": "-1", "groups": [], "ipRanges": [{"cidrIp": "0.0.0.0/0"}], "ipv6Ranges": [], "prefixListIds": []}
    ]
    return {"securityGroupInfo": [
        {"groupId": g.id, "groupName": g.name, "groupDescription": g.description, "vpcId": g.vpc, "ownerId": world.account,
         "ipPermissions": permissions(g), "ipPermissionsEgress": everywhere, "tagSet": tag_set(g.tags)} for g in found],
        "nextToken": token}  # fmt: skip


@action("DeleteSecurityGroup", {"GroupId": "str"})
def delete_security_group(world, p, _):
    g = _group(world, p)
    if g.name == "default":
        raise ApiError("CannotDelete", f'the specified group: "{g.id}" name: "default" cannot be deleted by a user')
    if g.busy_until > world.now() or any(
        g.id in i.groups and i.state != "terminated" for i in world.instances.values()
    ):
        raise ApiError("DependencyViolation", f"resource {g.id} has a dependent object")
    del world.groups[g.id]
    return {"return": True, "groupId": g.id}


def _rules(world, permissions):
    found = []
    for p in permissions:
        protocol = {"6": "tcp", "17": "udp", "1": "icmp"}.get(p["IpProtocol"], p["IpProtocol"])
        if protocol not in ("tcp", "udp", "icmp", "icmpv6", "-1"):
            raise bad_value("ipProtocol", protocol)
        start, end = p.get("FromPort"), p.get("ToPort")
        if protocol in ("tcp", "udp") and (start is None or end is None or not 0 <= start <= end <= 65535):
            raise ApiError("InvalidParameterValue", f"Invalid port range: {start} to {end}")
        for key, cidr, version, kind in (("IpRanges", "CidrIp", 4, "ipv4"), ("Ipv6Ranges", "CidrIpv6", 6, "ipv6")):
            for one in p.get(key, []):
                try:
                    if "/" not in one[cidr]:
                        raise ValueError
                    network = ipaddress.ip_network(one[cidr], strict=False)
                except ValueError:
                    network = None
                if network is None or network.version != version:
                    raise ApiError("InvalidParameterValue", f"CIDR block {one[cidr]} is malformed")
                found.append({"protocol": protocol, "from": start, "to": end, "source": str(network), "kind": kind,
                              "text": one.get("Description"), "id": world.new_id("sgr")})  # fmt: skip
    if not found:
        raise ApiError("MissingParameter", "Either 'ipPermissions' with a source or a rule must be provided")
    return found


def _same(a, b):
    return all(a[key] == b[key] for key in ("protocol", "from", "to", "source"))


@action("AuthorizeSecurityGroupIngress", {"GroupId": "str", "IpPermissions!": PERMISSIONS})
def authorize_security_group_ingress(world, p, _):
    g = _group(world, p)
    new = _rules(world, p["IpPermissions"])
    for rule in new:
        if any(_same(rule, old) for old in g.rules):
            raise ApiError("InvalidPermission.Duplicate", f'the specified rule "peer: {rule["source"]}, {rule["protocol"].upper()}, '
                           f'from port: {rule["from"]}, to port: {rule["to"]}, ALLOW" already exists')  # fmt: skip
    if len(g.rules) + len(new) > 60:
        raise ApiError(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )
    g.rules += new
    return {"return": True, "securityGroupRuleSet": [
        {"securityGroupRuleId": r["id"], "groupId": g.id, "groupOwnerId": world.account, "isEgress": False,
         "ipProtocol": r["protocol"], "fromPort": -1 if r["from"] is None else r["from"],
         "toPort": -1 if r["to"] is None else r["to"], "cidrIpv4": r["source"] if r["kind"] == "ipv4" else None,
         "cidrIpv6": r["source"] if r["kind"] == "ipv6" else None, "description": r["text"]} for r in new]}  # fmt: skip


@action("RevokeSecurityGroupIngress", {"GroupId": "str", "IpPermissions!": PERMISSIONS})
def revoke_security_group_ingress(world, p, _):
    g = _group(world, p)
    for rule in _rules(world, p["IpPermissions"]):
        if not any(_same(rule, old) for old in g.rules):
            raise ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        g.rules = [old for old in g.rules if not _same(rule, old)]
    return {"return": True}


# --- tags ---


class TagHolder:
    """The tags of a thing of the network, which is a dict."""

    def __init__(self, tags):
        self.tags, self.gone = tags, False


def _taggable(world, name):
    table = {"i": world.instances, "vol": world.volumes, "snap": world.snapshots, "sg": world.groups}.get(
        name.split("-")[0]
    )
    thing = table.get(name) if table is not None else None
    for pair in world.key_pairs.values():
        if pair.id == name:
            thing = pair
    for one in [world.vpc, *world.subnets.values()]:
        if one["id"] == name:
            thing = TagHolder(one["tags"])
    if thing is None or thing.gone:
        raise ApiError("InvalidID", f"The ID '{name}' is not valid") if table is None else not_found_of(name)
    return thing


def not_found_of(name):
    code = {"i": "InvalidInstanceID.NotFound", "vol": "InvalidVolume.NotFound", "snap": "InvalidSnapshot.NotFound",
            "sg": "InvalidGroup.NotFound"}[name.split("-")[0]]  # fmt: skip
    return ApiError(code, f"The ID '{name}' does not exist")


@action("CreateTags", {"ResourceId!": ["str"], "Tag!": [{"Key!": "str", "Value": "str"}]})
def create_tags(world, p, _):
    things = [_taggable(world, name) for name in p["ResourceId"]]
    tags = check_tags(p["Tag"])
    for thing in things:
        if len({**thing.tags, **tags}) > 50:
            raise ApiError("TagLimitExceeded", "The maximum number of tags for a resource is 50")
    for thing in things:
        thing.tags.update(tags)
    return {"return": True}


@action("DeleteTags", {"ResourceId!": ["str"], "Tag": [{"Key!": "str", "Value": "str"}]})
def delete_tags(world, p, _):
    for thing in [_taggable(world, name) for name in p["ResourceId"]]:
        for tag in p.get("Tag", [{"Key": key} for key in thing.tags]):
            # With a value, only a tag of that value goes.
            if tag["Key"] in thing.tags and tag.get("Value", thing.tags[tag["Key"]]) == thing.tags[tag["Key"]]:
                del thing.tags[tag["Key"]]
    return {"return": True}


@action("DescribeTags", {"Filter": FILTERS, **PAGES})
def describe_tags(world, p, _):
    class One:
        tags = {}

        def __init__(self, thing_id, kind, key, value):
            self.id, self.kind, self.key, self.value = thing_id, kind, key, value

    tables = (("instance", world.instances), ("volume", world.volumes), ("snapshot", world.snapshots),
              ("security-group", world.groups), ("key-pair", world.key_pairs))  # fmt: skip
    found = [One(thing.id, kind, key, value) for kind, table in tables for thing in table.values() if not thing.gone
             for key, value in thing.tags.items()]  # fmt: skip
    found = filtered(p, found, {"resource-id": lambda t: t.id, "resource-type": lambda t: t.kind, "key": lambda t: t.key,
                                "value": lambda t: t.value})  # fmt: skip
    found, token = page(world, p, found)
    return {"tagSet": [{"resourceId": t.id, "resourceType": t.kind, "key": t.key, "value": t.value} for t in found],
            "nextToken": token}  # fmt: skip
