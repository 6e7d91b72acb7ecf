// The live stream from the sandbox: opened for one person, opened anew when it breaks.

import { forget, marks } from "./session.js";
import { announce, empty, here, world } from "./store.js";

const SHORTEST_MS = 300;
const LONGEST_MS = 4000;
let socket = null;
let wait = SHORTEST_MS;
let timer = 0;

export function connect() {
  clearTimeout(timer);
  close();
  if (!here.me) return;
  const opened = new WebSocket(`${location.origin.replace(/^http/, "ws")}/page/events?as=${here.me}`);
  socket = opened;
  opened.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  opened.addEventListener("close", () => {
    if (socket !== opened) return;
    setOnline(false);
    announce("lost");
    timer = setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_MS);
  });
}

function close() {
  const old = socket;
  socket = null;
  old?.close();
}

function setOnline(online) {
  world.online = online;
  announce("connection");
}

function receive(batch) {
  const changed = new Set();
  for (const each of batch) changed.add(takeIn[each.type](each));
  for (const topic of ["places", "messages", "interactions", "ready"]) {
    if (changed.has(topic)) announce(topic);
  }
}

const takeIn = {
  hello({ run }) {
    const before = marks.get("run");
    if (before && before !== run) {
      forget();
      announce("anew");
    }
    marks.set("run", run);
    empty();
    wait = SHORTEST_MS;
    setOnline(true);
    return "places";
  },
  places(told) {
    world.places = told;
    return "places";
  },
  message({ message }) {
    if (world.ready && !world.messages.has(message.id)) announce("arrived", message);
    world.messages.set(message.id, message);
    return "messages";
  },
  gone({ id }) {
    world.messages.delete(id);
    return "messages";
  },
  interaction({ interaction }) {
    world.interactions.set(interaction.id, interaction);
    return "interactions";
  },
  ready() {
    world.ready = true;
    return "ready";
  },
};
