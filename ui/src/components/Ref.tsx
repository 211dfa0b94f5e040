import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { short } from "../lib/format";
import { thingPage } from "../lib/links";

/** A thing's name as a link to its page, with where it is. */
export function Ref({ to, where = true }: { to: Schemas["Ref"]; where?: boolean }) {
  const place = [to.cluster, to.namespace].filter(Boolean).join(" · ");
  return (
    <span className="ref">
      <Link to={thingPage(to.kind, to.id)} title={`${to.kind} ${to.id}`}>{short(to.name || to.id)}</Link>
      {where && place && <small>{place}</small>}
    </span>
  );
}
