"""Volumes, their attachments, their changes, and snapshots."""

import re

from . import catalog
from .ec2 import (
    FILTERS,
    PAGES,
    TAG_SPECIFICATIONS,
    action,
    check_id,
    filtered,
    page,
    tag_set,
    tags_at_creation,
    visible,
)
from .errors import ApiError, bad_value
from .life import Snapshot, Volume
from .xml import time_text

NOT_FOUND = "InvalidVolume.NotFound"
DEVICE = re.compile(r"/dev/(sd[b-z]|sd[f-p][1-6]|xvd[b-d][a-z]|xvd[b-z]|sda1|xvda)")
MODIFICATIONS, DAY = 4, 24 * 3600


def check_shape(kind, size, iops=None, throughput=None):
    """Whether there can be such a volume; what is to be given to Volume()."""
    shape = catalog.VOLUME_TYPES.get(kind)
    if shape is None:
        raise ApiError("InvalidParameterValue", f"Invalid value '{kind}' for volumeType.")
    if not shape.smallest <= size <= shape.largest:
        raise ApiError("InvalidParameterValue", f"Volume of {size}GiB is invalid; {kind} volumes must be at least "
                       f"{shape.smallest}GiB and at most {shape.largest}GiB in size.")  # fmt: skip
    if iops is not None:
        if shape.iops is None:
            raise ApiError("InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes.")
        if not shape.iops[0] <= iops <= shape.iops[1]:
            raise bad_value("iops", iops, f"{kind} has {shape.iops[0]} to {shape.iops[1]}")
    elif shape.iops and shape.iops[2] is None:
        raise ApiError("MissingParameter", f"The parameter iops must be specified for {kind} volumes.")
    if throughput is not None:
        if shape.throughput is None:
            raise ApiError(
                "InvalidParameterCombination", f"The parameter throughput is not supported for {kind} volumes."
            )
        if not shape.throughput[0] <= throughput <= shape.throughput[1]:
            raise bad_value("throughput", throughput, f"{kind} has {shape.throughput[0]} to {shape.throughput[1]}")
    return {"iops": iops, "throughput": throughput}


def _volume(world, name):
    check_id("volumeId", name, "vol", "InvalidParameterValue")
    return world.find(world.volumes, name, NOT_FOUND, "volume")


def _room(world, gib):
    if sum(v.size for v in world.volumes.values() if not v.gone) + gib > world.settings.storage_gib:
        raise ApiError("VolumeLimitExceeded", "Maximum storage exceeded for volumes of this type")


@action("CreateVolume", {
    "AvailabilityZone": "str", "Size": "int", "VolumeType": "str", "Encrypted": "bool", "Iops": "int", "KmsKeyId": "str",
    "Throughput": "int", "SnapshotId": "str", "ClientToken": "str", "TagSpecification": TAG_SPECIFICATIONS})  # fmt: skip
def create_volume(world, p, _):
    def make():
        zone = p.get("AvailabilityZone")
        if zone is None:
            raise ApiError(
                "MissingParameter", "The request must contain the parameter AvailabilityZone or AvailabilityZoneId"
            )
        if zone not in world.zones:
            raise ApiError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
        snapshot = None
        if "SnapshotId" in p:
            snapshot = world.find(world.snapshots, p["SnapshotId"], "InvalidSnapshot.NotFound", "snapshot")
            if snapshot.state != "completed":
                raise ApiError("IncorrectState", f"Snapshot is in invalid state - {snapshot.state}")
        size = p.get("Size", snapshot.size if snapshot else None)
        if size is None:
            raise ApiError("MissingParameter", "The request must contain the parameter size or snapshotId")
        if snapshot and size < snapshot.size:
            raise bad_value("size", size, f"It is smaller than the snapshot '{snapshot.id}', {snapshot.size} GiB")
        kind = p.get("VolumeType", "gp2")
        more = check_shape(kind, size, p.get("Iops"), p.get("Throughput"))
        tags = tags_at_creation(p, "volume").get("volume")
        _room(world, size)
        return Volume(
            world, size, kind, zone, tags=tags, snapshot=snapshot, encrypted=p.get("Encrypted", False), **more
        )

    return describe(
        world.once("CreateVolume", p.get("ClientToken"), {k: v for k, v in p.items() if k != "ClientToken"}, make)
    )


