import { useMemo } from "react";
import type { Schemas } from "../api/client";
import { Ref } from "./Ref";
import { rank, Severity } from "./Severity";
import { Table, type Column } from "./Table";
import { useVocabulary } from "./Vocabulary";

type Finding = Schemas["Finding"];

/** What people accepted stays in sight: until when, why, and who says so. */
function Accepted({ exception }: { exception: Schemas["AppliedException"] }) {
  return (
    <span title={`${exception.author}, ${exception.where}`}>
      {exception.expired ? `ended with ${exception.until}, counts again` : `until ${exception.until}`}:{" "}
      {exception.reason}
    </span>
  );
}

/** Vulnerabilities in images, each with its package and fix. On the page of an image or a CVE that one goes without saying. */
export function Findings({ rows, without }: { rows: Finding[]; without?: "image" | "vulnerability" }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Finding>[]>(
    () => [
      {
        title: "Severity",
        cell: (f) => <Severity level={f.severity} />,
        by: (f) => rank(schema?.severities, f.severity),
        number: false,
      },
      ...(without === "vulnerability"
        ? []
        : [
            {
              title: "CVE",
              cell: (f: Finding) => <Ref to={f.vulnerability} icon={false} />,
              by: (f: Finding) => f.vulnerability.name,
            },
            {
              title: "Title",
              from: "wide" as const,
              wraps: true,
              cell: (f: Finding) => f.title ?? "",
              by: (f: Finding) => f.title,
            },
          ]),
      {
        title: "Package",
        cell: (f) => (
          <>
            {f.package} <small>{f.installed}</small>
          </>
        ),
        by: (f) => f.package,
      },
      {
        title: "Fixed in",
        cell: (f) => f.fixed || <span className="unknown">no fix yet</span>,
        by: (f) => f.fixed || undefined,
      },
      ...(rows.some((f) => f.status)
        ? [
            {
              title: "Status",
              from: "medium" as const,
              wraps: true,
              cell: (f: Finding) => f.status ?? "",
              by: (f: Finding) => f.status,
            },
          ]
        : []),
      ...(rows.some((f) => f.exception)
        ? [
            {
              title: "Accepted",
              wraps: true,
              cell: (f: Finding) => f.exception && <Accepted exception={f.exception} />,
              by: (f: Finding) => f.exception?.until,
            },
          ]
        : []),
      {
        title: "Known",
        from: "medium",
        cell: (f) => [f.kev && "exploited", f.rce && "remote code"].filter(Boolean).join(", "),
        by: (f) => Number(f.kev ?? false) * 2 + Number(f.rce),
      },
      ...(without === "image"
        ? []
        : [{ title: "Image", cell: (f: Finding) => <Ref to={f.image} />, by: (f: Finding) => f.image.name }]),
    ],
    [schema, without, rows],
  );
  return (
    <Table label="Findings" sort="findings-sort" short rows={rows} rowKey={(_, i) => String(i)} columns={columns} />
  );
}
