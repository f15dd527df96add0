"""A jump host in front of a machine that sleeps, and what its tests share."""

import os
import pathlib
import socket
import subprocess

from conftest import DORMOUSE, Setup, wait_for


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class JumpHost(Setup):
    def __init__(self, folder, **more):
        super().__init__(folder, **more)
        self.jump_port, self.jump = free_port(), None
        for name in ("other", "jump_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.public = (folder / "id.pub").read_text().strip()
        self.known = folder / "known_hosts"
        self.known.write_text(
            f"[127.0.0.1]:{self.jump_port} {(folder / 'jump_key.pub').read_text()}"
            f"{self.name} {(self.machine / 'hostkey.pub').read_text()}"
        )
        self.ssh_config = folder / "ssh_config"
        self.ssh_config.write_text(
            f"Host jump\n  HostName 127.0.0.1\n  Port {self.jump_port}\n  User jump\n"
            f"Host as-target\n  HostName 127.0.0.1\n  Port {self.jump_port}\n  User {self.name}\n"
            f"Host {self.name}\n  User root\n  ProxyJump jump\n"
            f"Host *\n  IdentityFile {folder}/id\n  IdentitiesOnly yes\n  BatchMode yes\n  UserKnownHostsFile {self.known}\n"
            "  StrictHostKeyChecking yes\n"
        )
        self.server(f'client "me" {{\n  key = "{self.public}"\n  allow = ["{self.name}:*"]\n}}\n')

    def server(self, clients, **more):
        """The file anew, with this jump host."""
        self.write_config()
        settings = "".join(f"  {name} = {value}\n" for name, value in more.items())
        self.config.write_text(
            self.config.read_text()
            + f'server {{\n  listen = "127.0.0.1:{self.jump_port}"\n  host_key_file = "{self.folder}/jump_key"\n{settings}}}\n'
            + clients
        )

    def start(self, command="jump", **env):
        self.log = self.folder / "jump.log"
        with self.log.open("a") as log:
            self.jump = subprocess.Popen([DORMOUSE, command], env=dict(self.env, **env), stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log)  # fmt: skip
        wait_for(self.answers)
        return self

    def ports(self, *ports):
        """More ports of the machine than sshd's."""
        self.save(doors=[{"port": port, "host": "127.0.0.1", "at": port} for port in ports])

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.jump_port), 5) as s:
                return s.recv(4) == b"SSH-"
        except OSError:
            return False

    def client(self, *argv, **more):
        """OpenSSH, with the configuration of a person who uses the jump host."""
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([argv[0], "-F", str(self.ssh_config), *argv[1:]], capture_output=True, text=True, timeout=60,
                              check=False, **more)  # fmt: skip

    def spawn(self, *argv, **more):
        more = dict({"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}, **more)
        return subprocess.Popen([argv[0], "-F", str(self.ssh_config), *argv[1:]], **more)

    def processes(self, word):
        """Ours of that command: jump-session, jump, daemon."""
        found, mark, place = [], f"DORMOUSE_STATE_DIR={self.folder}/state".encode(), f"127.0.0.1:{self.jump_port}".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                ours = place in words or mark in (path / "environ").read_bytes().split(b"\0")
                if ours and word.encode() in words[1:2]:
                    found.append(int(path.name))
            except OSError:
                continue
        return found

    def nothing_is_left(self):
        """No machine and no process of a connection."""
        wait_for(lambda: not self.is_on() and not self.processes("jump-session"))

    def end(self):
        if self.jump is not None:
            self.jump.terminate()
            self.jump.wait(20)
        for pid in self.processes("jump-session") + self.processes("jump"):
            os.kill(pid, 9)
        super().end()
