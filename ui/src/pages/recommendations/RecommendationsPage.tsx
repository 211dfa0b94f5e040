import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { AtLeast, ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Page } from "../../components/Page";
import { Empty, Partial } from "../../components/States";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { useAsked } from "../../lib/url";
import { Demands } from "./Demands";
import { RecommendationTable } from "./RecommendationTable";

const abouts = ["running", "registry"] as const;
const yes = (label: string) => [{ value: "true", label }];

/** What to do about vulnerabilities, what matters most first. The filter lives in the URL. */
export function RecommendationsPage() {
  const { get, flag, one } = useAsked();
  const schema = useVocabulary();
  const about = one("about", abouts);
  const asked = api.useInfiniteQuery(
    "get",
    "/recommendations",
    {
      params: {
        query: {
          about,
          q: get("q"),
          severity: get("severity"),
          cluster: get("cluster"),
          image: get("image"),
          vulnerability: get("vulnerability"),
          exposed: flag("exposed"),
          paths: flag("paths"),
          limit: 200,
        },
      },
    },
    pageByPage,
  );
  const filters = (
    <>
      <TextFilter name="q" label="Package, CVE or image" />
      <AtLeast name="severity" of={schema?.severities} />
      <ChoiceFilter name="exposed" label="Exposed or not" choices={yes("exposed pods")} />
      <ChoiceFilter name="paths" label="Any place" choices={yes("on attack paths")} />
    </>
  );
  return (
    <Page title="Recommendations" aside={filters}>
      <Scope names={{ image: "image", vulnerability: "vulnerability", cluster: "cluster" }} />
      <List asked={asked}>
        {(list, rows) => {
          const groups = list.groups.filter((g) => !about || g.about === about);
          return (
            <>
              <Demands groups={list.groups} />
              <Unknown groups={groups} />
              <p className="counts" role="status">
                {count(list.total)} of {plural(list.of, "recommendation")}
              </p>
              {rows.length ? (
                <RecommendationTable rows={rows} sort="sort" short={false} />
              ) : (
                <None groups={groups} updates={list.of} />
              )}
            </>
          );
        }}
      </List>
    </Page>
  );
}

type Group = Schemas["RecommendationGroup"];

const sum = (groups: Group[], of: "images" | "unknown") => groups.reduce((n, g) => n + g[of], 0);

function Unknown({ groups }: { groups: Group[] }) {
  const unknown = sum(groups, "unknown");
  if (unknown === 0) return null;
  return (
    <Partial>
      There may be more: {plural(unknown, "image")} of {count(sum(groups, "images"))} {unknown === 1 ? "was" : "were"}{" "}
      never scanned, or not wholly. <Link to="/coverage">Which, and why</Link>.
    </Partial>
  );
}

/** Nothing to do means something only where images were scanned. */
function None({ groups, updates }: { groups: Group[]; updates: number }) {
  const scanned = sum(groups, "images") - sum(groups, "unknown");
  if (updates > 0)
    return (
      <Empty title="No recommendation matches">
        None of {plural(updates, "update")} fits this filter. <Link to="/recommendations">Show all</Link>.
      </Empty>
    );
  if (scanned === 0)
    return (
      <Empty title="No image was wholly scanned yet">
        Updates that fix vulnerabilities appear here once images are scanned: those that a cluster runs, and those of{" "}
        <Link to="/registries">connected registries</Link>. None is known in what was read.
      </Empty>
    );
  return (
    <Empty title="Nothing to update">
      None of {plural(scanned, "image")} that could be judged wholly has a vulnerability that an update fixes.
    </Empty>
  );
}
