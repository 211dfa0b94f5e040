import { Button } from "@mantine/core";
import { api, type Schemas } from "../../api/client";
import { Empty } from "../../components/States";
import { plural } from "../../lib/format";
import { partsOf, type Query } from "../../query/tree";
import { endOf, kindOf, say, verbOf } from "./words";

const most = 12;

/** Which line of a question leaves nothing: how much there is as far as each, and without it. */
export function Emptied({
  schema,
  query,
  unseen,
  change,
}: {
  schema: Schemas["Schema"];
  query: Query;
  unseen: boolean;
  change: (q: Query) => void;
}) {
  const parts = partsOf(query).slice(0, most);
  const kind = kindOf(schema, query.find.kinds);
  return (
    <Empty title="Nothing matches">
      {parts.length > 0 && (
        <>
          <p>So much is left as far as each line, and so much would be found without it:</p>
          <table className="emptied">
            <thead>
              <tr>
                <th scope="col">Line</th>
                <th scope="col">Up to here</th>
                <th scope="col">Without it</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{kind?.plural ?? "Find"}</th>
                <td>
                  <Number of={{ find: { ...query.find, where: undefined, with: undefined } }} kind={kind} />
                </td>
                <td />
              </tr>
              {parts.map((p, i) => (
                <tr key={i}>
                  <th scope="row">
                    {p.line
                      ? say(schema, kindOf(schema, p.node.kinds), p.line)
                      : p.rel && `${verbOf(schema, kindOf(schema, p.node.kinds), p.rel)} ${endOf(schema, p.rel)}`}
                  </th>
                  <td>
                    <Number of={p.upTo} kind={kind} />
                  </td>
                  <td>
                    <Button size="compact-xs" variant="default" onClick={() => change(p.without)}>
                      <Number of={p.without} kind={kind} />
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {unseen && <p>Below is what could not be seen: what is asked for may be there.</p>}
    </Empty>
  );
}

function Number({ of, kind }: { of: Query; kind: Schemas["KindInfo"] | undefined }) {
  const answer = api.useQuery("post", "/query", { body: { query: of, limit: 0 } }, { retry: false });
  if (answer.error) return <>cannot be asked</>;
  if (!answer.data || !("roots" in answer.data)) return <>…</>;
  return <>{plural(answer.data.roots, kind?.label.toLowerCase() ?? "thing", kind?.plural.toLowerCase())}</>;
}
