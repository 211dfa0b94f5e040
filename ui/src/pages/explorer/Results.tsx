import { useMemo } from "react";
import type { Schemas } from "../../api/client";
import { Ref, type Thing } from "../../components/Ref";
import { Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { slug, type Sort } from "../../components/useSort";
import { kindLabel } from "../../components/Vocabulary";
import { rank, Severity } from "../../components/Severity";
import { plural } from "../../lib/format";
import { phrase, sentence } from "../../lib/text";
import { folded, type Folded } from "./folded";

type Cell = Schemas["Cell"];
type Key = Schemas["QueryKey"];
interface Props {
  answer: Schemas["Answer"];
  schema: Schemas["Schema"];
  order: (key: Key | undefined) => void;
  beside?: Thing;
}

/** The rows of an answer; every thing is a link. The server sorts, so that it sorts all of them. */
export function Results({ answer, schema, order, beside }: Props) {
  const titles = headings(answer.columns, schema);
  const keys = answer.columns.map((c) => sortKey(c, schema));
  const rows = useMemo(() => folded(answer.rows), [answer.rows]);
  const many = rows.some((r) => r.times > 1);
  const columns: Column<Folded>[] = answer.columns.map((c, i): Column<Folded> => ({
    title: titles[i] ?? c.name,
    number: c.type === "int" || c.type === "float" || c.type === "count",
    by: keys[i] ? () => "" : undefined,
    cell: (row) => <Shown cell={row.cells[i]} schema={schema} />,
  }));
  if (many)
    columns.push({
      title: "Times",
      number: true,
      cell: (row) =>
        row.times > 1 ? <span title="So many rows are the same in the columns shown">× {row.times}</span> : "",
    });
  const now = answer.query.order?.[0];
  const at = keys.findIndex((k) => k && now && k.of === now.of && k.prop === now.prop && k.name === now.name);
  const sort: Sort | undefined = at >= 0 ? { column: slug(titles[at] ?? ""), down: now?.desc ?? false } : undefined;
  const change = (to: Sort | undefined) => {
    const key = to && keys[titles.findIndex((t) => slug(t) === to.column)];
    order(key ? { ...key, ...(to.down ? { desc: true } : {}) } : undefined);
  };
  const holds = (cell: Cell) =>
    typeof cell === "object" && cell !== null && "id" in cell && cell.kind === beside?.kind && cell.id === beside.id;
  return (
    <Table
      label="Results"
      rows={rows}
      rowKey={(r) => r.key}
      columns={columns}
      order={{ now: sort, change }}
      chosen={(r) => beside !== undefined && r.cells.some(holds)}
    />
  );
}

/** What the columns are called; the variable's name only where two would be called the same. */
function headings(columns: Schemas["Column"][], schema: Schemas["Schema"]): string[] {
  const plain = columns.map((c) => {
    const kinds = c.kinds?.map((k) => kindLabel(schema, k)).join(" or ");
    const prop =
      c.prop && !c.kinds
        ? [...Object.values(schema.kinds)]
            .flatMap((k) => [...k.menu.insights, ...k.menu.properties])
            .find((p) => p.name === c.prop)?.label
        : undefined;
    return kinds || prop || c.name;
  });
  return plain.map((p, i) => (plain.filter((o) => o === p).length > 1 ? `${p} (${columns[i]?.name})` : p));
}

function sortKey(c: Schemas["Column"], schema: Schemas["Schema"]): Key | undefined {
  if (c.type === "edge" || c.type === "list") return undefined;
  if (c.type !== "node") return c.of && c.prop ? { of: c.of, prop: c.prop } : { name: c.name };
  const named = c.kinds?.every((k) => schema.kinds[k]?.menu.properties.some((p) => p.name === "name"));
  return { of: c.of ?? c.name, prop: named ? "name" : "id" };
}

function Shown({ cell, schema }: { cell: Cell | undefined; schema: Schemas["Schema"] }) {
  if (cell === null || cell === undefined) return <span className="unknown">unknown</span>;
  if (Array.isArray(cell)) return <>{cell.join(", ")}</>;
  if (typeof cell === "string" && rank(schema.severities, cell) !== undefined) return <Severity level={cell} />;
  if (typeof cell !== "object") return <>{typeof cell === "boolean" ? (cell ? "yes" : "no") : String(cell)}</>;
  if ("edge" in cell)
    return (
      <>
        {schema.edges[cell.edge]?.verb ?? cell.edge}{" "}
        <small>
          {Object.entries(cell.properties ?? {})
            .filter(([, v]) => v !== null && v !== "")
            .map(([k, v]) => `${k}: ${String(v)}`)
            .join(" · ")}
        </small>
      </>
    );
  return <Ref to={cell} />;
}

/** Where an answer was cut off, why, and what to do. */
export function Cut({ answer }: { answer: Schemas["Answer"] }) {
  if (!answer.partial) return null;
  return (
    <Partial>
      <b>Not the whole answer: it is cut at {plural(answer.total, "row")}.</b> {sentence(answer.partial)} What is shown
      is right, but more may be there. Add a condition, or ask for fewer things at once.
    </Partial>
  );
}

/** What the answer could not see. */
export function Unseen({ answer }: { answer: Schemas["Answer"] }) {
  return (
    <>
      {answer.gaps.map((g, i) => (
        <Partial key={i}>
          <b>{sentence(phrase(g.what))}</b> {sentence(g.why)} {sentence(g.consequence)}
        </Partial>
      ))}
    </>
  );
}
