/** Numbers in a text. */

/** A probability for a reader: nothing is certain, so that none is rounded to 0 or 1. */
export function stated(probability) {
  if (probability > 0.99) return "> 0.99";
  return probability < 0.01 ? "< 0.01" : probability.toFixed(2);
}

/** `1 passage`, `2 passages`. */
export function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