def describe(v):
    return {
        "volumeId": v.id, "size": v.size, "snapshotId": v.snapshot.id if v.snapshot else "", "availabilityZone": v.zone,
        "status": v.state, "createTime": time_text(v.created), "volumeType": v.kind, "iops": v.iops,
        "throughput": v.throughput, "encrypted": v.encrypted, "multiAttachEnabled": False,
        "attachmentSet": [attachment(v)] if v.instance else None, "tagSet": tag_set(v.tags),
    }  # fmt: skip


def attachment(v, status=None):
    return {"volumeId": v.id, "instanceId": v.instance.id, "device": v.device, "status": status or v.attachment,
            "attachTime": time_text(v.attached_at), "deleteOnTermination": v.delete_on_termination}  # fmt: skip


VOLUME_NAMES = {
    "volume-id": lambda v: v.id, "status": lambda v: v.state, "size": lambda v: v.size, "volume-type": lambda v: v.kind,
    "availability-zone": lambda v: v.zone, "encrypted": lambda v: "true" if v.encrypted else "false",
    "snapshot-id": lambda v: v.snapshot and v.snapshot.id,
    "attachment.instance-id": lambda v: v.instance and v.instance.id, "attachment.device": lambda v: v.device,
    "attachment.status": lambda v: v.attachment,
    "attachment.delete-on-termination": lambda v: v.instance and ("true" if v.delete_on_termination else "false"),
}  # fmt: skip


@action("DescribeVolumes", {"VolumeId": ["str"], "Filter": FILTERS, **PAGES})
def describe_volumes(world, p, _):
    ids = p.get("VolumeId", [])
    for one in ids:
        check_id("volumeId", one, "vol")
    found = filtered(p, visible(world, world.volumes, ids, NOT_FOUND, "volume"), VOLUME_NAMES)
    found, token = page(world, p, found, most=1000, ids=ids)
    items = []
    for v in found:
        item = describe(v)
        if v.stale:
            # The store has not heard of the detaching yet.
            v.stale -= 1
            if v.instance:
                item["attachmentSet"] = [attachment(v, "attached")]
        items.append(item)
    return {"volumeSet": items, "nextToken": token}


@action("AttachVolume", {"Device!": "str", "InstanceId!": "str", "VolumeId!": "str"})
def attach_volume(world, p, _):
    check_id("instanceId", p["InstanceId"], "i", "InvalidInstanceID.Malformed")
    v = _volume(world, p["VolumeId"])
    i = world.find(world.instances, p["InstanceId"], "InvalidInstanceID.NotFound", "instance ID")
    if not DEVICE.fullmatch(p["Device"]):
        raise bad_value("unixDevice", p["Device"], f"{p['Device']} is not a valid EBS device name.")
    if v.instance:
        raise ApiError("VolumeInUse", f"{v.id} is already attached to an instance")
    if v.state != "available":
        raise ApiError("IncorrectState", f"Volume '{v.id}' is not 'available': it is '{v.state}'.")
    if v.zone != i.zone:
        raise ApiError("InvalidVolume.ZoneMismatch",
                       f"The volume '{v.id}' is not in the same availability zone as instance '{i.id}'")  # fmt: skip
    if i.state not in ("running", "stopped"):
        raise ApiError(world.settings.not_running_code, f"Instance '{i.id}' is not 'running'.")
    there = i.volumes()
    if any(other.device == p["Device"] for other in there):
        raise ApiError("InvalidParameterValue", f"Invalid value '{p['Device']}' for unixDevice. Attachment point "
                       f"{p['Device']} is already in use")  # fmt: skip
    if len(there) >= world.settings.attachments:
        raise ApiError(
            "AttachmentLimitExceeded", f"Number of attachments exceeds the limit of {world.settings.attachments}"
        )
    v.attach(i, p["Device"])
    return attachment(v)


