#!/usr/bin/env bash
# Signs one file in place when a certificate is given by the environment:
#   HAOKE_SIGN_CERT  PEM chain         HAOKE_SIGN_KEY  PEM key (or pkcs11: URI)
#   HAOKE_SIGN_TS    time-stamp server HAOKE_SIGN_CA   PEM roots to verify against
set -euo pipefail
file=$1
if [ -z "${HAOKE_SIGN_CERT:-}" ]; then echo "sign: no HAOKE_SIGN_CERT; $(basename "$file") stays unsigned"; exit 0; fi
args=(-certs "$HAOKE_SIGN_CERT" -key "$HAOKE_SIGN_KEY" -h sha256 -n Haoke)
[ -z "${HAOKE_SIGN_TS:-}" ] || args+=(-ts "$HAOKE_SIGN_TS")
osslsigncode sign "${args[@]}" -in "$file" -out "$file.signed" >/dev/null
mv "$file.signed" "$file"
[ -z "${HAOKE_SIGN_CA:-}" ] || osslsigncode verify -CAfile "$HAOKE_SIGN_CA" "$file" >/dev/null
echo "sign: $(basename "$file") signed"
