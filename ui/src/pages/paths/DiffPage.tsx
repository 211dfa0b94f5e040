import "./path.css";
import { Button } from "@mantine/core";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { ChoiceFilter } from "../../components/Filters";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { Answered, Empty, Partial } from "../../components/States";
import { count, plural } from "../../lib/format";
import { within } from "../../lib/scope";
import { changed, useAsked } from "../../lib/url";
import { Differing } from "./Differing";
import { Lost, Unsure } from "./WhatIf";

/** Two watched clusters compared: what would open and what would be gone, were one as the other is. */
export function DiffPage() {
  const { get } = useAsked();
  const [, setParams] = useSearchParams();
  const status = api.useQuery("get", "/status");
  const [base, head] = [get("base"), get("head")];
  const names = useMemo(() => status.data?.clusters.map((c) => c.name) ?? [], [status.data]);
  const choices = names.map((n) => ({ value: n, label: n }));
  const aside = names.length > 1 && (
    <>
      <ChoiceFilter name="base" label="Before" choices={choices} />
      <ChoiceFilter name="head" label="After" choices={choices} />
      {base && head && (
        <Button
          size="xs"
          variant="default"
          onClick={() => setParams((p) => changed(p, { base: head, head: base }), { replace: true })}
        >
          Swap
        </Button>
      )}
    </>
  );
  return (
    <Page title="Compare clusters" aside={aside}>
      <Answered asked={status}>
        {() =>
          names.length < 2 ? (
            <Single />
          ) : !base || !head ? (
            <Empty title="Choose two clusters">
              Shows the attack paths, traffic and permissions that only one of the two has: a cluster and its next
              version, or two that should be alike.
            </Empty>
          ) : base === head ? (
            <Empty title="A cluster is as it is">Choose two that differ.</Empty>
          ) : (
            <Compared base={base} head={head} />
          )
        }
      </Answered>
    </Page>
  );
}

/** There is nothing to compare with: of what is watched, or of what is looked at. */
function Single() {
  return within ? (
    <Empty title="One cluster is looked at">
      A comparison wants two. <a href="/diff">Look at all clusters</a>
    </Empty>
  ) : (
    <Empty title="There are not two clusters yet">
      A comparison wants two that are watched: start the server with a second <code>--from</code>. Two folders of
      manifests are compared on the command line: <code>breakwater diff --base main/deploy --head deploy</code>
    </Empty>
  );
}

function Compared({ base, head }: { base: string; head: string }) {
  const asked = api.useQuery("get", "/diff", { params: { query: { base, head } } }, { retry: false });
  return <Answered asked={asked}>{(d) => <Shown d={d} base={base} head={head} />}</Answered>;
}

function Shown({ d, base, head }: { d: Schemas["Difference"]; base: string; head: string }) {
  const same = d.opened.length + d.closed.length + d.changed.length + d.hidden.length === 0;
  return (
    <>
      <p className="counts" role="status" aria-label="Difference">
        Were <b>{base}</b> as <b>{head}</b> is: {plural(d.opened.length, "attack path")} would open,{" "}
        {count(d.closed.length)} would be gone, {count(d.kept)} would stay
        {d.changed.length > 0 && `, ${count(d.changed.length)} of them with another risk`}.
      </p>
      {d.gaps.length > 0 && (
        <Partial>
          There may be more: {plural(d.gaps.length, "gap")} in what could be seen of the two, told at the end.
        </Partial>
      )}
      {same && (
        <Empty title="The same attack paths">
          As far as could be seen, what an attacker could do is the same in {base} and {head}.
        </Empty>
      )}
      <Differing title="Would open" of={d.opened.map((path) => ({ path }))} base={base} head={head} />
      <Differing title="Would be gone" of={d.closed.map((path) => ({ path }))} base={base} />
      <Differing
        title="Would have another risk"
        of={d.changed.map((c) => ({ path: c.path, before: c.beforeRisk }))}
        base={base}
      />
      <Unsure of={d} />
      <Section title="What works today">
        <Lost answer={d} />
      </Section>
      {d.gaps.length > 0 && (
        <Section title={`What could not be seen (${count(d.gaps.length)})`}>
          <Gaps gaps={d.gaps} />
        </Section>
      )}
    </>
  );
}