@action("DetachVolume", {"VolumeId!": "str", "InstanceId": "str", "Device": "str", "Force": "bool"})
def detach_volume(world, p, _):
    v = _volume(world, p["VolumeId"])
    i = None
    if "InstanceId" in p:
        check_id("instanceId", p["InstanceId"], "i", "InvalidInstanceID.Malformed")
        i = world.find(world.instances, p["InstanceId"], "InvalidInstanceID.NotFound", "instance ID")
        if i.state == "terminated":
            raise ApiError("IncorrectInstanceState", f"The instance '{i.id}' is in the 'terminated' state.")
    if not v.instance:
        raise ApiError("IncorrectState", f"Volume '{v.id}' is in the '{v.state}' state.")
    if i not in (None, v.instance) or p.get("Device", v.device) != v.device:
        raise ApiError("InvalidAttachment.NotFound", f"The volume '{v.id}' is not attached to instance '{p.get('InstanceId')}' "
                       f"as device '{p.get('Device')}'")  # fmt: skip
    if v.device == v.instance.root_device and v.instance.state != "stopped":
        raise ApiError(
            "OperationNotPermitted", f"Unable to detach root volume '{v.id}' from instance '{v.instance.id}'"
        )
    if v.attachment == "detaching":
        raise ApiError("IncorrectState", f"Volume '{v.id}' is in the 'detaching' state.")
    answer = attachment(v, "detaching")
    v.detach(p.get("Force", False))
    return answer


@action("DeleteVolume", {"VolumeId!": "str"})
def delete_volume(world, p, _):
    v = _volume(world, p["VolumeId"])
    if v.instance:
        raise ApiError("VolumeInUse", f"Volume {v.id} is currently attached to {v.instance.id}")
    if v.state != "available":
        raise ApiError("IncorrectState", f"Volume '{v.id}' is in the '{v.state}' state.")
    v.delete()
    return {"return": True}


# --- changes ---


def _modification(v, change):
    size, kind, iops, throughput = change["to"]
    old_size, old_kind, old_iops, old_throughput = change["from"]
    return {
        "volumeId": v.id, "modificationState": change["state"], "targetSize": size, "targetVolumeType": kind,
        "targetIops": iops, "targetThroughput": throughput, "originalSize": old_size, "originalVolumeType": old_kind,
        "originalIops": old_iops, "originalThroughput": old_throughput, "progress": change["progress"],
        "startTime": time_text(change["started"]), "endTime": time_text(change["ended"]) if change["ended"] else None,
    }  # fmt: skip


@action("ModifyVolume", {"VolumeId!": "str", "Size": "int", "VolumeType": "str", "Iops": "int", "Throughput": "int"})
def modify_volume(world, p, _):
    v = _volume(world, p["VolumeId"])
    if len(p) == 1:
        raise ApiError(
            "InvalidParameterCombination", "At least one of size, volumeType, iops and throughput must be given"
        )
    if v.state not in ("available", "in-use"):
        raise ApiError("IncorrectState", f"Volume '{v.id}' is in the '{v.state}' state.")
    size, kind = p.get("Size", v.size), p.get("VolumeType", v.kind)
    if size < v.size:
        raise ApiError("InvalidParameterValue", f"New size cannot be smaller than existing size: {size} < {v.size}")
    if v.instance and v.device == v.instance.root_device and kind in ("sc1", "st1"):
        raise ApiError("InvalidParameterValue", f"The volume type '{kind}' is not supported for root volumes")
    same = kind == v.kind
    shape = catalog.VOLUME_TYPES.get(kind)
    iops = p.get("Iops", v.iops if same or (shape and shape.iops and v.iops and not same and kind != "gp3") else None)
    more = check_shape(kind, size, iops, p.get("Throughput", v.throughput if same else None))
    if v.modifications and v.modifications[-1]["state"] != "completed":
        raise ApiError("IncorrectModificationState", f"Volume {v.id} cannot be modified in modification state "
                       f"{v.modifications[-1]['state'].upper()}")  # fmt: skip
    if sum(1 for change in v.modifications if change["started"] > world.now() - DAY) >= MODIFICATIONS:
        raise ApiError("VolumeModificationRateExceeded", "You've reached the maximum modification rate per volume limit. "
                       "Wait at least 6 hours between modifications per EBS volume.")  # fmt: skip
    _room(world, size - v.size)
    shape = catalog.VOLUME_TYPES[kind]
    change = v.modify(size, kind, more["iops"] or (shape.iops and shape.iops[2]),
                      more["throughput"] or (shape.throughput and shape.throughput[2]))  # fmt: skip
    return {"volumeModification": _modification(v, change)}


