/** Builds elements. Strings become text nodes, so nothing from the service is ever read as HTML. */

/**
 * `properties` are DOM properties (`className`, `onclick`, …), or attributes where the name has a dash. Children are
 * nodes or strings; null and undefined are left out.
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Text from a document or a person, in its own direction and language; `""` is a language that is not known. */
export function quoted(tag, text, language, className = "") {
  return element(tag, { className, dir: "auto", lang: language || "" }, text);
}

/** What stands where something is on its way. */
export function busyLines() {
  return element("div", { className: "busy" }, ...[1, 2, 3].map(() => element("div", { className: "line" })));
}

/** A line of facts, unknown ones left out. */
export function joined(facts) {
  return facts.filter((fact) => fact !== null && fact !== undefined && fact !== "").join(" · ");
}
