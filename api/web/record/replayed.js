/** What a replay found, for a reader: one verdict, then what differs, each with how it was and how it is. */

import { element, joined, quoted } from "../dom.js";
import { words as common } from "../words.js";
import { words } from "./callers.js";

/** `answer` is the stored one, `replayed` what `POST /v1/answers/{id}/replay` gave. */
export function replayNodes(answer, replayed) {
  const { identical, retrieval, text, deviations } = replayed;
  const verdict = identical ? "identical" : replayed.answer ? "different" : "untried";
  const said = (one) => ({ same: words().same, different: words().other })[one] || words().notTried;
  const hint = identical ? words().identicalHint : words().parted(said(retrieval), said(text));
  return [
    element(
      "div",
      { className: `box outcome ${verdict}` },
      element("p", { className: "box-title" }, words()[verdict]),
      element("p", {}, hint),
    ),
    ...(deviations.length
      ? [
          element("h4", {}, identical ? words().changedAnyway : words().reasons),
          element("ul", { className: "deviations" }, ...deviations.map((one) => deviationItem(one, answer, replayed))),
        ]
      : []),
  ];
}

function deviationItem(deviation, answer, replayed) {
  const { what, message } = deviation;
  return element(
    "li",
    { "data-what": what },
    element("p", { className: "what" }, words().kinds[what] || what),
    quoted("p", message, "en", "meta"),
    what === "retrieval" ? passagesNode(answer, replayed) : what === "text" ? textsNode(answer, replayed) : valuesNode(deviation),
  );
}

/** How it was and how it is, where both are plain values. */
function valuesNode({ recorded, now }) {
  const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value);
  if (!isPlain(recorded) && !isPlain(now)) return null;
  const stated = (value) => element("code", {}, value === null || value === "" ? words().none : String(value));
  return pair(stated(recorded), stated(now));
}

function textsNode(answer, replayed) {
  const made = replayed.answer;
  return made && pair(textOf(answer, made), textOf(made, answer));
}

/** The text of an answer; the sentences that the other one has not are marked. */
function textOf(answer, other) {
  if (!answer.sentences.length) return quoted("p", answer.text, answer.language, "text");
  const theirs = new Set(other.sentences.map((sentence) => sentence.text));
  const sentences = answer.sentences.map(({ text }) => (theirs.has(text) ? text : element("mark", {}, text)));
  const paragraph = quoted("p", "", answer.language, "text");
  paragraph.append(...sentences.flatMap((sentence) => [sentence, "\n"]));
  return paragraph;
}

function pair(recorded, now) {
  const side = (title, node) => element("div", {}, element("p", { className: "side" }, title), node);
  return element("div", { className: "pair" }, side(words().recorded, recorded), side(words().now, now));
}

/** The passages that are no longer found and those that are found instead, by title and place. */
function passagesNode(answer, replayed) {
  const was = answer.passages;
  const now = replayed.answer?.passages || [];
  const missing = (hits, others) => hits.filter((hit) => !others.some((other) => other.passage_id === hit.passage_id));
  const [lost, found] = [missing(was, now), missing(now, was)];
  if (!lost.length && !found.length) return element("p", { className: "meta" }, words().reordered);
  const listed = (title, hits) =>
    hits.length ? [element("p", { className: "side" }, title), element("ul", { className: "plain" }, ...hits.map(place))] : [];
  return element("div", {}, ...listed(words().lost(lost.length), lost), ...listed(words().found(found.length), found));
}

function place(hit) {
  return quoted("li", joined([hit.title, hit.section, hit.page === null ? null : common().page(hit.page)]), hit.language || "");
}
