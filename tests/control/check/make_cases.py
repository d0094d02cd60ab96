#!/usr/bin/env python3
"""Writes the inputs of the golden cases: tests/control/check/cases/NAME/{server.conf,client.ovpn}
(with ccd/ where clients have files) and host.json. A case is named after the finding that it is
for, or after the kind of set-up that it is like. What is expected is written by the test itself,
with RINGWAY_UPDATE_GOLDEN=1.
"""
import json
import pathlib

CASES = pathlib.Path(__file__).parent / "cases"
JUNE = 1780272000  # 2026-06-01
DAY = 86400

PKI = """ca ../../pki/ca.crt
cert ../../pki/server.crt
key ../../pki/server.key
"""
BASE = PKI + """tls-crypt ../../pki/tls-crypt.key
dev tun
topology subnet
server 10.83.147.0 255.255.255.0
server-ipv6 fd00:83:147::/64
keepalive 10 60
"""
CLIENT = """client
dev tun
remote vpn.example.net 1194
proto udp
ca ../../pki/ca.crt
cert ../../pki/client.crt
key ../../pki/client.key
tls-crypt ../../pki/tls-crypt.key
remote-cert-tls server
"""
ALL = 'push "redirect-gateway def1 ipv6"\n'

ETH0 = {"name": "eth0", "addresses": ["203.0.113.5/24", "2001:db8:1::5/64"], "accept_ra": 0}
HOST = {
    "kernel": "6.1.0-18-amd64", "interfaces": [
        {"name": "lo", "addresses": ["127.0.0.1/8", "::1/128"]}, ETH0],
    "bind_v6_only": 0, "forwarding_v4": 1, "forwarding_v6": 1, "rp_filter_all": 0,
    "io_uring_disabled": 0, "locked_memory_max": 8388608, "has_tun_device": True,
    "nft": {"nftables": []},
}


def host(**changes):
    return {**HOST, **changes}


def interfaces(*ethernet):
    return [HOST["interfaces"][0], *ethernet]


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


def dport(value, protocol="udp"):
    return match({"payload": {"protocol": protocol, "field": "dport"}}, value)


ESTABLISHED = match({"ct": {"key": "state"}}, ["established", "related"], "in")


def filter_rules(hook, *rules, policy="drop"):
    chain = {"family": "inet", "table": "filter", "name": hook}
    objects = [{"chain": {**chain, "type": "filter", "hook": hook, "prio": 0, "policy": policy}}]
    for rule in rules:
        objects.append({"rule": {"family": "inet", "table": "filter", "chain": hook,
                                 "expr": list(rule)}})
    return {"nftables": objects}


def without(text, *names):
    return "".join(line + "\n" for line in text.splitlines() if line.split()[0] not in names)


def with_now(seconds):
    return {"now": seconds, "host": None}


START = 1767225600  # 2026-01-01
END_OF_LIST = 1798761600  # 2027-01-01
END = 2082758400  # 2036-01-01

