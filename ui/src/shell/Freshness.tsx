import { Button, Popover } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "react-router";
import type { Schemas } from "../api/client";
import { Ago } from "../components/Ago";
import { alike } from "../components/alike";
import { Unseen } from "../components/Gaps";
import { count, plural } from "../lib/format";
import { base, within } from "../lib/scope";
import { pages } from "./pages";

type Status = Schemas["Status"];

/** Which clusters every page speaks of: all of them, or the one that is chosen. */
export function Scope({ status }: { status: Status | undefined }) {
  const { pathname } = useLocation();
  const everywhere = useQuery({
    queryKey: ["clusters"],
    queryFn: async () => ((await (await fetch("/api/v1/status")).json()) as Status).clusters,
    enabled: within !== "",
  });
  const clusters = (within ? everywhere.data : status?.clusters) ?? [];
  const page = pages.some(([to]) => to === pathname) ? pathname : "/"; // a thing of one cluster is not there in another
  return (
    <Popover position="bottom-start" shadow="sm" trapFocus returnFocus>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="default"
          className="pick"
        >{`${within || `All clusters (${count(clusters.length)})`} ▾`}</Button>
      </Popover.Target>
      <Popover.Dropdown className="pop">
        {clusters.length === 0 && <p>No cluster was read yet.</p>}
        <ul className="plain">
          <li>
            <a href={page} aria-current={within === "" || undefined}>
              All clusters
            </a>
          </li>
          {clusters.map((c) => (
            <li key={c.name}>
              <a href={base(c.name) + page} aria-current={c.name === within || undefined}>
                {c.name}
              </a>{" "}
              <small>
                {c.state}
                {c.asOf && (
                  <>
                    , as of <Ago at={c.asOf} /> ago
                  </>
                )}
              </small>
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}

/** How old the picture is, by its oldest cluster, and what could not be seen. */
export function Freshness({ status, live }: { status: Status | undefined; live: boolean }) {
  const oldest = (status?.clusters ?? []).flatMap((c) => (c.asOf ? [c.asOf] : [])).sort()[0];
  const gaps = status?.gaps ?? [],
    told = alike(gaps);
  return (
    <div className="asof">
      <span>
        {oldest ? (
          <>
            as of <Ago at={oldest} every={5_000} /> ago
          </>
        ) : status ? (
          "no cluster read yet"
        ) : (
          "as of …"
        )}
      </span>
      <span role="status">{live ? "" : "not connected"}</span>
      <Popover position="bottom-end" shadow="sm" trapFocus returnFocus>
        <Popover.Target>
          <Button size="compact-sm" variant="default">
            {plural(gaps.length, "gap")} ▾
          </Button>
        </Popover.Target>
        <Popover.Dropdown className="pop">
          {gaps.length === 0 && (
            <p>
              {oldest
                ? "Everything that was asked for could be read."
                : "No cluster was read, so nothing was looked for."}
            </p>
          )}
          <ul className="plain">
            {told.slice(0, 6).map((g, i) => (
              <li key={i}>
                <small>{g.first.cluster}</small> <Unseen of={g} />
              </li>
            ))}
          </ul>
          <p>
            <Link to="/coverage">
              {told.length > 6
                ? `All ${count(gaps.length)} gaps, and what they mean`
                : "Coverage, and what the gaps mean"}
            </Link>
          </p>
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}
