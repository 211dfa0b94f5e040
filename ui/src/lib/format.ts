const numbers = new Intl.NumberFormat("en");

export function count(n: number): string {
  return numbers.format(n);
}

/** "1 pod", "3 pods". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** How long ago, coarse: "3 s", "5 min", "3 h", "2 d". */
export function ago(when: string, now = Date.now()): string {
  return span((now - Date.parse(when)) / 1000);
}

/** How long until then, as coarse as ago. */
export function until(when: string, now = Date.now()): string {
  return span((Date.parse(when) - now) / 1000);
}

/** Seconds as a person says them; what is over is 0 s. */
function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

const units = ["B", "kB", "MB", "GB", "TB"];

/** "312 B", "4.2 MB". */
export function bytes(n: number): string {
  const step = Math.min(Math.max(0, Math.floor(Math.log10(Math.max(n, 1)) / 3)), units.length - 1);
  const value = n / 1000 ** step;
  return `${step > 0 && value < 10 ? value.toFixed(1) : count(Math.round(value))} ${units[step]}`;
}

/** A moment in full, in UTC. */
export function moment(when: string): string {
  return `${when.replace("T", " ").replace(/(\.\d+)?Z$/, "")} UTC`;
}

/** Whether a time was ever set: the server's zero time is the year 1. */
export function known(when: string | null | undefined): when is string {
  return Boolean(when) && !when?.startsWith("0001");
}

/** "Kind id" as evidence writes it. */
export function kindAndId(text: string): { kind: string; id: string } {
  const at = text.indexOf(" ");
  return at < 0 ? { kind: "", id: text } : { kind: text.slice(0, at), id: text.slice(at + 1) };
}

/** A long digest or a container's id, short enough to read. */
export function short(text: string): string {
  return text.replace(/\b((?:sha256:)?[0-9a-f]{12})[0-9a-f]{52}\b/, "$1…");
}

/** The name at the end of an id such as cluster/namespace/Pod/name. */
export function nameOf(id: string): string {
  return id.includes("sha256:") ? short(id) : id.slice(id.lastIndexOf("/") + 1);
}
