"""What an instance is made of.  A backend makes one Machine for each instance."""

import base64
import email
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import threading


class Machine:
    """One instance.  Nothing here blocks for longer than a program's start.

    guest: instance_id, addresses (public, private), system (nixos, cloud-init, other), key_race, public_keys (lines of
    OpenSSH), user_data (bytes), reachable (whether ssh is let in), root_login (whether the image lets root in by itself).
    off: to be called, from any thread, when it goes off by itself."""

    def __init__(self, folder, guest, off):
        self.folder, self.guest, self.off = folder, guest, off

    def boot(self):
        """Power on.  It may be called again after end()."""

    def end(self, orderly):
        """Power off; unless `orderly`, the guest is not asked."""

    def attach(self, serial, path):
        """`path` is the volume's file, of its full size; `serial` is what the guest finds the disk by."""

    def detach(self, serial):
        pass

    def resize(self, serial):
        """The file has grown."""

    def is_off(self):
        """Whether it has come to its end, after end()."""
        return True

    def console(self):
        return ""


class Nothing:
    """Instances that are only entries in a table."""

    def machine(self, folder, guest, off):
        return Machine(folder, guest, off)

    ssh_port = 22


def nixos_host_key(user_data):
    """What NixOS' ec2-data.nix finds, by the same two sed programs.  Their first one also prints every other line with
    a bar in it."""

    def found(text, *substitutions):
        lines = []
        for line in text.split("\n"):
            changed = line
            for old, new in substitutions:
                changed = re.sub(old, new, changed)
            if changed != line:
                lines.append(changed)
        return "\n".join(lines)

    text = user_data.decode(errors="replace")
    private = found(text, (r"\|", "\n"), ("SSH_HOST_ED25519_KEY:", ""))
    public = found(text, ("SSH_HOST_ED25519_KEY_PUB:", ""))
    return (private + "\n", public + "\n", None) if private and public else None


def cloud_config(user_data):
    """Of a MIME message, all its parts that are one, the later ones over the earlier, as cloud-init finds them."""
    if b"mime-version:" not in user_data[:4096].lower():
        return one_cloud_config(user_data)
    found = {}
    for part in email.message_from_bytes(user_data).walk():
        if part.get_content_type() in ("text/cloud-config", "text/plain", "text/x-not-multipart"):
            found.update(one_cloud_config(part.get_payload(decode=True)))
    return found


def one_cloud_config(user_data):
    """The top of a #cloud-config as {key: text}, one level of `key: |` and `key: value` under it as {key: {…}}: enough
    of YAML for what we look for."""
    text = user_data.decode(errors="replace")
    if text.split("\n", 1)[0].rstrip() != "#cloud-config":
        return {}
    found, section, block = {}, None, None
    for line in text.split("\n")[1:]:
        indent = len(line) - len(line.lstrip(" "))
        if block and (not line.strip() or indent > block[0]):
            if block[1] is None:
                block[1] = indent
            block[2].append(line[block[1] :])
            continue
        if block:
            block[3][block[4]] = "\n".join(block[2]).rstrip("\n") + "\n"
            block = None
        m = re.fullmatch(r" *([A-Za-z0-9_-]+): *(.*?) *", line)
        if not m:
            continue
        key, value = m.groups()
        into = found if indent == 0 else section
        if into is None:
            continue
        if value in ("|", "|-"):
            block = [indent, None, [], into, key]
        elif value == "" and indent == 0:
            section = found[key] = {}
        else:
            into[key] = value.strip("\"'")
            if indent == 0:
                section = None
    if block:
        block[3][block[4]] = "\n".join(block[2]).rstrip("\n") + "\n"
    return found


def cloud_init_host_key(user_data):
    keys = cloud_config(user_data).get("ssh_keys")
    if not isinstance(keys, dict) or "ed25519_private" not in keys:
        return None
    return keys["ed25519_private"], keys.get("ed25519_public", "").strip() + "\n", keys.get("ed25519_certificate")


