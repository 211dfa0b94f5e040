import { useMemo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { PathTitle } from "../../components/PathTable";
import { Ref } from "../../components/Ref";
import { Severity } from "../../components/Severity";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count } from "../../lib/format";
import { pathKey, pathList, pathPage } from "../../lib/links";

interface Row {
  path: Schemas["Path"];
  /** What its risk was, where it changes. */
  before?: string;
}

/**
 * The paths of one section. All are told under the name of base; those that only head has are looked up there,
 * by their titles, for the same path has another id in another cluster.
 */
export function Differing({ title, of, base, head }: { title: string; of: Row[]; base: string; head?: string }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Row>[]>(() => {
    const titles = schema?.pathTypes.map((t) => t.title) ?? [];
    /** A title's words as they are there: it may end with the cluster's name. */
    const words = (path: Schemas["Path"]) =>
      path.title
        .split(" ")
        .map((w) => (w === base ? head : w))
        .join(" ");
    const there = (thing: Schemas["Thing"]) =>
      head && thing.id.startsWith(`${base}/`)
        ? { ...thing, cluster: head, id: head + thing.id.slice(base.length) }
        : thing;
    return [
      {
        title: "Risk",
        cell: ({ path, before }) => (
          <>
            <Severity level={path.risk} />
            {before && <small> was {before}</small>}
          </>
        ),
        by: ({ path }) => -path.riskScore,
      },
      {
        title: "Attack path",
        wraps: true,
        cell: ({ path }) => (
          <>
            <Link
              to={head ? pathList({ cluster: head, type: path.type, q: words(path) }) : pathPage(path)}
              className="pathlink"
            >
              <PathTitle of={path.title} titles={titles} />
            </Link>
            <small className="onlynarrow">{[path.foothold.name, path.namespace].filter(Boolean).join(" · ")}</small>
          </>
        ),
        by: ({ path }) => path.title,
      },
      {
        title: "Gets into",
        from: "medium",
        cell: ({ path }) => (
          <span className="two">
            <Ref to={there(path.foothold)} where={false} />
            <small>{path.namespace}</small>
          </span>
        ),
        by: ({ path }) => path.foothold.name,
      },
      {
        title: "Reaches",
        from: "medium",
        cell: ({ path }) =>
          path.target.id === path.foothold.id ? (
            <small>no further</small>
          ) : (
            <Ref to={there(path.target)} where={false} />
          ),
        by: ({ path }) => (path.target.id === path.foothold.id ? undefined : path.target.name),
      },
    ];
  }, [schema, base, head]);
  if (of.length === 0) return null;
  return (
    <Section title={`${title} (${count(of.length)})`}>
      <Table
        label={title}
        sort={`${title.split(" ").at(-1)}-sort`}
        short
        rows={of}
        rowKey={({ path }) => pathKey(path)}
        columns={columns}
      />
    </Section>
  );
}
