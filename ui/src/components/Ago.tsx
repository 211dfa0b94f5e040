import { useEffect, useState } from "react";
import { ago, moment, until } from "../lib/format";

/** How long ago something was, kept true while the page is open; the moment itself on hover. */
export function Ago({ at, every = 10_000 }: { at: string; every?: number }) {
  useTick(every);
  return (
    <time dateTime={at} title={moment(at)} className="ago">
      {ago(at)}
    </time>
  );
}

/** When something will be; what is due is "now". */
export function Until({ at }: { at: string }) {
  useTick(10_000);
  return (
    <time dateTime={at} title={moment(at)} className="ago">
      {Date.parse(at) > Date.now() ? `in ${until(at)}` : "now"}
    </time>
  );
}

function useTick(every: number) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [every]);
}
