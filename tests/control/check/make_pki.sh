#!/bin/sh
# Makes tests/control/check/pki: an authority, certificates with and without faults, and a
# revocation list. Valid from 2026 to 2036 (the list: 2026), so that a case is before, in or after
# that time by its `now` alone. Needs openssl 3.
#   sh tests/control/check/make_pki.sh tests/control/check/pki
set -eu
out=$(cd "$1" && pwd)
from=20260101000000Z
to=20360101000000Z
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >openssl.cnf <<CONFIG
[ca]
default_ca = this
[this]
dir = $work
database = $work/index.txt
new_certs_dir = $work
serial = $work/serial
crlnumber = $work/crlnumber
certificate = $work/ca.crt
private_key = $work/ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
CONFIG
: >index.txt
echo 01 >serial
echo 01 >crlnumber
ec_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }
rsa_key() { openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$2" -out "$1.key"; }
sign() { # sign NAME EXTENSIONS [OPTION...]
  name=$1 extensions=$2
  shift 2
  openssl req -new -key "$name.key" -subj "/CN=$name" -config openssl.cnf -out "$name.csr"
  openssl ca -batch -notext -config openssl.cnf -extensions "$extensions" -startdate $from \
    -enddate $to -in "$name.csr" -out "$name.crt" "$@"
}
ec_key ca
sign ca authority -selfsign -keyfile ca.key
ec_key server && sign server server
ec_key client && sign client client
ec_key other
openssl pkey -in client.key -aes256 -passout pass:sesame -out locked.key
rsa_key weak 1024 && sign weak server
ec_key sha1 && sign sha1 server -md sha1
openssl ca -gencrl -config openssl.cnf -crl_lastupdate $from -crl_nextupdate 20270101000000Z \
  -out crl.pem
cp ca.crt server.crt server.key client.crt client.key other.key weak.crt weak.key sha1.crt \
  sha1.key locked.key crl.pem "$out"
printf '%s\n' '-----BEGIN OpenVPN Static key V1-----' >"$out/tls-crypt.key"
for line in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
  openssl rand -hex 16
done >>"$out/tls-crypt.key"
printf '%s\n' '-----END OpenVPN Static key V1-----' >>"$out/tls-crypt.key"
