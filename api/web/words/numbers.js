/** Numbers in a text. */

/** A probability for a reader: nothing is certain, so that none is rounded to 0 or 1. */
export function stated(probability) {
  if (probability > 0.99) return "> 0.99";
  return probability < 0.01 ? "< 0.01" : probability.toFixed(2);
}

export function english(number) {
  return number.toLocaleString("en");
}

/** `1 passage`, `2 passages`. */
export function count(number, one, many) {
  return `${english(number)} ${number === 1 ? one : many}`;
}
