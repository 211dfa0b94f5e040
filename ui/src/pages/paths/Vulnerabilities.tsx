import { useMemo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { rank, Severity } from "../../components/Severity";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count } from "../../lib/format";
import { thingPage, vulnerabilityList } from "../../lib/links";
import { weaknesses, type Weakness } from "./weaknesses";

/** The vulnerabilities that open the path, to choose from. */
export function Vulnerabilities({ path }: { path: Schemas["Path"] }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Weakness>[]>(
    () => [
      {
        title: "Severity",
        cell: (v) => <Severity level={v.severity} />,
        by: (v) => -(rank(schema?.severities, v.severity) ?? 0),
      },
      { title: "CVE", cell: (v) => <Link to={thingPage("Vulnerability", v.id)}>{v.id}</Link>, by: (v) => v.id },
      { title: "Title", wraps: true, from: "wide", cell: (v) => v.title ?? "", by: (v) => v.title },
      {
        title: "Packages",
        wraps: true,
        cell: (v) =>
          v.packages.map((p) => (
            <div key={`${p.package} ${p.installed}`}>
              {p.package} <small>{p.installed}</small>
            </div>
          )),
        by: (v) => v.package,
      },
      {
        title: "Fixed in",
        from: "medium",
        cell: (v) =>
          v.packages.map((p) => (
            <div key={`${p.package} ${p.installed}`}>{p.fixed || <span className="unknown">no fix yet</span>}</div>
          )),
        by: (v) => v.fixed || undefined,
      },
      {
        title: "Known",
        from: "medium",
        cell: (v) => [v.kev && "exploited", v.rce && "remote code"].filter(Boolean).join(", "),
        by: (v) => Number(v.kev) * 2 + Number(v.rce),
      },
    ],
    [schema],
  );
  const rows = useMemo(() => weaknesses(path.vulnerabilities), [path.vulnerabilities]);
  if (rows.length === 0) return null;
  const shown =
    rows.length < path.vulnerabilitiesTotal
      ? `${count(rows.length)} of ${count(path.vulnerabilitiesTotal)}`
      : count(path.vulnerabilitiesTotal);
  return (
    <Section
      title={`Vulnerabilities that open it (${shown})`}
      aside={<Link to={vulnerabilityList({ cluster: path.cluster, path: path.id })}>Open the vulnerability page</Link>}
    >
      <Table label="Vulnerabilities on this path" short rows={rows} rowKey={(v) => v.id} columns={columns} />
    </Section>
  );
}
