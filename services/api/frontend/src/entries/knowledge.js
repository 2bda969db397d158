// The pages of Knowledge: an answer as it is written, what became of recommendations, files on
// their way. Without this their forms do the same.
import { findElements } from "../elements.js";
import { watchQuestions } from "../knowledge/asking.js";
import { watchTips } from "../knowledge/tips.js";
import { sendWithProgress } from "../upload.js";

for (const form of findElements("#ask", HTMLFormElement)) watchQuestions(form);

for (const tips of findElements("#tips", HTMLElement)) watchTips(tips);

for (const form of findElements("#upload", HTMLFormElement)) sendWithProgress(form);

// Where an answer led, so that the keyboard goes on from there.
document.getElementById("cited")?.focus();
