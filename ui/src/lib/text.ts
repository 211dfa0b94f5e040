/** A capital first letter and a full stop: what the server writes as a phrase, as a sentence. */
export function sentence(text: string): string {
  const t = text.trim();
  if (t === "") return "";
  return t.charAt(0).toUpperCase() + t.slice(1) + (/[.!?…]$/.test(t) ? "" : ".");
}

/** Without its full stop, so that it can be followed. */
export function phrase(text: string): string {
  return text.trim().replace(/\.$/, "");
}

const machine = /:\/\/|sha256:|^(GET|HEAD|POST|open|read|dial|lookup) /;

/**
 * The part of a long error that a person reads. Errors are wrapped as "doing x: reason: raw answer";
 * the reason is the first part that is neither an address nor a digest.
 */
export function shortReason(why: string, limit = 140): string {
  const text = phrase(why);
  if (text.length <= limit && !machine.test(text)) return text;
  const parts = text.split(": ");
  const said = parts.find((p) => p.length > 8 && !machine.test(p)) ?? parts.find((p) => !machine.test(p)) ?? text;
  return said.length <= limit ? said : `${said.slice(0, limit - 1).trimEnd()}…`;
}

/** Splits a title where it begins to differ from a shorter one of the same list, or to name things. */
export function parted(title: string, all: readonly string[]): { lead: string; tail: string } {
  const lead = all
    .flatMap((t) => [`${t} `, `${t}: `])
    .filter((t) => title.startsWith(t))
    .sort((a, b) => b.length - a.length)[0];
  return lead ? { lead: lead.trimEnd(), tail: title.slice(lead.length) } : { lead: "", tail: title };
}

/** Prose with `code` in it, as pieces. */
export function pieces(text: string): { text: string; code: boolean }[] {
  return text
    .split(/`([^`]+)`/)
    .map((part, i) => ({ text: part, code: i % 2 === 1 }))
    .filter((p) => p.text !== "");
}
