/** What an answer rests on: its sources by edition, each with the words that are quoted. */

import { element, joined, quoted } from "../dom.js";
import { standingTags } from "../tags.js";
import { wordsOf } from "../words.js";
import * as texts from "../words/ask.js";

const words = wordsOf(texts);
const CLOSEST = 5;

/** Whether a source no longer holds. */
export function standing({ superseded, retracted }) {
  return Boolean(superseded || retracted);
}

/** What the answer rests on; for an abstention, the passages that came closest. */
export function sourceNodes(answer, open) {
  if (answer.citations.length) {
    const hits = new Map(answer.passages.map((hit) => [hit.passage_id, hit]));
    const cited = byEdition(answer.citations).map((of) => citedDocument(of, hits, open));
    return [element("h3", {}, words().sources), element("ul", { className: "documents" }, ...cited)];
  }
  if (answer.status !== "abstained" || !answer.passages.length) return [];
  const closest = answer.passages.slice(0, CLOSEST).map((hit) => element("li", {}, closestPassage(hit, open), alsoIn(hit, open)));
  return [element("h3", {}, words().closest), element("ul", { className: "closest" }, ...closest)];
}

/** What was found while the answer is still written: the documents by name. */
export function foundNodes(hits) {
  const titles = new Map(hits.map((hit) => [hit.edition_id, hit]));
  const items = [...titles.values()].map((hit) =>
    element(
      "li",
      {},
      quoted("p", hit.title, hit.language, "title"),
      element("p", { className: "meta" }, quoted("span", facts(hit), ""), ...standingTags(hit)),
    ),
  );
  return [
    element("h3", {}, words().found(titles.size)),
    element("ul", { className: "documents found" }, ...items),
  ];
}

function facts({ publisher, edition, published }) {
  return joined([publisher, edition, published]);
}

function byEdition(citations) {
  const editions = new Map();
  for (const citation of citations) {
    editions.set(citation.edition_id, [...(editions.get(citation.edition_id) || []), citation]);
  }
  return [...editions.values()];
}

function citedDocument(citations, hits, open) {
  const [first] = citations;
  const isFirst = (one, at) => citations.findIndex((other) => other.passage_id === one.passage_id) === at;
  const places = citations.map((one, at) =>
    element("li", {}, citedPlace(one, open), isFirst(one, at) ? alsoIn(hits.get(one.passage_id), open) : null),
  );
  return element(
    "li",
    standing(first) ? { className: "ended" } : {},
    quoted("p", first.title, "", "title"),
    element("p", { className: "meta" }, quoted("span", facts(first), ""), ...standingTags(first)),
    evidenceOf(hits.get(first.passage_id)),
    element("ul", { className: "places" }, ...places),
  );
}

/** How strong the evidence of a hit's text is; nothing for an answer recorded without it. */
export function evidenceOf(hit) {
  const { level, label, year } = hit?.evidence || {};
  if (!label) return null;
  const kind = quoted("span", joined([label, year]), "");
  return element("p", { className: "meta evidence-level" }, kind, level ? ` (${words().evidenceLevel(level)})` : null);
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
  const quote = quoted("q", citation.quote, citation.language, "excerpt");
  return element(
    "button",
    { type: "button", className: "link cited", onclick: () => open(citation), "data-marker": String(citation.marker) },
    element("span", { className: "marker" }, `[${citation.marker}]`),
    " ",
    quoted("span", placeOf(citation) || words().passage, ""),
    quote,
  );
}

function closestPassage(hit, open) {
  return element(
    "button",
    { type: "button", className: "link", onclick: () => open(hit) },
    quoted("span", joined([hit.title, placeOf(hit)]), hit.language),
    ...standingTags(hit),
  );
}

function placeOf({ section, page }) {
  return joined([section, page === null ? null : words().page(page)]);
}
