import { Link, useSearchParams } from "react-router";
import { api } from "../../api/client";
import { AtLeast, ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Page } from "../../components/Page";
import { classes, PathTable } from "../../components/PathTable";
import { Empty, Partial } from "../../components/States";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { comparison, pathList } from "../../lib/links";
import { parted } from "../../lib/text";
import { changed, useAsked } from "../../lib/url";
import { Cut } from "./Cut";
import { Groups } from "./Groups";
import { useChosen } from "./useChosen";
import { gone, useWhatIf } from "./WhatIf";

const entries = ["known", "possible", "supply-chain"] as const;
const groups = ["target", "entry", "technique", "fix"] as const;
const statuses = ["active", "stale", "resolved"] as const;

/** Attack paths, worst first. The filter lives in the URL, so a view can be shared. */
export function PathsPage() {
  const { get, flag, one, any } = useAsked();
  const group = one("group", groups);
  const assume = get("assume");
  const filter = {
    status: any("status", statuses),
    risk: get("risk"),
    type: get("type"),
    cluster: get("cluster"),
    namespace: get("namespace"),
    entity: get("entity"),
    vulnerability: get("vulnerability"),
    q: get("q"),
    entryClass: any("entryClass", entries),
    target: get("target"),
    entry: get("entry"),
    technique: get("technique"),
    fix: get("fix"),
    assume,
  };
  const asked = api.useInfiniteQuery(
    "get",
    "/paths",
    { params: { query: { ...filter, group, limit: 500 } } },
    pageByPage,
  );
  const [params] = useSearchParams();
  const cut = flag("cut");
  const { chosen, toggle } = useChosen();
  const whatIf = useWhatIf(cut ? chosen : [], assume);
  const schema = useVocabulary();
  const status = api.useQuery("get", "/status").data;
  const gaps = status?.gaps.length ?? 0;
  const titles = schema?.pathTypes.map((t) => t.title) ?? [];
  const classCounts = asked.data?.pages[0]?.classes;
  const filters = (
    <>
      <TextFilter name="q" label="Words in title or names" />
      <ChoiceFilter
        name="entryClass"
        label="Any entry"
        choices={entries.map((e) => ({
          value: e,
          label: classCounts ? `${classes[e]} (${count(classCounts[e] ?? 0)})` : classes[e],
        }))}
      />
      <ChoiceFilter name="status" label="Open" choices={statuses.map((s) => ({ value: s, label: s }))} />
      <AtLeast name="risk" of={schema?.risks} />
      <ChoiceFilter
        name="type"
        label="Any type"
        choices={(schema?.pathTypes ?? []).map((t) => {
          const { lead, tail } = parted(t.title, titles);
          return { value: t.id, label: lead ? `… ${tail}` : tail };
        })}
      />
      <ChoiceFilter
        name="group"
        label="Not grouped"
        choices={groups.map((g) => ({ value: g, label: `by ${g === "entry" ? "what is entered" : g}` }))}
      />
    </>
  );
  return (
    <Page title="Attack paths" aside={filters}>
      <Scope
        names={{
          cluster: "cluster",
          namespace: "namespace",
          entity: "thing",
          vulnerability: "vulnerability",
          target: "target",
          entry: "into",
          technique: "technique",
          fix: "fix",
        }}
      />
      {assume && (
        <Partial>
          <b>Assumed:</b> an attacker is in {assume === "any" ? "any one thing that runs or can sign in" : assume}{" "}
          already. <Link to={pathList({ cluster: get("cluster") })}>Show what was found</Link>
        </Partial>
      )}
      <List asked={asked}>
        {(list, rows) => (
          <>
            <p className="counts" role="status">
              {plural(list.total, "attack path")} ·{" "}
              {assume
                ? "were an attacker there"
                : statuses.map((s) => `${count(list.counts[s] ?? 0)} ${s}`).join(" · ")}
              {list.total > 0 && (
                <>
                  {" · "}
                  <Link
                    to={{ search: changed(params, { cut: cut ? undefined : "true", whatif: undefined }).toString() }}
                  >
                    {cut ? "Close the fewest fixes" : "Fewest fixes"}
                  </Link>
                </>
              )}
              {!assume && (
                <>
                  {" · "}
                  <Link to={pathList({ assume: "any" })}>Assume breach anywhere</Link>
                </>
              )}
              {status && status.clusters.length > 1 && (
                <>
                  {" · "}
                  <Link to={comparison({ base: get("cluster") })}>Compare clusters</Link>
                </>
              )}
            </p>
            {gaps > 0 && (
              <Partial>
                There may be more: <Link to="/coverage">{plural(gaps, "gap")}</Link> in what could be seen.
              </Partial>
            )}
            {cut && <Cut {...{ filter, chosen, toggle, whatIf }} />}
            {group && list.groups && <Groups by={group} groups={list.groups} />}
            {rows.length ? (
              <PathTable
                rows={rows}
                sort="sort"
                short={false}
                assume={assume}
                gone={cut && chosen.length ? gone(whatIf.data) : undefined}
              />
            ) : assume ? (
              <Empty title="From there nothing that matters is reached">
                As far as could be seen; what could not is listed under <Link to="/coverage">Coverage</Link>.
              </Empty>
            ) : (
              <Empty title="No attack path matches">
                No way from the internet was found for this filter. What could not be seen is listed under{" "}
                <Link to="/coverage">Coverage</Link>.
              </Empty>
            )}
          </>
        )}
      </List>
    </Page>
  );
}