FIVE = {"accept": None}
cases = {
    "refused-option": ("server", BASE + "fragment 1300\npkcs12 server.p12\n"
                       "engine dynamic\n", None),
    "config-error": ("server", BASE + "prot udp\nport 0\nkeepalive 10\nverb \"3\n"
                     "server-ipv6 fd00::/8\n", None),
    "file-unreadable": ("server", BASE.replace("server.key", "nowhere.key"), None),
    "local-missing": ("server", BASE + "local 198.51.100.7\n", host()),
    "local-name-missing": ("server", BASE + "local nowhere.example.net\n",
                           host(names={"nowhere.example.net": "cannot find nowhere.example.net: "
                                       "Name or service not known"})),
    "bind-dev-missing": ("server", BASE + "bind-dev ppp0\n", host()),
    "remote-not-found": ("client", CLIENT, host(names={"vpn.example.net": "cannot find it"})),
    "cert-unreadable": ("server", BASE.replace("ca.crt", "server.key"), None),
    "cert-expired": ("server", BASE, with_now(END + DAY)),
    "cert-not-yet-valid": ("server", BASE, with_now(START - DAY)),
    "key-mismatch": ("server", BASE.replace("server.key", "other.key"), None),
    "crl-expired": ("server", BASE + "crl-verify ../../pki/crl.pem\n", with_now(END_OF_LIST + DAY)),
    "user-missing": ("server", BASE + "user openvpn\ngroup openvpn\n",
                     host(user_exists=False, group_exists=False)),
    "io-uring-off": ("server", BASE, host(io_uring_disabled=2)),
    "tun-missing": ("client", CLIENT.replace("vpn.example.net", "2001:db8::9"),
                    host(has_tun_device=False)),
    "kernel-old": ("server", BASE, host(kernel="5.15.0-101-generic")),
    "ipv6-not-served": ("server", BASE + "proto udp4\n", None),
    "local-loopback": ("server", BASE + "local myhost\n", host(names={"myhost": ["127.0.1.1"]})),
    "mssfix-too-big": ("server", BASE + "mssfix 1492 mtu\n", None),
    "mssfix-off": ("server", BASE + "mssfix 0\n", None),
    "no-public-ipv4": ("server", BASE, host(interfaces=interfaces(
        {"name": "eth0", "addresses": ["100.72.3.4/10", "2001:db8:1::5/64"]}))),
    "no-global-ipv6": ("server", BASE, host(interfaces=interfaces(
        {"name": "b4", "addresses": ["192.0.0.2/29", "fe80::2/64"]}))),
    "remote-no-aaaa": ("client", CLIENT, host(names={"vpn.example.net": ["203.0.113.5"]})),
    "server-unverified": ("client", without(CLIENT, "remote-cert-tls"), None),
    "cert-expires": ("server", BASE, with_now(END - 12 * DAY - 1)),
    "crl-expires": ("server", BASE + "crl-verify ../../pki/crl.pem\n",
                    with_now(END_OF_LIST - 3 * DAY)),
    "cert-role": ("server", BASE.replace("server.crt", "client.crt")
                  .replace("server.key", "client.key"), None),
    "key-weak": ("server", BASE.replace("server.crt", "weak.crt")
                 .replace("server.key", "weak.key"), None),
    "signature-weak": ("server", BASE.replace("server.crt", "sha1.crt")
                       .replace("server.key", "sha1.key"), None),
    "key-exposed": ("server", BASE, None),
    "pool-overlaps-host": ("server", BASE, host(interfaces=interfaces(
        ETH0, {"name": "eth1", "addresses": ["10.83.147.9/16"]},
        {"name": "tun0", "tun": True, "addresses": ["10.83.147.1/24", "fd00:83:147::1/64"]}))),
    "push-overlaps-pool": ("server", BASE + 'push "route 10.83.147.128 255.255.255.128"\n'
                           'push "route-ipv6 fd00:83:147::/64"\n', None),
    "push-covers-server": ("server", BASE + 'local 203.0.113.5\n'
                           'push "route 203.0.113.0 255.255.255.0"\n', None),
    "pool-small": ("server", BASE + "max-clients 300\n", None),
    "no-tls-wrap": ("server", without(BASE, "tls-crypt"), None),
    "keepalive-missing": ("server", without(BASE, "keepalive"), None),
    "keepalive-long": ("server", BASE.replace("10 60", "120 600"), None),
    "redirect-ipv4-only": ("server", without(BASE, "server-ipv6") +
                           'push "redirect-gateway def1 bypass-dhcp"\n', None),
    "duplicate-cn-persist": ("server", BASE + "duplicate-cn\nifconfig-pool-persist ipp.txt\n",
                             None),
    "ip-forward-off": ("server", BASE + 'push "route 192.0.2.0 255.255.255.0"\n',
                       host(forwarding_v4=0)),
    "ipv6-forward-off": ("server", BASE + ALL, host(forwarding_v6=0)),
    "accept-ra": ("server", BASE, host(interfaces=interfaces(
        {"name": "eth0", "addresses": ["203.0.113.5/24", "2001:db8:1::5/64 dynamic"],
         "accept_ra": 1}))),
    "firewall-drops": ("server", BASE, host(nft=filter_rules(
        "input", [ESTABLISHED, FIVE], [match({"meta": {"key": "iifname"}}, "lo"), FIVE],
        [dport({"set": [22, 443]}, "tcp"), FIVE]))),
    "forward-drops": ("server", BASE + ALL, host(nft=filter_rules(
        "forward", [ESTABLISHED, FIVE], [match({"meta": {"key": "iifname"}}, "docker*"), FIVE]))),
    "conntrack-full": ("server", BASE, host(conntrack_count=60000, conntrack_max=65536)),
    "user-cannot-read": ("server", BASE + "crl-verify ../../pki/crl.pem\nuser nobody\n"
                         "group nogroup\n",
                         host(user_exists=True, group_exists=True,
                              files={"../../pki/crl.pem": "exists"})),
    "user-cannot-write": ("server", BASE + "status /var/log/openvpn/status.log\nuser nobody\n",
                          host(user_exists=True,
                               files={"/var/log/openvpn/status.log": "exists read"})),
    "memlock-low": ("server", BASE, host(is_root=False, locked_memory_max=65536)),
    "start-note": ("server", BASE + "route 10.99.0.0 255.255.0.0\n", None),
    "ipv4-not-served": ("server", BASE + "proto udp6\nbind ipv6only\n", None),
    "local-dynamic": ("server", BASE + "local 2001:db8:1::5\n", host(interfaces=interfaces(
        {"name": "eth0", "addresses": ["203.0.113.5/24", "2001:db8:1::5/64 dynamic"]}))),
    "tun-mtu-by-hand": ("server", BASE + "tun-mtu 1400\n", None),
    "nat-ipv4": ("server", BASE, host(interfaces=interfaces(
        {"name": "eth0", "addresses": ["192.168.178.20/24", "2001:db8:1::5/64"]}))),
    "remote-no-a": ("client", CLIENT, host(names={"vpn.example.net": ["2001:db8::9"]})),
    "remote-one-family": ("client", CLIENT.replace("proto udp", "proto udp4"), None),
    "pool-common": ("server", BASE.replace("10.83.147.0", "192.168.1.0"), None),
    "rp-filter": ("server", BASE, host(rp_filter_all=1, interfaces=interfaces(
        ETH0, {"name": "eth1", "addresses": ["198.51.100.9/24"]}))),
    "no-masquerade": ("server", BASE + ALL, host()),
    "listener": ("server", BASE + "local 203.0.113.5\nlocal 2001:db8:1::5 443\n"
                 "local * 2194-2195 udp6\nlocal fe80::1%eth0 7\n", None),
    "proto-udp-both": ("server", BASE + "proto udp\n", None),
    "bindv6only": ("server", BASE, host(bind_v6_only=1)),
    "local-name": ("server", BASE + "local vpn.example.net\n",
                   host(names={"vpn.example.net": ["203.0.113.5", "2001:db8:1::5"]})),
    "mssfix-default": ("server", BASE, None),
    "firewall-accepts": ("server", BASE, host(nft=filter_rules(
        "input", [ESTABLISHED, FIVE], [dport({"set": [{"range": [1190, 1199]}]}), FIVE]))),
    "firewall-unread": ("server", BASE, host(nft=None, nft_problem="`nft` is not installed")),
    "user-kept": ("server", BASE + "user nobody\n", host(user_exists=True)),
    "locked-key": ("client", CLIENT.replace("client.key", "locked.key"), None),
    "dco": ("server", BASE + "local 203.0.113.5\nlocal 2001:db8:1::5\nclient-to-client\n"
            "mssfix 1400 mtu\nreneg-bytes 1000000000\ndata-ciphers-fallback AES-256-GCM\n",
            None),
    "no-effect": ("server", BASE + "persist-key\npersist-tun\nmultihome\nfast-io\n", None),
}

