import type { Schemas } from "../api/client";
import { ago, moment } from "../lib/format";

/** What could not be seen, and what that means. */
export function Gaps({ gaps }: { gaps: Schemas["Gap"][] }) {
  if (gaps.length === 0) return <p>Everything that was asked for could be read.</p>;
  return (
    <ul className="plain">{gaps.map((g, i) => (
      <li key={i} className="partial"><b>{g.cluster ? `${g.cluster}: ` : ""}{g.what}</b>: {g.why}. {g.consequence}{g.since && !g.since.startsWith("0001") && <small title={moment(g.since)}> since {ago(g.since)}</small>}</li>
    ))}</ul>
  );
}
