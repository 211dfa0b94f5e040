import { Button } from "@mantine/core";
import { keepPreviousData } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSearchParams } from "react-router";
import { count } from "../lib/format";
import { Answered } from "./States";

/** How a list is asked for: one page after the other; what was listed stays in sight while others are on their way. */
export const pageByPage = {
  pageParamName: "cursor",
  initialPageParam: "",
  getNextPageParam: (last: { next?: string }) => last.next || undefined,
  placeholderData: keepPreviousData,
};

interface Asked<P> {
  data: { pages: P[] } | undefined;
  error: unknown;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Draws a list as far as it was asked for. Its first page tells of all; under the rows stands how to get the rest. */
export function List<P extends { items: unknown[]; total?: number }>({
  asked,
  total = (list) => list.total ?? 0,
  below,
  children,
}: {
  asked: Asked<P>;
  total?: (list: P) => number;
  below?: (list: P) => ReactNode;
  children: (list: P, rows: P["items"]) => ReactNode;
}) {
  return (
    <Answered asked={asked}>
      {({ pages }) => {
        const rows = pages.flatMap((p) => p.items),
          list = pages[0];
        return (
          list && (
            <>
              {children(list, rows)}
              {asked.hasNextPage && (
                <More
                  shown={rows.length}
                  total={total(list)}
                  busy={asked.isFetchingNextPage}
                  next={() => void asked.fetchNextPage()}
                />
              )}
              {below?.(list)}
            </>
          )
        );
      }}
    </Answered>
  );
}

/** Under a list of which only a part was asked for: how much there is, and the rest. */
function More({ shown, total, next, busy }: { shown: number; total: number; next: () => void; busy: boolean }) {
  const [params] = useSearchParams();
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
