/* Ask a KeyPort server whether a license is good: one file to paste. Node 18 and later, browsers, nothing to install.
 *
 *   import { KeyPort } from "./keyport.mjs";
 *   const keyport = new KeyPort({
 *     url: "https://license.example.com",          // your server, as its operator names it
 *     apiKey: "kp_live_...",                       // an API key that may only validate
 *     publicKeys: { "KEY-ID": "-----BEGIN..." },   // from GET /api/v1/keys; or secrets: ["kp_sign_..."]
 *     version: "1.4.0",
 *   });
 *   const verdict = await keyport.check(licenseKey);
 *   if (!verdict.valid) throw new Error(`${verdict.message} ${verdict.supportCode}`);
 *
 * A runtime whose WebCrypto has no Ed25519 (browsers before 2025) needs a product that signs with RSA.
 * With neither publicKeys nor secrets nothing is proven. Never ship a secret: whoever opens your program, or looks
 * at your page, can then forge answers; customers get public keys. Browsers check only on pages from https.
 */

const DAY_S = 86_400;
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const MISTAKES = [400, 413, 415, 422];
const text = new TextEncoder();

// Written so that a bundler for browsers does not go looking for Node's own modules.
const ofNode = (name) => import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`);
const crypto = globalThis.crypto ?? (await ofNode("crypto")).webcrypto;

export class KeyPort {
  #waitUntil = 0;
  #complained = false;

  constructor({
    url,
    apiKey,
    publicKeys = {}, // key id -> PEM, Ed25519 or RSA
    secrets = [], // kp_sign_...; two while the secret is being replaced
    version,
    deviceId,
    memory, // in Node a file, in a browser an entry of localStorage; by default keyport-license-….txt
    graceHours = 72,
    timeoutMs = 10_000,
    clock = () => Date.now() / 1000,
  }) {
    Object.assign(this, { url, apiKey, publicKeys, secrets, version, deviceId, memory, graceHours, timeoutMs, clock });
  }

  /** Whether the program may run; never throws.
   *  Status "unknown": the server could not be asked, or proved nothing. `forSeller`: what the seller should hear,
   *  such as a refused question, no connection, no memory. */
  async check(licenseKey) {
    if (!crypto.subtle) return uncheckable("browsers check answers only on pages from https");
    try {
      return await this.#checked(licenseKey, Math.floor(this.clock()));
    } catch (error) {
      return uncheckable(`this program stumbled (${error?.name})`);
    }
  }

  async #checked(licenseKey, now) {
    if (now < this.#waitUntil) return this.#unknown(licenseKey, now, "the server asked to wait");
    const nonce = await this.#nonce(licenseKey, hex(crypto.getRandomValues(new Uint8Array(16))));
    let reply;
    try {
      reply = await this.#ask(licenseKey, nonce);
    } catch (error) {
      const why = error?.name === "TimeoutError" ? "no answer in time" : "no connection";
      const forSeller = [error?.message, error?.cause?.code ?? error?.cause?.message].filter(Boolean).join(": ");
      return this.#unknown(licenseKey, now, why, { forSeller });
    }
    const { code, body, header } = reply;
    if (code === 200) return this.#answered(licenseKey, nonce, reply, now);
    const why = `the server answered ${code}`;
    if (code === 401) {
      const forSeller = "This program's API key is refused: please tell the seller.";
      return this.#unknown(licenseKey, now, why, { status: "invalid_api_key", forSeller });
    }
    if (MISTAKES.includes(code)) {
      const forSeller = String(fields(body).message || "The request was refused.");
      return this.#unknown(licenseKey, now, why, { status: "invalid_request", forSeller });
    }
    if (/^\d+$/.test(header("Retry-After"))) this.#waitUntil = now + Math.min(+header("Retry-After"), DAY_S);
    return this.#unknown(licenseKey, now, why);
  }

  async #ask(license_key, nonce) {
    const response = await fetch(`${this.url.replace(/\/+$/, "")}/api/v1/validate`, {
      method: "POST",
      headers: { Authorization: `Bearer ${this.apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ license_key, version: this.version, device_id: this.deviceId, nonce }),
      redirect: "error", // the API key goes to this server and to no other
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    const header = (name) => response.headers.get(name) ?? "";
    return {
      code: response.status,
      header,
      body: new Uint8Array(await response.arrayBuffer()),
      signedAt: header("X-Signature-Timestamp"),
      keyId: header("X-Signature-Key-Id"),
      signature: header("X-Signature-Ed25519") || header("X-Signature-RSA"),
    };
  }

  async #answered(licenseKey, nonce, reply, now) {
    const flaw = await this.#flaw(reply, nonce);
    if (flaw) return this.#unknown(licenseKey, now, flaw);
    const answer = fields(reply.body);
    if (answer.valid === true) {
      const forSeller = await this.#remember(reply, now);
      return { ...refusal(answer.status, "", answer), valid: true, forSeller };
    }
    await (await this.#store()).remove().catch(() => null);
    const message = answer.message ?? `The license is not valid: ${answer.status}.`;
    const verdict = refusal(answer.status, message, answer);
    return { ...verdict, supportCode: reply.header("X-Support-Code") || verdict.supportCode };
  }

  // Proof

  /** A random word and, tied to it, the license: the answer to another license's question never fits. */
  async #nonce(licenseKey, random) {
    const tidied = String(licenseKey).replace(/[\s-]/g, "").toUpperCase(); // however it was typed, the same license
    return random + (await sha256(`${random}\n${tidied}\n${this.deviceId ?? ""}`));
  }

  /** Why an answer proves nothing, or an empty text. That it is fresh shows in the nonce, not on the clock. */
  async #flaw(reply, nonce) {
    if (this.#pinned() && !(await this.#signed(reply))) return "the answer's signature is wrong or missing";
    if (this.secrets.length && !(await this.#sealed(reply.body))) return "the answer's signature is wrong or missing";
    const answer = fields(reply.body);
    if (typeof answer.status !== "string" || !("valid" in answer)) return "the answer is not KeyPort's";
    return answer.nonce === nonce ? "" : "the answer is to another question";
  }

  #pinned() {
    return Object.keys(this.publicKeys).length > 0;
  }

  /** Whether one of the pinned public keys signed timestamp and body. */
  async #signed({ signedAt, keyId, signature, body }) {
    if (!/^\d+$/.test(signedAt) || !Object.hasOwn(this.publicKeys, keyId)) return false;
    const isEd25519 = /^[0-9a-f]{128}$/.test(signature);
    const algorithm = isEd25519 ? { name: "Ed25519" } : RSA;
    try {
      const der = fromBase64(this.publicKeys[keyId].replace(/-----[^-]+-----/g, ""));
      const key = await crypto.subtle.importKey("spki", der, algorithm, false, ["verify"]);
      const bytes = isEd25519 ? fromHex(signature) : fromBase64(signature);
      return await crypto.subtle.verify(algorithm, key, bytes, joined(signedAt, body));
    } catch {
      return false;
    }
  }

  /** Whether the last `signature` member is the HMAC of the body without it. */
  async #sealed(body) {
    const whole = Array.from(body, (byte) => String.fromCharCode(byte)).join(""); // one character per byte
    const start = whole.lastIndexOf(',"signature":');
    const found = /^,"signature":"([0-9a-f]{64})"/.exec(whole.slice(Math.max(0, start), start + 79));
    if (!found) return false;
    const rest = Uint8Array.from([...body.slice(0, start), ...body.slice(start + found[0].length)]);
    return this.#sealFits(rest, found[1]);
  }

  async #sealFits(data, theirs) {
    for (const secret of this.secrets) {
      if (!secret) continue; // as a variable that was never set leaves it: everybody knows it
      const key = await hmacKey(secret, "verify");
      if (await crypto.subtle.verify("HMAC", key, fromHex(theirs), data)) return true; // in constant time
    }
    return false;
  }

  // Memory: four lines, checked again whenever they are read

  /** Gives what the seller should hear if that fails, once. */
  async #remember({ signedAt, signature, keyId, body }, now) {
    if (!this.#pinned()) {
      signedAt = String(now);
      const key = this.secrets[0] ? await hmacKey(this.secrets[0], "sign") : null;
      signature = key ? hex(await crypto.subtle.sign("HMAC", key, joined(signedAt, body))) : "";
    }
    try {
      await (await this.#store()).write(`${signedAt}\n${keyId}\n${signature}\n${new TextDecoder().decode(body)}`);
    } catch (error) {
      if (this.#complained) return ""; // and a disk or a browser that keeps nothing locks nobody out
      this.#complained = true;
      return `The answer cannot be remembered: ${error?.message}`;
    }
    return "";
  }

  /** Let the last good answer stand if there is a young one: what came instead says nothing that is proven. */
  async #unknown(licenseKey, now, why, { status = "", forSeller = "" } = {}) {
    const retryAfter = Math.max(0, this.#waitUntil - now);
    const answer = await this.#recall(licenseKey, now);
    if (!answer) {
      const verdict = status ? refusal(status, forSeller) : uncheckable(why);
      return { ...verdict, retryAfter, forSeller };
    }
    const verdict = refusal(answer.status, `Not checked now: ${why}.`, answer);
    return { ...verdict, valid: true, fromMemory: true, retryAfter, forSeller };
  }

  async #recall(licenseKey, now) {
    const kept = await (await this.#store()).read().catch(() => null);
    const [signedAt, keyId, signature, line] = (kept ?? "").split("\n");
    if (line === undefined || !/^\d+$/.test(signedAt)) return null;
    const [age, grace] = [now - signedAt, this.graceHours * 3600];
    const body = text.encode(line);
    // A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
    if (!(age >= -Math.min(DAY_S, grace) && age < grace)) return null;
    if (!(await this.#kept({ signedAt, keyId, signature, body }))) return null;
    const answer = fields(body);
    const nonce = String(answer.nonce);
    return answer.valid === true && nonce === (await this.#nonce(licenseKey, nonce.slice(0, 32))) ? answer : null;
  }

  #kept(reply) {
    if (this.#pinned()) return this.#signed(reply);
    return !this.secrets.length || this.#sealFits(joined(reply.signedAt, reply.body), reply.signature);
  }

  async #store() {
    const name = this.memory || `keyport-license-${(await sha256(this.apiKey)).slice(0, 12)}.txt`; // one a product
    if (typeof globalThis.localStorage !== "undefined" && typeof process === "undefined") {
      return {
        read: async () => localStorage.getItem(name),
        write: async (value) => localStorage.setItem(name, value),
        remove: async () => localStorage.removeItem(name),
      };
    }
    const [files, { dirname }] = [await ofNode("fs/promises"), await ofNode("path")];
    return {
      read: async () => files.readFile(name, "utf8"),
      write: async (value) => {
        await files.mkdir(dirname(name), { recursive: true });
        await files.writeFile(name, value);
      },
      remove: async () => files.unlink(name),
    };
  }
}

function refusal(status, message, answer = {}) {
  const supportCode = answer.support_code ?? "";
  return { valid: false, status, message, supportCode, fromMemory: false, retryAfter: 0, forSeller: "", answer };
}

function uncheckable(why) {
  return refusal("unknown", `The license could not be checked: ${why}.`);
}

/** The members of a JSON object, none of anything else. */
function fields(body) {
  try {
    return Object(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return {};
  }
}

function hmacKey(secret, use) {
  return crypto.subtle.importKey("raw", text.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [use]);
}

async function sha256(words) {
  return hex(await crypto.subtle.digest("SHA-256", text.encode(words)));
}

function joined(timestamp, body) {
  return Uint8Array.from([...text.encode(timestamp), ...body]);
}

function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(digits) {
  return Uint8Array.from(digits.match(/[0-9a-f]{2}/g) ?? [], (pair) => parseInt(pair, 16));
}

function fromBase64(letters) {
  return Uint8Array.from(atob(letters.replace(/\s/g, "")), (character) => character.charCodeAt(0));
}
