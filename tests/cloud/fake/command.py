"""A fake as a program."""

import argparse
import json
import os
import signal
import tempfile
import threading


def main(text, make, backends=("none", "sshd")):
    """make(folder, backend, ssh_port, settings) -> the fake.  Serves until SIGTERM or ^C, then prints the bill."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--port-file", required=True, help="gets the addresses and the credentials, as JSON, once it serves"
    )
    parser.add_argument("--folder", help="where instances and volumes are; without it they go at the end")
    parser.add_argument("--backend", default="sshd", choices=backends)
    parser.add_argument("--ssh-port", type=int)
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="a setting; VALUE is JSON")
    args = parser.parse_args()
    settings = {name: json.loads(value) for name, _, value in (word.partition("=") for word in args.settings)}
    done = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: done.set())
    with tempfile.TemporaryDirectory(prefix="fake-cloud-") as own:
        fake = make(args.folder or own, args.backend, args.ssh_port, settings)
        new = args.port_file + ".new"
        with open(new, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(fake.describe())
        os.rename(new, args.port_file)
        done.wait()
        fake.end()
        print(fake.bill.text(fake.world.now()), end="", flush=True)
