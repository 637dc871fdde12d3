/** The field below an answer that goes on with its conversation. */

import { element } from "../dom.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";

const words = wordsOf(texts);
const MAX_QUESTION = 4000;

/** `ask(question)` is called with what was sent, `leave()` for a question about something else. */
export function followUpForm(ask, leave) {
  const field = element("textarea", { rows: 1, maxLength: MAX_QUESTION, enterKeyHint: "go", id: "follow-up" });
  const send = () => {
    const asked = field.value.trim();
    if (asked) ask(asked);
  };
  field.addEventListener("keydown", (event) => {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  });
  const onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  return element(
    "form",
    { className: "follow-up", onsubmit },
    element("label", { htmlFor: "follow-up" }, words().followUp),
    element("div", { className: "field" }, field, element("button", { type: "submit" }, words().ask)),
    element("button", { type: "button", className: "quiet", onclick: leave }, words().newQuestion),
  );
}
