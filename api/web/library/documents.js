/** The documents as a table, a page at a time: searched, filtered and sorted by the service. */

import * as calls from "../calls/library.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import {
  button,
  choice,
  documentAddress,
  documentsAddress,
  emptyBox,
  labelled,
  languageName,
  link,
  moment,
  shownEdition,
  standingTag,
  titleLink,
  words,
} from "./parts.js";

const PAGE = 50;
const TYPED_MS = 250;
const COLUMNS = ["title", "publisher", "edition", "published", "language", "format", "state", "ingested_at"];
const STATES = ["current", "upcoming", "superseded", "replaced", "retired", "withdrawn", "overdue", "retracted"];

/** What an address asks for, with what it leaves out. */
function askedOf(query) {
  const asked = Object.fromEntries(
    ["collection", "q", "state", "language", "format", "sort"].map((name) => [name, query.get(name) || ""]),
  );
  if (!COLUMNS.includes(asked.sort)) asked.sort = "";
  if (!STATES.includes(asked.state)) asked.state = "";
  return {
    ...asked,
    flagged: query.get("flagged") === "true",
    order: query.get("order") === "desc" ? "desc" : "",
    page: Math.max(1, Number.parseInt(query.get("page"), 10) || 1),
    // a facet may be of documents that state nothing, which is an empty value
    unstated: query.get("unstated") || "",
  };
}

export async function open(region, { query }, context) {
  let asked = askedOf(query);
  let found = null;
  let looking = new AbortController();
  let typing = null;
  const chips = element("nav", { className: "chips" });
  const filters = element("form", { className: "filters" });
  const told = element("p", { className: "meta told" });
  told.setAttribute("role", "status");
  const list = element("div", { className: "list" });
  filters.setAttribute("role", "search");
  filters.addEventListener("submit", (event) => event.preventDefault());
  region.append(chips, filters, told, list);
  context.signal.addEventListener("abort", () => {
    looking.abort();
    clearTimeout(typing);
  });

  /** Asks for something else: the address follows, what is typed stays. */
  async function ask(changed) {
    asked = { ...asked, page: 1, ...changed };
    history.replaceState(null, "", documentsAddress({ ...asked, page: asked.page > 1 ? asked.page : "" }));
    await look();
  }

  async function look() {
    looking.abort();
    looking = new AbortController();
    const { signal } = looking;
    region.setAttribute("aria-busy", "true");
    try {
      const { page, unstated, ...wanted } = asked;
      found = await calls.documents(
        { ...wanted, facets: true, limit: PAGE, offset: (page - 1) * PAGE },
        signal,
        unstated,
      );
      if (signal.aborted) return;
      draw();
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.kind === undefined) throw problem;
      told.replaceChildren();
      list.replaceChildren(problemBox(problem));
    } finally {
      if (!signal.aborted) region.removeAttribute("aria-busy");
    }
  }

  function draw() {
    const everything = Object.values(found.facets.collection).reduce((sum, number) => sum + number, 0);
    const isEmpty = everything === 0 && !isNarrowed(asked);
    chips.hidden = filters.hidden = told.hidden = isEmpty;
    if (isEmpty) {
      list.replaceChildren(emptyLibrary(context.mayEdit));
      return;
    }
    drawChips(chips, found.facets.collection, everything, asked);
    drawFilters(filters, found.facets, asked, ask, later);
    const first = (asked.page - 1) * PAGE + 1;
    const last = first + found.documents.length - 1;
    told.textContent = found.total > PAGE ? words().pageOf(first, last, found.total) : words().documents(found.total);
    list.replaceChildren(
      ...(found.documents.length
        ? [table(found.documents, asked, ask), pager(found.total, asked, ask)]
        : [nothing(ask)]),
    );
  }

  function later(changed) {
    clearTimeout(typing);
    typing = setTimeout(() => ask(changed), TYPED_MS);
  }

  await look();
  return { redraw: () => found && draw() };
}

function isNarrowed({ q, state, language, format, flagged, unstated, collection }) {
  return Boolean(q || state || language || format || flagged || unstated || collection);
}

function emptyLibrary(mayEdit) {
  const { emptyTitle, emptyEditor, emptyReader, loadFiles, readFormats } = words();
  if (!mayEdit) return emptyBox(emptyTitle, emptyReader);
  return emptyBox(
    emptyTitle,
    emptyEditor,
    element("p", {}, link(loadFiles, "#/library/load", "main as-button")),
    element("p", { className: "meta" }, readFormats),
  );
}

function nothing(ask) {
  const cleared = { q: "", state: "", language: "", format: "", flagged: false, unstated: "" };
  return emptyBox(
    words().nothingFits,
    words().nothingFitsHint,
    button(words().clear, () => ask(cleared)),
  );
}

function drawChips(chips, counts, everything, asked) {
  const { page, ...others } = asked;
  chips.setAttribute("aria-label", words().collections);
  const made = Object.entries(counts).sort(([one], [other]) => one.localeCompare(other));
  const all = made.length > 1 ? [["", everything]] : [];
  chips.replaceChildren(
    ...[...all, ...made].map(([name, number]) => {
      const shown = name ? quoted("span", name, "") : element("span", {}, words().all);
      const chip = element(
        "a",
        { href: documentsAddress({ ...others, collection: name }) },
        shown,
        " ",
        element("span", { className: "number" }, number.toLocaleString()),
      );
      if (name === asked.collection || (made.length === 1 && !asked.collection))
        chip.setAttribute("aria-current", "true");
      return chip;
    }),
  );
}

