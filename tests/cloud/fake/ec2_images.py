"""Images: whose they are, how old, and how one is named in a launch."""

from . import catalog
from .ec2 import FILTERS, PAGES, action, check_id, filtered, page, tag_set
from .errors import ApiError
from .xml import time_text

NOT_FOUND = "InvalidAMIID.NotFound"
OWNERS = {"amazon": (catalog.UBUNTU, "137112412989"), "aws-marketplace": ("679593333241",)}


def image_to_launch(world, name):
    """ami-…, or resolve:ssm:PARAMETER."""
    if name.startswith("resolve:ssm:"):
        parameter = name[len("resolve:ssm:") :]
        if world.denied("ssm", "GetParameters"):
            raise ApiError("UnauthorizedOperation", "You are not authorized to perform: ssm:GetParameters", 403)
        if parameter not in world.parameters:
            raise ApiError("InvalidParameterValue", f"Parameter {parameter} not found in SSM Parameter Store")
        name = world.parameters[parameter]
    check_id("imageId", name, "ami", "InvalidAMIID.Malformed")
    image = world.images.get(name)
    if image is None:
        raise ApiError(NOT_FOUND, f"The image id '[{name}]' does not exist")
    if image.state != "available":
        raise ApiError("InvalidAMIID.Unavailable", f"The image id '[{name}]' is no longer available")
    return image


def _describe(image):
    # The owner of a public image is a number; few have a name.
    return {
        "imageId": image.id, "imageLocation": f"{image.owner}/{image.name}", "imageState": image.state,
        "imageOwnerId": image.owner, "creationDate": time_text(image.created), "isPublic": True,
        "architecture": image.arch, "imageType": "machine", "name": image.name, "description": "",
        "imageOwnerAlias": image.alias, "rootDeviceType": "ebs", "rootDeviceName": image.root,
        "blockDeviceMapping": [{"deviceName": image.root, "ebs": {
            "snapshotId": "snap-" + image.id[4:], "volumeSize": image.size, "deleteOnTermination": True,
            "volumeType": "gp3" if "gp3" in image.name else "gp2", "encrypted": False}}],
        "virtualizationType": "hvm" if image.hvm else "paravirtual", "hypervisor": "xen", "enaSupport": True,
        "deprecationTime": time_text(image.deprecated) if image.deprecated else None, "tagSet": tag_set(image.tags),
    }  # fmt: skip


NAMES = {
    "name": lambda i: i.name, "architecture": lambda i: i.arch, "state": lambda i: i.state, "owner-id": lambda i: i.owner,
    "owner-alias": lambda i: i.alias, "image-id": lambda i: i.id, "is-public": lambda i: "true",
    "virtualization-type": lambda i: "hvm" if i.hvm else "paravirtual", "root-device-type": lambda i: "ebs",
    "root-device-name": lambda i: i.root, "image-type": lambda i: "machine", "hypervisor": lambda i: "xen",
    "creation-date": lambda i: time_text(i.created),
}  # fmt: skip


@action("DescribeImages", {"ImageId": ["str"], "Owner": ["str"], "Filter": FILTERS, "IncludeDeprecated": "bool",
                           "ExecutableBy": ["str"], **PAGES})  # fmt: skip
def describe_images(world, p, _):
    ids = p.get("ImageId", [])
    for one in ids:
        check_id("imageId", one, "ami", "InvalidAMIID.Malformed")
        if one not in world.images:
            raise ApiError(NOT_FOUND, f"The image id '[{one}]' does not exist")
    owners = set()
    for owner in p.get("Owner", []):
        if owner == "self":
            owners.add(world.account)
        elif owner in OWNERS:
            owners.update(OWNERS[owner])
        elif owner.isdigit() and len(owner) == 12:
            owners.add(owner)
        else:
            raise ApiError("InvalidUserID.Malformed", f'Invalid user id: "{owner}"')
    # In no useful order, as there: who wants the newest must look at the dates.
    found = [image for image in sorted(world.images.values(), key=lambda i: i.id[::-1])
             if (not ids or image.id in ids) and (not owners or image.owner in owners)
             and (p.get("IncludeDeprecated") or ids or not image.deprecated or image.deprecated > world.now()
                  or image.owner == world.account)]  # fmt: skip
    found, token = page(world, p, filtered(p, found, NAMES), ids=ids, least=1)
    return {"imagesSet": [_describe(image) for image in found], "nextToken": token}
