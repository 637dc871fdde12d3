/** One stored answer with what it was made with, and its replay. */

import * as calls from "../calls/record.js";
import { button, factList, link, moment } from "../controls.js";
import { element, joined, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { statusTag } from "./answers.js";
import { words } from "./callers.js";
import { replayNodes } from "./replayed.js";

export async function open(region, { rest }, { signal }) {
  const answer = await calls.answer(rest, signal);
  let replayed = null;
  let failed = null;
  let isAtIt = false;
  const head = element("div", {});
  const replaying = element("section", { className: "replay" });
  const said = element("div", {});
  said.setAttribute("aria-live", "polite");
  region.append(head, replaying);

  async function replay() {
    isAtIt = true;
    replayed = failed = null;
    drawReplay();
    try {
      replayed = await calls.replay(answer.id, signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.kind === undefined) throw problem;
      failed = problem;
    }
    isAtIt = false;
    drawReplay();
  }

  function drawReplay() {
    const going = button(replayed ? words().replayAgain : words().replay, replay, "main");
    going.disabled = isAtIt;
    const hadFocus = replaying.contains(document.activeElement);
    replaying.replaceChildren(
      element("h3", {}, words().replayTitle),
      element("p", { className: "meta" }, words().replayHint),
      going,
      said,
    );
    said.replaceChildren(
      ...(isAtIt ? [element("p", { className: "meta" }, words().replaying, "…")] : []),
      ...(failed ? [problemBox(failed)] : []),
      ...(replayed ? replayNodes(answer, replayed) : []),
    );
    if (hadFocus) going.focus();
  }

  function draw() {
    head.replaceChildren(...headNodes(answer));
    drawReplay();
  }

  draw();
  return { redraw: draw };
}

function headNodes(answer) {
  return [
    element("p", { className: "back" }, link(`← ${words().back}`, "#/record")),
    quoted("h3", answer.question, answer.language, "asked-question"),
    element(
      "p",
      { className: "meta" },
      statusTag(answer.status),
      " ",
      joined([words().modes[answer.mode] || answer.mode, moment(answer.created_at)]),
    ),
    quoted("p", answer.failure || answer.text, answer.language, "stored-text"),
    element("p", {}, link(words().openAnswer, `#/answers/${encodeURIComponent(answer.id)}`, "quiet as-button")),
    factList(facts(answer)),
    settingsOf(answer),
  ];
}

function facts(answer) {
  const { query } = answer;
  const code = (text) => (text ? element("code", {}, text) : null);
  return [
    [words().model, answer.model === "extractive" ? null : answer.model],
    [words().prompt, answer.prompt],
    [words().searched, query && (query.collections.join(", ") || words().everyCollection)],
    [words().asOf, query?.as_of],
    [words().passages, String(answer.passages.length)],
    [words().confidence, answer.confidence === null ? null : answer.confidence.toFixed(2)],
    [words().generation, String(answer.index_generation)],
    [words().answerId, code(answer.id)],
  ];
}

function settingsOf(answer) {
  const stated = Object.entries(answer.settings);
  if (!stated.length) return null;
  const rows = stated.map(([name, value]) => [name, element("code", {}, value || words().none)]);
  return element("details", { className: "settings" }, element("summary", {}, words().settingsTitle), factList(rows));
}
