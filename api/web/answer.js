/** Draws an answer and its sources. `open(place)` shows a citation or a hit in its document. */

import { standing } from "./ask/evidence.js";
import { chip, sentenceNodes } from "./ask/sentences.js";
import { element, joined, quoted } from "./dom.js";
import { currentLanguage, wordsOf } from "./words.js";
import * as texts from "./words/ask.js";

export { sourceNodes } from "./ask/evidence.js";
export { supersededTag } from "./tags.js";

const words = wordsOf(texts);
const NO_BREAK = "\u00a0";

/** What the answer says: its sentences, or why there are none. */
export function answerNodes(answer, open) {
  const holds = answer.status !== "partial" || !answer.sentences.length;
  return [
    ...(answer.sentences.length ? [sentenceNodes(answer, open)] : [unanswered(answer, open)]),
    noticeList(answer),
    holds ? null : element("p", { className: "meta" }, words().partialAnswer),
    conflictList(answer, open),
    withheldList(answer),
    confidenceReasons(answer),
    element("p", { className: "meta made" }, howMade(answer)),
  ].filter(Boolean);
}

/** A plain line: how many documents were searched, and what of them was used. */
export function summary(answer) {
  if (answer.mode === "ungrounded") return words().fromMemory;
  const documents = answer.documents_searched;
  const used = new Set(answer.citations.map((one) => one.passage_id)).size;
  const editions = new Map(answer.citations.map((one) => [one.edition_id, standing(one)]));
  const ended = [...editions.values()].filter(Boolean).length;
  return [
    documents === null || documents === undefined
      ? words().considered(answer.passages.length)
      : words().searched(documents),
    used ? words().used(used, editions.size - ended, ended) : words().usedNone,
  ].join(words().comma);
}

/** What is unusual about the answer. */
function noticeList(answer) {
  if (!answer.notices.length) return null;
  return element("div", { className: "notices" }, ...answer.notices.map((one) => quoted("p", one, answer.language)));
}

/** Why there is no answer: as much a result as one. */
function unanswered(answer, open) {
  const title = answer.status === "abstained" ? words().abstained : words().failed;
  const box = element("div", { className: "box unanswered" }, element("p", { className: "box-title" }, title));
  if (answer.failure || !answer.abstention) {
    box.append(quoted("p", answer.failure || answer.text, answer.language, "told"));
    return box;
  }
  const { looked_for: lookedFor, missing, nearest } = answer.abstention;
  box.append(quoted("p", answer.text.split("\n")[0], answer.language, "told"));
  if (answer.documents_searched === 0) box.append(element("p", {}, words().nothingSearched));
  const facts = [[words().lookedFor, quoted("dd", lookedFor, answer.language)]];
  if (missing.length) facts.push([words().missing, quoted("dd", missing.join(words().listComma), answer.language)]);
  box.append(element("dl", {}, ...facts.flatMap(([name, value]) => [element("dt", {}, name), value])));
  if (nearest.length) box.append(nearestList(nearest, answer, open));
  return box;
}

function nearestList(nearest, answer, open) {
  const hits = new Map(answer.passages.map((hit) => [hit.passage_id, hit]));
  const items = nearest.map((one) => {
    const hit = hits.get(one.passage_id);
    const title = quoted("span", joined([one.title, one.published]), "");
    const source = hit
      ? element("button", { type: "button", className: "link", onclick: () => open(hit) }, title)
      : element("p", { className: "meta" }, title);
    return element("li", {}, quoted("q", one.sentence, hit?.language || ""), source);
  });
  const label = element("p", { className: "meta" }, words().nearest);
  return element("div", { className: "nearest" }, label, element("ul", {}, ...items));
}

/** Where sources disagree: what it is about, and both sides with their sources, the newer one named. */
function conflictList(answer, open) {
  if (!answer.conflicts.length) return null;
  const title = element("p", { className: "box-title" }, words().conflicts);
  const items = answer.conflicts.map((conflict) => element("li", {}, conflictSides(conflict, answer, open)));
  return element("div", { className: "box conflicts" }, title, element("ul", {}, ...items));
}

function conflictSides(conflict, answer, open) {
  const sides = answer.citations.filter((citation) => conflict.citations.includes(citation.marker));
  const items = sides.map((side) =>
    element(
      "li",
      {},
      quoted("q", side.quote, side.language || ""),
      NO_BREAK,
      chip(side, open),
      element(
        "p",
        { className: "meta" },
        quoted("span", joined([side.title, side.publisher, side.edition, side.published]), ""),
        side.marker === conflict.newer ? element("strong", {}, ` (${words().newer})`) : null,
      ),
    ),
  );
  return element("ul", { className: "sides" }, ...items);
}

function withheldList(answer) {
  if (!answer.withheld.length) return null;
  const items = answer.withheld.map((sentence) =>
    element(
      "li",
      {},
      quoted("span", sentence.text, answer.language),
      element(
        "p",
        { className: "doubt" },
        joined([words().verdicts[sentence.verdict], ...sentence.issues.map((issue) => issue.message)]),
      ),
    ),
  );
  const title = element("summary", {}, words().withheld(answer.withheld.length));
  return element("details", { className: "withheld" }, title, element("ul", {}, ...items));
}

function confidenceReasons(answer) {
  if (answer.confidence === null || !answer.confidence_reasons?.length) return null;
  const items = answer.confidence_reasons.map((reason) => quoted("li", reason, answer.language));
  const title = element("summary", { className: "meta" }, words().confidence(answer.confidence));
  return element("details", { className: "reasons" }, title, element("ul", {}, ...items));
}

function howMade(answer) {
  const asked = new Date(answer.created_at);
  return joined([
    answer.confidence === null || answer.confidence_reasons?.length ? null : words().confidence(answer.confidence),
    answer.model === "extractive" ? null : answer.model,
    answer.timings_ms.total === undefined ? null : `${Math.round(answer.timings_ms.total)} ms`,
    asked.toLocaleString(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }),
  ]);
}

