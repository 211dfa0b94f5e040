/**
 * What strangers wrote, with the characters that nobody sees written out as `\u202e`: those that turn text around, that
 * have no width, and that control a terminal. Ends of lines and tabs stay, and so does what has a shape.
 */
export function visible(text: string): string {
  return unseen.test(text) ? text.replace(every, (c) => escaped(c.codePointAt(0) ?? 0)) : text;
}

/** Controls, formats, separators of lines, and the letters that are blank: the same as in terminal/terminal.go. */
const set = "(?![\\n\\t])[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u2800\\u3164\\uffa0]";
const unseen = new RegExp(set, "u");
const every = new RegExp(set, "gu");

function escaped(c: number): string {
  if (c < 0x100) return `\\x${c.toString(16).padStart(2, "0")}`;
  return c < 0x10000 ? `\\u${c.toString(16).padStart(4, "0")}` : `\\U${c.toString(16).padStart(8, "0")}`;
}
