#!/bin/sh
# Ask a KeyPort server whether a license is good: one file to paste. POSIX sh, curl, openssl, sed, awk.
#
#   ./keyport.sh LICENSE-KEY [VERSION [DEVICE]]
#
# prints one line: valid or not, status, where it comes from ("server" or "memory"), support code, message, and what
# the seller should hear; tabs between them. It exits with 0: go on · 1: the license is not good · 2: unknown, the
# server could not be asked or proved nothing · 3: this script is set up wrongly, tell the seller.
# Change the settings below, or set them from outside. With neither public keys nor a secret nothing is proven.
# Never ship a secret: whoever has this file can then forge answers. Secrets are for your own machines, where they can
# be seen in the process list while they are used; customers get public keys. Ed25519 needs OpenSSL 3, RSA any.

: "${KEYPORT_URL:=https://license.example.com}" # your server, as its operator names it
: "${KEYPORT_API_KEY:=kp_live_...}"             # an API key that may only validate
: "${KEYPORT_PUBLIC_KEYS:=}" # a line "KEY-ID BASE64" for each key, all of its base64 on that one line:
#                              docs/clients.md has the command that makes such lines of GET /api/v1/keys
: "${KEYPORT_SECRETS:=}" # kp_sign_..., never in a file you ship; spaces between two while it is being replaced
: "${KEYPORT_MEMORY:=}"                # a file; keyport-license-....txt in the working folder when empty
: "${KEYPORT_GRACE_SECONDS:=259200}" # 72 hours
: "${KEYPORT_TIMEOUT:=10}"

LC_ALL=C
export LC_ALL
umask 077
license=${1-} version=${2-} device=${3-}

# valid status source support-code message for-the-seller; then the exit status
tell() {
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$6"
    exit "$7"
}

could_not() { tell false unknown server '' "The license could not be checked: $1." '' 2; }

# What checks the proofs has to be there and to work: nothing below may take a tool's silence for an answer.
for tool in curl openssl awk sed grep tr fold mktemp mkdir; do
    command -v "$tool" >/dev/null 2>&1 || could_not "$tool is not installed"
done
now=${KEYPORT_NOW:-$(date +%s)} # the time comes from outside in tests alone
work=$(mktemp -d) && [ -d "$work" ] || could_not "there is no place for temporary files"
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

is_number() { case $1 in '' | *[!0-9]* | 0?* | ??????????????*) false ;; esac }

json() { printf '%s' "$1" | tr -d '\000-\037\177' | sed 's/[\\"]/\\&/g'; }

# The value of a header; a text member of the body, unless a backslash stands in it.
header() {
    tr -d '\r' <"$work/head" | awk 'tolower($1) == name ":" { value = $2 } END { print value }' name="$1"
}

member() { sed -n 's/.*,"'"$1"'":"\([^"\]*\)".*/\1/p' "$work/body" | tr -d '\000-\037\177'; }

# Text, length: is it that many hex digits?
is_hex() { case $1 in *[!0-9a-f]*) false ;; *) [ "${#1}" -eq "$2" ] ;; esac }

# Prints 64 hex digits, or nothing and fails.
sha256() {
    digest=$(openssl dgst -sha256 "$@" 2>/dev/null | sed 's/.*= *//')
    is_hex "$digest" 64 && printf '%s' "$digest"
}

from_hex() {
    printf "$(awk '{ for (i = 1; i < length($0); i += 2) {
        high = index(digits, substr($0, i, 1)) - 1
        low = index(digits, substr($0, i + 1, 1)) - 1
        printf "\\%03o", 16 * high + low
    } }' digits=0123456789abcdef)"
}

# A random word and, tied to it, the license: the answer to another license's question never fits.
nonce_for() {
    # However it was typed, it is the same license.
    tidied=$(printf '%s' "$license" | tr a-z A-Z | tr -d ' \t\r\n-')
    is_hex "$1" 32 && tie=$(printf '%s\n%s\n%s' "$1" "$tidied" "$device" | sha256) && printf '%s%s' "$1" "$tie"
}

