import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter, useLocation } from "react-router";
import type { Schemas } from "../api/client";
import { Vocabulary } from "../components/Vocabulary";

/** A page at a place, with nothing around it; its URL can be asked for with `at()`. */
export function show(page: ReactNode, at: string, schema?: Schemas["Schema"]) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <MemoryRouter initialEntries={[at]}>
          <Vocabulary.Provider value={schema}>{page}</Vocabulary.Provider>
          <Where />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

function Where() {
  const { pathname, search } = useLocation();
  return <output data-testid="at">{pathname + search}</output>;
}

export const at = () => screen.getByTestId("at").textContent;
