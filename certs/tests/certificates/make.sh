# What people do with openssl, in an empty directory. Run once for all tests.
set -eu
export OPENSSL_CONF="$PWD/openssl.cnf"
cat > openssl.cnf <<'CONF'
[req]
distinguished_name = dn
x509_extensions = v3_ca
string_mask = utf8only
[dn]
# The section that Debian's own openssl.cnf gives `req -x509`.
[v3_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = critical,CA:true
[empty]
subjectKeyIdentifier = hash
[plain]
basicConstraints = CA:FALSE
[plain_san]
basicConstraints = CA:FALSE
subjectAltName = DNS:billing.example
[san]
basicConstraints = critical,CA:true
subjectAltName = DNS:billing.example
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[own_and_sign]
basicConstraints = critical,CA:true
keyUsage = critical,digitalSignature,keyCertSign
extendedKeyUsage = clientAuth
[constrained]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
nameConstraints = critical,permitted;DNS:inside.example
[intermediate]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
[intermediate_no_sign]
basicConstraints = critical,CA:true
keyUsage = critical,digitalSignature
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
authorityInfoAccess = OCSP;URI:http://ocsp.example/
[no_eku]
basicConstraints = CA:FALSE
[server_only]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[leaf_ca]
basicConstraints = critical,CA:true
[named_server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:vault.example,IP:127.0.0.1
[no_signing]
basicConstraints = CA:FALSE
keyUsage = keyEncipherment
extendedKeyUsage = clientAuth
[critical]
basicConstraints = CA:FALSE
1.2.3.4.5 = critical,ASN1:NULL
[inside]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:a.inside.example
[outside]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:a.outside.example
[ca]
default_ca = authority
[authority]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
crl_extensions = crl_ext
[crl_ext]
authorityKeyIdentifier = keyid:always
CONF

# This one takes longest: meanwhile the others are made.
openssl genrsa -out rsa4096.key 4096 &

# The three commands of the manual, with a password for the key and one for the keystore.
openssl genrsa -des3 -passout pass:passtrix -out seed.key 2048
openssl req -new -x509 -key seed.key -passin pass:passtrix -out seed.crt -days 1095 -subj "/O=Example/CN=billing"
openssl pkcs12 -export -clcerts -in seed.crt -inkey seed.key -passin pass:passtrix \
    -out seed.p12 -name PMP -passout pass:keystore
openssl pkcs12 -export -clcerts -in seed.crt -inkey seed.key -passin pass:passtrix \
    -out seed-legacy.p12 -name PMP -passout pass:keystore -legacy
openssl pkcs12 -export -clcerts -in seed.crt -inkey seed.key -passin pass:passtrix \
    -out seed-nomac.p12 -name PMP -passout pass:keystore -nomac
openssl pkcs12 -export -nokeys -in seed.crt -out nokey.p12 -passout pass:keystore

# Keys in every form.
openssl genrsa -des3 -traditional -passout pass:passtrix -out rsa-traditional-des3.key 2048
openssl rsa -in rsa-traditional-des3.key -passin pass:passtrix -out rsa-pkcs8.key
for cipher in aes128 aes192 aes256 camellia256; do
    openssl rsa -in rsa-pkcs8.key -$cipher -traditional -passout pass:passtrix -out rsa-traditional-$cipher.key
done
openssl rsa -in rsa-pkcs8.key -traditional -out rsa-pkcs1.key
openssl rsa -in rsa-pkcs8.key -traditional -outform DER -out rsa-pkcs1.der
openssl ecparam -name prime256v1 -genkey -out p256-sec1.key
openssl ec -in p256-sec1.key -outform DER -out p256-sec1.der
openssl ec -in p256-sec1.key -aes256 -passout pass:passtrix -out p256-traditional-aes256.key
openssl pkcs8 -topk8 -nocrypt -in p256-sec1.key -out p256.key
openssl pkcs8 -topk8 -nocrypt -in p256.key -outform DER -out p256-pkcs8.der
openssl pkcs8 -topk8 -in p256.key -v2 aes-256-cbc -passout pass:passtrix -out p256-aes256.key
openssl pkcs8 -topk8 -in p256.key -v2 aes-128-cbc -passout pass:passtrix -outform DER -out p256-aes128.der
openssl pkcs8 -topk8 -in p256.key -v2 des3 -passout pass:passtrix -out p256-des3.key
openssl pkcs8 -topk8 -in p256.key -v2 aes-256-cbc -v2prf hmacWithSHA1 -passout pass:passtrix -out p256-sha1.key
openssl pkcs8 -topk8 -in p256.key -v2 aes-256-cbc -v2prf hmacWithSHA512 -passout pass:passtrix -out p256-sha512.key
openssl pkcs8 -topk8 -in p256.key -scrypt -passout pass:passtrix -out p256-scrypt.key
openssl pkcs8 -topk8 -in p256.key -v1 PBE-SHA1-3DES -passout pass:passtrix -out p256-pbes1.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k256.key
openssl genpkey -algorithm ED25519 -out ed25519.key
openssl genpkey -algorithm ED448 -out ed448.key
wait # for rsa4096.key
openssl genrsa -out rsa1024.key 1024
cp rsa-pkcs8.key rsa2048.key

# Self-signed, in every shape.
self() { openssl req -new -x509 -key "$1.key" -out "$2.crt" -days 1095 -subj "/CN=billing" ${3:+-extensions "$3"} ${4:+"$4"}; }
self rsa2048 own-rsa2048
self rsa2048 own-san san
self rsa4096 own-rsa4096
self p256 own-p256
self p384 own-p384
self p521 own-p521
self ed25519 own-ed25519
self rsa2048 own-sha1 v3_ca -sha1
self rsa1024 own-rsa1024
self k256 own-k256
self ed448 own-ed448
self rsa2048 own-plain plain
self rsa2048 own-plain-san plain_san
self rsa2048 own-keytool empty
self p256 own-and-sign own_and_sign
openssl req -new -key rsa2048.key -out billing.csr -subj "/CN=billing"
openssl x509 -req -in billing.csr -signkey rsa2048.key -out own-v1.crt -days 1095
openssl x509 -in own-p256.crt -outform DER -out own-p256.cer
openssl x509 -in own-p256.crt -text -out own-p256-text.crt

# CAs: as the manual's command makes them, with keyCertSign, and one that only has the same name.
ca() { openssl req -new -x509 -key "$1.key" -out "$2.crt" -days 3650 -subj "/O=Example/CN=$3" -extensions "$4"; }
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out evil.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
ca ca ca "Example CA" root
ca ca ca-seed "Example CA" v3_ca
ca evil evil "Example CA" root
ca other other "Other CA" root
ca rsa1024 ca-rsa1024 "Weak CA" root
ca other constrained "Constrained CA" constrained

# What they issue.
issue() { # name subject CA extensions [option...]
    name=$1 subject=$2 by=$3 with=$4; shift 4
    cakey=$by; case $by in constrained) cakey=other;; ca-rsa1024) cakey=rsa1024;; esac
    openssl req -new -key p256.key -out "$name.csr" -subj "$subject"
    openssl x509 -req -in "$name.csr" -CA "$by.crt" -CAkey "$cakey.key" -CAcreateserial \
        -out "$name.crt" -days 365 -extfile openssl.cnf -extensions "$with" "$@"
}
issue client /CN=billing ca client
issue client-two /CN=reporting ca client
issue client-other /CN=billing other client
issue client-evil /CN=billing evil client
issue client-no-eku /CN=billing ca no_eku
issue client-server-only /CN=billing ca server_only
issue named-server /CN=vault.example ca named_server
issue client-is-ca /CN=billing ca leaf_ca
issue client-no-signing /CN=billing ca no_signing
issue client-critical /CN=billing ca critical
issue client-sha1 /CN=billing ca client -sha1
issue client-weak-ca /CN=billing ca-rsa1024 client
issue client-inside /CN=billing constrained inside
issue client-outside /CN=billing constrained outside
openssl req -new -key rsa1024.key -out weak.csr -subj /CN=billing
openssl x509 -req -in weak.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client-rsa1024.crt -days 365 \
    -extfile openssl.cnf -extensions client
