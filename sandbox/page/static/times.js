// Times as Discord shows them, in the reader's own zone.

import { el } from "./dom.js";

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const LOCALE = "en-US";
const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const LONGEST_SECONDS = 8.64e12; // what a date can hold

export function written(date, style) {
  return style === "R" ? ago(date) : new Intl.DateTimeFormat(LOCALE, STYLES[style] ?? STYLES.f).format(date);
}

function ago(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  const [unit, size] = STEPS.find((each) => Math.abs(seconds) >= each[1]) ?? STEPS.at(-1);
  return relative.format(Math.round(seconds / size), unit);
}

/** A timestamp inside a text; null where the number is no time. */
export function stamp(seconds, style = "f") {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > LONGEST_SECONDS) return null;
  const date = new Date(seconds * 1000);
  const settings = { class: "stamp", datetime: date.toISOString(), title: written(date, "F"), dataset: { style } };
  return el("time", settings, written(date, style));
}

/** When a message was written: the time today, the day as well before. */
export function whenWritten(iso) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  const words = today ? written(date, "t") : `${written(date, "d")}, ${written(date, "t")}`;
  return el("time", { class: "when", datetime: iso, title: written(date, "F") }, words);
}

export const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** Keep relative times true while the page is open. */
export function keepTrue() {
  setInterval(() => {
    for (const each of document.querySelectorAll('time[data-style="R"]')) {
      each.textContent = ago(new Date(each.dateTime));
    }
  }, 15_000);
}