# What people have.
cases["like-an-installer"] = ("server", """port 1194
proto udp
dev tun
user nobody
group nogroup
persist-key
persist-tun
keepalive 10 120
topology subnet
server 10.8.0.0 255.255.255.0
ifconfig-pool-persist ipp.txt
push "dhcp-option DNS 94.140.14.14"
push "redirect-gateway def1 bypass-dhcp"
dh none
ecdh-curve prime256v1
tls-crypt ../../pki/tls-crypt.key
crl-verify ../../pki/crl.pem
ca ../../pki/ca.crt
cert ../../pki/server.crt
key ../../pki/server.key
auth SHA256
cipher AES-128-GCM
ncp-ciphers AES-128-GCM
tls-server
tls-version-min 1.2
tls-cipher TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256
client-config-dir /etc/openvpn/ccd
status /var/log/openvpn/status.log
verb 3
""", host(user_exists=True, group_exists=True,
          interfaces=interfaces({"name": "eth0", "addresses": ["192.168.2.10/24", "fe80::9/64"]}),
          files={"../../pki/crl.pem": "exists read", "ipp.txt": "exists",
                 "/var/log/openvpn/status.log": "exists"}))
cases["like-a-firewall-distribution"] = ("server", """dev ovpns1
dev-type tun
dev-node /dev/tun1
writepid /var/run/openvpn_server1.pid
script-security 3
daemon
keepalive 10 60
ping-timer-rem
persist-tun
persist-key
proto udp4
cipher AES-256-CBC
auth SHA512
up /usr/local/etc/inc/plugins.inc.d/openvpn/ovpn-linkup
down /usr/local/etc/inc/plugins.inc.d/openvpn/ovpn-linkdown
local 203.0.113.5
tls-server
server 10.9.8.0 255.255.255.0
client-config-dir /var/etc/openvpn-csc/1
username-as-common-name
auth-user-pass-verify "/usr/local/opnsense/scripts/openvpn/ovpn_auth_verify user" via-env
tls-verify "/usr/local/opnsense/scripts/openvpn/ovpn_auth_verify tls"
lport 1194
management /var/etc/openvpn/server1.sock unix
push "route 192.168.10.0 255.255.255.0"
ca ../../pki/ca.crt
cert ../../pki/server.crt
key ../../pki/server.key
tls-auth ../../pki/tls-crypt.key 0
topology subnet
""", None)
cases["like-a-provider-profile"] = ("client", """client
dev tun
proto udp
remote vpn.example.net 1194
resolv-retry infinite
nobind
persist-key
persist-tun
remote-cert-tls server
cipher AES-256-GCM
comp-lzo
tun-mtu 1500
tun-mtu-extra 32
mssfix 1450
verb 3
ca ../../pki/ca.crt
cert ../../pki/client.crt
key ../../pki/client.key
tls-auth ../../pki/tls-crypt.key 1
""", host(names={"vpn.example.net": ["203.0.113.5"]}))

