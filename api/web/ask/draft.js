/** What a model has written and nobody has judged yet. */

/**
 * A draft without its first sentence, of which `sentence` is the judged text: `before` is what stands before it, `rest`
 * what follows. Markers and spaces do not count, since a judged sentence has its markers apart. A draft that reads
 * otherwise loses as many signs as the sentence has.
 */
export function withoutSentence(draft, sentence) {
  const start = draft.length - draft.trimStart().length;
  let at = start;
  for (const sign of sentence.replace(/\s/g, "")) {
    at = pastBlanks(draft, at);
    if (!draft.startsWith(sign, at)) return { before: draft.slice(0, start), rest: draft.slice(start + sentence.length) };
    at += sign.length;
  }
  return { before: draft.slice(0, start), rest: draft.slice(pastMarkers(draft, at)) };
}

function pastBlanks(draft, from) {
  let at = from;
  for (;;) {
    const next = pastMarkers(draft, at + /^\s*/.exec(draft.slice(at))[0].length);
    if (next === at) return at;
    at = next;
  }
}

/** Behind the markers that follow, if any, spaces between them included. */
function pastMarkers(draft, from) {
  const [markers] = /^(?:\s*\[[\d\s,;，、-]*\])*/.exec(draft.slice(from));
  return from + markers.length;
}
