#!/usr/bin/env bash
# Has Apple check a signed dmg and staples the answer to it. Needs a keychain
# profile: xcrun notarytool store-credentials NAME; give NAME in HAOKE_NOTARY.
set -euo pipefail
if [ -z "${HAOKE_NOTARY:-}" ]; then echo "mac: no HAOKE_NOTARY; $1 is not notarised"; exit 0; fi
xcrun notarytool submit "$1" --keychain-profile "$HAOKE_NOTARY" --wait
xcrun stapler staple "$1"