/** Built once, so that the field keeps what is being typed; then only the choices are drawn again. */
function drawFilters(filters, facets, asked, ask, later) {
  const focused = filters.contains(document.activeElement) ? document.activeElement.name : null;
  const field =
    filters.elements.q ||
    element("input", { type: "search", name: "q", maxLength: 400, autocomplete: "off", value: asked.q });
  field.placeholder = words().findHint;
  field.oninput = () => later({ q: field.value.trim() });
  if (document.activeElement !== field) field.value = asked.q;
  const facet = (name, order, named) => {
    const counts = facets[name];
    const values = order ? order.filter((value) => counts[value]) : Object.keys(counts);
    const options = [
      ["", words().any],
      ...values.map((value) => [value || "-", `${value ? named(value) : words().unstated} (${counts[value]})`]),
    ];
    const chosen = asked.unstated === name ? "-" : asked[name];
    if (chosen && !options.some(([value]) => value === chosen)) options.push([chosen, named(chosen)]);
    const changed = (value) =>
      ask({
        [name]: value === "-" ? "" : value,
        unstated: value === "-" ? name : asked.unstated === name ? "" : asked.unstated,
      });
    return choice(options, chosen, changed, { name });
  };
  const orders = [
    ["", words().collectionAndTitle],
    ...COLUMNS.flatMap((name) =>
      ["", "desc"].map((order) => [
        `${name} ${order}`,
        `${words().columns[name]}, ${order ? words().sortedDown : words().sortedUp}`,
      ]),
    ),
  ];
  const sorted = (value) => {
    const [sort, order = ""] = value.split(" ");
    ask({ sort, order });
  };
  filters.replaceChildren(
    labelled(words().find, field, "find"),
    labelled(
      words().state,
      facet("state", STATES, (value) => words().standings[value]),
    ),
    labelled(words().language, facet("language", null, languageName)),
    labelled(
      words().type,
      facet("format", null, (value) => value),
    ),
    labelled(
      words().sortBy,
      choice(orders, asked.sort ? `${asked.sort} ${asked.order}` : "", sorted, { name: "sort" }),
      "only-narrow",
    ),
    element(
      "label",
      { className: "check" },
      element("input", {
        type: "checkbox",
        name: "flagged",
        checked: asked.flagged,
        onchange: (event) => ask({ flagged: event.target.checked }),
      }),
      element("span", {}, words().onlyFlagged),
    ),
  );
  if (focused && filters.elements[focused] !== document.activeElement) filters.elements[focused]?.focus();
}

function table(documents, asked, ask) {
  const head = element("tr", {}, ...COLUMNS.map((name) => heading(name, asked, ask)));
  return element(
    "div",
    { className: "scrolling" },
    element(
      "table",
      { className: "documents-table" },
      element("thead", {}, head),
      element("tbody", {}, ...documents.map((document) => row(document, asked))),
    ),
  );
}

function heading(name, asked, ask) {
  const isSorted = asked.sort === name;
  const descends = isSorted && asked.order === "desc";
  const next = { sort: name, order: isSorted && !descends ? "desc" : "" };
  const made = element(
    "th",
    { scope: "col", className: `of-${name}` },
    element(
      "button",
      { type: "button", onclick: () => ask(next) },
      words().columns[name],
      isSorted ? element("span", { className: "arrow" }, descends ? " ↓" : " ↑") : null,
    ),
  );
  made.setAttribute("aria-sort", isSorted ? (descends ? "descending" : "ascending") : "none");
  return made;
}

function row(document, asked) {
  const edition = shownEdition(document);
  const flagged = document.editions.reduce((sum, one) => sum + one.flagged, 0);
  const others =
    document.editions.length > 1
      ? element("span", { className: "meta" }, words().editions(document.editions.length))
      : null;
  const beneath = element(
    "div",
    { className: "meta beneath" },
    asked.collection ? null : quoted("span", document.collection, ""),
    flagged ? link(words().flagged(flagged), documentAddress(document.id, { at: "flagged" }), "doubt") : null,
  );
  const kind = edition.study_design || edition.publication_types[0];
  const cells = {
    title: [titleLink(document.title, documentAddress(document.id), document.language), beneath],
    publisher: [document.publisher],
    edition: [edition.edition, edition.edition && others ? element("br", {}) : null, others],
    published: [edition.in_force_from || words().undated],
    language: [document.language ? languageName(document.language) : null],
    format: kind ? [kind, element("br"), element("span", { className: "meta" }, edition.format)] : [edition.format],
    state: [standingTag(edition.standing)],
    ingested_at: [moment(edition.ingested_at, false)],
  };
  return element(
    "tr",
    {},
    ...COLUMNS.map((name) => {
      const made = element(name === "title" ? "th" : "td", {
        dir: "auto",
        "data-column": words().columns[name],
        className: `of-${name}`,
      });
      if (name === "title") made.scope = "row";
      made.append(...cells[name].filter((part) => part !== null && part !== undefined));
      return made;
    }),
  );
}

function pager(total, asked, ask) {
  const pages = Math.ceil(total / PAGE);
  if (pages < 2) return "";
  const to = async (page) => {
    await ask({ page });
    globalThis.scrollTo({ top: 0 });
  };
  const previous = button(words().previous, () => to(asked.page - 1));
  const next = button(words().next, () => to(asked.page + 1));
  previous.disabled = asked.page <= 1;
  next.disabled = asked.page >= pages;
  return element(
    "div",
    { className: "pager" },
    previous,
    element("span", { className: "meta" }, `${asked.page} / ${pages}`),
    next,
  );
}