# Without -extfile: a version 1 certificate, as most tutorials make it.
openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client-v1.crt -days 365
# An application signs itself another name with the key of its own, trusted certificate.
openssl req -new -key p256.key -out forged.csr -subj /CN=admin
openssl x509 -req -in forged.csr -CA own-rsa2048.crt -CAkey rsa2048.key -CAcreateserial -out forged.crt -days 365 \
    -extfile openssl.cnf -extensions client

# Intermediates.
cp other.key sub.key
issue sub "/CN=Sub CA" ca intermediate
openssl req -new -key other.key -out sub.csr -subj "/CN=Sub CA"
openssl x509 -req -in sub.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out sub.crt -days 365 -extfile openssl.cnf -extensions intermediate
openssl x509 -req -in sub.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out sub-no-sign.crt -days 365 -extfile openssl.cnf -extensions intermediate_no_sign
openssl x509 -req -in sub.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out sub-plain.crt -days 365 -extfile openssl.cnf -extensions no_eku
issue client-sub /CN=billing sub client
cat client-sub.crt sub.crt ca.crt > chain.pem
openssl pkcs12 -export -in client-sub.crt -inkey p256.key -certfile chain.pem -out chain.p12 -passout pass:keystore

# Subjects that name nobody, or somebody twice.
subject() { openssl req -new -x509 -key p256.key -out "$1.crt" -days 30 -subj "$2" -multivalue-rdn; }
subject two-cns /CN=billing/CN=admin
subject multi-valued /CN=billing+OU=payments
subject two-organisations /O=One/O=Two/CN=billing
subject no-cn /O=Example
openssl req -new -x509 -key p256.key -out san-only.crt -days 30 -subj /O=Example -extensions plain_san

# Revocation lists: of the CA, of the CA's namesake, and of version 1.
touch index.txt; echo 1000 > crlnumber
openssl ca -config openssl.cnf -cert ca.crt -keyfile ca.key -revoke client-two.crt
openssl ca -config openssl.cnf -cert ca.crt -keyfile ca.key -gencrl -out ca.crl
openssl ca -config openssl.cnf -cert evil.crt -keyfile evil.key -gencrl -out evil.crl
sed -e /crl_extensions/d -e /crlnumber/d openssl.cnf > v1.cnf
openssl ca -config v1.cnf -cert ca.crt -keyfile ca.key -gencrl -out v1.crl
: > index.txt
openssl ca -config openssl.cnf -cert seed.crt -keyfile seed.key -passin pass:passtrix -revoke seed.crt
openssl ca -config openssl.cnf -cert seed.crt -keyfile seed.key -passin pass:passtrix -gencrl -out seed.crl
