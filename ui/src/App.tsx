import { MantineProvider, createTheme } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { Route, Routes } from "react-router";
import { Shell } from "./Shell";
import { Empty } from "./components/States";
import { CoveragePage } from "./pages/coverage/CoveragePage";
import { EntityPage } from "./pages/entity/EntityPage";
import { ExplorerPage } from "./pages/explorer/ExplorerPage";
import { HomePage } from "./pages/home/HomePage";
import { ImagePage } from "./pages/images/ImagePage";
import { ImagesPage } from "./pages/images/ImagesPage";
import { PathPage } from "./pages/paths/PathPage";
import { PathsPage } from "./pages/paths/PathsPage";
import { SignInPage } from "./pages/signin/SignInPage";
import { VulnerabilitiesPage } from "./pages/vulnerabilities/VulnerabilitiesPage";
import { VulnerabilityPage } from "./pages/vulnerabilities/VulnerabilityPage";

const theme = createTheme({ primaryColor: "dark", primaryShade: { light: 7, dark: 3 }, autoContrast: true, defaultRadius: "sm", respectReducedMotion: true });

export function App() {
  const [queries] = useState(() => new QueryClient({ defaultOptions: { queries: { retry: (n, e) => n < 1 && (e as { status?: number } | null)?.status !== 401, staleTime: 5_000 } } }));
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Routes>
          <Route path="/sign-in" element={<SignInPage />} />
          <Route element={<Shell />}>
            <Route index element={<HomePage />} />
            <Route path="/explorer" element={<ExplorerPage />} />
            <Route path="/paths" element={<PathsPage />} />
            <Route path="/path" element={<PathPage />} />
            <Route path="/vulnerabilities" element={<VulnerabilitiesPage />} />
            <Route path="/vulnerability" element={<VulnerabilityPage />} />
            <Route path="/images" element={<ImagesPage />} />
            <Route path="/image" element={<ImagePage />} />
            <Route path="/entity" element={<EntityPage />} />
            <Route path="/coverage" element={<CoveragePage />} />
            <Route path="*" element={<Empty title="There is no such page" />} />
          </Route>
        </Routes>
      </QueryClientProvider>
    </MantineProvider>
  );
}
