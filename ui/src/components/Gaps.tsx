import type { Schemas } from "../api/client";
import { known } from "../lib/format";
import { sentence } from "../lib/text";
import { Ago } from "./Ago";
import { Reason } from "./Reason";
import { Table, type Column } from "./Table";

const columns: Column<Schemas["Gap"]>[] = [
  { title: "Cluster", from: "wide", cell: (g) => g.cluster ?? "", by: (g) => g.cluster },
  {
    title: "Could not be seen",
    wraps: true,
    cell: (g) => (
      <>
        <b>{sentence(g.what).replace(/\.$/, "")}</b>
        <div>
          <Reason why={g.why} />
        </div>
      </>
    ),
    by: (g) => g.what,
  },
  { title: "What that means", wraps: true, from: "medium", cell: (g) => sentence(g.consequence) },
  {
    title: "Since",
    number: true,
    from: "medium",
    cell: (g) => known(g.since) && <Ago at={g.since} />,
    by: (g) => (known(g.since) ? -Date.parse(g.since) : undefined),
  },
];

/** What could not be seen, and what that means. */
export function Gaps({ gaps }: { gaps: Schemas["Gap"][] }) {
  if (gaps.length === 0) return <p>Everything that was asked for could be read.</p>;
  return <Table label="Gaps" sort="gaps-sort" short rows={gaps} rowKey={(_, i) => String(i)} columns={columns} />;
}
