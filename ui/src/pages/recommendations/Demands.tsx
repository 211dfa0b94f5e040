import "./recommendations.css";
import { Link, useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { imageList, vulnerabilityList } from "../../lib/links";
import { sentence } from "../../lib/text";

type Group = Schemas["RecommendationGroup"];

/** The two demands and how images stand; choosing one lists its updates only, choosing it again lists both. */
export function Demands({ groups }: { groups: Group[] }) {
  const [params] = useSearchParams();
  return (
    <ul className="demands">{groups.map((g) => {
      const chosen = params.get("about") === g.about, next = new URLSearchParams(params);
      if (chosen) next.delete("about"); else next.set("about", g.about);
      return (
        <li key={g.about} data-chosen={chosen || undefined}>
          <h2><Link to={{ search: next.toString() }} aria-current={chosen || undefined} title={chosen ? "Show both" : "Show only these"}>{g.title}</Link></h2>
          <p>{sentence(g.why)}</p>
          {g.images > 0 ? <Stand of={g} /> : <Nothing about={g.about} />}
        </li>
      );
    })}</ul>
  );
}

/** Affected, clean and unknown images, as a bar with its words. */
function Stand({ of: g }: { of: Group }) {
  const schema = useVocabulary();
  const running = g.about === "running" ? "true" : undefined;
  return (
    <>
      <div className="stand" aria-hidden>{(["affected", "unknown", "clean"] as const).map((s) => g[s] > 0 && <span key={s} data-part={s} style={{ flexGrow: g[s] }} />)}</div>
      <p className="numeric">
        {running ? <Link to={imageList({ running, severity: schema?.severities[0] })}>{count(g.affected)} affected</Link> : `${count(g.affected)} affected`}, {count(g.clean)} clean, {g.unknown > 0 ? <Link to="/coverage">{count(g.unknown)} unknown</Link> : "0 unknown"} of {plural(g.images, "image")}.{" "}
        {plural(g.updates, "update")} for {running ? <Link to={vulnerabilityList({ running })}>{plural(g.vulnerabilities, "vulnerability", "vulnerabilities")}</Link> : plural(g.vulnerabilities, "vulnerability", "vulnerabilities")}, {count(g.unfixed)} of them without a fix in some package.
      </p>
    </>
  );
}

function Nothing({ about }: { about: Group["about"] }) {
  if (about === "registry") return <p>No image of a registry was read yet: <Link to="/registries">connect a registry</Link>.</p>;
  return <p>No running image was read yet: connect a cluster with <code>breakwater serve --from context:NAME</code>.</p>;
}
