import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Prose } from "../../components/Prose";
import { Answered, Partial } from "../../components/States";
import { count, nameOf, plural } from "../../lib/format";
import { pathKey, pathPage } from "../../lib/links";
import { sentence } from "../../lib/text";

/** What would be different, were fixes done: asked only once some are chosen. What was said of others is not said of these. */
export function useWhatIf(fixes: string[], assume?: string) {
  return api.useQuery("post", "/what-if", { body: { fixes, assume } }, { enabled: fixes.length > 0, retry: false });
}

/** The paths that would be gone, by their keys. */
export function gone(answer: Schemas["WhatIf"] | undefined): Set<string> {
  return new Set(answer?.closed.map(pathKey));
}

/** The answer in words: paths that would go and come, and what works today and would not any more. */
export function WhatIf({
  asked,
  ends,
}: {
  asked: ReturnType<typeof useWhatIf>;
  /** Whether the path of the page would be gone, where there is one. */
  ends?: boolean;
}) {
  return (
    <Answered asked={asked}>
      {(d) => (
        <div className="whatif" role="status" aria-label="What if">
          <p>
            {ends !== undefined && (ends ? "This path would be gone. " : "This path would stay. ")}
            {plural(d.closed.length, "attack path")} would be gone, {count(d.kept)} would stay,{" "}
            {d.opened.length ? `${count(d.opened.length)} would open` : "none would open"}.
          </p>
          <Outlines title="Gone" paths={d.closed} />
          <Outlines title="New" paths={d.opened} />
          {d.changed.length > 0 && <p>The risk of {plural(d.changed.length, "path")} would change.</p>}
          <Unsure of={d} />
          <Lost answer={d} />
        </div>
      )}
    </Answered>
  );
}

function Outlines({ title, paths }: { title: string; paths: Schemas["Path"][] }) {
  if (paths.length === 0) return null;
  return (
    <details>
      <summary>
        {title} ({count(paths.length)})
      </summary>
      <ul className="plain">
        {paths.map((p) => (
          <li key={pathKey(p)}>
            {title === "Gone" ? (
              <Link to={pathPage(p)}>
                <s>{p.title}</s>
              </Link>
            ) : (
              p.title
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** What would be no longer found, and is not known to be gone; and what else nobody can say. */
export function Unsure({ of: { hidden, notKnown } }: { of: Pick<Schemas["Difference"], "hidden" | "notKnown"> }) {
  return (
    <>
      {hidden.map((h) => (
        <Partial key={pathKey(h.path)}>
          <b>Not known.</b> {h.path.title}: <Prose text={sentence(h.why)} />
        </Partial>
      ))}
      {notKnown.map((n) => (
        <Partial key={n}>
          <b>Not known.</b> <Prose text={sentence(n)} />
        </Partial>
      ))}
    </>
  );
}

type Losing = "lost" | "routesLost" | "permissionsLost" | "permissionsGone" | "notKnown" | "gaps";

/** What works today and would not any more. */
export function Lost({ answer }: { answer: Pick<Schemas["Difference"], Losing> }) {
  const { lost, routesLost, permissionsLost, permissionsGone, notKnown, gaps } = answer;
  if (routesLost + permissionsGone === 0)
    return (
      <p>
        No traffic and no permission that works today would be lost
        {notKnown.length + gaps.length > 0 && ", as far as could be seen"}.
      </p>
    );
  return (
    <details open>
      <summary>
        Would work no longer: {plural(routesLost, "route")}, {plural(permissionsGone, "permission")}
      </summary>
      <ul className="plain">
        {lost.map((l) => (
          <li key={`${l.from} ${l.to}`}>
            {end(l.from)} → {end(l.to)}: {l.before.join(", ")}
            {l.after.length > 0 && <> (then only {l.after.join(", ")})</>}
          </li>
        ))}
        {routesLost > lost.length && <li>and {plural(routesLost - lost.length, "more route")}</li>}
        {permissionsLost.map((p) => (
          <li key={`${p.identity} ${p.permission}`}>
            {nameOf(p.identity)}: {p.permission}
            {p.uncertain && <small> uncertain: {p.uncertain}</small>}
          </li>
        ))}
        {permissionsGone > permissionsLost.length && (
          <li>and {plural(permissionsGone - permissionsLost.length, "more permission")}</li>
        )}
      </ul>
    </details>
  );
}

const end = (id: string) => (id === "internet" ? "Internet" : nameOf(id));
