/** Draws an answer and its sources. `open(place)` shows a citation or a hit in its document. */

import { element, joined, quoted } from "./dom.js";
import { currentLanguage, words } from "./words.js";

const CLOSEST = 5;
const NO_BREAK = "\u00a0";

/** What the answer says: its sentences, or why there are none. */
export function answerNodes(answer, open) {
  return [
    quoted("h2", answer.question, answer.language, "question"),
    noticeList(answer),
    ...(answer.sentences.length ? [sentenceList(answer, open)] : [unanswered(answer)]),
    conflictList(answer, open),
    withheldList(answer),
    confidenceReasons(answer),
    element("p", { className: "meta" }, summary(answer)),
  ].filter(Boolean);
}

/** What the answer rests on; for an abstention, the passages that came closest. */
export function sourceNodes(answer, open) {
  if (answer.citations.length) {
    const hits = new Map(answer.passages.map((hit) => [hit.passage_id, hit]));
    const cited = byEdition(answer.citations).map((of) => citedDocument(of, hits, open));
    return [element("h2", {}, words().sources), element("ul", { className: "documents" }, ...cited)];
  }
  if (answer.status !== "abstained" || !answer.passages.length) return [];
  const closest = answer.passages.slice(0, CLOSEST).map((hit) => element("li", {}, closestPassage(hit, open), alsoIn(hit, open)));
  return [element("h2", {}, words().closest), element("ul", { className: "closest" }, ...closest)];
}

export function supersededTag() {
  return element("span", { className: "superseded" }, words().superseded);
}

function sentenceList(answer, open) {
  return element("ul", { className: "sentences" }, ...answer.sentences.map((one) => sentenceItem(one, answer, open)));
}

function sentenceItem(sentence, answer, open) {
  const cited = answer.citations.filter((citation) => sentence.citations.includes(citation.marker));
  return element(
    "li",
    {},
    quoted(answer.mode === "extractive" ? "q" : "span", sentence.text, answer.language),
    ...cited.flatMap((citation) => [NO_BREAK, chip(citation, open)]),
    doubts(sentence),
  );
}

function chip(citation, open) {
  const properties = { type: "button", className: "chip", onclick: () => open(citation) };
  return element(
    "button",
    { ...properties, "aria-label": words().sourceOf(citation.marker, citation.title) },
    `[${citation.marker}]`,
  );
}

/** What is wrong with a sentence; of a supported one, what happened to its source, if anything did. */
function doubts(sentence) {
  const verdict = words().verdicts[sentence.verdict];
  const messages = sentence.issues.map((issue) => issue.message);
  if (!verdict && !messages.length) return null;
  return element("p", { className: verdict ? "doubt" : "meta" }, joined([verdict, ...messages]));
}

/** What is unusual about the answer. */
function noticeList(answer) {
  if (!answer.notices.length) return null;
  return element("div", { className: "notices" }, ...answer.notices.map((one) => quoted("p", one, answer.language)));
}

function unanswered(answer) {
  return element(
    "div",
    { className: "box" },
    element("p", { className: "box-title" }, answer.status === "abstained" ? words().abstained : words().failed),
    quoted("p", answer.failure || answer.text, answer.language, "told"),
  );
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
        side.marker === conflict.newer ? ` (${words().newer})` : null,
      ),
    ),
  );
  return element("ul", { className: "sides" }, ...items);
}

function withheldList(answer) {
  if (!answer.withheld.length) return null;
  const items = answer.withheld.map((sentence) =>
    element("li", {}, quoted("span", sentence.text, answer.language), doubts(sentence)),
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

function summary(answer) {
  const asked = new Date(answer.created_at);
  return joined([
    words().considered(answer.passages.length),
    answer.confidence === null || answer.confidence_reasons?.length ? null : words().confidence(answer.confidence),
    answer.model === "extractive" ? null : answer.model,
    answer.timings_ms.total === undefined ? null : `${Math.round(answer.timings_ms.total)} ms`,
    asked.toLocaleString(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }),
  ]);
}

function byEdition(citations) {
  const editions = new Map();
  for (const citation of citations) {
    editions.set(citation.edition_id, [...(editions.get(citation.edition_id) || []), citation]);
  }
  return [...editions.values()];
}

function citedDocument(citations, hits, open) {
  const [{ title, publisher, edition, published, superseded, passage_id }] = citations;
  const isFirst = (one, at) => citations.findIndex((other) => other.passage_id === one.passage_id) === at;
  const places = citations.map((one, at) =>
    element("li", {}, citedPlace(one, open), isFirst(one, at) ? alsoIn(hits.get(one.passage_id), open) : null),
  );
  return element(
    "li",
    {},
    quoted("p", title, "", "title"),
    element(
      "p",
      { className: "meta" },
      quoted("span", joined([publisher, edition, published]), ""),
      ...(superseded ? [" ", supersededTag()] : []),
    ),
    evidenceOf(hits.get(passage_id)),
    element("ul", { className: "places" }, ...places),
  );
}

/** How strong the evidence of a hit's text is; nothing for an answer recorded without it. */
function evidenceOf(hit) {
  const { level, label, year } = hit?.evidence || {};
  if (!label) return null;
  const kind = quoted("span", joined([label, year]), "");
  return element("p", { className: "meta evidence" }, kind, level ? ` (${words().evidenceLevel(level)})` : null);
}

/** The other documents that hold the same passage. */
function alsoIn(hit, open) {
  if (!hit?.also?.length) return null;
  const others = hit.also.map((other) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", className: "link", onclick: () => open(asPlace(other)) },
        quoted("span", joined([other.title, placeOf(other)]), ""),
        other.whole ? null : ` (${words().inPart})`,
      ),
    ),
  );
  return element(
    "details",
    { className: "also" },
    element("summary", { className: "meta" }, words().alsoIn(hit.also.length)),
    element("ul", {}, ...others),
  );
}

/** What the source panel needs of a passage without a quote. */
function asPlace(other) {
  return { publisher: null, edition: null, published: null, url: null, language: null, superseded: false, ...other };
}

function citedPlace(citation, open) {
  return element(
    "button",
    { type: "button", className: "link", onclick: () => open(citation) },
    element("span", { className: "marker" }, `[${citation.marker}]`),
    " ",
    quoted("span", placeOf(citation) || words().passage, ""),
  );
}

function closestPassage(hit, open) {
  return element(
    "button",
    { type: "button", className: "link", onclick: () => open(hit) },
    quoted("span", joined([hit.title, placeOf(hit)]), hit.language),
    ...(hit.superseded ? [" ", supersededTag()] : []),
  );
}

function placeOf({ section, page }) {
  return joined([section, page === null ? null : words().page(page)]);
}
