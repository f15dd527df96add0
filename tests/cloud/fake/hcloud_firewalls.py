"""Firewalls of Hetzner Cloud: what stands before a server lets in what its rules say, and nothing else."""

import ipaddress
import re

from .hcloud import Firewall
from .hcloud_request import (
    PAGES, HcloudError, check_labels, find, invalid, listed, read_object, rename, route, selected, unique,
)  # fmt: skip

RULES, BLOCKS = 50, 100
RULE = {"direction!": "str", "protocol!": "str", "port": "str", "source_ips": "list", "destination_ips": "list",
        "description": "str"}  # fmt: skip


def _ports(text):
    if text == "any":
        return 1, 65535
    m = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    low, high = (int(m[1]), int(m[2] or m[1])) if m else (0, 0)
    if not 1 <= low <= high <= 65535:
        raise invalid("rules.port", f"'{text}' is no port and no range.")
    return low, high


def check_rules(rules):
    if len(rules) > RULES:
        raise invalid("rules", f"More than {RULES}.")
    checked = []
    for rule in rules:
        rule = {"port": None, "source_ips": [], "destination_ips": [], "description": None, **read_object(RULE, rule, "rules")}
        if rule["direction"] not in ("in", "out") or rule["protocol"] not in ("tcp", "udp", "icmp", "esp", "gre"):
            raise invalid("rules", "No such direction or protocol.")
        if (rule["port"] is not None) != (rule["protocol"] in ("tcp", "udp")):
            raise invalid("rules.port", "Belongs to tcp and udp, and to nothing else.")
        if rule["port"] is not None:
            _ports(rule["port"])
        ours, other = ("source_ips", "destination_ips") if rule["direction"] == "in" else ("destination_ips", "source_ips")
        if not 1 <= len(rule[ours]) <= BLOCKS or rule[other]:
            raise invalid(f"rules.{ours}", f"From 1 to {BLOCKS} there, and none of the other side.")
        for block in rule[ours]:
            try:
                assert "/" in block
                ipaddress.ip_network(block)  # its first address
            except (ValueError, TypeError, AssertionError):
                raise invalid(f"rules.{ours}", f"'{block}' is not the first address of a block and its size.") from None
        checked.append(rule)
    return checked


def lets_in(firewalls, port):
    """Whether anybody reaches that tcp port; who it is is not looked at."""
    rules = [rule for wall in firewalls for rule in wall.rules if (rule["direction"], rule["protocol"]) == ("in", "tcp")]
    return not firewalls or any(low <= port <= high for low, high in (_ports(rule["port"]) for rule in rules))


@route("GET", "/firewalls", query=("name", "label_selector", *PAGES))
def firewalls(project, p, q):
    found = [w for w in project.firewalls.values() if w.name in q.get("name", [w.name])]
    return listed(q, "firewalls", selected(q, found, lambda w: w.labels), Firewall.as_json)


@route("GET", "/firewalls/ID")
def firewall(project, p, q, number):
    return 200, {"firewall": find(project.firewalls, number, "firewall").as_json()}


@route("POST", "/firewalls", {"name!": "str", "labels": "dict", "rules": "list"})
def create_firewall(project, p, q):
    unique(project.firewalls.values(), p["name"])
    labels, rules = check_labels(p), check_rules(p.get("rules", []))
    return 201, {"firewall": Firewall(project, p["name"], labels, rules).as_json(), "actions": []}


@route("PUT", "/firewalls/ID", {"name": "str", "labels": "dict"})
def change_firewall(project, p, q, number):
    wall = find(project.firewalls, number, "firewall")
    rename(project.firewalls.values(), wall, p)
    return 200, {"firewall": wall.as_json()}


@route("DELETE", "/firewalls/ID")
def delete_firewall(project, p, q, number):
    wall = find(project.firewalls, number, "firewall")
    if wall.servers():
        raise HcloudError("resource_in_use", f"firewall with ID {wall.id} is still in use", 422)
    del project.firewalls[wall.id]
    return 204, None


@route("POST", "/firewalls/ID/actions/set_rules", {"rules!": "list"})
def set_rules(project, p, q, number):
    wall = find(project.firewalls, number, "firewall")
    wall.rules = check_rules(p["rules"])
    acted = [project.act("set_firewall_rules", [wall], project.settings.ruling, lambda: None)]
    acted += [project.act("apply_firewall", [s, wall], project.settings.ruling, lambda: None) for s in wall.servers()]
    return 201, {"actions": acted}
