// Check a license file where there is no network: one file to copy. Node 16 or newer, nothing else.
// See docs/verifying.md.
import { createHash, createPublicKey, verify as holds } from "node:crypto";
import { readFileSync } from "node:fs";

const DAY = 86_400;

/** Returns what the file says of the license; throws if it is not good. `keys` is a Map from kid to public_key_hex. */
export function verify(file, keys, { product, licenseKey, device, now }) {
  const parts = file.trim().split(".");
  if (parts.length !== 3) throw new Error("not a license file");
  const [head, payload, signature] = parts;
  const header = JSON.parse(Buffer.from(head, "base64url"));
  if (header.alg !== "EdDSA" || header.typ !== "license+jwt") throw new Error("not a license file");
  if (!keys.has(header.kid)) throw new Error("not signed with a key of this program");
  const x = Buffer.from(keys.get(header.kid), "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  if (!holds(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, "base64url")))
    throw new Error("not signed with a key of this program");

  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const { license } = claims;
  if (claims.iss !== "keyport" || claims.aud !== product) throw new Error("of another product");
  if (now >= claims.exp) throw new Error("expired");
  if (now < claims.iat - DAY) throw new Error("the clock is wrong");
  const typed = licenseKey.replace(/[\s-]/g, "").toUpperCase();
  if (createHash("sha256").update(typed).digest("hex") !== license.key_sha256) throw new Error("of another license");
  if (license.device_id !== null && license.device_id !== device) throw new Error("of another device");
  return license;
}

const [path, product, licenseKey, device, now, ...keys] = process.argv.slice(2);
try {
  const known = new Map(keys.map((key) => key.split("=")));
  const file = readFileSync(path, "ascii");
  console.log(JSON.stringify(verify(file, known, { product, licenseKey, device, now: Number(now) })));
} catch (error) {
  console.error(`no good license file: ${error.message}`);
  process.exitCode = 1;
}
