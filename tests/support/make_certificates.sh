#!/bin/sh
# Makes tests/support/certificates.h: the certificates, keys and revocation lists that the tests
# share. Valid from 2020 to 2120, so that tests may run in any virtual year between. Needs openssl 3.
# Run it only to add something: tests compare nothing with the bytes, so new keys are harmless.
#   sh tests/support/make_certificates.sh > tests/support/certificates.h
set -eu
from=20200101000000Z
to=21200101000000Z
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

configuration() { # directory
  cat <<CONFIG
[ca]
default_ca = this
[this]
dir = $work/$1
database = $work/$1/index.txt
new_certs_dir = $work/$1
serial = $work/$1/serial
crlnumber = $work/$1/crlnumber
certificate = $work/$1/ca.crt
private_key = $work/$1/ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
organizationName = optional
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,keyAgreement
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
CONFIG
}

request() { # directory name common-name
  openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
    openssl pkcs8 -topk8 -nocrypt -out "$1/$2.key"
  openssl req -new -key "$1/$2.key" -subj "/O=Ringway tests/CN=$3" -config "$1.cnf" -out "$1/$2.csr"
}

authority() { # directory common-name
  mkdir "$1"
  : > "$1/index.txt"
  echo 1001 > "$1/serial"
  echo 01 > "$1/crlnumber"
  configuration "$1" > "$1.cnf"
  request "$1" ca "$2"
  openssl ca -batch -notext -selfsign -config "$1.cnf" -in "$1/ca.csr" -extensions authority \
    -startdate $from -enddate $to -out "$1/ca.crt" 2>/dev/null
}

certificate() { # directory name common-name extensions
  request "$1" "$2" "$3"
  openssl ca -batch -notext -config "$1.cnf" -in "$1/$2.csr" -extensions "$4" \
    -startdate $from -enddate $to -out "$1/$2.crt" 2>/dev/null
}

revocation_list() { # directory file last-update next-update
  openssl ca -gencrl -config "$1.cnf" -crl_lastupdate "$3" -crl_nextupdate "$4" -out "$1/$2" \
    2>/dev/null
}

constant() { # name file comment
  printf '\n/// %s\ninline constexpr std::string_view %s = R"PEM(' "$3" "$1"
  cat "$2"
  printf ')PEM";\n'
}

authority main "Ringway Test CA"
certificate main server server server
certificate main client client1 client
certificate main other client2 client
certificate main revoked revoked client
revocation_list main empty.crl $from $to
openssl ca -config main.cnf -revoke main/revoked.crt 2>/dev/null
revocation_list main current.crl $from $to
revocation_list main expired.crl $from 20200201000000Z
authority foreign "Another CA"
certificate foreign client stranger client
certificate foreign server impostor server

cat <<'HEADER'
#pragma once

#include <string_view>

/// Golden certificates, all ECDSA P-256, valid from 2020 to 2120. Made by make_certificates.sh.
namespace ringway::test {

// clang-format off
HEADER
constant kCaPem main/ca.crt "CN=Ringway Test CA."
constant kCaKeyPem main/ca.key "Signs what a test makes up."
constant kServerCertPem main/server.crt "CN=server, serverAuth."
constant kServerKeyPem main/server.key "Of kServerCertPem."
constant kClientCertPem main/client.crt "CN=client1, clientAuth."
constant kClientKeyPem main/client.key "Of kClientCertPem."
constant kOtherClientCertPem main/other.crt "CN=client2, clientAuth."
constant kOtherClientKeyPem main/other.key "Of kOtherClientCertPem."
constant kRevokedClientCertPem main/revoked.crt "CN=revoked, clientAuth; in kCrlPem and kExpiredCrlPem."
constant kRevokedClientKeyPem main/revoked.key "Of kRevokedClientCertPem."
constant kEmptyCrlPem main/empty.crl "Revokes nobody; valid to 2120."
constant kCrlPem main/current.crl "Revokes kRevokedClientCertPem; valid to 2120."
constant kExpiredCrlPem main/expired.crl "The same, but its next update was due on 2020-02-01."
constant kForeignCaPem foreign/ca.crt "CN=Another CA, which signed nothing above."
constant kForeignClientCertPem foreign/client.crt "CN=stranger, clientAuth, of Another CA."
constant kForeignClientKeyPem foreign/client.key "Of kForeignClientCertPem."
constant kForeignServerCertPem foreign/server.crt "CN=impostor, serverAuth, of Another CA."
constant kForeignServerKeyPem foreign/server.key "Of kForeignServerCertPem."
cat <<'FOOTER'
// clang-format on

}  // namespace ringway::test
FOOTER
