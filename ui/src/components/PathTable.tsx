import { useMemo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { count } from "../lib/format";
import { pathKey, pathPage, vulnerabilityList } from "../lib/links";
import { parted } from "../lib/text";
import { Ago } from "./Ago";
import { Ref } from "./Ref";
import { Severity } from "./Severity";
import { Table, type Column } from "./Table";
import { useVocabulary } from "./Vocabulary";

type Row = Schemas["PathRow"];

/** How an attacker gets in, the surest first. */
export const classes: Record<Schemas["EntryClass"], string> = {
  known: "known",
  possible: "possible",
  "supply-chain": "supply chain",
  assumed: "assumed",
};

const where = (p: Row) => [p.cluster, p.namespace].filter(Boolean);

/** Since when a path is there and how it stands: an assumed one is there only while it is asked for. */
const life: Column<Row>[] = [
  {
    title: "Status",
    from: "wide",
    cell: (p) => (
      <span className="status" data-status={p.status} title={p.staleReason}>
        {p.status}
      </span>
    ),
    by: (p) => p.status,
  },
  {
    title: "Since",
    number: true,
    from: "wide",
    cell: (p) => <Ago at={p.firstSeen} />,
    by: (p) => -Date.parse(p.firstSeen),
  },
];

/** Attack paths as rows, in the server's order until a header is chosen. */
export function PathTable({
  rows,
  sort = "paths-sort",
  short = true,
  assume,
  gone,
}: {
  rows: Row[];
  sort?: string;
  short?: boolean;
  /** What the attacker is assumed to have: such paths are there only for who assumes it. */
  assume?: string;
  /** The keys of those that would be gone: they are struck through. */
  gone?: Set<string>;
}) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Row>[]>(() => {
    const titles = schema?.pathTypes.map((t) => t.title) ?? [];
    return [
      { title: "Risk", cell: (p) => <Severity level={p.risk} />, by: (p) => -p.riskScore },
      {
        title: "Attack path",
        wraps: true,
        cell: (p) => (
          <>
            {gone?.has(pathKey(p)) ? (
              <s title="Would be gone">
                <PathLink path={p} titles={titles} assume={assume} />
              </s>
            ) : (
              <PathLink path={p} titles={titles} assume={assume} />
            )}
            <small className="onlynarrow">{[p.foothold.name, ...where(p)].join(" · ")}</small>
          </>
        ),
        by: (p) => p.title,
      },
      {
        title: "Gets into",
        from: "medium",
        cell: (p) => (
          <span className="two">
            <Ref to={p.foothold} where={false} />
            <small>{where(p).join(" · ")}</small>
          </span>
        ),
        by: (p) => p.foothold.name,
      },
      {
        title: "Reaches",
        from: "medium",
        cell: (p) => (p.target.id === p.foothold.id ? <small>no further</small> : <Ref to={p.target} where={false} />),
        by: (p) => (p.target.id === p.foothold.id ? undefined : p.target.name),
      },
      {
        title: "Entry",
        from: "wide",
        cell: (p) => <span title={p.confidence}>{classes[p.entryClass]}</span>,
        by: (p) => Object.keys(classes).indexOf(p.entryClass),
      },
      {
        title: "Routes",
        number: true,
        from: "widest",
        cell: (p) => (p.alternatives >= 999 ? "many" : count(p.alternatives + 1)),
        by: (p) => p.alternatives,
      },
      {
        title: "CVEs",
        number: true,
        from: "wide",
        cell: (p) => (
          <>
            {p.exploited && <small>exploited </small>}
            <Link to={vulnerabilityList({ cluster: p.cluster, path: p.id })}>{count(p.vulnerabilities)}</Link>
          </>
        ),
        by: (p) => p.vulnerabilities,
      },
      { title: "Pods", number: true, from: "wide", cell: (p) => count(p.pods), by: (p) => p.pods },
      ...(assume ? [] : life),
    ];
  }, [schema, assume, gone]);
  return <Table label="Attack paths" sort={sort} short={short} rows={rows} rowKey={pathKey} columns={columns} />;
}

/** The whole title is the link; what tells it from its shorter sibling stands out. */
function PathLink({ path, titles, assume }: { path: Row; titles: string[]; assume?: string }) {
  return (
    <Link to={pathPage(path, assume)} className="pathlink">
      <PathTitle of={path.title} titles={titles} />
    </Link>
  );
}

/** A path's title; what many begin with steps back. */
export function PathTitle({ of, titles }: { of: string; titles: string[] }) {
  const { lead, tail } = parted(of, titles);
  return lead ? (
    <>
      <span className="common">{lead}</span> <b>{tail}</b>
    </>
  ) : (
    tail
  );
}
