"""What a target costs in a month, and what a run has cost."""

import json
import time

import pytest
from conftest import wait_for
from fake import backends, catalog
from test_apply import use

ZFS = """#!/bin/sh
case "$*" in
*filesystem,volume*-o\\ name,type*)
	for d in {datasets}; do
		printf '%s\\tfilesystem\\t%s\\toff\\t-\\t30\\t1\\t70\\t0' $d ${{#d}}
		printf '\\t-%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
		echo
	done ;;
*snapshot,bookmark*) printf '{holds}@a\\t17\\t1\\t{now}\\t0\\n' ;;
esac
"""


def script(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_what_it_costs(make):
    s = make("sshd", enforce_ingress=True)
    use(s)
    s.run("apply", "--yes", check=0)
    told = s.run("cost", check=0).stdout
    assert "target 'arch': about $1.88 a month\n" in told and "0 starts in 1 day" in told and "list prices of 2026-07-20 in us-east-1" in told
    s.run("wake", "arch", check=0)
    (bill,) = json.loads(s.run("cost", "--json", check=0).stdout)
    assert not bill["whole"]  # it is on, and nobody has seen its end
    s.sleep()
    (bill,) = json.loads(s.run("cost", "--json", check=0).stdout)
    items = {item["what"]: item for item in bill["items"]}
    assert bill["whole"] and bill["days"] == 1 and items["volume 'cold'"]["micros"] == 1875000
    # A minute is the least that is paid; a day's minute is half an hour in a month.
    kind = s.launched()[-1]["InstanceType"]
    assert items[kind]["basis"].startswith("1 start in 1 day, on for ") and items[kind]["micros"] >= 4200 * 365 // 720
    assert bill["micros"] == sum(item["micros"] for item in items.values())
    assert "gone after" in s.run("machines", "--starts", check=0).stdout
    # What AWS asks today, in another region; the others that are like it are not taken for it.
    use(s, more='  region = "us-west-2"\n')
    (bill,) = json.loads(s.run("cost", "--online", "--json", check=0).stdout)
    items = {item["what"]: item for item in bill["items"]}
    assert (bill["prices_in"], bill["currency"]) == ("us-west-2", "USD") and items["volume 'cold'"]["micros"] == 125 * 22000
    assert items[kind]["micros"] >= 5500 * 365 // 720
    # An address costs the same as long as the machine is on, by its own price.
    assert abs(items["its address"]["micros"] / items[kind]["micros"] - 11000 / 5500) < 0.01
    # What gp3 does beyond what is in its GiB.
    use(s, more='  region = "us-west-2"\n  volume "hot" {\n    type = "gp3"\n    size = "10GiB"\n    iops = 4000\n    throughput = 225\n  }\n')
    (bill,) = json.loads(s.run("cost", "--online", "--json", check=0).stdout)
    hot = [item["micros"] for item in bill["items"] if item["what"] == "volume 'hot'"]
    assert hot == [10 * 110000, 1000 * 6600, 100 * 55000] and bill["whole"]
    s.fake.settings.deny = ["pricing:GetProducts"]
    assert "cannot say what target 'arch' costs" in s.run("cost", "--online", check=2).stderr
    s.config.write_text('target "plain" "exec" {\n  command = ["true"]\n}\n')
    assert "no target there has prices" in s.run("cost", check=3).stderr


@pytest.mark.parametrize("prices", [True, False])
def test_a_run_says_what_it_has_cost(make, monkeypatch, prices):
    """And how the pool is.  The copies are there already: it comes to look, and goes."""
    now = int(time.time()) - 60
    real = backends.SshdMachine.__init__

    def with_zfs(machine, *args):
        real(machine, *args)
        script(machine.shims, "zfs", ZFS.format(datasets="cold cold/tank cold/tank/x", holds="cold/tank/x", now=now))
        script(machine.shims, "zpool", "#!/bin/sh\ncase \"$*\" in *health*) echo DEGRADED ;; esac\n")

    monkeypatch.setattr(backends.SshdMachine, "__init__", with_zfs)
    monkeypatch.setitem(catalog.TYPES, "t4g.large", catalog.TYPES["t4g.nano"])
    s = make("sshd")
    s.use(kind="t4g.nano" if prices else "t4g.large", linger="0s")
    s.config.write_text(s.config.read_text() + 'backup "x" {\n  source = "tank/x"\n  destination = "arch:cold"\n}\n')
    script(s.folder / "bin", "zfs", ZFS.format(datasets="tank/x", holds="tank/x", now=now))
    s.env["PATH"] = f"{s.folder}/bin:{s.env['PATH']}"
    done = s.run("backup", "x", check=0)
    wait_for(lambda: not s.alive())
    root = json.loads(s.run("history", "--json", "1", check=0).stdout)["spans"][0]["attrs"]
    assert (root["pool.name"], root["pool.health"], root["pool.capacity_pct"]) == ("cold", "DEGRADED", 30)
    assert "pool 'cold' on arch is DEGRADED" in s.run("status", check=1).stdout
    if not prices:
        assert "cost.run" not in root and "about" not in done.stdout
        return
    # A minute is the least that is paid: of the machine, its address and its disk of 8 GiB.
    least = (4200 + 5000 + 8 * 80000 / 730) / 60 / 1e6
    assert least * 0.99 < root["cost.run"] < 2 * least and root["cost.currency"] == "USD"
    assert root["cost.prices"] == "2026-07-20, us-east-1"
    assert f"; about {root['cost.run']:.4f} USD" in done.stdout
    assert f"done; about {root['cost.run']:.4f} USD" in s.run("history", "1", check=0).stdout
