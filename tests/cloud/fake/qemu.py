"""Instances that really boot: for each a QEMU guest with OpenZFS (tests/vm), whose disks are the volumes."""

import json
import pathlib
import runpy
import socket
import subprocess
import threading

from .backends import KEEPER, SshMachine, free_port, shell_script

VM = pathlib.Path(__file__).resolve().parents[2] / "vm"
MEMORY = 1024
OFF_SECONDS = 60  # so long it may take to switch itself off


class Monitor:
    """QEMU's end of a socket on which it is told what to do (QMP)."""

    def __init__(self, end):
        self.file, self.lock = end.makefile("rw"), threading.Lock()
        self.file.readline()
        self.tell("qmp_capabilities")

    def tell(self, what, **arguments):
        """What it answers; None: it is not there any more."""
        with self.lock:
            try:
                print(json.dumps({"execute": what, "arguments": arguments}), file=self.file, flush=True)
                for line in self.file:
                    answer = json.loads(line)
                    if "event" not in answer:
                        return answer
            except (OSError, ValueError):
                pass
            return None


class Qemu:
    """`poweroff` in the guest ends the instance.  A shell script in the user data is run in it, after its sshd has started;
    of the rest of the user data the host key is taken, as with other machines."""

    def __init__(self, port=None):
        self.ssh_port = port or free_port()
        self.vm = runpy.run_path(str(VM / "run"))
        self.image = self.vm["image"]()
        self.accel = self.vm["choose_accel"](self.image)

    def machine(self, folder, guest, off):
        return QemuMachine(folder, guest, off, self)

    def argv(self, folder, addresses, monitor):
        words = f"dormouse.serve=1 dormouse.hostname={folder.name} dormouse.hostkey={folder}/hostkey dormouse.authkeys={folder}/authorized_keys"
        # Each has another one, as machines have; a pool that was not exported is another machine's to ZFS.
        words += f" dormouse.hostid={folder.name[-8:]} dormouse.userdata={folder}/user-data"
        forwards = "".join(f",hostfwd=tcp:{address}:{self.ssh_port}-:22" for address in addresses if ":" not in address)
        return [*self.vm["machine"](self.image, self.accel, MEMORY, 1, words), "-serial", f"file:{folder}/console",
                "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
                "-device", "virtio-9p-pci,fsdev=host,mount_tag=host", "-netdev", f"user,id=net,restrict=on{forwards}",
                "-device", "virtio-net-pci,netdev=net", "-chardev", f"socket,id=monitor,fd={monitor}",
                "-mon", "chardev=monitor,mode=control"]  # fmt: skip


class QemuMachine(SshMachine):
    def __init__(self, folder, guest, off, backend):
        super().__init__(folder, guest, off)
        self.backend, self.disks = backend, {}
        self.process = self.ending = self.monitor = None
        self.folder.mkdir(parents=True, exist_ok=True)

    def boot(self):
        self._keys()
        (self.folder / "user-data").write_bytes(shell_script(self.guest["user_data"]) or b"")
        ours, theirs = socket.socketpair()
        argv = self.backend.argv(self.folder, self.guest["addresses"] if self.guest["reachable"] else [], theirs.fileno())
        with open(self.folder / "qemu.log", "wb") as errors:
            self.process = subprocess.Popen(["bash", "-c", KEEPER, "keeper", *argv], stdin=subprocess.PIPE, stdout=errors,
                                            stderr=errors, start_new_session=True, pass_fds=[theirs.fileno()])  # fmt: skip
        theirs.close()
        self.monitor = Monitor(ours)
        for serial, path in self.disks.items():
            self._plug(serial, path)
        threading.Thread(target=self._watch, args=(self.process,), daemon=True).start()

    def _watch(self, process):
        process.wait()
        if self.process is process:
            self.process = None
            self.off()

    def end(self, orderly):
        process, self.process = self.process, None
        if process is None:
            return
        self.ending = process
        if orderly and self.monitor.tell("system_powerdown"):
            late = threading.Timer(OFF_SECONDS, process.stdin.close)
            late.daemon = True
            late.start()
        else:
            process.stdin.close()

    def is_off(self):
        return self.process is None and (self.ending is None or self.ending.poll() is not None)

    def _plug(self, serial, path):
        # What one that was unplugged leaves behind goes when it comes again.
        self.monitor.tell("blockdev-del", **{"node-name": serial})
        self.monitor.tell("blockdev-add", **{"node-name": serial, "driver": "raw", "discard": "unmap",
                                             "file": {"driver": "file", "filename": str(path), "locking": "off"}})  # fmt: skip
        self.monitor.tell("device_add", driver="virtio-blk-pci", drive=serial, id=serial, serial=serial)

    def attach(self, serial, path):
        self.disks[serial] = path
        if self.process:
            self._plug(serial, path)

    def detach(self, serial):
        self.disks.pop(serial, None)
        if self.process:
            self.monitor.tell("device_del", id=serial)

    def resize(self, serial):
        if self.process and serial in self.disks:
            self.monitor.tell("block_resize", **{"node-name": serial, "size": self.disks[serial].stat().st_size})

    def console(self):
        log = self.folder / "console"
        return log.read_text(errors="replace") if log.exists() else ""
