/** The runs over question sets: their list, and one of them with its report and its questions. */

import { Problem } from "../api.js";
import { questions, reportAddress, run, runs } from "../calls/compare.js";
import { emptyBox, moment } from "../controls.js";
import { element, joined, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { currentLanguage, wordsOf } from "../words.js";
import * as texts from "../words/compare.js";

const words = wordsOf(texts);
const RUNS_SHOWN = 25;
const QUESTIONS_SHOWN = 10;
const REPLY_SHOWN = 600;
const MEASURES = ["accuracy", "supported_sentences", "completeness", "lenient_accuracy", "list_f1", "overlap"];
const HEADLINES = ["ungrounded", "grounded"];

/** Draws into `region`; gives `follow(id)`, `redraw()` and `close()`. `""` is the list. */
export function openRuns(region) {
  let turn = new AbortController();
  let draw = () => [];

  function show(drawNodes) {
    draw = drawNodes;
    region.replaceChildren(...draw());
  }

  async function follow(id) {
    turn.abort();
    turn = new AbortController();
    const { signal } = turn;
    show(() => [element("p", { className: "meta" }, words().loadingRuns)]);
    try {
      const view = id ? await oneRun(id, signal) : await listOfRuns(signal);
      if (!signal.aborted) show(view);
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      show(() => [backLink(), problemBox(problem)]);
    }
  }

  return { follow, redraw: () => show(draw), close: () => turn.abort() };
}

/** A function that draws the list, which keeps the page it is turned to. */
async function listOfRuns(signal) {
  const pages = await paged((offset) => runs(RUNS_SHOWN, offset, signal), RUNS_SHOWN, (found) => [runTable(found.runs)]);
  return () => [
    element("h3", {}, words().runsTitle),
    ...(pages.total() ? [element("p", { className: "meta" }, words().runsHint), pages.draw()] : [noRuns()]),
  ];
}

function noRuns() {
  const command = element("pre", {}, element("code", {}, "taiyi-rag compare --questions FILE.jsonl --out DIR"));
  return emptyBox(words().runsEmpty, words().runsEmptyHint, command);
}

function runTable(found) {
  const heads = [words().run, words().when, words().model, words().questions, "", ...HEADLINES.map((arm) => words().arms[arm])];
  return element(
    "div",
    { className: "wide", tabIndex: 0 },
    element(
      "table",
      { className: "runs" },
      element("thead", {}, element("tr", {}, ...heads.map((one) => element("th", { scope: "col" }, one)))),
      element("tbody", {}, ...found.map(runRow)),
    ),
  );
}

function runRow(one) {
  const measure = MEASURES.find((name) => Object.values(one.arms).some((figures) => name in figures));
  const figure = (arm) => one.arms[arm]?.[measure]?.toFixed(3) ?? "–";
  const link = element("a", { href: `#/compare/runs/${encodeURIComponent(one.id)}`, dir: "auto" }, one.name);
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, link),
    element("td", {}, moment(one.created_at)),
    quoted("td", one.model || words().noModelUsed, ""),
    element("td", { className: "number" }, String(one.questions)),
    element("td", { className: "meta" }, words().measures[measure] || ""),
    ...HEADLINES.map((arm) => element("td", { className: "number" }, figure(arm))),
  );
}

/** A function that draws a run: its report in a frame, in the reader's language, and its questions below. */
async function oneRun(id, signal) {
  const found = await run(id, signal);
  const hasChoices = Object.values(found.figures.arms).some((one) => "accuracy" in one);
  let differing = false;
  const list = (offset) => questions(id, differing, QUESTIONS_SHOWN, offset, signal);
  const pages = await paged(list, QUESTIONS_SHOWN, (page) => questionNodes(page.questions));
  const toggle = () => {
    const box = element("input", { type: "checkbox", checked: differing });
    box.addEventListener("change", () => {
      differing = box.checked;
      pages.turn(0);
    });
    return element("label", { className: "toggle" }, box, " ", words().differing);
  };
  return () => [
    backLink(),
    element(
      "p",
      { className: "meta" },
      quoted("span", joined([found.name, found.configuration.model || words().noModelUsed, moment(found.created_at)]), ""),
    ),
    reportFrame(id),
    element("h3", {}, words().byQuestion),
    hasChoices ? toggle() : null,
    pages.draw(),
  ].filter(Boolean);
}

