// Home: the plan chart, its row of values, the sheet that says why, and what is new as it comes.
import { PlanPanel } from "../home/panel.js";
import { listen } from "../home/news.js";
import { followSheet } from "../home/sheet.js";

const root = document.getElementById("plan");
const sheet = followSheet(document.getElementById("why"), root.dataset.why);
const panel = new PlanPanel(root, { select: (instant, chosen) => sheet.show(instant, chosen) });

await panel.load();
listen(root.dataset.events, {
  renew: () => panel.load(),
  lost: () => panel.say("offline"),
});
