// A question as it is answered: its stages and words as they come, then the answer as the server
// draws it. Words are text, never markup.
import { closestElement, findElement, readData } from "../elements.js";
import { readEvents, textOf } from "./stream.js";

/** @import { Answer, Question } from "../gateway.d.ts" */

const ANSWERS = "/v1/answers";

/** @param {HTMLFormElement} form */
export function watchQuestions(form) {
  const box = findElement("[name=question]", HTMLTextAreaElement, form);
  const conversation = findElement("[name=conversation]", HTMLInputElement, form);
  const turns = findElement("#turns", HTMLElement);
  const button = findElement("button.primary", HTMLButtonElement, form);
  const page = readData(form, "page", "site", "answers");
  const stageOf = (/** @type {HTMLElement} */ turn) =>
    findElement("[data-stage]", HTMLElement, turn);

  const fresh = (/** @type {string} */ question) => {
    const { content } = findElement("#turn", HTMLTemplateElement);
    const turn = document.importNode(findElement("article", HTMLElement, content), true);
    findElement("[data-asked]", HTMLElement, turn).textContent = question;
    turns.hidden = false;
    turns.append(turn);
    turn.scrollIntoView({ block: "nearest" });
    return turn;
  };

  // What was asked before is answered: the form goes on from there.
  const goOn = (/** @type {Answer} */ answer) => {
    conversation.value = answer.conversation_id;
    const label = findElement("#question-label", HTMLElement);
    label.textContent = readData(label, "followUp").followUp;
    document.getElementById("examples")?.remove();
    findElement("#new-question", HTMLElement).hidden = false;
    history.replaceState(
      null,
      "",
      `${page.page}?conversation=${encodeURIComponent(answer.conversation_id)}`,
    );
  };

  /** @type {(turn: HTMLElement, answer: Answer) => Promise<void>} */
  const draw = async (turn, answer) => {
    const response = await fetch(page.answers + encodeURIComponent(answer.answer_id), {
      headers: { "HX-Request": "true" },
    });
    if (!response.ok) throw new Error(`answer ${response.status}`);
    const drawn = findElement(
      "article",
      HTMLElement,
      new DOMParser().parseFromString(await response.text(), "text/html"),
    );
    turn.replaceWith(drawn);
    window.htmx?.process(drawn);
  };

  /** @type {(turn: HTMLElement, words: string) => void} */
  const end = (turn, words) => {
    const stage = stageOf(turn);
    stage.textContent = words;
    stage.classList.add("ended");
    turn.querySelector("[data-stop]")?.parentElement?.remove();
  };

  /** @type {(question: string, turn: HTMLElement, signal: AbortSignal) => Promise<void>} */
  const ask = async (question, turn, signal) => {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    if (document.body.dataset.csrf) headers["X-CSRF-Token"] = document.body.dataset.csrf;
    // What is about another site of the reader's does not belong here.
    /** @type {Question} */
    const asked = { question, site_id: page.site, filter: { site_id: page.site } };
    if (conversation.value) asked.conversation_id = conversation.value;
    const response = await fetch(ANSWERS, {
      method: "POST",
      headers,
      body: JSON.stringify(asked),
      signal,
    });
    if (!response.ok) return refuse(turn, await response.text());
    return follow(turn, response);
  };

  /** @type {(turn: HTMLElement, response: Response) => Promise<void>} */
  const follow = async (turn, response) => {
    const told = findElement("[data-told]", HTMLElement, turn);
    const stage = stageOf(turn);
    for await (const { name, data } of readEvents(response)) {
      if (name === "stage")
        stage.textContent = stage.dataset[textOf(data, "stage")] ?? stage.textContent;
      if (name === "token") told.append(textOf(data, "text", "token"));
      if (name === "problem") return refuse(turn, data);
      if (name === "answer") {
        const answer = JSON.parse(data);
        goOn(answer);
        return draw(turn, answer);
      }
    }
    return end(turn, readData(stage, "failed").failed);
  };

  /** @type {(turn: HTMLElement, words: string) => HTMLElement} */
  const addLine = (turn, words) => {
    const line = document.createElement("p");
    line.className = "small muted";
    line.textContent = words;
    turn.append(line);
    return line;
  };

  /** @type {(turn: HTMLElement, problem: string) => void} */
  const refuse = (turn, problem) => {
    const { failed, away, report } = readData(stageOf(turn), "failed", "away", "report");
    end(turn, textOf(problem, "type").endsWith(":unavailable") ? away : failed);
    const detail = textOf(problem, "detail");
    if (!detail || detail === problem) return;
    addLine(turn, detail).lang = "en";
    const number = textOf(problem, "trace_id");
    if (number) addLine(turn, report.replace("{number}", number));
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question) return;
    const stopper = new AbortController();
    const turn = fresh(question);
    const { stopped, away } = readData(stageOf(turn), "stopped", "away");
    findElement("[data-stop]", HTMLElement, turn).addEventListener("click", () => stopper.abort());
    box.value = "";
    button.disabled = true;
    try {
      await ask(question, turn, stopper.signal);
    } catch {
      end(turn, stopper.signal.aborted ? stopped : away);
      // What was not answered can be asked again.
      if (!box.value) box.value = question;
    } finally {
      button.disabled = false;
      box.focus();
    }
  });

  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || button.disabled) return;
    event.preventDefault();
    form.requestSubmit();
  });

  document.getElementById("examples")?.addEventListener("click", (event) => {
    const question = closestElement(event, "[data-question]", HTMLElement)?.dataset.question;
    if (!question || button.disabled) return;
    event.preventDefault();
    box.value = question;
    form.requestSubmit();
  });
}
