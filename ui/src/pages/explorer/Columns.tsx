import { ActionIcon } from "@mantine/core";
import type { Schemas } from "../../api/client";
import { columns, setColumns, shownNodes, type Item, type Query } from "../../query/tree";
import { propertyOf } from "./Editor";
import { Pick, type Choice } from "./Pick";
import { kindOf } from "./words";

type Schema = Schemas["Schema"];

const same = (a: Item, b: Item) => a.of === b.of && a.prop === b.prop && Boolean(a.count) === Boolean(b.count);

/** What the answer shows of each row: things, their properties, and how many there are. */
export function Columns({ schema, query, change }: { schema: Schema; query: Query; change: (q: Query) => void }) {
  const now = columns(query),
    nodes = shownNodes(query.find);
  const kindAt = (of: string | undefined) => kindOf(schema, nodes.find((n) => n.as === of)?.kinds);
  const title = (i: Item) => {
    const kind = kindAt(i.of),
      name = kind?.label ?? i.of ?? "";
    if (i.count) return `count of ${kind?.plural ?? name}`;
    return i.prop ? `${name} · ${propertyOf(kind, i.prop)?.label ?? i.prop}` : name;
  };
  const choices = (): Choice[] =>
    nodes.flatMap((n) => {
      const kind = kindOf(schema, n.kinds),
        of = n.as;
      if (!kind || !of) return [];
      const items: { item: Item; sentence: string }[] = [
        { item: { of }, sentence: kind.sentence },
        { item: { of, count: true, distinct: true }, sentence: "How many there are for the other columns." },
        ...[...kind.menu.properties, ...kind.menu.insights].map((p) => ({
          item: { of, prop: p.name },
          sentence: p.sentence,
        })),
      ];
      return items
        .filter(({ item }) => !now.some((c) => same(c, item)))
        .map(({ item, sentence }) => ({
          key: `${of} ${item.prop ?? ""} ${item.count ? "count" : ""}`,
          group: kind.plural,
          label: title(item),
          sentence,
          pick: () => change(setColumns(query, [...now, item])),
        }));
    });
  return (
    <span className="columns" role="group" aria-label="Columns">
      Columns
      {now.map((c, i) => (
        <span className="chip" key={`${c.of} ${c.prop ?? ""} ${c.count ? "count" : ""}`}>
          {title(c)}
          {now.length > 1 && (
            <ActionIcon
              size="xs"
              variant="subtle"
              color="gray"
              aria-label={`Hide the column ${title(c)}`}
              onClick={() =>
                change(
                  setColumns(
                    query,
                    now.filter((_, j) => j !== i),
                  ),
                )
              }
            >
              ✕
            </ActionIcon>
          )}
        </span>
      ))}
      <Pick name="Add a column" search="Kind or property" list="What can be shown" choices={choices}>
        +
      </Pick>
    </span>
  );
}
