import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Reason } from "../../components/Reason";
import { count, plural } from "../../lib/format";
import { registryPage } from "../../lib/links";
import { phrase, sentence } from "../../lib/text";

type Registry = Schemas["Registry"];

/** Whether its pictures may change by themselves soon. */
export const busy = (r: Registry) =>
  r.state === "waiting" || r.state === "reading" || r.images.queued + r.images.scanning > 0;

/** Whom the server signs in as. */
export function Account({ of: { account, accountFrom } }: { of: Pick<Registry, "account" | "accountFrom"> }) {
  return (
    <>
      {account || <span className="unknown">nobody</span>}
      {accountFrom && <small> {accountFrom}</small>}
    </>
  );
}

/** What is read of it. */
export function wanted({ filters: { repositories, tags } }: Pick<Registry, "filters">): string {
  const what = repositories.length ? repositories.join(", ") : "all repositories that it lists";
  return tags > 0 ? `${what}, at most ${plural(tags, "tag")} of each` : what;
}

/** What else says which images are read and when, each with its name; nothing for what nobody said. */
export function policy({ filters: f }: Pick<Registry, "filters">): [string, string][] {
  const all: [string, string][] = [
    ["Tags", f.tagNames.join(", ")],
    ["Made within", f.maxAge],
    ["Platforms", f.platforms.join(", ")],
    ["Read at most every", f.every],
    ["Read between", f.hours.length ? `${f.hours.join(", ")} UTC` : ""],
  ];
  return all.filter(([, said]) => said);
}

/** How it is reached. */
export function reached({ insecure, way }: Pick<Registry, "insecure" | "way">): string {
  return [
    insecure ? "plain HTTP" : "TLS",
    way.mirror && `at ${way.mirror}`,
    way.proxy === "none" ? "without a proxy" : way.proxy && `through ${way.proxy}`,
    way.authorities && "with an authority of its own",
  ]
    .filter(Boolean)
    .join(", ");
}

const rest = ["queued", "scanning", "failed", "unsupported"] as const;

/** Where the reading of its images stands: each number opens those. */
export function Queue({ host, counts }: { host: string; counts: Schemas["QueueCounts"] }) {
  return (
    <>
      <Link to={registryPage(host, { state: "done" })}>
        {count(counts.done)} of {plural(counts.total, "image")} read
      </Link>
      {rest
        .filter((s) => counts[s] > 0)
        .map((s) => (
          <span key={s}>
            {" "}
            ·{" "}
            <Link to={registryPage(host, { state: s })}>
              {count(counts[s])} {s}
            </Link>
          </span>
        ))}
    </>
  );
}

/** What the server may do there, and what stays unseen where it may not. */
export function Permissions({ of }: { of: Schemas["RegistryPermission"][] }) {
  if (of.length === 0) return <p>Nothing was tried yet.</p>;
  return (
    <ul className="plain permissions">
      {of.map((p) => (
        <li key={p.what} data-state={p.state}>
          <span className="mark" aria-hidden>
            {marks[p.state]}
          </span>
          <div>
            <b>{phrase(sentence(p.what))}</b> <span>{p.state}</span>
            {p.state !== "ok" && p.why && (
              <div>
                <Reason why={p.why} />
              </div>
            )}
            {p.state === "ok" && p.why && <small> {p.why}</small>}
            {p.blind && (
              <div>
                <small>Unseen therefore: {phrase(p.blind)}.</small>
              </div>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

const marks: Record<Schemas["RegistryPermission"]["state"], string> = { ok: "✓", refused: "✕", unknown: "?" };