def shell_script(user_data):
    """What cloud-init would run of it, or None."""
    if b"mime-version:" not in user_data[:4096].lower():
        return user_data if user_data.startswith(b"#!") else None
    for part in email.message_from_bytes(user_data).walk():
        payload = part.get_payload(decode=True) or b""
        if payload.startswith(b"#!"):
            return payload
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sshd:
    """An OpenSSH server on loopback addresses of its own for each instance.  No program of the user data is run: its files
    are those of the machine it runs on.  As root, and where that is allowed, it has processes, a name and mounts of its
    own: there its disks are in /dev/disk/by-id.  Otherwise they are only in $FAKE_DISKS, under the same names, and only
    what is found by $PATH is kept from the host.

    `poweroff`, `shutdown` and `systemctl poweroff` end the instance; `halt` leaves it running, and paid for, without an
    sshd, as it does there."""

    def __init__(self, port=None):
        self.ssh_port = port or free_port()
        self.isolated = subprocess.run([*UNSHARE, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0

    def machine(self, folder, guest, off):
        return SshdMachine(folder, guest, off, self.ssh_port, self.isolated)


SHIM = """#!/bin/sh
case ${0##*/} in
systemctl | shutdown)
	off=no
	for word in "$@"; do
		case $word in
		poweroff | -P | -h | now | --poweroff) off=yes ;;
		halt | -H | --halt) : >"$FAKE_FOLDER/halted"; off=yes ;;
		esac
	done
	[ $off = yes ] || exit 0
	;;
halt) case " $* " in *" -p "*) ;; *) : >"$FAKE_FOLDER/halted" ;; esac ;;
esac
[ -e "$FAKE_FOLDER/halted" ] || : >"$FAKE_FOLDER/off"
kill "$(cat "$FAKE_FOLDER/sshd.pid")"
"""

# The server goes when the fake goes: then this end of the pipe is closed.
KEEPER = """exec 3<&0
"$@" </dev/null 3<&- & server=$!
(read -r _ <&3; kill -9 $server) 2>/dev/null & look=$!
wait $server
kill $look 2>/dev/null
"""


UNSHARE = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
ISOLATED = """hostname "$FAKE_INSTANCE"
mkdir -p /dev/disk/by-id && mount --bind "$FAKE_FOLDER/disks" /dev/disk/by-id
for shim in "$FAKE_FOLDER"/bin/*; do
	for folder in /usr/sbin /usr/bin /sbin /bin; do
		[ ! -e "$folder/${shim##*/}" ] || mount --bind "$shim" "$folder/${shim##*/}"
	done
done
exec "$@"
"""


class SshMachine(Machine):
    """One with an sshd, whose keys are in its folder."""

    def __init__(self, folder, guest, off):
        super().__init__(pathlib.Path(folder), guest, off)
        self.text = ""

    def _keys(self):
        guest, key = self.guest, self.folder / "hostkey"
        if key.exists():
            return
        user_data = guest["user_data"]
        given = None
        if guest["system"] == "nixos" and not guest["key_race"]:
            given = nixos_host_key(user_data)
        elif guest["system"] == "cloud-init":
            given = cloud_init_host_key(user_data)
        if given:
            key.touch(0o600)
            key.write_text(given[0])
            pathlib.Path(f"{key}.pub").write_text(given[1])
            if given[2]:
                (self.folder / "hostkey-cert.pub").write_text(given[2].strip() + "\n")
        else:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "root@guest", "-f", key], check=True)
        allowed = "".join(line + "\n" for line in guest["public_keys"])
        root = guest["root_login"] or guest["system"] != "cloud-init"
        if not root and cloud_config(user_data).get("disable_root") != "false":
            login = (
                'command="echo \'Please login as the user \\"ubuntu\\" rather than the user \\"root\\".\';exit 142" '
            )
            allowed = "".join(f"{login}{line}\n" for line in guest["public_keys"])
        (self.folder / "authorized_keys").write_text(allowed)
        public = pathlib.Path(f"{key}.pub").read_text()
        done = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=False)  # fmt: skip
        self.text = (f"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n{done.stdout}-----END SSH HOST KEY FINGERPRINTS-----\n"
                     f"-----BEGIN SSH HOST KEY KEYS-----\n{public}-----END SSH HOST KEY KEYS-----\n")  # fmt: skip


