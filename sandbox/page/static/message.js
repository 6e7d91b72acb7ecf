// One message as its reader sees it: who, when, in answer to what, and everything in it.

import { avatar } from "./avatar.js";
import { components } from "./components.js";
import { button, colour, el } from "./dom.js";
import { embed } from "./embeds.js";
import { attachment } from "./files.js";
import { markdown, plainWords } from "./markdown.js";
import { compareIds, here, nameColour, nameOf, world } from "./store.js";
import { whenWritten } from "./times.js";

const LOADING = 1 << 7;

/** Show a message; `compact` leaves out who and when, for what follows at once. */
export function messageNode(message, { compact, onDismiss, onMenu }) {
  const head = compact ? el("span", { class: "aside-time" }, whenWritten(message.timestamp)) : avatarOf(message);
  const settings = {
    class: classesOf(message, compact),
    tabindex: "-1",
    dataset: { id: message.id },
    "aria-label": spoken(message),
    on: {
      contextmenu: (event) => onMenu(event, message),
      keydown: (event) => {
        if (event.target === event.currentTarget && event.key === "Enter") onMenu(event, message);
      },
    },
  };
  const more = button("⋯", (event) => onMenu(event, message), {
    class: "more",
    tabindex: "-1",
    "aria-label": "More",
    "aria-haspopup": "menu",
  });
  const body = el("div", { class: "body" }, !compact && header(message), contents(message), foot(message, onDismiss));
  return el("article", settings, !compact && source(message), el("div", { class: "lines" }, head, body), more);
}

function classesOf(message, compact) {
  const pings = message.mention_everyone || message.mentions.some((each) => each.id === here.me);
  return ["message", compact && "compact", message.private && "private", pings && "pings"].filter(Boolean).join(" ");
}

const avatarOf = (message) => avatar(message.author.id, nameOf(message.author.id));

function header(message) {
  const { author } = message;
  const tint = nameColour(author.id);
  return el(
    "div",
    { class: "header" },
    el("span", { class: "author", dir: "auto", vars: tint ? { "--own": colour(tint) } : {} }, nameOf(author.id)),
    author.bot && appTag(),
    whenWritten(message.timestamp),
  );
}

export const appTag = () => el("span", { class: "app-tag" }, "APP");

/** The line above: the command somebody used, or the message this one answers. */
function source(message) {
  const first = firstAnswer(message);
  if (message.interaction && !first) return used(message.interaction.user.id, message.interaction);
  const to = message.referenced_message ?? first ?? world.messages.get(message.answers);
  if (!to) return null;
  const words = plainWords(firstWords(to)) || "Click to see attachment";
  return el(
    "div",
    { class: "source" },
    avatar(to.author.id, nameOf(to.author.id), "tiny"),
    el("span", { class: "source-name", dir: "auto" }, nameOf(to.author.id)),
    el("span", { class: "source-words", dir: "auto" }, words),
  );
}

/** What came before it in answer to the same act, if it is a follow-up. */
function firstAnswer({ id, interaction_metadata: act }) {
  if (!act) return null;
  const all = [...world.messages.values()].filter((each) => each.interaction_metadata?.id === act.id);
  return all.find((each) => compareIds(each.id, id) < 0) ?? null;
}

export function used(userId, { name, typed }) {
  return el(
    "div",
    { class: "source" },
    avatar(userId, nameOf(userId), "tiny"),
    el("span", { class: "source-name", dir: "auto" }, nameOf(userId)),
    " used ",
    el("span", { class: "command" }, `${typed ? "/" : ""}${name}`),
  );
}

function contents(message) {
  if (message.flags & LOADING) return thinking();
  const edited = message.edited_timestamp && el("small", { class: "edited" }, "(edited)");
  return [
    message.content && el("div", { class: "content", dir: "auto" }, markdown(message.content), edited),
    message.embeds.map(embed),
    unplaced(message).map(attachment),
    el("div", { class: "components", dir: "auto" }, components(message)),
  ];
}

/** The attachments that no part of a layout shows. */
function unplaced(message) {
  const layout = JSON.stringify(message.components);
  return message.attachments.filter((each) => !layout.includes(`"attachment_id":"${each.id}"`));
}

function thinking() {
  const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  return el("div", { class: "thinking" }, dots, `${world.places.bot.name} is thinking…`);
}

function foot(message, onDismiss) {
  // As in the client: the note goes with the next try.
  const tries = [...world.interactions.values()].filter((each) => each.source === message.id && each.kind === 3);
  const failed = tries.sort((one, other) => compareIds(one.id, other.id)).at(-1)?.status === "failed";
  return [
    failed && el("div", { class: "failed" }, "⚠ This interaction failed"),
    message.private &&
      el(
        "div",
        { class: "only-you" },
        el("span", { class: "eye", "aria-hidden": "true" }),
        "Only you can see this • ",
        button("Dismiss message", () => onDismiss(message), { class: "as-link", dataset: { key: "dismiss" } }),
      ),
  ];
}

/** What a message says first, for previews and for those who hear the page. */
export function firstWords(message) {
  const texts = [...walk(message.components)].filter((each) => each.type === 10).map((each) => each.content);
  const embedded = message.embeds.map((each) => [each.title, each.description].filter(Boolean).join(" "));
  return [message.content, ...embedded, ...texts].filter(Boolean).join("\n");
}

function* walk(list) {
  for (const each of list ?? []) {
    yield each;
    yield* walk(each.components);
  }
}

export function spoken(message) {
  const words = message.flags & LOADING ? "is thinking" : plainWords(firstWords(message), 300);
  return `${nameOf(message.author.id)}: ${words || "sent something"}`;
}
