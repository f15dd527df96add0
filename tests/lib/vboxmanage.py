#!/usr/bin/python3
"""usage: vboxmanage.py FOLDER COMMAND…

Stands in for VBoxManage: one machine, "Debian", in FOLDER/vm.json; FOLDER/calls gets one line per call.  What it prints is
what VirtualBox's user manual shows (chapter 8, VBoxManage: showvminfo --machinereadable, startvm, controlvm,
guestproperty), and its errors are those of VirtualBox 6 and 7.

FOLDER/vm.json: {"state": "poweroff", "until": time when a state that passes is over, "then": the one after it,
"ip": address or null, "boots": seconds, "deaf": does not see its buttons}"""

import json
import os
import sys
import time

folder, command, *words = sys.argv[1:]
with open(folder + "/calls", "a") as calls:
    calls.write(" ".join([command, *words]) + "\n")
with open(folder + "/vm.json") as f:
    vm = json.load(f)
if vm.get("then") and time.time() >= vm["until"]:
    vm["state"], vm["then"] = vm["then"], None


def save():
    with open(f"{folder}/vm.json.{os.getpid()}", "w") as out:
        json.dump(vm, out)
    os.replace(out.name, folder + "/vm.json")


def fail(text):
    print("VBoxManage: error: " + text, file=sys.stderr)
    sys.exit(1)


def become(state, seconds, then):
    vm.update(state=state, until=time.time() + seconds, then=then)
    save()


name = words[1] if command == "guestproperty" else words[0]
if name != "Debian":
    fail(f"Could not find a registered machine named '{name}'\nVBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND "
         "(0x80bb0001), component VirtualBoxWrap, interface IVirtualBox, callee nsISupports")  # fmt: skip
if command == "showvminfo" and words[1:] == ["--machinereadable"]:
    print(f'name="Debian"\ngroups="/"\nostype="Debian (64-bit)"\nVMState="{vm["state"]}"\n'
          'VMStateChangeTime="2026-01-01T00:00:00.000000000"\nmonitorcount=1')  # fmt: skip
elif command == "startvm" and words[1:] in (["--type=headless"], ["--type=gui"]):
    if vm["state"] not in ("poweroff", "aborted", "saved"):
        fail("The machine 'Debian' is already locked by a session (or being locked or unlocked)")
    print('Waiting for VM "Debian" to power on...\nVM "Debian" has been successfully started.')
    become("starting", 0.3, "running")
elif command == "controlvm" and vm["state"] not in ("running", "paused"):
    fail(f"Machine 'Debian' is not currently running (state: {vm['state']}).")
elif command == "controlvm" and words[1:] == ["acpipowerbutton"]:
    if not vm.get("deaf"):
        become("running", vm.get("boots", 0.5), "poweroff")
elif command == "controlvm" and words[1:] == ["acpisleepbutton"]:
    save()
elif command == "controlvm" and words[1:] == ["savestate"]:
    become("saving", 0.3, "saved")
elif command == "controlvm" and words[1:] == ["poweroff"]:
    become("stopping", 0.3, "poweroff")
elif command == "guestproperty" and words[0] == "get":
    print("No value set!" if vm["ip"] is None or vm["state"] != "running" else "Value: " + vm["ip"])
else:
    fail("Invalid command or parameters: " + " ".join([command, *words]))
