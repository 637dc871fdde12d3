/** Small parts of forms, tables and lists of facts that views share. */

import { element, quoted } from "./dom.js";
import { currentLanguage } from "./words.js";

/** A moment of the service, ISO 8601, as the reader's language writes it. */
export function moment(iso, style = { dateStyle: "medium", timeStyle: "short" }) {
  return new Date(iso).toLocaleString(currentLanguage(), style);
}

export function number(value) {
  return value.toLocaleString(currentLanguage());
}

export function button(text, onclick, className = "quiet") {
  return element("button", { type: "button", className, onclick }, text);
}

export function link(text, href, className = "") {
  return element("a", { href, className }, text);
}

export function labelled(text, field, className = "") {
  return element("label", { className }, element("span", {}, text), field);
}

/** A `<select>`; `options` are `[value, text]`. */
export function choice(options, value, properties = {}) {
  const made = element("select", properties);
  made.append(...options.map(([one, text]) => element("option", { value: one }, text)));
  made.value = value;
  return made;
}

/** What there is to say where there is nothing to show: a title, and what to do next. */
export function emptyBox(title, hint, ...more) {
  return element("div", { className: "box" }, element("p", { className: "box-title" }, title), element("p", {}, hint), ...more);
}

/** Rows of facts, `[name, value or node]`; those without a value are left out. */
export function factList(rows) {
  const known = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const parts = known.flatMap(([name, value]) => [
    element("dt", {}, name),
    value instanceof Node ? element("dd", {}, value) : quoted("dd", String(value), ""),
  ]);
  return element("dl", {}, ...parts);
}

/** A table; `columns` are the heads, each row an array of nodes, strings or null, the first of it the row's own head. */
export function table(columns, rows, className = "") {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map((cell, at) => {
      const made = element(at ? "td" : "th", { "data-column": columns[at] });
      if (!at) made.scope = "row";
      if (cell !== null && cell !== undefined) made.append(cell);
      return made;
    })),
  );
  return element(
    "div",
    { className: "scrolling" },
    element("table", { className }, element("thead", {}, head), element("tbody", {}, ...body)),
  );
}

/** Parameters of an address; those without a value are left out. */
export function parameters(asked) {
  const stated = Object.entries(asked).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return new URLSearchParams(stated).toString();
}

/** The moment at which a day of a date field begins where the reader is, `later` days on; empty for no day. */
export function beginningOf(day, later = 0) {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) || [];
  if (year === undefined) return "";
  return new Date(Number(year), Number(month) - 1, Number(date) + later).toISOString();
}

/** Bytes in the unit in which people say them. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** at;
  return `${value.toLocaleString(currentLanguage(), { maximumFractionDigits: value < 10 && at ? 1 : 0 })} ${units[at]}`;
}
