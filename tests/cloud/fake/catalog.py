"""What the fake region has to offer, and list prices of us-east-1 in US dollars (mid 2024 for storage, July 2026 for
instances)."""

import time

GIB = 1 << 30
HOUR = 3600
# A month of storage is 30 days, as in the provider's own examples.
MONTH = 30 * 24 * HOUR
MINIMUM_SECONDS = 60
PUBLIC_IPV4_HOUR = 0.005
SNAPSHOT_MONTH = 0.05


class Type:
    def __init__(self, arch, vcpus, memory_mib, hour):
        self.arch, self.vcpus, self.memory_mib, self.hour = arch, vcpus, memory_mib, hour


TYPES = {
    "t4g.nano": Type("arm64", 2, 512, 0.0042),
    "t4g.micro": Type("arm64", 2, 1024, 0.0084),
    "t4g.small": Type("arm64", 2, 2048, 0.0168),
    "t4g.medium": Type("arm64", 2, 4096, 0.0336),
    "t3a.nano": Type("x86_64", 2, 512, 0.0047),
    "t3a.micro": Type("x86_64", 2, 1024, 0.0094),
    "t3a.small": Type("x86_64", 2, 2048, 0.0188),
    "t3.nano": Type("x86_64", 2, 512, 0.0052),
    "t3.micro": Type("x86_64", 2, 1024, 0.0104),
    "t3.small": Type("x86_64", 2, 2048, 0.0208),
    "c6gn.medium": Type("arm64", 1, 2048, 0.0432),
    "c7g.medium": Type("arm64", 1, 2048, 0.0363),
    "m7g.medium": Type("arm64", 1, 4096, 0.0408),
    "c8g.medium": Type("arm64", 1, 2048, 0.0399),
    "is4gen.medium": Type("arm64", 1, 6144, 0.1441),
}
SPOT_FACTOR = 0.4


class VolumeType:
    def __init__(self, smallest, largest, month, iops=None, throughput=None):
        self.smallest, self.largest, self.month = smallest, largest, month
        self.iops, self.throughput = iops, throughput  # (least, most, what one gets unasked)


VOLUME_TYPES = {
    "standard": VolumeType(1, 1024, 0.05),
    "sc1": VolumeType(125, 16384, 0.015),
    "st1": VolumeType(125, 16384, 0.045),
    "gp2": VolumeType(1, 16384, 0.10),
    "gp3": VolumeType(1, 65536, 0.08, (3000, 80000, 3000), (125, 2000, 125)),
    "io1": VolumeType(4, 16384, 0.125, (100, 64000, None)),
    "io2": VolumeType(4, 65536, 0.125, (100, 256000, None)),
}


class Image:
    """`system` is how it reads its user data: nixos, cloud-init, or other (not at all)."""

    def __init__(self, image_id, name, arch, owner, alias=None, system="other", root="/dev/xvda", created=None,
                 deprecated=None, size=8, hvm=True, state="available", key_race=False):  # fmt: skip
        self.id, self.name, self.arch, self.owner, self.alias = image_id, name, arch, owner, alias
        self.system, self.root, self.size, self.hvm, self.state = system, root, size, hvm, state
        self.created = created or time.time() - 20 * 86400
        self.deprecated = deprecated  # Unix seconds
        # Old NixOS images: the generated host key comes before the one of the user data.
        self.key_race = key_race
        self.tags = {}


UBUNTU, DEBIAN, NIXOS, SOMEBODY = "099720109477", "136693071363", "427812963091", "666666666666"


def images():
    """Two builds of each system, and traps: a name that somebody else uses as well, an old image, one not ready."""
    now = time.time()
    old, new = now - 40 * 86400, now - 10 * 86400
    found = []

    def add(*words, **more):
        found.append(Image(f"ami-{len(found) + 1:017x}", *words, **more))

    for arch, debian_arch in (("arm64", "arm64"), ("x86_64", "amd64")):
        for at, stamp in ((old, "20261001"), (new, "20261101")):
            add(f"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{debian_arch}-server-{stamp}", arch, UBUNTU,
                alias="amazon", system="cloud-init", root="/dev/sda1", created=at, deprecated=at + 730 * 86400)  # fmt: skip
            add(f"debian-13-{debian_arch}-{stamp}-2277", arch, DEBIAN, system="cloud-init", created=at,
                deprecated=at + 730 * 86400)  # fmt: skip
            nix_arch = "aarch64" if arch == "arm64" else arch
            add(f"nixos/25.11.{stamp}.abcdef123456-{nix_arch}-linux", arch, NIXOS, system="nixos", created=at,
                deprecated=at + 90 * 86400)  # fmt: skip
        # Newer than the real one, and not its owner's.
        add(f"nixos/25.11.99999999.abcdef123456-{arch}-linux", arch, SOMEBODY, system="other", created=now - 86400)
        add(f"nixos/25.05.1.abcdef123456-{arch}-linux", arch, NIXOS, system="nixos", created=now - 200 * 86400,
            deprecated=now - 110 * 86400, key_race=True)  # fmt: skip
        add(f"nixos/25.11.99999998.abcdef123456-{arch}-linux", arch, NIXOS, system="nixos", created=now - 60,
            state="pending", deprecated=now + 90 * 86400)  # fmt: skip
    return {image.id: image for image in found}


def parameters(images_by_id):
    """Public parameters of SSM: {name: value}."""
    found = {}
    newest = sorted(images_by_id.values(), key=lambda image: image.created)
    for image in newest:
        arch = "arm64" if image.arch == "arm64" else "amd64"
        if image.owner == UBUNTU:
            for kind in ("server", "server-minimal"):
                found[f"/aws/service/canonical/ubuntu/{kind}/24.04/stable/current/{arch}/hvm/ebs-gp3/ami-id"] = image.id
        if image.owner == DEBIAN:
            found[f"/aws/service/debian/release/13/latest/{arch}"] = image.id
    return found
