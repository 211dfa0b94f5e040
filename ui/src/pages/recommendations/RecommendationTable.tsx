import { useMemo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { rank, Severity } from "../../components/Severity";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { recommendationPage } from "../../lib/links";

type Row = Schemas["RecommendationRow"];

const badges = (r: Row) =>
  [r.exploited > 0 && `${count(r.exploited)} exploited`, r.rce && "remote code"].filter(Boolean).join(", ");

/** A number that the recommendation's own page lists. */
const listed = (r: Row, n: number) => (n > 0 ? <Link to={recommendationPage(r.id)}>{count(n)}</Link> : "0");

/** Updates as rows, in the server's order until a header is chosen. */
export function RecommendationTable({
  rows,
  sort = "recommendations-sort",
  short = true,
}: {
  rows: Row[];
  sort?: string;
  short?: boolean;
}) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Row>[]>(
    () => [
      {
        title: "Severity",
        cell: (r) => <Severity level={r.severity} />,
        by: (r) => -(rank(schema?.severities, r.severity) ?? -1),
      },
      {
        title: "Recommendation",
        wraps: true,
        by: (r) => r.title,
        cell: (r) => (
          <>
            <Link to={recommendationPage(r.id)}>{r.title}</Link>
            <small className="onlynarrow">
              {[badges(r), plural(r.images, "image"), r.exposed > 0 && `${plural(r.exposed, "pod")} exposed`]
                .filter(Boolean)
                .join(" · ")}
            </small>
          </>
        ),
      },
      {
        title: "Installed",
        from: "widest",
        cell: (r) => <span title={r.installed.join(", ")}>{r.installed.join(", ")}</span>,
        by: (r) => r.installed[0],
      },
      { title: "Known", from: "medium", cell: badges, by: (r) => r.exploited * 2 + Number(r.rce) },
      { title: "Fixes", number: true, cell: (r) => listed(r, r.vulnerabilities), by: (r) => r.vulnerabilities },
      {
        title: "Running",
        number: true,
        from: "medium",
        cell: (r) => listed(r, r.runningImages),
        by: (r) => r.runningImages,
      },
      {
        title: "In registries",
        number: true,
        from: "medium",
        cell: (r) => listed(r, r.registryImages),
        by: (r) => r.registryImages,
      },
      {
        title: "Exposed pods",
        number: true,
        from: "wide",
        cell: (r) => (
          <>
            {listed(r, r.exposed)} <small>of {count(r.pods)}</small>
          </>
        ),
        by: (r) => r.exposed,
      },
      {
        title: "Breaks paths",
        number: true,
        from: "medium",
        cell: (r) => (
          <>
            {listed(r, r.breaks)} <small>of {count(r.paths)}</small>
          </>
        ),
        by: (r) => r.breaks,
      },
    ],
    [schema],
  );
  return <Table label="Recommendations" sort={sort} short={short} rows={rows} rowKey={(r) => r.id} columns={columns} />;
}
