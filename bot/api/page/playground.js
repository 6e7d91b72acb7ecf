// The form: what is typed lives in its fields alone, never in storage and never in the address.

import { send } from "./api.js";
import { bodyOf, lookAtVerdict, show, showSilence, showWaiting } from "./answer.js";
import { announce, copies, find } from "./dom.js";
import { licenseFile, proofs } from "./proofs.js";
import { KINDS, build, curl, problems } from "./requests.js";

const PLACES = { api_key: "api-key", license_key: "license-key" };
const EVERY_FIELD = new Set(Object.values(KINDS).flatMap((kind) => kind.fields));

export class Playground {
  #form = find("request");
  #masked = true;
  #busy = false;
  #meanings = {};

  start() {
    // The secret has a form of its own, for it goes nowhere; Enter in it asks all the same.
    for (const form of [this.#form, find("proof")]) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#send();
      });
    }
    this.#form.addEventListener("input", () => this.#refresh());
    find("new-nonce").addEventListener("click", () => this.#makeNonce());
    find("unmask").addEventListener("click", () => this.#toggleMask());
    copies(find("copy-curl"), () => find("curl").textContent, "the curl line");
    for (const button of this.#form.querySelectorAll("[data-reveals]")) reveals(button);
    this.#refresh();
  }

  /** Learn what the statuses mean, once the description is read. */
  knows(meanings) {
    this.#meanings = meanings;
  }

  get #kind() {
    return new FormData(this.#form).get("kind");
  }

  get #values() {
    const typed = Object.fromEntries(new FormData(this.#form));
    return { ...typed, api_key: typed.api_key.trim(), secret: find("secret").value.trim() };
  }

  #refresh() {
    const fields = KINDS[this.#kind].fields;
    for (const name of EVERY_FIELD) this.#form.querySelector(`[data-for="${name}"]`).hidden = !fields.includes(name);
    for (const pair of this.#form.querySelectorAll(".pair")) pair.hidden = ![...pair.children].some((each) => !each.hidden);
    find("curl").textContent = curl(this.#kind, this.#values, { masked: this.#masked });
  }

  #makeNonce() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    find("nonce").value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#refresh();
  }

  #toggleMask() {
    this.#masked = !this.#masked;
    find("unmask").setAttribute("aria-pressed", String(!this.#masked));
    find("unmask").textContent = this.#masked ? "Show key" : "Hide key";
    this.#refresh();
  }

  async #send() {
    if (this.#busy) return;
    const [kind, values] = [this.#kind, this.#values];
    if (this.#complain(problems(kind, values))) return;
    this.#setBusy(true);
    try {
      await this.#ask(kind, values);
    } finally {
      this.#setBusy(false);
    }
    lookAtVerdict();
  }

  async #ask(kind, values) {
    showWaiting();
    let answer;
    try {
      answer = await send(build(kind, values));
    } catch (error) {
      showSilence(error.message);
      return;
    }
    const body = bodyOf(answer);
    show({ kind, answer, body, meanings: this.#meanings, found: await genuine(kind, answer, body, values) });
  }

  #setBusy(busy) {
    this.#busy = busy;
    find("send").setAttribute("aria-disabled", String(busy));
    find("send").textContent = busy ? "Sending …" : "Send request";
  }

  /** Say what is wrong beside the field, and go to the first. */
  #complain(found) {
    for (const [name, place] of Object.entries(PLACES)) {
      const [field, words] = [find(place), find(`${place}-problem`)];
      field.setAttribute("aria-invalid", String(name in found));
      words.textContent = found[name] ?? "";
      words.hidden = !(name in found);
    }
    const [first] = Object.keys(found);
    if (!first) return false;
    find(PLACES[first]).focus();
    announce(found[first]);
    return true;
  }
}

async function genuine(kind, answer, body, values) {
  if (answer.code !== 200) return { proofs: [] };
  try {
    if (kind === "validate" && body) return { proofs: await proofs(answer, body, values) };
    if (kind === "file") {
      const { header, payload, proof } = await licenseFile(answer.bytes, values);
      return { proofs: [proof], decoded: payload ? [["What the file says", payload], ["Its header", header]] : [] };
    }
  } catch {
    return { proofs: [{ outcome: "unknown", words: "Not checked: the public keys could not be fetched." }] };
  }
  return { proofs: [] };
}

function reveals(button) {
  const [field, what] = [find(button.dataset.reveals), button.dataset.what];
  function name() {
    const hidden = field.type === "password";
    button.textContent = hidden ? "Show" : "Hide";
    button.setAttribute("aria-label", `${button.textContent} ${what}`);
  }
  button.addEventListener("click", () => {
    field.type = field.type === "password" ? "text" : "password";
    name();
  });
  name();
}