# The body begins with these two members, and its last nonce is the answer's own.
read_body() {
    valid=$(sed -n 's/^{"valid":\([a-z]*\),"status":"[a-z_]*".*/\1/p' "$1")
    status=$(sed -n 's/^{"valid":[a-z]*,"status":"\([a-z_]*\)".*/\1/p' "$1")
    answered=$(sed -n 's/.*,"nonce":"\([0-9a-f]*\)".*/\1/p' "$1")
}

# Timestamp, key id, signature, body file: did one of the pinned public keys sign timestamp and body?
signed() {
    is_number "$1" || return 1
    printf '%s\n' "$KEYPORT_PUBLIC_KEYS" | awk '$1 == id { print $2 }' id="$2" >"$work/spki"
    [ -n "$2" ] && [ -n "$3" ] && [ -s "$work/spki" ] || return 1
    { echo '-----BEGIN PUBLIC KEY-----' && fold -w 64 "$work/spki" && echo '-----END PUBLIC KEY-----'; } >"$work/pem"
    { printf '%s' "$1" && cat "$4"; } >"$work/signed"
    case $3 in
    *[!0-9a-f]*)
        printf '%s' "$3" | openssl base64 -d -A >"$work/signature" 2>"$work/noise"
        openssl dgst -sha256 -verify "$work/pem" -signature "$work/signature" "$work/signed" \
            >"$work/verdict" 2>"$work/noise" && grep -q '^Verified OK$' "$work/verdict"
        ;;
    *)
        printf '%s\n' "$3" | from_hex >"$work/signature"
        openssl pkeyutl -verify -pubin -inkey "$work/pem" -rawin -in "$work/signed" -sigfile "$work/signature" \
            >"$work/verdict" 2>"$work/noise" && grep -q '^Signature Verified Successfully$' "$work/verdict"
        ;;
    esac
}

# HMAC, file: is it the file's with one of the secrets?
sealed() {
    is_hex "$1" 64 || return 1
    for secret in $KEYPORT_SECRETS; do
        made=$(sha256 -hmac "$secret" "$2") && [ "$made" = "$1" ] && return 0
    done
    return 1
}

# The last good answer stands while it is young: four lines, checked again whenever they are read.
recall() {
    [ -r "$KEYPORT_MEMORY" ] || return 1
    { read -r at && read -r key_id && read -r signature; } <"$KEYPORT_MEMORY" || return 1
    printf '%s' "$(sed 1,3d "$KEYPORT_MEMORY")" >"$work/kept"
    is_number "$at" && [ $((now - at)) -lt "$KEYPORT_GRACE_SECONDS" ] || return 1
    # A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
    [ $((at - now)) -le 86400 ] && [ $((at - now)) -le "$KEYPORT_GRACE_SECONDS" ] || return 1
    if [ -n "$KEYPORT_PUBLIC_KEYS" ]; then
        signed "$at" "$key_id" "$signature" "$work/kept" || return 1
    elif [ -n "$KEYPORT_SECRETS" ]; then
        { printf '%s' "$at" && cat "$work/kept"; } >"$work/signed"
        sealed "$signature" "$work/signed" || return 1
    fi
    read_body "$work/kept"
    [ "$valid" = true ] && tied=$(nonce_for "$(printf '%.32s' "$answered")") && [ "$answered" = "$tied" ]
}

# Why, what the seller should hear, and for a question that was refused: status, exit status.
unknown() {
    recall && tell true "$status" memory '' "Not checked now: $1." "${2-}" 0
    [ -n "${3-}" ] || tell false unknown server '' "The license could not be checked: $1." "${2-}" 2
    tell false "$3" server '' "$2" "$2" "$4"
}