class SshdMachine(SshMachine):
    def __init__(self, folder, guest, off, port, isolated):
        super().__init__(folder, guest, off)
        self.port, self.isolated = port, isolated
        self.disks = self.folder / "disks"
        self.shims = self.folder / "bin"
        for one in (self.disks, self.shims):
            one.mkdir(parents=True, exist_ok=True)
        for name in ("poweroff", "halt", "shutdown", "systemctl", "reboot"):
            shim = self.shims / name
            shim.write_text(SHIM if name != "reboot" else "#!/bin/sh\nexit 0\n")
            shim.chmod(0o755)
        self.process = None

    def boot(self):
        self._keys()
        for name in ("off", "halted"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "sshd_config").write_text(self._config())
        if not self.guest["reachable"]:
            return
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        server = ["/usr/sbin/sshd", "-D", "-f", self.folder / "sshd_config", "-E", self.folder / "sshd.log"]
        if self.isolated:
            server = [*UNSHARE, "sh", "-e", "-c", ISOLATED, "guest", *server]
        env = dict(os.environ, FAKE_FOLDER=str(self.folder), FAKE_INSTANCE=self.guest["instance_id"])
        self.process = subprocess.Popen(["bash", "-c", KEEPER, "keeper", *server], stdin=subprocess.PIPE, env=env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        threading.Thread(target=self._watch, args=(self.process,), daemon=True).start()

    def _watch(self, process):
        process.wait()
        if self.process is not process:
            return
        self._kill_all()
        # A server that cannot start is no machine that is off.
        if (self.folder / "off").exists():
            self.off()

    def _config(self):
        f = self.folder
        listen = "".join(f"ListenAddress {address}\n" for address in self.guest["addresses"])
        certificate = f"HostCertificate {f}/hostkey-cert.pub\n" if (f / "hostkey-cert.pub").exists() else ""
        path = shlex.quote(f"{self.shims}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        return (f"Port {self.port}\n{listen}HostKey {f}/hostkey\n{certificate}PidFile {f}/sshd.pid\n"
                f"AuthorizedKeysFile {f}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\nSubsystem sftp internal-sftp\n"
                f"SetEnv PATH={path} FAKE_FOLDER={f} FAKE_DISKS={self.disks}"
                f" FAKE_INSTANCE={self.guest['instance_id']}\n")  # fmt: skip

    def _kill_all(self):
        """The server, its connections, and whatever they left behind."""
        mark = f"FAKE_FOLDER={self.folder}".encode()
        for _ in range(2):
            parents, marked = {}, set()
            for path in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    parents[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    if mark in (path / "environ").read_bytes().split(b"\0"):
                        marked.add(int(path.name))
                except OSError:
                    pass
            # What sshd calls itself is written over its environment: its children are known by their parent.
            grown = True
            while grown:
                more = {pid for pid, parent in parents.items() if parent in marked} - marked
                marked |= more
                grown = bool(more)
            for pid in marked - {os.getpid()}:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass

    def end(self, orderly):
        process, self.process = self.process, None
        if process:
            self._kill_all()
            process.stdin.close()
            process.wait()

    def _link(self, serial):
        # As udev's rules name an NVMe disk of the one provider, and a SCSI disk of the other one.
        kind = "nvme-Amazon_Elastic_Block_Store_" if serial.startswith("vol") else "scsi-0HC_Volume_"
        return self.disks / (kind + serial)

    def attach(self, serial, path):
        self.detach(serial)
        self._link(serial).symlink_to(path)

    def detach(self, serial):
        self._link(serial).unlink(missing_ok=True)

    def console(self):
        return self.text


def console_blob(machine):
    return base64.b64encode(machine.console().encode()[-65536:]).decode()
