import { Button, Popover } from "@mantine/core";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { Ago } from "../components/Ago";
import { alike } from "../components/alike";
import { Unseen } from "../components/Gaps";
import { count, plural } from "../lib/format";
import { imageList, pathList, thingPage } from "../lib/links";

type Status = Schemas["Status"];

/** Which clusters a page speaks of: all of them. Each leads to what concerns it. */
export function Scope({ status }: { status: Status | undefined }) {
  const clusters = status?.clusters ?? [];
  return (
    <Popover position="bottom-start" shadow="sm" trapFocus returnFocus>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="default"
          className="pick"
        >{`All clusters (${count(clusters.length)}) ▾`}</Button>
      </Popover.Target>
      <Popover.Dropdown className="pop">
        {clusters.length === 0 && <p>No cluster was read yet.</p>}
        <ul className="plain">
          {clusters.map((c) => (
            <li key={c.name}>
              <Link to={thingPage("Cluster", `${c.name}/Cluster`)}>{c.name}</Link>{" "}
              <small>
                {c.state}
                {c.asOf && (
                  <>
                    , as of <Ago at={c.asOf} /> ago
                  </>
                )}
              </small>
              <div>
                <Link to={pathList({ cluster: c.name })}>Attack paths</Link> ·{" "}
                <Link to={imageList({ cluster: c.name })}>Images</Link>
              </div>
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
          {gaps.length === 0 && <p>Everything that was asked for could be read.</p>}
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
