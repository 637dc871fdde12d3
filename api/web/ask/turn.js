/** A question and its answer on the page: while it is made, and once it is there. */

import { answerNodes, summary } from "../answer.js";
import { busyLines, element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";
import { actionNodes } from "./actions.js";
import { withoutSentence } from "./draft.js";
import { foundNodes, sourceNodes } from "./evidence.js";
import { sentenceParts } from "./sentences.js";

const words = wordsOf(texts);

/** An answer that is there. `openSource(place, among)` shows a source, among those that the arrows then walk. */
export function settledTurn(answer, openSource) {
  const open = (place) => openSource(place, [answer.citations, answer.passages].find((all) => all.includes(place)) || []);
  const status = element("p", { className: "status" }, element("span", {}, summary(answer)));
  return turn(
    answer,
    [status, element("div", { className: "answer" }, ...answerNodes(answer, open)), ...actionNodes(answer)],
    sourceNodes(answer, open),
    "settled",
  );
}

/**
 * An answer in the making: `node` is its place on the page. What comes is given to `passages`, `token` and `sentence`;
 * `stopped` and `failed(problem)` end it. `stop()` is called by its button.
 */
export function liveTurn(question, stop) {
  const said = element("span", { role: "status" });
  const button = element("button", { type: "button", className: "quiet stop", onclick: stop });
  const status = element("p", { className: "status" }, said, button);
  const draft = element("span", { className: "draft" });
  const answer = { mode: "extractive", language: "", citations: [], sentences: [] };
  let [text, state, left] = ["", "searching", 0];
  let paragraph = element("p", {}, draft);
  const prose = element("div", { className: "sentences prose", hidden: true }, paragraph);
  const list = element("ul", { className: "sentences", hidden: true });
  const waiting = busyLines();
  const ending = element("div", {});
  const body = element("div", { className: "answer", "aria-busy": "true" }, waiting, prose, list, ending);
  const evidence = element("section", { className: "evidence" });
  const node = turn({ question, language: "" }, [status, body], evidence, "live");

  function redraw() {
    const telling = { searching: words().searching, writing: words().writing, ended: "" }[state];
    said.textContent = [telling, left ? words().withheldSoFar(left) : ""].filter(Boolean).join(" ");
    button.textContent = words().stop;
  }

  function writes(mode) {
    answer.mode = mode;
    waiting.hidden = true;
    prose.hidden = mode === "extractive";
    list.hidden = mode !== "extractive";
    if (mode === "extractive" || state === "writing") return;
    state = "writing";
    redraw();
  }

  function passages({ hits }) {
    evidence.replaceChildren(...(hits.length ? foundNodes(hits) : []));
  }

  function token({ text: piece }) {
    writes("grounded");
    text += piece;
    draft.textContent = text.trimStart();
  }

  function sentence({ kept, ...one }) {
    writes(text || answer.mode !== "extractive" ? "grounded" : "extractive");
    const { before, rest } = withoutSentence(text, one.text);
    text = rest;
    draft.textContent = text.trimStart();
    if (!kept) {
      left += 1;
      redraw();
      return;
    }
    answer.sentences.push(one);
    const parts = sentenceParts(one, answer, null);
    if (answer.mode === "extractive") {
      list.append(element("li", {}, ...parts));
      return;
    }
    if (before.includes("\n") && answer.sentences.length > 1) {
      paragraph = element("p", {});
      prose.append(paragraph);
    }
    paragraph.append(...parts, " ", draft);
  }

  function ended(...nodes) {
    state = "ended";
    waiting.hidden = true;
    button.remove();
    draft.remove();
    body.removeAttribute("aria-busy");
    ending.replaceChildren(...nodes);
    redraw();
  }

  redraw();
  return {
    node,
    passages,
    token,
    sentence,
    redraw,
    stopped: () => ended(note(answer.sentences.length ? words().stopped : words().stoppedEarly)),
    failed: (problem) => ended(problemBox(problem)),
  };
}

function note(text) {
  return element("p", { className: "box" }, text);
}

/** `evidence` is the section itself, or the nodes in it. */
function turn({ question, language }, said, evidence, state) {
  const beside = Array.isArray(evidence) ? element("section", { className: "evidence" }, ...evidence) : evidence;
  return element(
    "article",
    { className: "turn", "data-state": state },
    quoted("h2", question, language, "question"),
    element("div", { className: "said" }, ...said),
    beside,
  );
}
