import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { Answered, Loading } from "../../components/States";
import { count } from "../../lib/format";
import { recommendationList } from "../../lib/links";
import { RecommendationTable } from "./RecommendationTable";

const most = 5;

const scanned = (groups: Schemas["RecommendationGroup"][]) => groups.some((g) => g.images > g.unknown);

/** On another page: what to do about what that page shows, and where the rest of it is. */
export function Recommended({
  of = {},
  title = "What to do",
  none,
}: {
  of?: { image?: string; vulnerability?: string };
  title?: string;
  none: string;
}) {
  const asked = api.useQuery("get", "/recommendations", { params: { query: { ...of, limit: most } } });
  const total = asked.data?.total ?? 0,
    shown = asked.data?.items.length ?? 0;
  const number = asked.data && (shown < total ? `(${count(shown)} of ${count(total)})` : `(${count(total)})`);
  return (
    <Section
      title={number ? `${title} ${number}` : title}
      aside={
        total > 0 && <Link to={recommendationList(of)}>{shown < total ? "All of them" : "As recommendations"}</Link>
      }
    >
      <Answered asked={asked} loading={<Loading rows={3} label="Loading recommendations" />}>
        {(list) =>
          list.items.length ? (
            <RecommendationTable rows={list.items} />
          ) : (
            <p>{scanned(list.groups) ? none : "No image was wholly scanned yet, so what to update is unknown."}</p>
          )
        }
      </Answered>
    </Section>
  );
}
