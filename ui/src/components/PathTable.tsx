import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { ago, plural } from "../lib/format";
import { pathPage } from "../lib/links";
import { Ref } from "./Ref";
import { Severity } from "./Scale";
import { Table } from "./Table";

/** Attack paths as rows, in the server's order. */
export function PathTable({ rows }: { rows: Schemas["PathRow"][] }) {
  return (
    <Table label="Attack paths" rows={rows} rowKey={(p) => `${p.cluster}/${p.id}`} columns={[
      { title: "Risk", cell: (p) => <Severity level={p.risk} /> },
      { title: "Attack path", cell: (p) => <Link to={pathPage(p)}>{p.title}</Link> },
      { title: "Reaches", cell: (p) => <Ref to={p.target} where={false} /> },
      { title: "Where", cell: (p) => `${p.cluster} · ${p.namespace}` },
      { title: "Status", cell: (p) => <span className="status" data-status={p.status} title={p.staleReason}>{p.status}</span> },
      { title: "Since", cell: (p) => ago(p.firstSeen) },
      { title: "Concerns", cell: (p) => `${plural(p.pods, "pod")} in ${plural(p.workloads, "workload")}` },
    ]} />
  );
}
