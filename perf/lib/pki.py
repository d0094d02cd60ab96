"""Throw-away certificates, made by the same script as those of the interop tests."""

import subprocess
from pathlib import Path

from .shell import ROOT, LabError


def make(folder, clients):
    """ca, server, client1..N (ECDSA P-256, .crt and .key) and ta.key in `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    script = f'''set -euo pipefail
. {ROOT}/tests/interop/pki.sh
make_ca "$1" ca
make_certificate "$1" ca server server
for ((number = 1; number <= $2; ++number)); do make_certificate "$1" ca "client$number" client; done
make_static_key "$1/ta.key"
'''
    done = subprocess.run(['bash', '-c', script, 'pki', folder, str(clients)], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise LabError(f'cannot make certificates: {done.stderr.strip()[-500:]}')
    return folder


def inline(folder, name):
    """The PEM blocks of a profile: <ca>, <cert>, <key>, <tls-crypt>."""
    folder = Path(folder)
    blocks = (('ca', 'ca.crt'), ('cert', f'{name}.crt'), ('key', f'{name}.key'),
              ('tls-crypt', 'ta.key'))
    return ''.join(f'<{tag}>\n{(folder / file).read_text().strip()}\n</{tag}>\n'
                   for tag, file in blocks)
