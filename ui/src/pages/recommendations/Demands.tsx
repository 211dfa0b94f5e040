import "./recommendations.css";
import { Link, useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { count, plural } from "../../lib/format";
import { imagesThat, vulnerabilitiesOf } from "../../lib/links";
import { sentence } from "../../lib/text";
import { changed } from "../../lib/url";

type Group = Schemas["RecommendationGroup"];

/** The two demands and how images stand; choosing one lists its updates only, choosing it again lists both. */
export function Demands({ groups }: { groups: Group[] }) {
  const [params] = useSearchParams();
  return (
    <ul className="demands">
      {groups.map((g) => {
        const chosen = params.get("about") === g.about;
        return (
          <li key={g.about} data-chosen={chosen || undefined}>
            <h2>
              <Link
                to={{ search: changed(params, { about: chosen ? undefined : g.about }).toString() }}
                aria-current={chosen || undefined}
                title={chosen ? "Show both" : "Show only these"}
              >
                {g.title}
              </Link>
            </h2>
            <p>{sentence(g.why)}</p>
            {g.images > 0 ? <Stand of={g} /> : <Nothing about={g.about} />}
          </li>
        );
      })}
    </ul>
  );
}

const stands = ["affected", "unknown", "clean"] as const;

/** Affected, unknown and clean images, as a bar with its words; each number opens what it counts. */
function Stand({ of: g }: { of: Group }) {
  return (
    <>
      <div className="stand" aria-hidden>
        {stands
          .filter((s) => g[s] > 0)
          .map((s) => (
            <span key={s} data-part={s} style={{ flexGrow: g[s] }} />
          ))}
      </div>
      <p className="numeric">
        {stands.map((s, i) => (
          <span key={s}>
            {i > 0 && ", "}
            {g[s] > 0 ? (
              <Link to={imagesThat(g.about, s)}>
                {count(g[s])} {s}
              </Link>
            ) : (
              `0 ${s}`
            )}
          </span>
        ))}{" "}
        of {plural(g.images, "image")}. {plural(g.updates, "update")} for{" "}
        <Link to={vulnerabilitiesOf(g.about)}>{plural(g.vulnerabilities, "vulnerability", "vulnerabilities")}</Link>,{" "}
        {count(g.unfixed)} of them without a fix in some package.
      </p>
    </>
  );
}

function Nothing({ about }: { about: Group["about"] }) {
  if (about === "registry")
    return (
      <p>
        No image of a registry was read yet: <Link to="/registries">connect a registry</Link>.
      </p>
    );
  return (
    <p>
      No running image was read yet: connect a cluster with <code>breakwater serve --from context:NAME</code>.
    </p>
  );
}
