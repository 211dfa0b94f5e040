import { Link, useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { Icon } from "../../components/Icon";
import { Severity } from "../../components/Severity";
import { Table, type Column } from "../../components/Table";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { count } from "../../lib/format";
import { changed } from "../../lib/url";

type Group = Schemas["PathGroup"];

const titles = { target: "Reaches", entry: "Gets into", technique: "Technique", fix: "Fix that ends them" } as const;

/** The paths counted by what they share; each count opens the list it counts. */
export function Groups({ by, groups }: { by: keyof typeof titles; groups: Group[] }) {
  const schema = useVocabulary();
  const [params] = useSearchParams();
  const list = (key: string) => ({ search: changed(params, { group: undefined, [by]: key }).toString() });
  const columns: Column<Group>[] = [
    { title: "Risk", cell: (g) => <Severity level={g.risk} />, by: (g) => -g.riskScore },
    {
      title: titles[by],
      wraps: true,
      cell: (g) => (
        <>
          {g.kind && <Icon kind={g.kind} />} <Link to={list(g.key)}>{g.name}</Link>{" "}
          {g.kind && <small>{kindLabel(schema, g.kind)}</small>}
        </>
      ),
      by: (g) => g.name,
    },
    {
      title: "Attack paths",
      number: true,
      cell: (g) => <Link to={list(g.key)}>{count(g.count)}</Link>,
      by: (g) => g.count,
    },
  ];
  return (
    <Table
      label={`Attack paths by ${by}`}
      sort="group-sort"
      short
      rows={groups}
      rowKey={(g) => g.key}
      columns={columns}
    />
  );
}
