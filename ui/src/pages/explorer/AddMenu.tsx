import { Button, Combobox, useCombobox } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Schemas } from "../../api/client";
import type { Expr } from "../../query/tree";

type Connection = Schemas["ConnectionChoice"];
interface Choice { key: string; group: string; label: string; sentence: string; pick: () => void }
interface Props {
  title: string; menu: Schemas["Menu"]; open: boolean; setOpen: (open: boolean) => void;
  condition: (line: Expr, complete: boolean) => void; connection: (c: Connection, to: string) => void;
}

/** The + beside a kind: its insights, properties and connections, found by typing. */
export function AddMenu({ title, menu, open, setOpen, condition, connection }: Props) {
  const [search, setSearch] = useState("");
  const box = useCombobox({ opened: open, onOpenedChange: setOpen, onDropdownOpen: () => box.focusSearchInput(), onDropdownClose: () => { box.resetSelectedOption(); setSearch(""); } });
  useEffect(() => { if (open) box.focusSearchInput(); }, [open]); // eslint-disable-line
  const words = search.trim().toLowerCase();
  const found = choices(menu, condition, connection).filter((c) => `${c.label} ${c.sentence}`.toLowerCase().includes(words));
  return (
    <Combobox store={box} width={420} position="bottom-start" onOptionSubmit={(key) => { setOpen(false); found.find((c) => c.key === key)?.pick(); }}>
      <Combobox.Target withAriaAttributes={false}>
        <Button size="compact-xs" variant="default" aria-label={`Add to ${title}`} aria-haspopup="listbox" aria-expanded={open} onClick={() => setOpen(!open)}>+</Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search value={search} aria-label={`What to add to ${title}`} placeholder="Insight, property or connection" onChange={(e) => { setSearch(e.currentTarget.value); box.selectFirstOption(); }} />
        <Combobox.Options mah={360} className="options" aria-label={`What can be added to ${title}`}>
          {open && ["Connections", "Insights", "Properties"].map((group) => {
            const of = found.filter((c) => c.group === group);
            return of.length > 0 && (
              <Combobox.Group key={group} label={group}>
                {of.map((c) => <Combobox.Option key={c.key} value={c.key}><span>{c.label}</span><small>{c.sentence}</small></Combobox.Option>)}
              </Combobox.Group>
            );
          })}
          {found.length === 0 && <Combobox.Empty>Nothing of that name</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function choices(menu: Schemas["Menu"], condition: Props["condition"], connection: Props["connection"]): Choice[] {
  return [
    ...menu.connections.flatMap((c) => c.to.map((to) => ({
      key: `c:${c.edge}:${c.dir}:${to.name}`, group: "Connections", sentence: c.sentence,
      label: c.composed ? c.label : `${c.label} ${to.plural}`, pick: () => connection(c, to.name),
    }))),
    ...menu.insights.map((p) => ({ key: `i:${p.name}`, group: "Insights", label: p.label, sentence: p.sentence, pick: () => condition({ prop: p.name }, true) })),
    ...menu.properties.map((p) => ({
      key: `p:${p.name}`, group: "Properties", label: p.label, sentence: p.sentence, pick: () => condition(initial(p), p.type === "bool"),
    })),
  ];
}

/** A new condition begins with the way of asking that people mean most often. */
function initial(p: Schemas["PropertyChoice"]): Expr {
  const op = ["CONTAINS", ">=", "="].find((o) => p.ops.includes(o)) ?? p.ops[0];
  return op ? { prop: p.name, op } : { prop: p.name };
}
