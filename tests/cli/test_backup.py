"""Whole runs of which one side or both are machines that sleep; what needs ZFS is in tests/zfs."""

import json
import time

from conftest import Setup, wait_for

ZFS = """#!/bin/sh
case "$*" in
*filesystem,volume*-o\\ name,type*) printf 'tank/x\\tfilesystem\\t5\\toff\\t-\\t1\\t1\\t1\\t0'
	printf '\\t-%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
	echo ;;
*snapshot,bookmark*) printf 'tank/x@a\\t17\\t1\\t1700000000\\t0\\n' ;;
esac
"""


def has_zfs(machine, text):
    """What the machine has as its zfs command."""
    (machine.machine / "bin").mkdir()
    path = machine.machine / "bin/zfs"
    path.write_text(text)
    path.chmod(0o755)
    with open(machine.machine / "sshd_config", "a") as f:
        f.write(f"SetEnv PATH={machine.machine}/bin:/usr/bin:/bin\n")


def backup(setup, more=""):
    setup.config.write_text(setup.config.read_text() + f'backup "x" {{\n  source = "arch:tank/x"\n{more}}}\n')


def test_a_source_that_sleeps(setup):
    """It is woken, and sleeps again, however early the run ends."""
    has_zfs(setup, "#!/bin/sh\necho cannot open >&2\nexit 1\n")
    said = f'["sh", "-c", "echo $EXIT_STATUS >>{setup.folder}/said"]'
    backup(setup, f'  destination = "vault"\n  after = {said}\n')
    setup.config.write_text(setup.config.read_text().replace('linger = "0s"', 'linger = "0s"\n  starts_per_hour = 1'))
    done = setup.run("backup", "x", check=2)
    assert "cannot look at 'tank/x' on arch" in done.stderr and setup.starts() == 1
    assert not setup.is_on()
    # The exit code does not depend on who asks, and is what is told.
    for how in ([], ["--json"]):
        done = setup.run("backup", *how, "x", check=4)
        assert "has been started too often" in done.stdout + done.stderr
    assert (setup.folder / "said").read_text().split() == ["2", "4", "4"]
    assert [run["exit"] for run in json.loads(setup.run("history", "--json", check=0).stdout)] == [4, 4, 2]


def test_a_look_that_does_not_end(setup):
    """As of a pool whose disk is gone: the run's timeout ends it all the same."""
    has_zfs(setup, "#!/bin/sh\nexec sleep 100\n")
    backup(setup, '  destination = "vault"\n  timeout = "4s"\n')
    began = time.monotonic()
    done = setup.run("backup", "x", check=2)
    assert "its timeout is over" in done.stderr and "hint:" in done.stderr
    assert 3 < time.monotonic() - began < 40 and not setup.is_on()
    assert "its timeout is over" in setup.run("status", check=2).stdout


def test_nothing_is_chosen(setup):
    """It is no success, and nobody is woken for it."""
    has_zfs(setup, ZFS)
    for chosen in ('include = ["tank/x/typo"]', 'choose = "property"', 'exclude = ["tank/*"]'):
        setup.write_config()
        backup(setup, f'  destination = "vault"\n  {chosen}\n')
        done = setup.run("backup", "x", check=2)
        assert "backup 'x' takes no dataset of 'tank/x'" in done.stderr and "hint:" in done.stderr


def test_from_machine_to_machine(setup):
    (setup.folder / "v").mkdir()
    other = Setup(setup.folder / "v", name="vault")
    has_zfs(setup, ZFS)
    has_zfs(other, "#!/bin/sh\necho cannot open >&2\nexit 1\n")
    backup(setup, '  destination = "vault:pool"\n')
    setup.config.write_text(setup.config.read_text() + other.config.read_text())
    try:
        setup.save(delay_stop=5)
        run = setup.popen("backup", "x")
        wait_for(other.is_on)
        assert setup.is_on()
        # Neither is kept on until the other is off.
        wait_for(lambda: not other.is_on())
        assert setup.is_on()
        assert "cannot look at 'pool' on vault" in run.communicate(timeout=60)[1] and run.returncode == 2
        assert not setup.is_on()
    finally:
        other.end()
