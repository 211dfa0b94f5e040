import type { Schemas } from "../../api/client";
import { Partial } from "../../components/States";
import { Ref } from "../../components/Ref";
import { Table } from "../../components/Table";

type Cell = Schemas["Cell"];

/** The rows of an answer; every thing is a link. */
export function Results({ answer, schema }: { answer: Schemas["Answer"]; schema: Schemas["Schema"] }) {
  return (
    <Table label="Results" rows={answer.rows} rowKey={(_, i) => String(i)} columns={answer.columns.map((c, i) => ({
      title: heading(c, schema), number: c.type === "int" || c.type === "float",
      cell: (row: Cell[]) => <Shown cell={row[i]} schema={schema} />,
    }))} />
  );
}

function heading(c: Schemas["Column"], schema: Schemas["Schema"]): string {
  const kinds = c.kinds?.map((k) => schema.kinds[k]?.label ?? k).join(" or ");
  return kinds ? `${kinds} (${c.name})` : c.name;
}

function Shown({ cell, schema }: { cell: Cell | undefined; schema: Schemas["Schema"] }) {
  if (cell === null || cell === undefined) return <span className="unknown">unknown</span>;
  if (Array.isArray(cell)) return <>{cell.join(", ")}</>;
  if (typeof cell !== "object") return <>{typeof cell === "boolean" ? (cell ? "yes" : "no") : String(cell)}</>;
  if ("edge" in cell) return <>{schema.edges[cell.edge]?.verb ?? cell.edge} <small>{Object.entries(cell.properties ?? {}).filter(([, v]) => v !== null && v !== "").map(([k, v]) => `${k}: ${String(v)}`).join(" · ")}</small></>;
  return <Ref to={cell} />;
}

/** What the answer could not see. */
Results.Gaps = function Gaps({ answer }: { answer: Schemas["Answer"] }) {
  return (
    <>
      {answer.partial && <Partial>Not the whole answer: {answer.partial}</Partial>}
      {answer.gaps.map((g, i) => <Partial key={i}><b>{g.what}</b>: {g.why}. {g.consequence}</Partial>)}
    </>
  );
};
