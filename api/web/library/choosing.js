/** From what was dropped or chosen to files with their paths: folders are walked, what systems hide is left out. */

const HIDDEN = new Set(["thumbs.db", "desktop.ini", "__macosx"]);

function isHidden(path) {
  return path.split("/").some((part) => part.startsWith(".") || HIDDEN.has(part.toLowerCase()));
}

/** `{ files: [{ name, file }], hidden }`, of the files of an `<input>`. */
export function chosenFiles(list) {
  const files = [...list].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  return withoutHidden(files);
}

/** The same, of what was dropped. */
export async function droppedFiles(transfer) {
  // The entries have to be taken before the first wait; after it the browser has let go of them.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosenFiles(transfer.files);
  return withoutHidden((await Promise.all(entries.map(filesIn))).flat());
}

async function filesIn(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break; // a folder is told in portions
    for (const one of some) found.push(...(await filesIn(one)));
  }
  return found;
}

function withoutHidden(files) {
  const seen = files.filter(({ name }) => !isHidden(name));
  return { files: seen, hidden: files.length - seen.length };
}
