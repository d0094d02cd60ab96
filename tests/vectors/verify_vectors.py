#!/usr/bin/env python3
"""Recomputes every cryptographic vector of vectors.json from its inputs, following docs/WIRE.md only (needs: cryptography)."""
import base64, hashlib, hmac, json, os, struct, sys
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

V = {v['id']: v for v in json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'vectors.json')))['vectors']}
h = bytes.fromhex
n_ok = 0

def eq(what, a, b):
    global n_ok
    if a != b:
        sys.exit(f'MISMATCH {what}\n  {a!r}\n  {b!r}')
    n_ok += 1

def mac(alg, key, *parts):
    return hmac.new(key, b''.join(parts), alg).digest()

def aes(mode, key, iv, data, dec=False):
    c = Cipher(algorithms.AES(key), mode(iv))
    o = c.decryptor() if dec else c.encryptor()
    return o.update(data) + o.finalize()

def prf(secret, seed, n):                       # section 6.3
    def P(alg, s):
        a, out = seed, b''
        while len(out) < n:
            a = mac(alg, s, a)
            out += mac(alg, s, a, seed)
        return out[:n]
    k = (len(secret) + 1) // 2
    return bytes(x ^ y for x, y in zip(P('md5', secret[:k]), P('sha1', secret[-k:])))

def hkdf_expand(alg, prk, info, n):
    out, t, i = b'', b'', 1
    while len(out) < n:
        t = mac(alg, prk, t, info, bytes([i])); out += t; i += 1
    return out[:n]

def label(prk, lab, n):                         # section 6.4
    lab = b'ovpn ' + lab
    return hkdf_expand('sha256', prk, struct.pack('>HB', n, len(lab)) + lab + b'\0', n)

def tls13_exporter(alg, secret, lab, n):        # RFC 8446 7.5, empty context value
    L = hashlib.new(alg).digest_size
    e = hashlib.new(alg, b'').digest()
    def xl(s, l, ctx, m):
        l = b'tls13 ' + l
        return hkdf_expand(alg, s, struct.pack('>HB', m, len(l)) + l + bytes([len(ctx)]) + ctx, m)
    return xl(xl(secret, lab, e, L), b'exporter', e, n)

def tls_crypt_open(Ke, Ka, pkt):                # section 3.5
    pt = aes(modes.CTR, Ke, pkt[17:33], pkt[49:])
    eq('tls-crypt tag', mac('sha256', Ka, pkt[:17], pt), pkt[17:49])
    return pt

key = h(V['static-key-file']['raw_256'])
half = {f'keys{i}_{n}': key[o:o + 64] for i, n, o in ((0, 'cipher', 0), (0, 'hmac', 64), (1, 'cipher', 128), (1, 'hmac', 192))}

for d, hk in (('c2s', 'keys1_hmac'), ('s2c', 'keys0_hmac')):
    v = V['tls-auth-sha1-' + d]; p = h(v['packet'])
    eq('tls-auth sha1 key', half[hk][:20], h(v['hmac_key']))
    eq('tls-auth sha1', mac('sha1', half[hk][:20], p[29:37], p[:9], p[37:]), p[9:29])
    v = V['tls-auth-sha256-nodir-' + d]; p = h(v['packet'])
    eq('tls-auth sha256', mac('sha256', h(v['hmac_key']), p[41:49], p[:9], p[49:]), p[9:41])
    v = V['tls-crypt-' + d]; i = '1' if d == 'c2s' else '0'
    eq('tls-crypt Ke', half[f'keys{i}_cipher'][:32], h(v['Ke']))
    eq('tls-crypt Ka', half[f'keys{i}_hmac'][:32], h(v['Ka']))
    eq('tls-crypt pt', tls_crypt_open(h(v['Ke']), h(v['Ka']), h(v['packet'])), h(v['plaintext']))
    v = V['dyn-tls-crypt-soft-reset-' + d]
    k = bytes(a ^ b for a, b in zip(h(v['ekm_dyn_256']), h(v['original_key_256'])))
    eq('dyn key', k, h(v['xored_key_256']))
    o = 128 if d == 'c2s' else 0
    eq('dyn pt', tls_crypt_open(k[o:o + 32], k[o + 64:o + 96], h(v['packet'])), h(v['plaintext']))

for i in ('timestamp', 'user'):                 # section 3.6
    v = V['tls-crypt-v2-wkc-' + i]; raw = h(v['server_key_raw']); W = h(v['WKc'])
    eq('wkc len', struct.unpack('>H', W[-2:])[0], len(W))
    pt = h(v['Kc']) + h(v['metadata'])
    T = mac('sha256', raw[64:96], W[-2:], pt)
    eq('wkc', T + aes(modes.CTR, raw[:32], T[:16], pt) + W[-2:], W)
for i in range(3):
    v = V[f'tls-crypt-v2-hs-{i}']; p = h(v['packet'])
    if v['wkc_appended']:
        p = p[:-struct.unpack('>H', p[-2:])[0]]
    eq('v2 hs', tls_crypt_open(h(v['Ke']), h(v['Ka']), p), h(v['plaintext']))

for i in ('aes256gcm', 'chacha', 'aes256cbc'):  # section 6.3
    v = {k: (h(x) if k not in ('id', 'note', 'source') and isinstance(x, str) else x) for k, x in V['prf-' + i].items()}
    m = prf(v['client_pre_master'], b'OpenVPN master secret' + v['client_random1'] + v['server_random1'], 48)
    eq('prf master', m, v['master_secret'])
    eq('prf key2', prf(m, b'OpenVPN key expansion' + v['client_random2'] + v['server_random2'] + v['client_session_id'] + v['server_session_id'], 256), v['key2_256'])

