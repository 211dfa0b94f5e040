import { useMemo } from "react";
import type { Schemas } from "../../api/client";
import { Ref } from "../../components/Ref";
import { rank, Severity } from "../../components/Severity";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";

type Flaw = Pick<Schemas["ImageVulnerability"], "id" | "severity" | "package"> &
  Partial<Pick<Schemas["ImageVulnerability"], "version" | "fixedVersion">>;

/** Vulnerabilities of one image, in short. */
export function Flaws({ label, rows }: { label: string; rows: Flaw[] }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Flaw>[]>(
    () => [
      {
        title: "Severity",
        cell: (v) => <Severity level={v.severity} />,
        by: (v) => rank(schema?.severities, v.severity),
      },
      {
        title: "CVE",
        cell: (v) => <Ref to={{ kind: "Vulnerability", id: v.id, name: v.id }} icon={false} />,
        by: (v) => v.id,
      },
      {
        title: "Package",
        cell: (v) => (
          <>
            {v.package} {v.version && <small>{v.version}</small>}
          </>
        ),
        by: (v) => v.package,
      },
      ...(rows.some((v) => v.version)
        ? [
            {
              title: "Fixed in",
              cell: (v: Flaw) => v.fixedVersion || <span className="unknown">no fix yet</span>,
              by: (v: Flaw) => v.fixedVersion,
            },
          ]
        : []),
    ],
    [schema, rows],
  );
  return (
    <Table
      label={label}
      sort={`${label.toLowerCase().replaceAll(" ", "-")}-sort`}
      rows={rows}
      rowKey={(_, i) => String(i)}
      columns={columns}
      short
    />
  );
}
