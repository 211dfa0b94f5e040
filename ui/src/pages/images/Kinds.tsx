import { Link } from "react-router";
import { api } from "../../api/client";
import { useVocabulary } from "../../components/Vocabulary";
import { count } from "../../lib/format";
import { question } from "../../lib/links";

/** Within a sentence; ConfigMap stays as it is. */
const lower = (label: string) => (/.[A-Z]/.test(label) ? label : label.toLowerCase());

const groups = ["Kubernetes", "Identity"];

/** What else the inventory holds: each kind that was read, with how many there are, opens its list. */
export function Kinds() {
  const schema = useVocabulary();
  const clusters = api.useQuery("get", "/status").data?.clusters ?? [];
  const total = new Map<string, number>();
  for (const c of clusters)
    for (const [kind, n] of Object.entries(c.counts)) total.set(kind, (total.get(kind) ?? 0) + n);
  const kinds = Object.values(schema?.kinds ?? {}).filter(
    (k) => groups.includes(k.group) && (total.get(k.name) ?? 0) > 0,
  );
  if (kinds.length === 0) return null;
  return (
    <p className="counts">
      Also:{" "}
      {kinds.map((k, i) => (
        <span key={k.name}>
          {i > 0 && " · "}
          <Link to={question(`MATCH (x:${k.name})\nRETURN x`)}>
            {count(total.get(k.name) ?? 0)} {lower(total.get(k.name) === 1 ? k.label : k.plural)}
          </Link>
        </span>
      ))}
    </p>
  );
}
