"""The real program on the fake Hetzner Cloud."""

import os
import subprocess

import hcloud
from real import Setup


class Project(Setup):
    """One host with one target, 'arch', in a project."""

    def __init__(self, folder, fake):
        self.folder, self.fake = folder, fake
        self.client = hcloud.Client(token=fake.token, api_endpoint=fake.endpoint, poll_interval=0.05)
        for key in ("id", "hostkey"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        public = (folder / "hostkey.pub").read_text().rsplit(" ", 1)[0]
        private = "".join(f"    {line}\n" for line in (folder / "hostkey").read_text().splitlines())
        (folder / "user-data").write_text(
            f"#cloud-config\nssh_keys:\n  ed25519_private: |\n{private}  ed25519_public: {public}\n")  # fmt: skip
        self.host_key = public
        self.public = (folder / "id.pub").read_text().strip()
        self.client.ssh_keys.create(name="mine", public_key=self.public)
        self.config = folder / "config.hcl"
        self.use()
        self.env = dict(os.environ, HCLOUD_ENDPOINT=fake.endpoint, DORMOUSE_RUNTIME_DIR=str(folder / "run"),
                        DORMOUSE_STATE_DIR=str(folder / "state"), DORMOUSE_CONFIG=str(self.config),
                        DORMOUSE_GRACE_MS="1000")  # fmt: skip

    def use(self, text="", token=None, kind="cx22", linger="1h", location="fsn1", key='ssh_key = "mine"'):
        (self.folder / "token").write_text((token or self.fake.token) + "\n")
        self.config.write_text(
            f'target "arch" "hcloud" {{\n  token = trimspace(file("token"))\n  image = "debian-13"\n  server_type = "{kind}"\n'
            f'  {key}\n  location = "{location}"\n  user_data = file("user-data")\n  linger = "{linger}"\n'
            f'  start_timeout = "20s"\n  ssh {{\n    identity_file = "{self.folder}/id"\n'
            f'    host_key = "{self.host_key}"\n    port = {self.fake.ssh_port}\n  }}\n{text}\n}}\n')  # fmt: skip

    def text(self):
        return super().text().replace('trimspace(file("token"))', f'"{(self.folder / "token").read_text().strip()}"')

    def alive(self):
        return list(self.fake.project.servers.values())
