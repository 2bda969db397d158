// A form with files: how much of them has arrived, and what went wrong. Without this the form sends
// them just the same.
import { findElement, readData } from "./elements.js";

/** @param {HTMLFormElement} form */
export function sendWithProgress(form) {
  const bar = findElement("progress", HTMLProgressElement, form);
  const said = findElement("[role=status]", HTMLElement, form);
  const button = findElement("button", HTMLButtonElement, form);

  const show = (/** @type {boolean} */ sending) => {
    bar.hidden = !sending;
    button.disabled = sending;
  };
  const fail = (words = "") => {
    show(false);
    said.textContent = words || readData(said, "failed").failed;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    // What went wrong comes as a part of a page.
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? loaded / total : 0;
    });
    request.addEventListener("error", () => fail());
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      const told = new DOMParser().parseFromString(request.responseText, "text/html");
      const lines = [...told.querySelectorAll("p")].map((line) => line.textContent.trim());
      // What it was, and at last the number to report.
      fail([...new Set([...lines.slice(0, 3), ...lines.slice(-1)])].join(" "));
    });
    said.textContent = "";
    show(true);
    request.send(new FormData(form));
  });
}
