#!/bin/bash
# Throw-away keys and certificates, made with the openssl command line. All keys are ECDSA P-256:
# twenty clients take under a second. Sourced by the interop tests and by tools/demo.

# make_ca DIR NAME: DIR/NAME.crt, DIR/NAME.key and the database for its revocation list.
make_ca() {
  local dir=$1 name=$2
  mkdir -p "$dir/$name.db"
  : >"$dir/$name.db/index.txt"
  echo 1000 >"$dir/$name.db/crlnumber"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout "$dir/$name.key" -out "$dir/$name.crt" -subj "/CN=Ringway throw-away $name" \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    2>>"$dir/openssl.log"
  cat >"$dir/$name.db/openssl.cnf" <<EOF
[ca]
default_ca = this
[this]
database = $dir/$name.db/index.txt
crlnumber = $dir/$name.db/crlnumber
certificate = $dir/$name.crt
private_key = $dir/$name.key
default_md = sha256
default_crl_days = 3650
EOF
}

# make_certificate DIR CA NAME server|client: DIR/NAME.crt and DIR/NAME.key (mode 0600), with the
# key usage that `remote-cert-tls` on the other side asks for.
make_certificate() {
  local dir=$1 ca=$2 name=$3 role=$4
  (
    umask 077
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
      -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>>"$dir/openssl.log"
  )
  openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$ca.crt" -CAkey "$dir/$ca.key" -days 3650 \
    -set_serial "0x$(openssl rand -hex 15)" -out "$dir/$name.crt" -extfile /dev/stdin \
    2>>"$dir/openssl.log" <<EOF
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = ${role}Auth
EOF
  rm "$dir/$name.csr"
}

# make_crl DIR CA FILE [LAST NEXT]: the revocation list; the two dates (YYYYMMDDHHMMSSZ) make an
# expired one.
make_crl() {
  local dir=$1 ca=$2 file=$3
  local dates=()
  (($# < 5)) || dates=(-crl_lastupdate "$4" -crl_nextupdate "$5")
  openssl ca -config "$dir/$ca.db/openssl.cnf" -gencrl -out "$dir/$file" "${dates[@]}" \
    2>>"$dir/openssl.log"
}

revoke() {
  local dir=$1 ca=$2 name=$3
  openssl ca -config "$dir/$ca.db/openssl.cnf" -revoke "$dir/$name.crt" 2>>"$dir/openssl.log"
}

# make_static_key FILE: what `openvpn --genkey secret` makes, for tls-auth and tls-crypt.
make_static_key() {
  (
    umask 077
    {
      echo '-----BEGIN OpenVPN Static key V1-----'
      openssl rand -hex 256 | fold -w 32
      echo '-----END OpenVPN Static key V1-----'
    } >"$1"
  )
}

# make_pki DIR CLIENTS: everything that the tests use, under the names that OpenVPN's own samples
# have: ca, server, client1..N, revoked (listed in crl.pem), stranger (of another CA), dh.pem,
# ta.key.
make_pki() {
  local dir=$1 clients=$2 number
  mkdir -p "$dir"
  make_ca "$dir" ca
  make_ca "$dir" other-ca
  make_certificate "$dir" ca server server
  for ((number = 1; number <= clients; ++number)); do
    make_certificate "$dir" ca "client$number" client
  done
  make_certificate "$dir" ca revoked client
  make_certificate "$dir" other-ca stranger client
  make_crl "$dir" ca crl-expired.pem 20200101000000Z 20200201000000Z
  revoke "$dir" ca revoked
  make_crl "$dir" ca crl.pem
  # A named group of RFC 7919 takes no time to make, as a prime of one's own would.
  openssl dhparam -out "$dir/dh.pem" -outform PEM 2>>"$dir/openssl.log" \
    < <(openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 2>>"$dir/openssl.log")
  make_static_key "$dir/ta.key"
}
