/** A test of the search: the hits, and beside them what each arm of the search found alone, with ranks and scores. */

import * as calls from "../calls/library.js";
import { element, joined, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { openSource } from "../source.js";
import { choice, emptyBox, labelled, languageName, short, words } from "./parts.js";

const SNIPPET = 260;
const WAYS = ["hybrid", "dense", "lexical"];
const FRESH = {
  query: "",
  collections: [],
  retrieval: "hybrid",
  top_k: "10",
  as_of: "",
  published: "",
  publishedTo: "",
  publisher: "",
  language: "",
  collapse: true,
  prefer_evidence: false,
  retracted: false,
};

/** What was last searched for stays while the page is open; it is in no address, since it may be about a patient. */
let asked = { ...FRESH };
let found = null;

/** Has the next opening of the bench search for this. */
export function prefill(query, collections) {
  asked = { ...FRESH, query, collections };
  found = null;
}

export async function open(region, _place, context) {
  const { signal } = context;
  const facets = (await calls.documents({ limit: 1, facets: true }, signal)).facets;
  const form = element("form", { className: "bench-form" });
  const result = element("div", { className: "bench-result" });
  let problem = null;
  let looking = null;
  form.setAttribute("role", "search");
  region.append(form, result);
  signal.addEventListener("abort", () => looking?.abort());

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    read();
    search();
  });

  function read() {
    const { elements } = form;
    const value = (name) => elements[name].value.trim();
    const checked = [...form.querySelectorAll("input[name=collections]:checked")].map((box) => box.value);
    asked = {
      ...Object.fromEntries(
        ["query", "retrieval", "top_k", "as_of", "published", "publishedTo", "publisher", "language"].map((name) => [
          name,
          value(name),
        ]),
      ),
      ...Object.fromEntries(["collapse", "prefer_evidence", "retracted"].map((name) => [name, elements[name].checked])),
      collections: checked,
    };
  }

  async function search() {
    if (!asked.query) return;
    looking?.abort();
    looking = new AbortController();
    const mine = looking;
    problem = null;
    result.replaceChildren(element("p", { className: "meta" }, words().bench.searching));
    try {
      found = await calls.explain(bodyOf(asked), mine.signal);
    } catch (failure) {
      if (mine.signal.aborted) return;
      if (failure.kind === undefined) throw failure;
      [problem, found] = [failure, null];
    }
    if (!mine.signal.aborted) draw();
  }

  function drawForm() {
    const { bench, any, language } = words();
    const text = (name, type = "text", more = {}) =>
      element("input", { type, name, value: asked[name], autocomplete: "off", ...more });
    const check = (name) => element("input", { type: "checkbox", name, checked: asked[name] });
    const chosen = (options, name) => choice(options, asked[name], () => {}, { name });
    const field = element("input", {
      type: "search",
      name: "query",
      maxLength: 4000,
      required: true,
      value: asked.query,
      autocomplete: "off",
    });
    const date = { pattern: "\\d{4}(-\\d{2}){0,2}", placeholder: "YYYY-MM-DD", maxLength: 10 };
    const isOpen = form.querySelector("details")?.open ?? globalThis.innerWidth > 640;
    const collections = Object.entries(facets.collection).map(([name, number]) =>
      element(
        "label",
        { className: "check" },
        element("input", {
          type: "checkbox",
          name: "collections",
          value: name,
          checked: asked.collections.includes(name),
        }),
        quoted("span", `${name} (${number.toLocaleString()})`, ""),
      ),
    );
    form.replaceChildren(
      element(
        "div",
        { className: "bench-ask" },
        labelled(bench.query, field),
        element("button", { type: "submit", className: "main" }, bench.search),
      ),
      element("p", { className: "meta" }, bench.hint),
      element(
        "details",
        { open: isOpen },
        element("summary", {}, bench.options),
        element(
          "fieldset",
          {},
          element("legend", {}, bench.inCollections),
          element("div", { className: "checks" }, ...collections),
          element("p", { className: "meta" }, bench.allCollections),
        ),
        element(
          "div",
          { className: "fields" },
          labelled(
            bench.how,
            chosen(
              WAYS.map((one) => [one, bench.ways[one]]),
              "retrieval",
            ),
          ),
          labelled(
            bench.topK,
            chosen(
              ["5", "10", "20", "50"].map((one) => [one, one]),
              "top_k",
            ),
          ),
          labelled(bench.asOf, text("as_of", "text", date)),
          labelled(
            language,
            chosen(
              [
                ["", any],
                ...Object.keys(facets.language)
                  .filter(Boolean)
                  .map((one) => [one, languageName(one)]),
              ],
              "language",
            ),
          ),
          labelled(bench.publisher, text("publisher")),
          labelled(bench.published, text("published", "text", date)),
          labelled(bench.publishedTo, text("publishedTo", "text", date)),
        ),
        element(
          "div",
          { className: "checks" },
          ...[
            ["collapse", bench.collapse],
            ["prefer_evidence", bench.evidence],
            ["retracted", bench.retracted],
          ].map(([name, said]) => element("label", { className: "check" }, check(name), element("span", {}, said))),
        ),
      ),
    );
  }

  function draw() {
    if (problem) {
      result.replaceChildren(problemBox(problem));
      return;
    }
    if (!found) {
      result.replaceChildren();
      return;
    }
    result.replaceChildren(...resultNodes(found));
  }

  drawForm();
  draw();
  if (asked.query && !found) search();
  return {
    redraw() {
      read();
      drawForm();
      draw();
    },
    close() {
      read();
    },
  };
}

