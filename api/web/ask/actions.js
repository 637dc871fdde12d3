/** What can be done with an answer: copy it, keep its sources, pass it on, print it, and say what it was worth. */

import { rate } from "../calls/ask.js";
import { element } from "../dom.js";
import { problemBox } from "../problem.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";
import { addressOf, asText, copied, downloadRis } from "./copying.js";

const words = wordsOf(texts);
const MAX_REASON = 2000;

export function actionNodes(answer) {
  const told = element("div", { className: "told", role: "status" });
  const say = (...nodes) => told.replaceChildren(...nodes);
  const attempt = async (act) => {
    try {
      await act();
    } catch (problem) {
      say(problemBox(problem));
    }
  };
  const copy = async (text) => say((await copied(text)) ? words().copied : words().notCopied);
  const buttons = [
    button(words().copy, () => attempt(async () => copy(await asText(answer)))),
    answer.citations.length ? button(words().ris, () => attempt(() => downloadRis(answer))) : null,
    answer.recorded ? link(answer, () => copy(addressOf(answer))) : null,
    answer.recorded && answer.model !== "extractive" ? compareLink(answer) : null,
    button(words().print, () => window.print()),
  ];
  const rating = answer.recorded ? ratingNodes(answer, attempt, say) : null;
  const row = element("div", { className: "buttons", role: "group", "aria-label": words().actions }, ...buttons);
  return [element("div", { className: "actions" }, row, rating), told];
}

function button(label, onclick, more = {}) {
  return element("button", { type: "button", className: "quiet", onclick, ...more }, label);
}

/** A link, so that it can be opened and kept as one; pressed, it copies its address. */
function link(answer, copy) {
  const onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    copy();
  };
  return element("a", { className: "quiet", href: addressOf(answer), onclick }, words().link);
}

/** To the same question with evidence and without it, which takes a language model. */
function compareLink(answer) {
  return element("a", { className: "quiet", href: `#/compare/of/${encodeURIComponent(answer.id)}` }, words().compare);
}

function ratingNodes(answer, attempt, say) {
  const buttons = ["up", "down"].map((rating) =>
    button(
      rating === "up" ? words().helpful : words().unhelpful,
      () =>
        attempt(async () => {
          const said = answer.feedback?.rating === rating ? answer.feedback.reason : null;
          await keep(answer, rating, said);
          for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.rating === rating));
          const form = reasonForm(answer, rating, attempt, say);
          say(words().thanks, form);
          form.elements.reason.focus();
        }),
      { "aria-pressed": String(answer.feedback?.rating === rating), "data-rating": rating },
    ),
  );
  return element("div", { className: "buttons rating" }, ...buttons);
}

/** Has the service keep what the reader says of an answer, and the answer with it. */
async function keep(answer, rating, reason) {
  await rate(answer.id, rating, reason);
  answer.feedback = { rating, reason };
}

function reasonForm(answer, rating, attempt, say) {
  const label = rating === "up" ? words().reasonUp : words().reasonDown;
  const field = element("textarea", { name: "reason", rows: 2, maxLength: MAX_REASON });
  field.value = answer.feedback.reason || "";
  const onsubmit = (event) => {
    event.preventDefault();
    const reason = field.value.trim();
    attempt(async () => {
      await keep(answer, rating, reason || null);
      say(words().thanks);
    });
  };
  return element(
    "form",
    { className: "reason", onsubmit },
    element("label", {}, element("span", {}, label), field),
    element("button", { type: "submit", className: "quiet" }, words().send),
  );
}
