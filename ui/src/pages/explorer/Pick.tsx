import { Button, Combobox, useCombobox } from "@mantine/core";
import { useEffect, useState, type KeyboardEvent, type ReactNode } from "react";

export interface Choice {
  key: string;
  group: string;
  label: string;
  sentence?: string;
  pick: () => void;
}
interface Props {
  /** What the button shows, and what it is called. */
  children: ReactNode;
  name: string;
  search: string;
  list: string;
  choices: () => Choice[];
  /** More choices, which only typing brings: there are too many to read. */
  more?: () => Choice[];
  chip?: boolean;
  open?: boolean;
  setOpen?: (open: boolean) => void;
}

const mostBeyond = 40;

/** A button that opens a list in which one is found by typing. */
export function Pick({ children, name, search: placeholder, list, choices, more, chip = false, open, setOpen }: Props) {
  const [search, setSearch] = useState("");
  const [own, setOwn] = useState(false);
  const shown = open ?? own,
    show = setOpen ?? setOwn;
  const box = useCombobox({ opened: shown, onOpenedChange: show, onDropdownClose: () => box.resetSelectedOption() });
  useEffect(() => {
    if (shown) box.focusSearchInput();
    else setSearch("");
  }, [shown]);
  useEffect(() => {
    if (search) box.selectFirstOption();
  }, [search]);
  const words = search.trim().toLowerCase();
  const has = (text: string) => text.toLowerCase().includes(words);
  const found = shown
    ? [
        ...choices().filter((c) => has(`${c.label} ${c.sentence ?? ""}`)),
        ...(words.length > 1 ? (more?.() ?? []).filter((c) => has(c.label)).slice(0, mostBeyond) : []),
      ]
    : [];
  const groups = [...new Set(found.map((c) => c.group))];
  const option = (c: Choice) => (
    <Combobox.Option key={c.key} value={c.key}>
      <span>{c.label}</span>
      {c.sentence && <small>{c.sentence}</small>}
    </Combobox.Option>
  );
  const opens = {
    "aria-label": name,
    "aria-haspopup": "listbox",
    "aria-expanded": shown,
    onClick: () => show(!shown),
  } as const;
  const escape = (e: KeyboardEvent) => {
    if (e.key === "Escape" && shown) {
      e.preventDefault();
      box.focusTarget();
    }
  };
  return (
    <span onKeyDown={escape}>
      <Combobox
        store={box}
        width={420}
        position="bottom-start"
        onOptionSubmit={(key) => {
          show(false);
          found.find((c) => c.key === key)?.pick();
        }}
      >
        <Combobox.Target withAriaAttributes={false}>
          {chip ? (
            <button type="button" className="chip kind" {...opens}>
              {children}
            </button>
          ) : (
            <Button size="compact-xs" variant="default" {...opens}>
              {children}
            </Button>
          )}
        </Combobox.Target>
        <Combobox.Dropdown>
          <Combobox.Search
            value={search}
            aria-label={list}
            placeholder={placeholder}
            onChange={(e) => setSearch(e.currentTarget.value)}
          />
          <Combobox.Options mah={360} className="options" aria-label={list}>
            {groups.map((group) =>
              group ? (
                <Combobox.Group key={group} label={group}>
                  {found.filter((c) => c.group === group).map(option)}
                </Combobox.Group>
              ) : (
                found.filter((c) => c.group === group).map(option)
              ),
            )}
            {found.length === 0 && <Combobox.Empty>Nothing of that name</Combobox.Empty>}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
    </span>
  );
}