function bodyOf({
  query,
  collections,
  retrieval,
  top_k,
  as_of,
  published,
  publishedTo,
  publisher,
  language,
  collapse,
  prefer_evidence,
  retracted,
}) {
  const filters = {};
  if (language) filters.language = language;
  if (publisher) filters.publisher = publisher;
  if (published || publishedTo)
    filters.published = { ...(published && { gte: published }), ...(publishedTo && { lte: publishedTo }) };
  if (retracted) filters.retracted = true;
  return {
    query,
    collections,
    retrieval,
    top_k: Number(top_k),
    as_of: as_of || null,
    filters,
    collapse,
    prefer_evidence,
  };
}

function resultNodes(explained) {
  const { bench } = words();
  const { hits, arms } = explained;
  const places = new Map(
    hits.flatMap((hit) => [[hit.passage_id, hit.rank], ...hit.also.map((one) => [one.passage_id, hit.rank])]),
  );
  const why = new Map(arms.flatMap((arm) => arm.hits.map((hit) => [hit.passage.passage_id, hit])));
  const inArm = new Map(arms.map((arm) => [arm.name, new Map(arm.hits.map((hit) => [hit.passage.passage_id, hit]))]));
  const told = joined([
    bench.generation(explained.index_generation),
    explained.undated_left_out ? bench.undated(explained.undated_left_out) : null,
  ]);
  return [
    ...explained.notices.map((notice) => element("p", { className: "notices" }, notice)),
    explained.notices.length ? quoted("p", bench.searchedFor(explained.query), "", "meta") : null,
    element(
      "div",
      { className: "list-head" },
      element("h3", {}, bench.result),
      element("p", { className: "meta" }, told),
    ),
    hits.length
      ? element("p", { className: "meta", role: "status" }, bench.hits(hits.length))
      : emptyBox(bench.nothing, bench.nothingHint),
    hits.length ? fusedTable(hits, inArm, why) : null,
    hits.length ? element("div", { className: "arms" }, ...arms.map((arm) => armNodes(arm, places))) : null,
  ].filter(Boolean);
}

function fusedTable(hits, inArm, why) {
  const { bench } = words();
  const arms = [...inArm.keys()].filter((name) => name !== "fused");
  const heads = [bench.rank, bench.passage, ...arms.map((name) => bench.arms[name]), bench.score];
  const rows = hits.map((hit) => {
    const matched = why.get(hit.passage_id);
    return element(
      "tr",
      { "data-passage": hit.passage_id },
      element("td", { className: "rank" }, String(hit.rank)),
      element(
        "td",
        { className: "of-passage" },
        passageNodes(hit, matched),
        hit.also.length ? element("p", { className: "meta" }, bench.copies(hit.also.length)) : null,
      ),
      ...arms.map((name) => armCell(name, hit, inArm.get(name).get(hit.passage_id))),
      element("td", { className: "score", "data-column": bench.score }, hit.score.toFixed(4)),
    );
  });
  return element(
    "div",
    { className: "scrolling" },
    element(
      "table",
      { className: "bench-table" },
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows),
    ),
  );
}

