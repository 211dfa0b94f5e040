import { Button } from "@mantine/core";
import { useSearchParams } from "react-router";
import { count } from "../lib/format";

/** Under a list of which only a part was asked for: how much there is, and the rest. */
export function More({ shown, total, next, busy }: { shown: number; total: number; next?: () => void; busy: boolean }) {
  const [params] = useSearchParams();
  if (!next) return null;
  return (
    <div className="more">
      <span>
        {count(shown)} of {count(total)}, the first in the server's order
        {params.has("sort") && "; only these are sorted here"}.
      </span>
      <Button size="compact-sm" variant="default" loading={busy} onClick={next}>
        Show more
      </Button>
    </div>
  );
}