# Writes standard input to a file, and makes its folder if there is none.
keep() {
    case $1 in ?*/*) [ -d "${1%/*}" ] || mkdir -p "${1%/*}" || return ;; esac
    cat >"$1"
}

remember() {
    at=$signed_at
    if [ -z "$KEYPORT_PUBLIC_KEYS" ]; then
        at=$now signature=
        { printf '%s' "$at" && cat "$work/body"; } >"$work/signed"
        for secret in $KEYPORT_SECRETS; do
            signature=$(sha256 -hmac "$secret" "$work/signed") || return
            break
        done
    fi
    { printf '%s\n%s\n%s\n' "$at" "$key_id" "$signature" && cat "$work/body"; } >"$work/lines"
    { keep "$KEYPORT_MEMORY" <"$work/lines"; } 2>"$work/noise"
}

is_number "$now" || could_not "this computer does not know the time"
[ "$(printf abc | sha256)" = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ] ||
    could_not "openssl does not work"
# Named after the API key, so that no two products share a file.
product=$(printf '%s' "$KEYPORT_API_KEY" | sha256)
: "${KEYPORT_MEMORY:=keyport-license-$(printf '%.12s' "$product").txt}"

# Nobody is asked before the time a 429 or a 503 named.
if [ -r "$KEYPORT_MEMORY.wait" ] && read -r pause_end <"$KEYPORT_MEMORY.wait" && is_number "$pause_end"; then
    [ "$pause_end" -gt "$now" ] && [ $((pause_end - now)) -le 86400 ] && unknown "the server asked to wait"
fi

nonce=$(nonce_for "$(openssl rand -hex 16 2>/dev/null)") || could_not "openssl gives no random numbers"
{
    printf '{"license_key":"%s","nonce":"%s"' "$(json "$license")" "$nonce"
    [ -n "$version" ] && printf ',"version":"%s"' "$(json "$version")"
    [ -n "$device" ] && printf ',"device_id":"%s"' "$(json "$device")"
    printf '}'
} >"$work/asked"
# The API key goes in by standard input: what stands on the command line can be seen in the process list.
code=$(printf 'header = "Authorization: Bearer %s"\n' "$KEYPORT_API_KEY" |
    curl --silent --show-error --config - --max-time "$KEYPORT_TIMEOUT" --header 'Content-Type: application/json' \
        --data-binary "@$work/asked" --dump-header "$work/head" --output "$work/body" --write-out '%{http_code}' \
        "${KEYPORT_URL%/}/api/v1/validate" 2>"$work/noise") || {
    [ $? -eq 28 ] && why="no answer in time" || why="no connection"
    unknown "$why" "$(tr -d '\000-\037\177' <"$work/noise")"
}
touch "$work/body"

case $code in
200) ;;
# Unproven, so these say nothing about the license: a good answer stands on, and the seller is told.
401)
    told="This program's API key is refused: please tell the seller."
    unknown "the server answered 401" "$told" invalid_api_key 3
    ;;
400 | 413 | 415 | 422)
    message=$(member message)
    unknown "the server answered $code" "${message:-The request was refused.}" invalid_request 1
    ;;
*)
    wait=$(header retry-after)
    if is_number "$wait"; then
        { echo $((now + (wait < 86400 ? wait : 86400))) | keep "$KEYPORT_MEMORY.wait"; } 2>"$work/noise"
    fi
    unknown "the server answered $code"
    ;;
esac

signed_at=$(header x-signature-timestamp) key_id=$(header x-signature-key-id)
signature=$(header x-signature-ed25519)$(header x-signature-rsa)
if [ -n "$KEYPORT_PUBLIC_KEYS" ]; then
    signed "$signed_at" "$key_id" "$signature" "$work/body" || unknown "the answer's signature is wrong or missing"
fi
if [ -n "$KEYPORT_SECRETS" ]; then
    hmac=$(sed -n 's/.*,"signature":"\([0-9a-f]*\)".*/\1/p' "$work/body")
    printf '%s' "$(sed 's/\(.*\),"signature":"[0-9a-f]*"/\1/' "$work/body")" >"$work/rest"
    sealed "$hmac" "$work/rest" || unknown "the answer's signature is wrong or missing"
fi
read_body "$work/body"
case $valid in true | false) ;; *) unknown "the answer is not KeyPort's" ;; esac
[ "$answered" = "$nonce" ] || unknown "the answer is to another question"

if [ "$valid" = true ]; then
    told=
    remember || told="The answer cannot be remembered in $KEYPORT_MEMORY: its folder cannot be written."
    tell true "$status" server '' '' "$told" 0
fi
rm -f "$KEYPORT_MEMORY"
message=$(member message) support_code=$(header x-support-code)
: "${support_code:=$(member support_code)}" "${message:=The license is not valid: $status.}"
tell false "$status" server "$support_code" "$message" '' 1
