import "./path.css";
import { Button, CopyButton } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { Page, Section } from "../../components/Page";
import { WithPane } from "../../components/Pane";
import { Prose } from "../../components/Prose";
import { Severity } from "../../components/Severity";
import { Answered, LoadingThing, Partial } from "../../components/States";
import { useVocabulary } from "../../components/Vocabulary";
import { GraphView } from "../../graph/GraphView";
import { drawing } from "../../graph/model";
import { moment, plural } from "../../lib/format";
import { pathKey, pathList } from "../../lib/links";
import { sentence } from "../../lib/text";
import { changed } from "../../lib/url";
import { Evidence } from "./Evidence";
import { Fixes } from "./Fixes";
import { StepButton } from "./StepButton";
import { useChosen } from "./useChosen";
import { Vulnerabilities } from "./Vulnerabilities";
import { gone, useWhatIf, WhatIf } from "./WhatIf";

/** One attack path: the picture, why we say so, and what to do. */
export function PathPage() {
  const [params] = useSearchParams();
  const path = api.useQuery("get", "/path", {
    params: {
      query: {
        cluster: params.get("cluster") ?? "",
        id: params.get("id") ?? "",
        assume: params.get("assume") ?? undefined,
      },
    },
  });
  return (
    <Page
      title={path.data?.path.title ?? "Attack path"}
      aside={
        path.data && (
          <>
            <Severity level={path.data.path.risk} />
            <CopyButton value={globalThis.location.href}>
              {({ copied, copy }) => (
                <Button size="xs" w={96} px={4} variant="default" onClick={copy}>
                  {copied ? "Copied" : "Copy link"}
                </Button>
              )}
            </CopyButton>
          </>
        )
      }
    >
      <Answered asked={path} loading={<LoadingThing />}>
        {(data) => <Shown key={data.path.id} data={data} />}
      </Answered>
    </Page>
  );
}

function Shown({ data }: { data: Schemas["PathPage"] }) {
  const { path } = data;
  const schema = useVocabulary();
  const [choice, setChoice] = useState<{ id: string; focus?: string }>();
  const chosen = choice?.id;
  const choose = (id: string | undefined, byKey = false) =>
    setChoice(id === undefined ? undefined : { id, focus: byKey ? id : undefined });
  const [params, setParams] = useSearchParams();
  const { chosen: tried, toggle: tryFix } = useChosen();
  const whatIf = useWhatIf(data.untried ? [] : tried, params.get("assume") ?? undefined);
  const ended = !data.untried && tried.length > 0 && gone(whatIf.data).has(pathKey(path));
  const all = params.get("routes") === "all";
  const setAll = (to: boolean) => {
    choose(undefined);
    setParams(changed(params, { routes: to ? "all" : undefined }), { replace: true, preventScrollReset: true });
  };
  const drawn = useMemo(() => drawing(path, schema), [path, schema]);
  const stepAt = (n: number) => drawn.edges.find((e) => e.number === n)?.id;
  const show = (n: number, byKey: boolean) => choose(stepAt(n), byKey);
  return (
    <>
      <p className="counts" role="status">
        <Link to={pathList({ cluster: path.cluster })}>{path.cluster}</Link> ·{" "}
        {path.namespace && (
          <>
            <Link to={pathList({ cluster: path.cluster, namespace: path.namespace })}>{path.namespace}</Link> ·{" "}
          </>
        )}
        since <Ago at={data.firstSeen} /> ·{" "}
        <span className="status" data-status={data.status}>
          {data.status}
        </span>{" "}
        · {plural(path.pods, "pod")} in {plural(path.workloads, "workload")}
      </p>
      {data.staleReason && (
        <Partial>
          Not judged again: <Prose text={sentence(data.staleReason)} />
        </Partial>
      )}
      <AcceptedOnPath all={data.accepted ?? []} />
      {path.uncertain.map((u) => (
        <Partial key={u}>
          <b>Uncertain.</b> <Prose text={sentence(u)} />
        </Partial>
      ))}
      {path.unseen?.map((u) => (
        <Partial key={u}>
          <b>Not seen.</b> <Prose text={sentence(u)} />
        </Partial>
      ))}
      <WithPane
        pane={
          chosen && (
            <Evidence
              chosen={chosen}
              drawing={drawn}
              path={path}
              focus={choice?.focus}
              close={() => choose(undefined)}
            />
          )
        }
      >
        <GraphView
          drawing={drawn}
          chosen={chosen}
          choose={choose}
          fixed={data.status === "resolved" || ended}
          others={path.also.length > 0 ? Math.max(1, path.alternatives) : 0}
          all={all}
          setAll={setAll}
        />
        <div className="beside">
          <Section title="Story">
            <ol className="story">
              {path.story.map((s, i) => (
                <li key={i}>
                  <StepButton number={i + 1} known={stepAt(i + 1) !== undefined} show={show} />
                  <span>
                    <Prose text={s} />
                  </span>
                </li>
              ))}
            </ol>
            <p>
              <Prose text={path.why} />
            </p>
          </Section>
          <Fixes path={path} show={show} tried={tried} tryFix={tryFix} untried={data.untried}>
            {tried.length > 0 && !data.untried && <WhatIf asked={whatIf} ends={ended} />}
          </Fixes>
        </div>
        <Vulnerabilities path={path} />
        <div className="beside">
          <Section title={`Why this risk: ${path.riskScore} of 100`}>
            <dl className="factors">
              {path.riskFactors.map((f) => (
                <div key={f.name}>
                  <dt>
                    {f.points > 0 ? "+" : "−"}
                    {Math.abs(f.points)}
                  </dt>
                  <dd>
                    {sentence(f.name)} <small>{f.why}</small>
                  </dd>
                </div>
              ))}
            </dl>
          </Section>
          <Section title="History">
            <ul className="plain">
              {data.history.map((h, i) => (
                <li key={i}>
                  <time dateTime={h.at}>{moment(h.at)}</time> {h.what}
                </li>
              ))}
            </ul>
          </Section>
        </div>
      </WithPane>
    </>
  );
}

/** What people accepted of the vulnerabilities that open the path: it is there all the same. */
function AcceptedOnPath({ all }: { all: Schemas["AcceptedOnPath"][] }) {
  if (all.length === 0) return null;
  const most = 5;
  return (
    <Partial>
      <b>Accepted, and the path is there all the same.</b>{" "}
      {all
        .slice(0, most)
        .map(
          ({ id, package: name, exception: e }) =>
            `${id} in ${name}: ${e.expired ? `ended with ${e.until} and counts again` : `until ${e.until}`} (${e.reason}, ${e.author})`,
        )
        .join("; ")}
      {all.length > most && `; and ${plural(all.length - most, "more", "more")}`}.
    </Partial>
  );
}
