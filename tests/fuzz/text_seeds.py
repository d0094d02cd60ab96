"""Seeds that are texts, by the target that reads them; make_seeds.py writes them."""

CONFIG = {
    "minimal": "dev tun\nserver 10.8.0.0 255.255.255.0\nca ca.crt\ncert s.crt\nkey s.key\n"
               "dh none\n",
    "dual": "port 1194\nproto udp6\ndev tun0\nserver 10.8.0.0 255.255.255.0\n"
            "server-ipv6 fd00::/64\nkeepalive 10 60\npush \"route 10.0.0.0 255.0.0.0\"\n"
            "tls-crypt ta.key\nverb 3\n",
    "quotes": "push \"dhcp-option DNS 1.1.1.1\" # comment\n;cipher x\nca 'a b.crt'\ncd C:\\\\x\n",
    "inline": "<ca>\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n</ca>\n"
              "<tls-crypt>\n</tls-crypt>\n",
    "timers": "reneg-sec 3600 3000\nhand-window 60\nping 10\nping-restart 120\nmssfix 1400 mtu\n",
}

PUSH = {
    "reply": "PUSH_REPLY,route 10.8.0.1,topology subnet,ping 10,ping-restart 60,ifconfig 10.8.0.2 "
             "255.255.255.0,ifconfig-ipv6 fd00::1000/64 fd00::1,peer-id 0,cipher AES-256-GCM\0",
    "continued": "PUSH_REPLY,route 10.0.0.0 255.0.0.0,push-continuation 2\0",
    "last": "PUSH_REPLY,peer-id 16777215,cipher CHACHA20-POLY1305,push-continuation 1\0",
    "request": "PUSH_REQUEST\0",
    "failed": "AUTH_FAILED,CRV1:R:x:y:z\0",
    "restart": "RESTART,[N]\0",
}

PEER_INFO = {
    "2.6": "IV_VER=2.6.14\nIV_PLAT=linux\nIV_TCPNL=1\nIV_MTU=1600\nIV_NCP=2\n"
           "IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\nIV_PROTO=990\nIV_LZO_STUB=1\n",
    "2.4": "IV_VER=2.4.12\nIV_PLAT=linux\nIV_PROTO=2\nIV_NCP=2\nIV_LZ4=1\nIV_LZ4v2=1\nIV_LZO=1\n",
    "hostile": "IV_PROTO=99999999999999999999\nIV_CIPHERS=:::\nUV_\x01=\xff\n=\n\n",
}

# A byte of settings and two of an MTU, or five with a key direction.
OPTIONS_STRING = {
    "server": "\x00\x05\xdcV4,dev-type tun,link-mtu 1549,tun-mtu 1500,proto UDPv4,cipher "
              "AES-256-GCM,auth [null-digest],keysize 256,key-method 2,tls-client",
    "lzo": "\x2f\x01\x05\xdcV4,dev-type tun,link-mtu 1550,tun-mtu 1500,proto TCPv4_CLIENT,comp-lzo,"
           "keydir 1,auth SHA1,keysize 128,tls-auth,key-method 2,tls-server",
    "odd": "\x10\x00\x00,proto ,link-mtu 4294967295,keydir,,",
}

NFT_RULESET = {
    "closed": '{"nftables":[{"metainfo":{"json_schema_version":1}},{"table":{"family":"inet",'
              '"name":"filter"}},{"chain":{"family":"inet","table":"filter","name":"input","type":'
              '"filter","hook":"input","prio":0,"policy":"drop"}},{"rule":{"family":"inet","table":'
              '"filter","chain":"input","expr":[{"match":{"op":"in","left":{"ct":{"key":"state"}},'
              '"right":["established","related"]}},{"accept":null}]}},{"rule":{"family":"inet",'
              '"table":"filter","chain":"input","expr":[{"match":{"op":"==","left":{"payload":{'
              '"protocol":"udp","field":"dport"}},"right":1194}},{"accept":null}]}}]}',
    "jumps": '{"nftables":[{"chain":{"family":"ip","table":"t","name":"c","type":"filter","hook":'
             '"input","policy":"accept"}},{"rule":{"family":"ip","table":"t","chain":"c","expr":[{'
             '"jump":{"target":"d"}}]}},{"rule":{"family":"ip","table":"t","chain":"d","expr":[{'
             '"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":{"se'
             't"'
             ':[22,{"range":[80,90]}]}}},{"drop":null}]}},{"rule":{"family":"ip","table":"t","chain'
             '":'
             '"d","expr":[{"goto":{"target":"c"}}]}}]}',
    "forward": '{"nftables":[{"chain":{"family":"ip","table":"nat","name":"post","type":"nat","hook'
               '":'
               '"postrouting"}},{"rule":{"family":"ip","table":"nat","chain":"post","expr":[{"match'
               '":{'
               '"op":"==","left":{"meta":{"key":"oifname"}},"right":"eth0"}},{"masquerade":null}]}}'
               ',{'
               '"chain":{"family":"ip","table":"f","name":"fwd","type":"filter","hook":"forward",'
               '"policy":"drop"}},{"rule":{"family":"ip","table":"f","chain":"fwd","expr":[{"match"'
               ':{'
               '"op":"==","left":{"meta":{"key":"iifname"}},"right":"tun*"}},{"accept":null}]}}]}',
}

