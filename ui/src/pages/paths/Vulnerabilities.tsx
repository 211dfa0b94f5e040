import { useMemo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { rank, Severity } from "../../components/Severity";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count } from "../../lib/format";
import { thingPage, vulnerabilityList } from "../../lib/links";

type Row = Schemas["PathVulnerability"];

/** The vulnerabilities that open the path, to choose from. */
export function Vulnerabilities({ path }: { path: Schemas["Path"] }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Row>[]>(
    () => [
      {
        title: "Severity",
        cell: (v) => <Severity level={v.severity} />,
        by: (v) => -(rank(schema?.severities, v.severity) ?? 0),
      },
      { title: "CVE", cell: (v) => <Link to={thingPage("Vulnerability", v.id)}>{v.id}</Link>, by: (v) => v.id },
      { title: "Title", wraps: true, from: "wide", cell: (v) => v.title ?? "", by: (v) => v.title },
      {
        title: "Package",
        cell: (v) => (
          <>
            {v.package} <small>{v.installed}</small>
          </>
        ),
        by: (v) => v.package,
      },
      {
        title: "Fixed in",
        from: "medium",
        cell: (v) => v.fixed || <span className="unknown">no fix yet</span>,
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
  if (path.vulnerabilities.length === 0) return null;
  const shown =
    path.vulnerabilities.length < path.vulnerabilitiesTotal
      ? `${count(path.vulnerabilities.length)} of ${count(path.vulnerabilitiesTotal)}`
      : count(path.vulnerabilitiesTotal);
  return (
    <Section
      title={`Vulnerabilities that open it (${shown})`}
      aside={<Link to={vulnerabilityList({ cluster: path.cluster, path: path.id })}>Open the vulnerability page</Link>}
    >
      <Table
        label="Vulnerabilities on this path"
        short
        rows={path.vulnerabilities}
        rowKey={(v, i) => `${v.id} ${i}`}
        columns={columns}
      />
    </Section>
  );
}
