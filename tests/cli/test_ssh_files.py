"""After `dormouse ssh-config --install`, everything that uses ssh wakes a machine by its name, with nothing else said."""

import os
import pathlib
import pwd
import stat
import subprocess

import pytest
from conftest import DORMOUSE, wait_for

HOME = pathlib.Path(pwd.getpwuid(os.geteuid()).pw_dir)


@pytest.fixture
def ssh_home(setup):
    """A ~/.ssh of its own: ssh finds the user's by the password file, so ours is mounted over it, for us alone."""
    folder = setup.folder / "dot-ssh"
    folder.mkdir(mode=0o700)
    (HOME / ".ssh").mkdir(mode=0o700, exist_ok=True)
    setup.env["HOME"] = str(HOME)
    return folder


def inside(setup, folder, over, *command, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', folder, over,
                           *command], env=setup.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, **more)  # fmt: skip


def user(setup, folder, *command, check=0, **more):
    done = inside(setup, folder, HOME / ".ssh", *command, **more)
    assert done.returncode == check, done.stdout + done.stderr
    return done


def test_every_program_that_uses_ssh(setup, ssh_home):
    def by_name(*command, **more):
        wait_for(lambda: not setup.is_on())
        starts = setup.starts()
        done = user(setup, ssh_home, *command, **more)
        assert setup.starts() == starts + 1
        return done.stdout

    user(setup, ssh_home, DORMOUSE, "ssh-config", "--install")
    here, there = setup.folder / "here", setup.machine / "there"
    here.mkdir()
    there.mkdir()
    (here / "file").write_bytes(os.urandom(1 << 20))

    assert by_name("ssh", "arch", "echo it is on") == "it is on\n"
    by_name("scp", "-q", here / "file", f"arch:{there}/by-scp")
    by_name("rsync", "-a", f"{here}/", f"arch:{there}/by-rsync")
    by_name("sh", "-c", f"cat {here}/file | ssh arch 'cat > {there}/by-pipe'")
    batch = setup.folder / "batch"
    batch.write_text(f"get {there}/by-scp {here}/by-sftp\n")
    by_name("sftp", "-q", "-b", batch, "arch")
    for path in (there / "by-scp", there / "by-rsync" / "file", there / "by-pipe", here / "by-sftp"):
        assert path.read_bytes() == (here / "file").read_bytes()

    git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run([*git, "init", "-q", there / "repository"], check=True)
    subprocess.run([*git, "-C", there / "repository", "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    by_name("git", "clone", "-q", f"arch:{there}/repository", here / "clone")
    assert (here / "clone" / ".git" / "HEAD").exists()

    shared = ["ssh", "-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-o", f"ControlPath={setup.folder}/master"]
    by_name("sh", "-c", '"$@" arch true && "$@" arch true 2>&1 && "$@" -O exit arch 2>&1', "-", *shared)
    wait_for(lambda: not setup.is_on())


def test_another_host_key_is_refused(setup, ssh_home):
    user(setup, ssh_home, DORMOUSE, "ssh-config", "--install")
    for path in (setup.machine / "hostkey", setup.machine / "hostkey.pub"):
        path.unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", setup.machine / "hostkey"], check=True)
    assert "Host key verification failed" in user(setup, ssh_home, "ssh", "-n", "arch", "true", check=255).stderr


def test_what_the_user_has_stays(setup, ssh_home):
    mine = "# mine\r\nHost other\n  User me\n\nHost *\n  Port 99"  # no new line at the end
    real = setup.folder / "dotfiles-config"
    real.write_text(mine, newline="")
    real.chmod(0o640)
    (ssh_home / "config").symlink_to(real)
    said = user(setup, ssh_home, DORMOUSE, "ssh-config", "--install").stdout
    assert said == f"{HOME}/.ssh/dormouse_config: 1 target, for {HOME}/.ssh/config\n"
    first = real.read_bytes()
    assert first == f'Include "{HOME}/.ssh/dormouse_config"\n{mine}'.encode()
    assert (ssh_home / "config").is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert stat.S_IMODE((ssh_home / "dormouse_config").stat().st_mode) == 0o600
    before = real.stat().st_ino
    user(setup, ssh_home, DORMOUSE, "known-hosts", "--install")
    assert real.read_bytes() == first and real.stat().st_ino == before
    # Ours comes first and is about our machines alone.
    assert "port 22\n" in user(setup, ssh_home, "ssh", "-G", "arch").stdout
    other = user(setup, ssh_home, "ssh", "-G", "other").stdout
    assert "user me\n" in other and "port 99\n" in other and "proxycommand" not in other
    setup.config.write_text("what it was made from is broken")
    user(setup, ssh_home, DORMOUSE, "ssh-config", "--remove")
    assert real.read_bytes() == mine.encode() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(p.name for p in ssh_home.iterdir()) == ["config"]
    user(setup, ssh_home, DORMOUSE, "ssh-config", "--remove")


def test_a_file_that_cannot_be_replaced(setup, ssh_home):
    """A folder stands for whatever keeps us from it: root may write everywhere."""
    (ssh_home / "config").mkdir()
    done = user(setup, ssh_home, DORMOUSE, "ssh-config", "--install", check=2)
    assert "config" in done.stderr
    assert sorted(p.name for p in ssh_home.iterdir()) == ["config", "dormouse_config", "dormouse_known_hosts"]


def test_for_every_user(setup):
    etc = setup.folder / "etc-ssh"
    (etc / "ssh_config.d").mkdir(parents=True)
    (etc / "ssh_config").write_text("Include /etc/ssh/ssh_config.d/*.conf\n")
    ssh = ["ssh", "-F", "/etc/ssh/ssh_config", "arch", "echo on"]
    assert inside(setup, etc, "/etc/ssh", DORMOUSE, "ssh-config", "--install", "--system").returncode == 0
    done = inside(setup, etc, "/etc/ssh", *ssh)
    assert done.stdout == "on\n", done.stderr
    assert stat.S_IMODE((etc / "dormouse_known_hosts").stat().st_mode) == 0o644
    assert inside(setup, etc, "/etc/ssh", DORMOUSE, "ssh-config", "--remove", "--system").returncode == 0
    assert sorted(p.name for p in etc.rglob("*")) == ["ssh_config", "ssh_config.d"]
    (etc / "ssh_config.d").rmdir()
    done = inside(setup, etc, "/etc/ssh", DORMOUSE, "ssh-config", "--install", "--system")
    assert done.returncode == 2 and "hint: put what dormouse ssh-config prints" in done.stderr


def test_ssh_reads_what_was_meant(setup):
    """The same values, as OpenSSH itself sees them."""
    key = setup.folder / 'my "own" #1 key\\'
    escaped = str(key).replace("\\", "\\\\").replace('"', '\\"')
    text = setup.config.read_text().replace(f'"{setup.folder}/id"', f'"{escaped}"').replace("  ssh {", '  ssh {\n    user = "x y"\n    port = 2022')
    config = setup.folder / "it's 100% mine; $(touch x).hcl"
    config.write_text(text)
    printed = setup.run("ssh-config", "-c", str(config), check=0).stdout
    (setup.folder / "printed").write_text(printed)
    seen = subprocess.run(["ssh", "-G", "-F", setup.folder / "printed", "arch"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.splitlines()  # fmt: skip
    assert "user x y" in seen and "port 2022" in seen and f"identityfile {key}" in seen
    assert "hostkeyalias arch@dormouse" in seen and "stricthostkeychecking true" in seen
    command = next(line for line in seen if line.startswith("proxycommand ")).removeprefix("proxycommand ")
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert words.splitlines()[1:] == ["connect", "--fdpass", "-c", str(config).replace("%", "%%"), "arch:%p"]
    assert "arch@dormouse ssh-ed25519 " in setup.run("known-hosts", "-c", str(config), check=0).stdout


def test_for_another_machine(setup):
    printed = setup.run("ssh-config", "--jump", "192.0.2.7", check=0).stdout
    (setup.folder / "printed").write_text(printed)
    seen = subprocess.run(["ssh", "-G", "-F", setup.folder / "printed", "arch"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.splitlines()  # fmt: skip
    assert "proxyjump arch@[192.0.2.7]:7922" in seen and not [s for s in seen if str(setup.folder) in s]


def test_what_makes_no_sense(setup, tmp_path):
    for words in (["--install", "--remove"], ["--system"], ["--remove", "arch"], ["--jump", "x", "--install"],
                  ["--jump", "a b"], ["nobody"]):  # fmt: skip
        done = setup.run("ssh-config", *words, check=3)
        assert "hint: " in done.stderr and done.stdout == ""
    setup.env["HOME"] = str(tmp_path)
    said = setup.run("ssh-config", "--install", check=0).stderr
    assert f"ssh itself reads '{HOME}/.ssh/config'" in said
    assert (tmp_path / ".ssh" / "config").read_text() == f'Include "{tmp_path}/.ssh/dormouse_config"\n'
    assert stat.S_IMODE((tmp_path / ".ssh").stat().st_mode) == 0o700