PKI_INDEX = {
    "three": "V\t361130235959Z\t\t01A2\tunknown\t/CN=alice\n"
             "R\t261130235959Z\t250101000000Z,keyCompromise\t02\tunknown\t/C=DE/CN=bob/emailAddress"
             "="
             "b@example.org\nE\t20600101000000Z\t\tFF00\tx\t/CN=carol\n",
    "time": "20500101000000Z",
    "early": "19490101000000Z",
}

UNDO_JOURNAL = {
    "killed": "ringway-undo 1 0f3c 4:4026531840\n+route 192.0.2.1/32 via 198.51.100.1 device 3 metr"
              "ic "
              "0\n+route 2001:db8::/32 unreachable\n+resolvectl tun0\n-route 192.0.2.1/32 via "
              "198.51.100.1 device 3 metric 0\n",
    "resolvconf": "+resolvconf tun0.ringway\n+route 10.0.0.0/8 via fe80::1 onlink device 2 source "
                  "192.0.2.9 mtu 1400\n+cut in ha",
    "nonsense": "+resolvectl -x\n+resolvconf a b\n+route\n-nothing\n",
}

# A byte of the profile's settings; options; resolv.conf behind an empty line.
PUSHED_NETWORK = {
    "subnet": "\x10ifconfig 10.8.0.2 255.255.255.0\nifconfig-ipv6 fd00:8::1000/64 fd00:8::1\nroute "
              "10.0.0.0 255.0.0.0\nroute-ipv6 2001:db8::/32\nroute-metric 20\ntopology subnet\n"
              "route-gateway 10.8.0.1\n\nnameserver 192.168.1.1\n",
    "all": "\x00ifconfig 10.8.0.2 10.8.0.1\nredirect-gateway def1 ipv6 bypass-dns block-local\n"
           "block-ipv6\nroute 203.0.113.7 255.255.255.255 net_gateway\n\nnameserver 9.9.9.9\n"
           "nameserver ::1\nsearch example.org\n",
    "dns": "\x00ifconfig 10.8.0.2 255.255.255.0\ntopology subnet\ndhcp-option DNS 10.8.0.1\n"
           "dhcp-option DOMAIN example.org\ndns search-domains a.example b.example\ndns server 1 "
           "address 10.8.0.1:5353 [fd00::53]:853\ndns server 1 transport DoT\ndns server 1 sni "
           "dns.example\ndns server -2 address 10.8.0.3\ndns server -2 dnssec optional\ndns server "
           "-2 "
           "resolve-domains corp.example\n",
    "names": "\x04ifconfig 10.8.0.2 255.255.255.0\nroute intranet.example 255.255.255.255 vpn_gatew"
             "ay "
             "7\nroute remote_host 255.255.255.255 net_gateway\ntun-mtu 1400\ncompress stub-v2\n",
}

# Cut at NUL bytes: a profile, what it includes, a login, options.
PROFILE = {
    "minimal": "client\nremote vpn.example.org 1194 udp\nca ca.crt\n\0\0alice\nsecret\n",
    "blocks": "client\ndev tun\n<connection>\nremote 192.0.2.1 443 tcp\nconnect-timeout 5\n"
              "</connection>\n<connection>\nremote 2001:db8::1\nproto udp6\n</connection>\n<ca>"
              "\n-----"
              "BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n</ca>\nauth-user-pass\n"
              "static-challenge \"Code?\" 1\nauth-nocache\nauth-retry interact\n",
    "rich": "client\nremote a.example\nremote b.example 1195\nremote-random\nresolv-retry infinite"
            "\n"
            "connect-retry 2 60\nroute 10.0.0.0 255.0.0.0\nredirect-gateway def1\npull-filter ignor"
            "e "
            "\"route 10.\"\nroute-nopull\nscript-security 2\nup \"/bin/true a\"\nsetenv FOO bar\n"
            "tls-crypt ta.key\nconfig included\n\0verb 4\ndhcp-option DNS 10.8.0.1\n\0bob\n\0ping 5"
            "",
}

# A byte of choices; cut at NUL bytes: a configuration, what nft says, a client's file.
CHECK = {
    "server": "\x02dev tun\nserver 10.8.0.0 255.255.255.0\nca ca.crt\ncert s.crt\nkey s.key\ndh non"
              "e\n"
              "local vpn.example.org\nport 1194\nkeepalive 10 60\nclient-config-dir ccd\npush "
              "\"redirect-gateway def1\"\nstatus status.log\n\0" + NFT_RULESET["closed"] +
              "\0ifconfig-push 10.8.0.9 255.255.255.0\niroute 10.20.0.0 255.255.0.0\n",
    "client": "\x03client\nremote vpn.example.org\nremote-cert-tls server\nca ca.crt\n",
    "odd": "\x02dev tap\nserver 10.8.0.0\ncomp-lzo\nfragment 1300\ncipher BF-CBC\nno-such-option "
           "\xff\n"
           "port 70000\n",
}
