import { pieces } from "../lib/text";

/** Text of the server: what stands in backticks is code. */
export function Prose({ text }: { text: string }) {
  return <>{pieces(text).map((p, i) => (p.code ? <code key={i}>{p.text}</code> : p.text))}</>;
}