/** Where an arm has a hit; of one that it has too far down to be shown, the rank alone. */
function armCell(name, hit, inArm) {
  const { bench } = words();
  const rank = inArm?.rank ?? hit[`${name}_rank`] ?? null;
  const score = inArm?.score ?? (name === "dense" ? hit.cosine : null);
  const made = element("td", { className: "score", "data-column": bench.arms[name] });
  if (rank === null) made.append(element("span", { className: "meta" }, bench.notFound));
  else
    made.append(
      bench.armRank(rank),
      score === null ? "" : element("span", { className: "meta" }, ` ${score.toFixed(3)}`),
    );
  return made;
}

function armNodes(arm, places) {
  const { bench } = words();
  const isWide = globalThis.innerWidth > 640; // on a phone one would scroll past all of them
  const foundByArm = element("span", { className: "meta" }, bench.found(arm.found));
  const items = arm.hits.map((hit) => {
    const rank = places.get(hit.passage.passage_id);
    return element(
      "li",
      { "data-passage": hit.passage.passage_id },
      element(
        "p",
        { className: "arm-head" },
        element("span", { className: "rank" }, String(hit.rank)),
        element("span", { className: "score" }, hit.score.toFixed(4)),
        element("span", { className: rank ? "in-result" : "meta" }, rank ? bench.inResult(rank) : bench.notInResult),
      ),
      passageNodes(hit.passage, hit),
      arm.name === "lexical" ? wordsNodes(hit) : null,
    );
  });
  return element(
    "details",
    { className: "arm", "data-arm": arm.name, open: isWide },
    element("summary", {}, element("h3", {}, bench.arms[arm.name]), " ", foundByArm),
    element("p", { className: "meta" }, bench.armHints[arm.name]),
    element("ol", {}, ...items),
  );
}

function wordsNodes({ matched, missing }) {
  const { bench } = words();
  const line = (name, found, className) =>
    found.length
      ? element("p", { className: "meta" }, `${name}: `, ...found.map((word) => quoted("span", word, "", className)))
      : null;
  return element(
    "div",
    { className: "why" },
    line(bench.matched, matched, "word"),
    line(bench.missing, missing, "word lacking"),
  );
}

function passageNodes(passage, why) {
  const place = joined([passage.section, passage.page === null ? null : words().page(passage.page)]);
  const open = element(
    "button",
    {
      type: "button",
      className: "link",
      onclick: () => openSource(passage),
      dir: "auto",
      lang: passage.language || "",
    },
    short(passage.title, 160),
  );
  return element(
    "div",
    {},
    open,
    place ? quoted("p", short(place, 160), passage.language, "meta") : null,
    marked(passage, why?.matched || []),
  );
}

/** The beginning of a passage, or what of it is around the first word that matches, with those words marked. */
function marked(passage, matched) {
  const found = matched.filter((word) => word.length > 1).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const text = quoted("p", "", passage.language, "snippet");
  const pattern = found.length
    ? new RegExp(found.sort((one, other) => other.length - one.length).join("|"), "giu")
    : null;
  const first = pattern ? passage.text.search(pattern) : -1;
  const begins = first > SNIPPET / 2 ? passage.text.lastIndexOf(" ", first - 60) + 1 || first : 0;
  const points = Array.from(passage.text.slice(begins));
  const shown = points.slice(0, SNIPPET).join("");
  let at = 0;
  if (begins) text.append("…");
  for (const match of pattern ? shown.matchAll(pattern) : []) {
    text.append(shown.slice(at, match.index), element("mark", {}, match[0]));
    at = match.index + match[0].length;
  }
  text.append(shown.slice(at), points.length > SNIPPET ? "…" : "");
  return text;
}