/** The report's own page, whose policy lets it do nothing but sort its tables. It is as high as what is in it, so that nothing scrolls within. */
function reportFrame(id) {
  const frame = element("iframe", { className: "report", title: words().report, src: reportAddress(id, currentLanguage()) });
  frame.addEventListener("load", () => {
    const inside = frame.contentDocument.documentElement;
    const fit = () => {
      frame.style.height = `${inside.querySelector("body").scrollHeight}px`;
    };
    new ResizeObserver(fit).observe(inside.querySelector("body"));
    fit();
  });
  return frame;
}

function questionNodes(found) {
  if (!found.length) return [element("p", { className: "meta" }, words().noneShown)];
  const hasWords = found.some((one) => one.question !== null);
  return [
    ...(hasWords ? [] : [element("p", { className: "meta" }, words().noWords)]),
    element("ol", { className: "questions" }, ...found.map(questionItem)),
  ];
}

function questionItem(one) {
  const gold = one.gold === null ? (one.exact_answers || []).map((words) => words[0]).join("; ") : named(one.gold, one.options);
  return element(
    "li",
    {},
    quoted("p", one.question || one.id, "", "title"),
    element("p", { className: "meta" }, joined([one.question ? one.id : null, gold ? `${words().right}: ${gold}` : null])),
    element("ul", { className: "trials" }, ...one.trials.map((trial) => trialItem(trial, one))),
  );
}

function trialItem(trial, question) {
  const isRight = question.gold !== null && trial.chosen === question.gold;
  const shown = trial.shown.map((one) => joined([one.document, one.title])).join("; ");
  return element(
    "li",
    { className: question.gold === null ? "" : isRight ? "right" : "wrong" },
    element("strong", {}, words().arms[trial.arm] || trial.arm),
    ": ",
    quoted("span", said(trial, question), ""),
    trial.sentences ? element("span", { className: "meta" }, ` (${words().heldSentences(trial.held, trial.sentences)})`) : null,
    shown ? element("p", { className: "meta", dir: "auto" }, `${words().shownPassages}: ${shown}`) : null,
  );
}

/** What was answered, and for a choice whether it is right, which colour alone does not say. */
function said(trial, { gold, options }) {
  if (trial.error) return `${words().refused}: ${trial.error}`;
  if (trial.chosen !== null) {
    const mark = gold === null ? "" : trial.chosen === gold ? " ✓" : " ✗";
    return `${words().chose} ${named(trial.chosen, options)}${mark}`;
  }
  if (trial.answers?.length) return trial.answers.join("; ");
  if (gold !== null) return words().noChoice;
  return (trial.reply || words().abstained).slice(0, REPLY_SHOWN);
}

function named(choice, options) {
  const text = options?.[choice];
  return text && text !== choice ? `${choice} ${text}` : choice;
}

/**
 * Pages of a list: `load(offset)` gives one with its `total`, `drawPage` its nodes. Gives, once the first is there,
 * `draw()`, `total()` and `turn(offset)`.
 */
async function paged(load, size, drawPage) {
  let offset = 0;
  let page = await load(0);
  let region = element("div", {});

  function fill() {
    region.replaceChildren(...drawPage(page), ...(page.total > size ? [ways()] : []));
  }

  function ways() {
    const last = Math.min(offset + size, page.total);
    const way = (text, to) => element("button", { type: "button", className: "quiet", disabled: to < 0 || to >= page.total, onclick: () => turn(to) }, text);
    return element(
      "div",
      { className: "pages" },
      way(words().previous, offset - size),
      element("span", { className: "meta", role: "status" }, words().shown(offset + 1, last, page.total)),
      way(words().next, offset + size),
    );
  }

  async function turn(to) {
    try {
      page = await load(to);
    } catch (problem) {
      if (!(problem instanceof Problem)) {
        if (problem.name === "AbortError") return;
        throw problem;
      }
      region.replaceChildren(problemBox(problem));
      return;
    }
    offset = to;
    fill();
  }

  return {
    total: () => page.total,
    turn,
    draw() {
      region = element("div", {});
      fill();
      return region;
    },
  };
}

function backLink() {
  return element("p", {}, element("a", { href: "#/compare/runs" }, `← ${words().allRuns}`));
}