v = V['tls-ekm']
for f, l in (('datakeys_256', 'EXPORTER-OpenVPN-datakeys'), ('dyn_tls_crypt_256', 'EXPORTER-OpenVPN-dynamic-tls-crypt')):
    eq(l, tls13_exporter('sha384', h(v['exporter_master_secret']), l.encode(), 256), h(v[f]))

def aead(name, k): return (ChaCha20Poly1305 if 'CHACHA' in name.upper() else AESGCM)(k)

for i, v in V.items():                          # sections 8.1, 8.2
    if i.startswith('data-v2-') and 'cbc' not in i:
        p = h(v['packet'])
        src = V['tls-ekm']['datakeys_256'] if 'ekm' in i else V['prf-chacha' if 'chacha' in i else 'prf-aes256gcm']['key2_256']
        o = 0 if 'c2s' in i else 128
        k, iv = h(src)[o:o + len(h(v['key']))], h(src)[o + 64:o + 72]
        eq(i, p[:8] + (lambda e: e[-16:] + e[:-16])(aead(i, k).encrypt(p[4:8] + iv, h(v['plaintext']), p[:8])), p)
    if i.startswith('data-epoch-'):
        p = h(v['packet']); E = h(V['epoch-keys']['datakeys_256']); E = E[:32] if 'c2s' in i else E[128:160]
        for _ in range(v['epoch'] - 1): E = label(E, b'datakey upd', 32)
        k, iv = label(E, b'data_key', 32), label(E, b'data_iv', 12)
        non = bytes(a ^ b for a, b in zip(iv, p[4:12] + bytes(4)))
        eq(i, p[:12] + AESGCM(k).encrypt(non, h(v['plaintext']), p[:12]), p)
for d, o in (('c2s', 0), ('s2c', 128)):
    E = h(V['epoch-keys']['datakeys_256'])[o:o + 32]
    for x in V['epoch-keys'][d]:
        eq('epoch', (E.hex(), label(E, b'data_key', 32).hex(), label(E, b'data_iv', 12).hex()), (x['E'], x['key'], x['iv']))
        E = label(E, b'datakey upd', 32)
    v = V['data-v2-aes256cbc-sha256-' + d]; k2 = h(V['prf-aes256cbc']['key2_256']); p = h(v['packet'])
    eq('cbc hmac', mac('sha256', k2[o + 64:o + 96], p[36:]), p[4:36])
    pt = aes(modes.CBC, k2[o:o + 32], p[36:52], p[52:], True)
    eq('cbc pt', pt[4:-pt[-1]], h(v['payload']))
    eq('cbc pid', struct.unpack('>I', pt[:4])[0], v['packet_id'])

def asc(x):
    return h(x) if isinstance(x, str) and len(x) % 2 == 0 and all(c in '0123456789abcdef' for c in x) else x.encode()

v = V['unit-test-aead-shortpid']; p = h(v['packet'])
eq('ut short', p[:8] + (lambda e: e[-16:] + e[:-16])(AESGCM(h(v['key'])).encrypt(h(v['nonce']), asc(v['plaintext']), h(v['aad']))), p) if p[:8] == h(v['aad']) else \
    eq('ut short', (lambda e: e[-16:] + e[:-16])(AESGCM(h(v['key'])).encrypt(h(v['nonce']), asc(v['plaintext']), h(v['aad']))), p[-len(asc(v['plaintext'])) - 16:])
v = V['unit-test-aead-epoch4']; p = h(v['packet']); E = h(v['E1'])
for _ in range(3): E = label(E, b'datakey upd', 32)
eq('ut E4', E, h(v['E4']))
eq('ut epoch', p[:12] + AESGCM(label(E, b'data_key', 32)).encrypt(h(v['nonce']), asc(v['plaintext']), p[:12]), p)

for i in (0, 1):                                # section 7.6
    v = V[f'auth-token-{i}']; t = v['token']
    raw = base64.b64decode(t[len('SESS_ID_AT_'):])
    sec = base64.b64decode(''.join(x for x in v['secret_pem'].splitlines() if not x.startswith('-')))
    eq('auth-token', mac('sha256', sec[64:96] if len(h(v['hmac_key'])) == 32 else h(v['hmac_key']), v['username'].encode(), raw[:28]), raw[28:])
v = V['occ-exit']; p = h(v['packet'])
eq('occ exit', p[:8] + (lambda e: e[-16:] + e[:-16])(AESGCM(h(v['key'])).encrypt(p[4:8] + h(v['implicit_iv']), h(v['plaintext']), p[:8])), p)
for i, v in V.items():                          # section 5.3, 5.4
    if i.startswith('key-method-2-'):
        for side, fixed in (('client', 5 + 48 + 64), ('server', 5 + 64)):
            m = h(v[side + '_message']); eq('km2 head', m[:5], b'\0\0\0\0\2'); o = fixed; out = []
            while o < len(m):
                L = struct.unpack('>H', m[o:o + 2])[0]; out.append(m[o + 2:o + 2 + L].decode()); o += 2 + L
            eq('km2 strings ' + i, out, v[side + '_strings'])
print(f'{len(V)} vectors, {n_ok} assertions ok')
