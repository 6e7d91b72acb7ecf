// Whether an answer is genuine: the nonce, the signature in its body, the signature in its headers, a license file.

import { parsed, send, text } from "./api.js";
import { publicKeys } from "./requests.js";

const STALE_S = 300;
const encoder = new TextEncoder();

const right = (words) => ({ outcome: "right", words });
const wrong = (words) => ({ outcome: "wrong", words });
const unknown = (words) => ({ outcome: "unknown", words });

/** Check what can be checked of a validation's answer. */
export async function proofs(answer, body, values) {
  const found = [];
  if (body.signature || values.secret) found.push(await hmac(answer.bytes, body, values.secret));
  if (answer.headers.has("X-Signature-Timestamp")) found.push(await inHeaders(answer, body, values));
  if (!body.signature && !answer.headers.has("X-Signature-Timestamp")) found.push(unsigned());
  if (!values.nonce) return found;
  const isSigned = found.some(({ outcome }) => outcome === "right");
  return [nonce(body, values, isSigned), ...found];
}

/** A nonce counts inside what is signed alone: whoever makes up an answer can put it there as well. */
function nonce(body, values, isSigned) {
  if (body.nonce !== values.nonce) return wrong("The nonce did not come back: this answer was not made for this request.");
  return isSigned
    ? right("The nonce came back in what is signed, so this answer is no recording.")
    : unknown("The nonce came back, but without a signature that was checked and is right it proves nothing: anybody can write a nonce.");
}

function unsigned() {
  return unknown("This answer is not signed; staff turn that on with `/product signing`.");
}

async function hmac(bytes, body, secret) {
  if (!body.signature) return unknown("This product puts no signature in the body, so the secret checks nothing.");
  if (!secret) return unknown("Signed with a shared secret: paste the signing secret, and it is checked here.");
  if (!crypto.subtle) return insecure();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const signed = encoder.encode(cut(text(bytes), body.signature));
  return (await crypto.subtle.verify("HMAC", key, hex(body.signature), signed))
    ? right("Signature right: HMAC-SHA256 over the body, with this secret.")
    : wrong("Signature wrong: it was made with another secret, or the body was changed on its way.");
}

/** The body as it was signed: without the member `signature`. It stands behind `custom`, which could hold its like. */
function cut(raw, signature) {
  const member = `,"signature":"${signature}"`;
  const at = raw.lastIndexOf(member);
  return at < 0 ? raw : raw.slice(0, at) + raw.slice(at + member.length);
}

async function inHeaders(answer, body, values) {
  const timestamp = answer.headers.get("X-Signature-Timestamp");
  const kid = answer.headers.get("X-Signature-Key-Id");
  const ed25519 = answer.headers.get("X-Signature-Ed25519");
  const signature = ed25519 ? hex(ed25519) : base64(answer.headers.get("X-Signature-RSA") ?? "");
  const message = encoder.encode(timestamp);
  const signed = new Uint8Array(message.length + answer.bytes.length);
  signed.set(message);
  signed.set(answer.bytes, message.length);
  const found = await check({ kid, signature, signed, kind: ed25519 ? "Ed25519" : "RSA", values });
  // The nonce proves that the answer is fresh, whatever this machine's clock says.
  const isFresh = values.nonce && body.nonce === values.nonce;
  return found.outcome === "right" && !isFresh && Math.abs(Date.now() / 1000 - Number(timestamp)) > STALE_S
    ? wrong("Signature right, but made long ago, or this machine's clock is off: it may be a recording. A nonce tells.")
    : found;
}

/** Check a license file, a compact JWS; give what it says too. */
export async function licenseFile(bytes, values) {
  const parts = text(bytes).split(".");
  if (parts.length !== 3) return { proof: wrong("This is no license file: it has not three parts.") };
  const [header, payload] = parts.slice(0, 2).map((part) => parsed(base64(part)));
  if (!header || !payload) return { proof: wrong("This is no license file: its parts are no JSON.") };
  const signed = encoder.encode(`${parts[0]}.${parts[1]}`);
  const proof = await check({ kid: header.kid, signature: base64(parts[2]), signed, kind: "Ed25519", values });
  return { header, payload, proof };
}

async function check({ kid, signature, signed, kind, values }) {
  if (!crypto.subtle) return insecure();
  const key = await publicKey(kid, values);
  if (!key) return wrong(`Signature wrong: the key ${kid} is not among the product's public keys.`);
  try {
    const [shape, algorithm] = kind === "RSA" ? rsa(key) : ed25519(key);
    const imported = await crypto.subtle.importKey("jwk", shape, algorithm, false, ["verify"]);
    return (await crypto.subtle.verify(algorithm, imported, signature, signed))
      ? right(`Signature right: ${kind}, key ${kid}.`)
      : wrong(`Signature wrong: it does not belong to the key ${kid}, or the answer was changed on its way.`);
  } catch {
    return unknown(`This browser cannot check ${kind} signatures; a newer one can.`);
  }
}

const ed25519 = ({ kty, crv, x }) => [{ kty, crv, x }, { name: "Ed25519" }];
const rsa = ({ kty, n, e }) => [{ kty, n, e }, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }];

async function publicKey(kid, values) {
  const answer = await send(publicKeys(values, { Authorization: `Bearer ${values.api_key}` }));
  return parsed(answer.bytes)?.keys?.find((key) => key.kid === kid);
}

function insecure() {
  return unknown("Browsers check signatures only over https or on this machine itself; open the page that way.");
}

function hex(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function base64(words) {
  try {
    return Uint8Array.from(atob(words.replaceAll("-", "+").replaceAll("_", "/")), (symbol) => symbol.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