CCD = BASE + "client-config-dir ccd\n"
FILES = {
    "client-file-fault": {"alice": "ifconfig-push 10.83.147.1 255.255.255.0\ndisabel\n"},
    "client-address-twice": {"alice": "ifconfig-push 10.83.147.9 255.255.255.0\n",
                             "bob": "ifconfig-push 10.83.147.9 255.255.255.0\n"},
    "client-address-outside": {"alice": "ifconfig-push 10.99.0.9 255.255.255.0\n",
                               "bob": "ifconfig-ipv6-push fd00:99::9/64\n"},
    "iroute-without-route": {"alice": "iroute 192.0.2.0 255.255.255.0\n"
                             "iroute-ipv6 2001:db8:41::/64\niroute 198.51.100.0 255.255.255.0\n"},
    "iroute-twice": {"alice": "iroute 192.0.2.0 255.255.255.0\n",
                     "bob": "iroute 192.0.2.0 255.255.255.0\n",
                     "carol": "iroute 192.0.2.64 255.255.255.192\n"},
    "client-line-ignored": {"alice": "comp-lzo no\nroute 192.0.2.0 255.255.255.0\n"},
}
cases.update({name: ("server", CCD + {
    "iroute-without-route": "route 198.51.100.0 255.255.255.0\n",
    "iroute-twice": "route 192.0.2.0 255.255.255.0\n"}.get(name, ""), None) for name in FILES})

for name, (kind, text, facts) in cases.items():
    folder = CASES / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("server.conf" if kind == "server" else "client.ovpn")).write_text(text)
    if facts is not None and "now" not in facts:
        facts = {"now": JUNE, "host": facts}
    facts = facts or {"now": JUNE, "host": None}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")
    for client, lines in FILES.get(name, {}).items():
        (folder / "ccd").mkdir(exist_ok=True)
        (folder / "ccd" / client).write_text(lines)
