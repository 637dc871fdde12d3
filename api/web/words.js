/**
 * Which of the two languages the reader wants, and the texts in it. A view brings its own texts, `words/NAME.js`, that
 * exports `en` and `zh` with the same names, and reads them through `wordsOf`:
 *
 *     import * as texts from "./words/library.js";
 *     const words = wordsOf(texts);   // words().title
 */

import * as common from "./words/common.js";

const LANGUAGES = ["en", "zh"];
const REMEMBERED_AS = "taiyi-rag.language";

let language = remembered() || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** A function that gives, of `texts`, those in the language in use. */
export function wordsOf(texts) {
  return () => texts[language];
}

/** The texts that all views share, in the language in use. */
export const words = wordsOf(common);

export function currentLanguage() {
  return language;
}

export function otherLanguage() {
  return language === "en" ? "zh" : "en";
}

export function chooseLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(REMEMBERED_AS, chosen);
  } catch {
    // Where the browser keeps nothing, the choice lasts as long as the page.
  }
}

function remembered() {
  try {
    const chosen = localStorage.getItem(REMEMBERED_AS);
    return LANGUAGES.includes(chosen) ? chosen : null;
  } catch {
    return null;
  }
}
