import { Link, useSearchParams } from "react-router";
import { api } from "../../api/client";
import { ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
import { More } from "../../components/More";
import { Page } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Answered, Empty, Partial } from "../../components/States";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { parted } from "../../lib/text";

const statuses = ["active", "stale", "resolved"] as const;

/** Attack paths, worst first. The filter lives in the URL, so a view can be shared. */
export function PathsPage() {
  const [params] = useSearchParams();
  const get = (name: string) => params.get(name) ?? undefined;
  const status = statuses.filter((s) => params.getAll("status").includes(s));
  const asked = api.useInfiniteQuery(
    "get",
    "/paths",
    {
      params: {
        query: {
          status: status.length ? status : undefined,
          risk: get("risk"),
          type: get("type"),
          cluster: get("cluster"),
          namespace: get("namespace"),
          entity: get("entity"),
          vulnerability: get("vulnerability"),
          q: get("q"),
          limit: 500,
        },
      },
    },
    {
      pageParamName: "cursor",
      initialPageParam: "",
      getNextPageParam: (last) => last.next || undefined,
      placeholderData: (old) => old,
    },
  );
  const schema = useVocabulary();
  const gaps = api.useQuery("get", "/status").data?.gaps.length ?? 0;
  const titles = schema?.pathTypes.map((t) => t.title) ?? [];
  const filters = (
    <>
      <TextFilter name="q" label="Words in title or names" />
      <ChoiceFilter name="status" label="Open" choices={statuses.map((s) => ({ value: s, label: s }))} />
      <ChoiceFilter
        name="risk"
        label="Any risk"
        choices={(schema?.risks ?? []).map((r) => ({ value: r, label: `at least ${r}` })).reverse()}
      />
      <ChoiceFilter
        name="type"
        label="Any type"
        choices={(schema?.pathTypes ?? []).map((t) => {
          const { lead, tail } = parted(t.title, titles);
          return { value: t.id, label: lead ? `… ${tail}` : tail };
        })}
      />
    </>
  );
  return (
    <Page title="Attack paths" aside={filters}>
      <Scope names={{ cluster: "cluster", namespace: "namespace", entity: "thing", vulnerability: "vulnerability" }} />
      <Answered asked={asked}>
        {({ pages }) => {
          const rows = pages.flatMap((p) => p.items),
            list = pages[0];
          return (
            list && (
              <>
                <p className="counts" role="status">
                  {plural(list.total, "attack path")} ·{" "}
                  {statuses.map((s) => `${count(list.counts[s] ?? 0)} ${s}`).join(" · ")}
                </p>
                {gaps > 0 && (
                  <Partial>
                    There may be more: <Link to="/coverage">{plural(gaps, "gap")}</Link> in what could be seen.
                  </Partial>
                )}
                {rows.length ? (
                  <PathTable rows={rows} sort="sort" short={false} />
                ) : (
                  <Empty title="No attack path matches">
                    No way from the internet was found for this filter. What could not be seen is listed under{" "}
                    <Link to="/coverage">Coverage</Link>.
                  </Empty>
                )}
                <More
                  shown={rows.length}
                  total={list.total}
                  busy={asked.isFetchingNextPage}
                  next={asked.hasNextPage ? () => void asked.fetchNextPage() : undefined}
                />
              </>
            )
          );
        }}
      </Answered>
    </Page>
  );
}
