import { Spotlight, closeSpotlight, openSpotlight } from "@mantine/spotlight";
import { useEffect, useLayoutEffect, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import { api } from "../api/client";
import { thingPage } from "../lib/links";
import { pages } from "./pages";

/**
 * ⌘K: any thing by name, CVE, digest or address, and the pages. Nothing that is
 * typed after the shortcut may be lost: the field is there and has the focus
 * before the next key (no transition), and Enter waits for the answer.
 */
export function Palette() {
  const [typed, setTyped] = useState("");
  const [entered, setEntered] = useState(""); // the words that Enter was pressed for, before they were answered
  const go = useNavigate();
  const words = typed.trim();
  const hits = api.useQuery(
    "get",
    "/search",
    { params: { query: { q: words } } },
    { enabled: words.length > 1, placeholderData: (old) => old },
  );
  const has = (text: string) => text.toLowerCase().includes(words.toLowerCase());
  // What was found for fewer letters stays until the answer comes, if it has these too.
  const found = (words.length > 1 ? (hits.data ?? []) : []).filter(
    (h) => !hits.isPlaceholderData || has(`${h.ref.name} ${h.ref.id} ${h.matched ?? ""}`),
  );
  const actions = [
    ...pages
      .filter(([, title]) => has(title))
      .map(([to, title]) => ({ id: to, label: title, description: "Page", onClick: () => void go(to) })),
    ...found.map((h) => ({
      id: `${h.ref.kind} ${h.ref.id}`,
      label: h.ref.name || h.ref.id,
      description: [h.kindLabel, h.ref.cluster, h.ref.namespace, h.matched].filter(Boolean).join(" · "),
      onClick: () => void go(thingPage(h.ref.kind, h.ref.id)),
    })),
  ];
  const [best] = actions;
  const take = () => {
    setEntered("");
    best?.onClick();
    closeSpotlight();
  };
  /** Enter without a choice takes the first hit: the best one stands on top. The library must not see it: without a list it throws. */
  const enter = (e: KeyboardEvent<HTMLInputElement>) => {
    if (e.key !== "Enter" || document.querySelector(".mantine-Spotlight-action[data-selected]")) return;
    e.stopPropagation();
    if (best) take();
    else setEntered(words);
  };
  useEffect(() => {
    if (best && entered && entered === words) take();
  });
  useShortcut();
  const nothing = hits.error
    ? "The server could not be asked"
    : hits.isFetching
      ? "Searching …"
      : words.length > 1
        ? "Nothing of that name"
        : "Type two letters or more";
  return (
    <Spotlight
      actions={actions}
      query={typed}
      onQueryChange={setTyped}
      filter={(_, all) => all}
      nothingFound={nothing}
      shortcut={null}
      transitionProps={{ duration: 0 }}
      scrollable
      maxHeight={400}
      searchProps={{
        autoFocus: true,
        placeholder: "Name, CVE, digest or address",
        "aria-label": "Search anything",
        onKeyDownCapture: enter,
      }}
    />
  );
}

/** ⌘K or Ctrl+K opens, from the moment the page can be seen: a layout effect, not one after painting. */
function useShortcut() {
  useLayoutEffect(() => {
    const open = (e: globalThis.KeyboardEvent) => {
      if (e.key.toLowerCase() !== "k" || !(e.metaKey || e.ctrlKey) || e.altKey || e.shiftKey) return;
      e.preventDefault();
      openSpotlight();
    };
    document.addEventListener("keydown", open);
    return () => document.removeEventListener("keydown", open);
  }, []);
}
