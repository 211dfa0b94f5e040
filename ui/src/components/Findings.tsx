import type { Schemas } from "../api/client";
import { Ref } from "./Ref";
import { Severity } from "./Scale";
import { Table } from "./Table";

/** Vulnerabilities in images, each with its package and fix. */
export function Findings({ rows }: { rows: Schemas["Finding"][] }) {
  return (
    <Table label="Findings" rows={rows} rowKey={(_, i) => String(i)} columns={[
      { title: "Severity", cell: (f) => <Severity level={f.severity} /> },
      { title: "CVE", cell: (f) => <Ref to={f.vulnerability} where={false} /> },
      { title: "Package", cell: (f) => `${f.package} ${f.installed}` },
      { title: "Fixed in", cell: (f) => f.fixed || "no fix yet" },
      { title: "Image", cell: (f) => <Ref to={f.image} where={false} /> },
    ]} />
  );
}

export function Refs({ of, none }: { of: Schemas["Ref"][]; none: string }) {
  return of.length ? <ul className="plain">{of.map((r) => <li key={`${r.kind} ${r.id}`}><Ref to={r} /></li>)}</ul> : <p>{none}</p>;
}
