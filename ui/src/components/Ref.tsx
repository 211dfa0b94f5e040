import { createContext, useContext, type MouseEvent } from "react";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { nameOf, short } from "../lib/format";
import { thingPage } from "../lib/links";
import { Icon } from "./Icon";
import { kindLabel, useVocabulary } from "./Vocabulary";

export type Thing = Pick<Schemas["Ref"], "kind" | "id">;

/** Where a page has room beside its content, a plain click on a name opens the thing there. */
export const Beside = createContext<((thing: Thing) => void) | undefined>(undefined);

/** A thing's name as a link to its page, with its kind's shape and where it is. */
export function Ref({ to, where = true, icon = true }: { to: Schemas["Ref"]; where?: boolean; icon?: boolean }) {
  const schema = useVocabulary();
  const open = useContext(Beside);
  const place = [to.cluster, to.namespace].filter(Boolean).join(" · ");
  const beside = (e: MouseEvent) => {
    if (!open || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    open(to);
  };
  return (
    <span className="ref">
      {icon && <Icon kind={to.kind} />}
      <Link to={thingPage(to.kind, to.id)} title={`${kindLabel(schema, to.kind)} ${to.id}`} onClick={beside}>
        <Name of={short(to.name || nameOf(to.id))} />
      </Link>
      {where && place && <small>{place}</small>}
    </span>
  );
}

/** A long name with folders, such as an image's: where room is short the folders give way, not the end. */
export function Name({ of }: { of: string }) {
  const at = of.lastIndexOf("/") + 1;
  return at < 12 ? (
    of
  ) : (
    <span className="name">
      <span>{of.slice(0, at)}</span>
      <span>{of.slice(at)}</span>
    </span>
  );
}

export function Refs({ of, none }: { of: Schemas["Ref"][]; none: string }) {
  return of.length ? (
    <ul className="plain">
      {of.map((r) => (
        <li key={`${r.kind} ${r.id}`}>
          <Ref to={r} />
        </li>
      ))}
    </ul>
  ) : (
    <p>{none}</p>
  );
}