@action("DescribeVolumesModifications", {"VolumeId": ["str"], "Filter": FILTERS, **PAGES})
def describe_volumes_modifications(world, p, _):
    ids = p.get("VolumeId", [])
    those = visible(world, world.volumes, ids, NOT_FOUND, "volume")
    for v in those:
        if ids and not v.modifications:
            raise ApiError("InvalidVolumeModification.NotFound", f"Modification for volume '{v.id}' does not exist.")
    those = filtered(p, [v for v in those if v.modifications], {
        "volume-id": lambda v: v.id, "modification-state": lambda v: v.modifications[-1]["state"]})  # fmt: skip
    those, token = page(world, p, those, least=1, most=500)
    return {"volumeModificationSet": [_modification(v, v.modifications[-1]) for v in those], "nextToken": token}


# --- snapshots ---


def _snapshot(s):
    return {"snapshotId": s.id, "volumeId": s.volume_id, "status": s.state, "startTime": time_text(s.created),
            "progress": "100%" if s.state == "completed" else "0%", "ownerId": s.world.account, "volumeSize": s.size,
            "description": s.description, "encrypted": s.encrypted, "storageTier": "standard", "tagSet": tag_set(s.tags)}  # fmt: skip


@action("CreateSnapshot", {"VolumeId!": "str", "Description": "str", "TagSpecification": TAG_SPECIFICATIONS})
def create_snapshot(world, p, _):
    v = _volume(world, p["VolumeId"])
    tags = tags_at_creation(p, "snapshot").get("snapshot")
    if v.state not in ("available", "in-use"):
        raise ApiError("IncorrectState", f"Volume '{v.id}' is in the '{v.state}' state.")
    answer = _snapshot(Snapshot(world, v, p.get("Description", ""), tags))
    del answer["storageTier"]  # is in descriptions only
    return answer


@action("DescribeSnapshots", {"SnapshotId": ["str"], "Filter": FILTERS, "Owner": ["str"], **PAGES})
def describe_snapshots(world, p, _):
    ids = p.get("SnapshotId", [])
    found = visible(world, world.snapshots, ids, "InvalidSnapshot.NotFound", "snapshot")
    if "Owner" in p and not {"self", world.account} & set(p["Owner"]):
        found = []
    found = filtered(p, found, {"snapshot-id": lambda s: s.id, "volume-id": lambda s: s.volume_id,
                                "status": lambda s: s.state, "owner-id": lambda s: world.account})  # fmt: skip
    found, token = page(world, p, found, ids=ids)
    return {"snapshotSet": [_snapshot(s) for s in found], "nextToken": token}


@action("DeleteSnapshot", {"SnapshotId!": "str"})
def delete_snapshot(world, p, _):
    world.find(world.snapshots, p["SnapshotId"], "InvalidSnapshot.NotFound", "snapshot").delete()
    return {"return": True}
