// The pages of Knowledge: an answer as it is written, what became of recommendations, files on their way. Without this their forms do the same.
import { watchQuestions } from "../knowledge/asking.js";
import { watchTips } from "../knowledge/tips.js";
import { sendWithProgress } from "../upload.js";

const ask = document.getElementById("ask");
if (ask) watchQuestions(ask);

const tips = document.getElementById("tips");
if (tips) watchTips(tips);

const upload = document.getElementById("upload");
if (upload) sendWithProgress(upload);

// Where an answer led, so that the keyboard goes on from there.
document.getElementById("cited")?.focus();
