/** The view to ask: the question, its answer with the sources, and the address of the answer. */

import { answerNodes, sourceNodes } from "./answer.js";
import * as api from "./api.js";
import { element } from "./dom.js";
import { problemBox } from "./problem.js";
import * as question from "./question.js";
import { closeSource, openSource } from "./source.js";
import { words } from "./words.js";

const EXAMPLES = [
  ["en", "Below which eGFR is metformin contraindicated?"],
  ["en", "What is the target serum urate in gout?"],
  ["zh", "哮喘第1级治疗的首选方案是什么？"],
  ["zh", "痛风患者血尿酸应控制在多少以下？"],
];

const [home, answerRegion, sources] = ["home", "answer", "sources"].map((id) => document.getElementById(id));
const { field } = question;

/** Opens at the start (`""`) or at a stored answer (`/ID`). */
export function open(main, place, left) {
  let draw = () => ({});
  let turn = new AbortController();

  function show(drawRegions) {
    draw = drawRegions;
    const nodes = draw();
    home.replaceChildren(...(nodes.home || []));
    answerRegion.replaceChildren(...(nodes.answer || []));
    sources.replaceChildren(...(nodes.sources || []));
  }

  /** Loads what `drawLoaded` draws. A later turn overtakes an earlier one. Gives null where there was nothing to draw. */
  async function take(load, drawLoaded, drawWaiting) {
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    closeSource();
    show(drawWaiting);
    try {
      const loaded = await load(signal);
      if (signal.aborted) return null;
      show(() => drawLoaded(loaded));
      return loaded;
    } catch (problem) {
      if (signal.aborted) return null;
      if (!(problem instanceof api.Problem)) throw problem;
      show(() => ({ answer: [problemBox(problem)] }));
      return null;
    }
  }

  async function ask() {
    const asked = field.value.trim();
    if (!asked) return;
    const answer = await take((signal) => api.ask(asked, signal), drawAnswer, drawBusy);
    if (!answer) return;
    if (field.value.trim() === asked) field.value = answer.question; // without what was masked in it
    if (answer.recorded) history.pushState(null, "", `#/answers/${encodeURIComponent(answer.id)}`);
  }

  async function follow(to) {
    if (!to) {
      await take(api.collections, (collections) => drawHome(collections, ask), () => ({}));
      return;
    }
    const answer = await take((signal) => api.storedAnswer(decoded(to.slice(1)), signal), drawAnswer, drawBusy);
    if (answer) field.value = answer.question;
  }

  function close() {
    question.answeredBy(null);
    field.value = "";
    show(() => ({}));
  }

  left.addEventListener("abort", () => turn.abort());
  if (!question.answeredBy(ask)) follow(place);
  return {
    redraw: () => show(draw),
    close,
    follow: (to) => {
      field.value = "";
      return follow(to);
    },
  };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function drawAnswer(answer) {
  return { answer: answerNodes(answer, openSource), sources: sourceNodes(answer, openSource) };
}

function drawBusy() {
  const lines = [1, 2, 3].map(() => element("div", { className: "line" }));
  const said = element("p", { className: "meta" }, words().searching);
  return { answer: [element("div", { className: "busy" }, said, ...lines)] };
}

function drawHome(collections, ask) {
  const documents = collections.reduce((sum, collection) => sum + collection.documents, 0);
  return { home: documents ? exampleNodes(documents, ask) : emptyNodes() };
}

function exampleNodes(documents, ask) {
  const examples = EXAMPLES.map(([lang, question]) => {
    const onclick = () => {
      field.value = question;
      ask();
    };
    return element("li", {}, element("button", { type: "button", className: "example", lang, onclick }, question));
  });
  return [
    element("h2", {}, words().examples),
    element("ul", { className: "examples" }, ...examples),
    element("p", { className: "meta" }, words().library(documents)),
  ];
}

function emptyNodes() {
  const { emptyTitle, emptyBefore, emptyAfter } = words();
  return [
    element(
      "div",
      { className: "box" },
      element("p", { className: "box-title" }, emptyTitle),
      element("p", {}, emptyBefore),
      element("pre", {}, element("code", {}, "taiyi-rag ingest PATH")),
      element("p", {}, emptyAfter),
    ),
  ];
}
