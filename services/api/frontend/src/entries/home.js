// Home: the plan chart, its row of values, the sheet that says why, and what is new as it comes.
import { findElement, readData } from "../elements.js";
import { PlanPanel } from "../home/panel.js";
import { followSheet } from "../home/sheet.js";

const root = findElement("#plan", HTMLElement);
const sheet = followSheet(findElement("#why", HTMLElement), readData(root, "why").why);
const panel = new PlanPanel(root, { select: (instant, chosen) => sheet.show(instant, chosen) });

const drawn = panel.load();
// What the owner did on this page is shown at once.
for (const name of ["luna:refresh", "luna:news"]) {
  document.body.addEventListener(name, () => drawn.then(() => panel.load()));
}
document.body.addEventListener("luna:lost", () => panel.say("offline"));
