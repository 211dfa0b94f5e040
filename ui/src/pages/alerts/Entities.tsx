import "./alert.css";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Icon } from "../../components/Icon";
import { Ref } from "../../components/Ref";
import { Severity } from "../../components/Severity";
import { Partial } from "../../components/States";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { short } from "../../lib/format";
import { pathPage } from "../../lib/links";

type Entity = Schemas["AlertEntity"];

const words: Record<Entity["role"], string> = { actor: "By", target: "To", place: "In", related: "With" };

/**
 * Who and what an alert names, each with what it means where the graph holds it: exposure, paths, reach.
 * A path stands by the first that lies on it.
 */
export function Entities({ of: all, cluster }: { of: Entity[]; cluster: string }) {
  const told = new Set<string>();
  const of = all.map((e) => ({ ...e, paths: e.paths.filter((p) => !told.has(p.id) && told.add(p.id)) }));
  const unknown = [...new Set(of.flatMap((e) => e.unknown))];
  return (
    <>
      <dl className="entities">
        {of.map((e, i) => (
          <div key={i}>
            <dt>{words[e.role]}</dt>
            <dd>
              <Named e={e} />
              <Meaning e={e} cluster={cluster} />
            </dd>
          </div>
        ))}
      </dl>
      {unknown.length > 0 && <Partial>Exposure, paths and reach may be incomplete: {unknown.join("; ")}.</Partial>}
    </>
  );
}

function Named({ e }: { e: Entity }) {
  const schema = useVocabulary();
  const more = e.detail && !e.detail.startsWith(e.name) ? e.detail : "";
  return (
    <div>
      {e.ref ? (
        <Ref to={e.ref} where={false} />
      ) : (
        <span className="ref">
          <Icon kind={e.kind} />
          <b>{short(e.name)}</b>
        </span>
      )}{" "}
      <small>
        {[
          kindLabel(schema, e.kind),
          e.namespace,
          e.exposed === true && "exposed to the internet",
          e.exposed === false && "not exposed to the internet",
        ]
          .filter(Boolean)
          .join(" · ")}
      </small>
      {more && (
        <>
          {" "}
          <code title={more}>{short(more)}</code>
        </>
      )}
    </div>
  );
}

function Meaning({ e, cluster }: { e: Entity; cluster: string }) {
  return (
    <>
      {e.paths.length > 0 && (
        <ul className="plain choice" aria-label={`Attack paths on which ${e.name} lies`}>
          {e.paths.map((p) => (
            <li key={p.id}>
              <Severity level={p.risk} /> <Link to={pathPage({ cluster, id: p.id })}>{p.title}</Link>
            </li>
          ))}
        </ul>
      )}
      {e.reaches.length > 0 && <small>From here: {e.reaches.join("; ")}.</small>}
    </>
  );
}
