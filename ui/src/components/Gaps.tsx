import type { Schemas } from "../api/client";
import { count, known } from "../lib/format";
import { phrase, sentence } from "../lib/text";
import { Ago } from "./Ago";
import { alike, type Alike } from "./alike";
import { Reason } from "./Reason";
import { Table, type Column } from "./Table";

const columns: Column<Alike>[] = [
  { title: "Cluster", from: "wide", cell: ({ first: g }) => g.cluster ?? "", by: ({ first: g }) => g.cluster },
  {
    title: "Could not be seen",
    wraps: true,
    cell: (a) => <Unseen of={a} />,
    by: ({ first: g }) => g.what,
  },
  {
    title: "What that means",
    wraps: true,
    from: "medium",
    cell: ({ first: g }) => sentence(g.consequence),
  },
  {
    title: "Since",
    number: true,
    from: "medium",
    cell: ({ first: g }) => known(g.since) && <Ago at={g.since} />,
    by: ({ first: g }) => (known(g.since) ? -Date.parse(g.since) : undefined),
  },
];

const named = (g: Schemas["Gap"]) => phrase(sentence(g.what));

/** What could not be seen and why; what is so for the same reason is named below it. */
export function Unseen({ of: { first, all } }: { of: Alike }) {
  return (
    <>
      <b>
        {all.length > 1 && `${count(all.length)} × `}
        {named(first)}
      </b>
      {all.length > 1 && (
        <details>
          <summary>and {count(all.length - 1)} more</summary>
          <ul className="plain">
            {all.slice(1).map((g, i) => (
              <li key={i}>{named(g)}</li>
            ))}
          </ul>
        </details>
      )}
      <div>
        <Reason why={first.why} />
      </div>
    </>
  );
}

/** What could not be seen, and what that means. */
export function Gaps({
  gaps,
  none = "Everything that was asked for could be read.",
}: {
  gaps: Schemas["Gap"][];
  none?: string;
}) {
  if (gaps.length === 0) return <p>{none}</p>;
  return (
    <Table label="Gaps" sort="gaps-sort" short rows={alike(gaps)} rowKey={(_, i) => String(i)} columns={columns} />
  );
}
