// The start of the page: every part begins to listen, then the stream begins to tell.

import { people } from "./acts.js";
import { startComposer } from "./composer.js";
import { connect } from "./connection.js";
import { startGuide } from "./guide.js";
import { startMembers } from "./members.js";
import { startMessages } from "./messages.js";
import { startModals } from "./modal.js";
import { startNotices, toast } from "./notices.js";
import { startPeople } from "./people.js";
import { be, readAddress } from "./places.js";
import { startSidebar } from "./sidebar.js";
import { here, listen } from "./store.js";
import { startTheme } from "./theme.js";
import { keepTrue } from "./times.js";

const LOOK_AGAIN_MS = 500;

async function begin() {
  readAddress();
  for (const start of [startTheme, startNotices, startPeople, startSidebar, startMembers, startGuide]) start();
  for (const start of [startMessages, startModals, startComposer, keepTrue]) start();
  listen(["lost"], lookAgain);
  const somebody = await known();
  if (here.me === somebody) connect();
  else be(somebody);
}

/** After a new start of the sandbox the person may be nobody there. */
async function lookAgain() {
  const found = await people().catch(() => null);
  const all = found?.people ?? [];
  if (all.length && !all.some((each) => each.id === here.me)) be(all[0].id);
}

/** Wait until there is somebody to be: the sandbox may still be preparing its server. */
async function known() {
  for (let told = false; ; told = true) {
    const found = await people().catch(() => null);
    const all = found?.people ?? [];
    if (all.some((each) => each.id === here.me)) return here.me;
    if (all.length) return all[0].id;
    if (!told) toast(found ? "The server is being prepared…" : "The sandbox does not answer. Trying again…");
    await new Promise((next) => setTimeout(next, LOOK_AGAIN_MS));
  }
}

begin();
