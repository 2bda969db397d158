// A question as it is answered: its stages and words as they come, then the answer as the server draws it. Words are text, never markup.
import { readEvents, textOf } from "./stream.js";

const ANSWERS = "/v1/answers";

export function watchQuestions(form) {
  const box = form.elements.question;
  const turns = document.getElementById("turns");
  const button = form.querySelector("button.primary");

  const fresh = (question) => {
    const turn = document.getElementById("turn").content.firstElementChild.cloneNode(true);
    turn.querySelector("[data-asked]").textContent = question;
    turns.hidden = false;
    turns.append(turn);
    turn.scrollIntoView({ block: "nearest" });
    return turn;
  };

  // What was asked before is answered: the form goes on from there.
  const goOn = (answer) => {
    form.elements.conversation.value = answer.conversation_id;
    const label = document.getElementById("question-label");
    label.textContent = label.dataset.followUp;
    document.getElementById("examples")?.remove();
    document.getElementById("new-question").hidden = false;
    history.replaceState(null, "", `${form.dataset.page}?conversation=${encodeURIComponent(answer.conversation_id)}`);
  };

  const draw = async (turn, answer) => {
    const response = await fetch(form.dataset.answers + encodeURIComponent(answer.answer_id), { headers: { "HX-Request": "true" } });
    if (!response.ok) throw new Error(`answer ${response.status}`);
    const drawn = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("article");
    turn.replaceWith(drawn);
    window.htmx?.process(drawn);
  };

  const end = (turn, words) => {
    const stage = turn.querySelector("[data-stage]");
    stage.textContent = words;
    stage.classList.add("ended");
    turn.querySelector("[data-stop]")?.parentElement.remove();
  };

  const ask = async (question, turn, signal) => {
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    if (document.body.dataset.csrf) headers["X-CSRF-Token"] = document.body.dataset.csrf;
    // What is about another site of the reader's does not belong here.
    const asked = { question, site_id: form.dataset.site, filter: { site_id: form.dataset.site } };
    if (form.elements.conversation.value) asked.conversation_id = form.elements.conversation.value;
    const response = await fetch(ANSWERS, { method: "POST", headers, body: JSON.stringify(asked), signal });
    if (!response.ok) return refuse(turn, await response.text());
    return follow(turn, response);
  };

  const follow = async (turn, response) => {
    const told = turn.querySelector("[data-told]");
    const stage = turn.querySelector("[data-stage]");
    for await (const { name, data } of readEvents(response)) {
      if (name === "stage") stage.textContent = stage.dataset[textOf(data, "stage")] ?? stage.textContent;
      if (name === "token") told.append(textOf(data, "text", "token"));
      if (name === "problem") return refuse(turn, data);
      if (name === "answer") {
        const answer = JSON.parse(data);
        goOn(answer);
        return draw(turn, answer);
      }
    }
    return end(turn, stage.dataset.failed);
  };

  const refuse = (turn, problem) => {
    const { failed, away } = turn.querySelector("[data-stage]").dataset;
    end(turn, textOf(problem, "type").endsWith(":unavailable") ? away : failed);
    const detail = textOf(problem, "detail");
    if (!detail || detail === problem) return;
    const line = document.createElement("p");
    line.className = "small muted";
    line.lang = "en";
    line.textContent = detail;
    turn.append(line);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question) return;
    const stopper = new AbortController();
    const turn = fresh(question);
    const stage = turn.querySelector("[data-stage]");
    turn.querySelector("[data-stop]").addEventListener("click", () => stopper.abort());
    box.value = "";
    button.disabled = true;
    try {
      await ask(question, turn, stopper.signal);
    } catch {
      end(turn, stopper.signal.aborted ? stage.dataset.stopped : stage.dataset.away);
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
    const question = event.target.closest("[data-question]")?.dataset.question;
    if (!question || button.disabled) return;
    event.preventDefault();
    box.value = question;
    form.requestSubmit();
  });
}
