/** A stretch of a message: words, or a file that was sent. */
export type Piece = { text: string } | { file: string; name: string; picture: boolean };

// Own files only: what the upload hands out. Every other link stays text.
const FILE = /(!?)\[([^\]\n]{0,300})\]\(\/v1\/files\/([0-9a-f]{32}\.[a-z0-9]{2,5})\)/g;
const PICTURE = /\.(png|jpe?g|gif|webp)$/;

/** Cuts a message at the files in it. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let last = 0;
  for (const match of text.matchAll(FILE)) {
    const before = text.slice(last, match.index).trim();
    if (before) out.push({ text: before });
    last = match.index + match[0].length;
    const file = match[3]!;
    out.push({ file, name: match[2] || file, picture: PICTURE.test(file) });
  }
  const rest = last ? text.slice(last).trim() : text;
  if (rest || out.length === 0) out.push({ text: rest });
  return out;
}
