import { defineConfig } from "vitest/config";

// Packages resolve to their sources: tests need no build. Only broker and fault tests start programs from dist.
const conditions = ["source", "node", "import", "default"];

/**
 * The groups run one after the other, in this order; within one, two files at a time, not one for each core: many start
 * servers of their own. Faults and clients run alone, so that nothing else loads the machine while processes are killed and
 * counted, and while frames are held against the pages that show them.
 */
const groups = [
  {
    workers: 2,
    // Beside their sources. Patient enough for a machine that does other work as well.
    projects: [
      {
        name: "unit",
        include: ["{server,client,worker-sdk}/src/**/*.test.ts"],
        testTimeout: 20_000,
        hookTimeout: 20_000,
      },
    ],
  },
  {
    workers: 2,
    projects: [{ name: "store", include: ["test/store/**/*.test.ts"], testTimeout: 20_000, hookTimeout: 30_000 }],
  },
  {
    workers: 2,
    projects: [{ name: "broker", include: ["test/broker/**/*.test.ts"], testTimeout: 20_000, hookTimeout: 30_000 }],
  },
  {
    workers: 1,
    projects: [
      { name: "faults", include: ["test/faults/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 30_000 },
      // The hooks install and build what other languages need.
      { name: "clients", include: ["test/clients/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
    ],
  },
  {
    workers: 2,
    projects: [
      { name: "examples", include: ["test/examples/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      // Against the dashboard as it is built, in a real browser.
      { name: "dashboard", include: ["test/dashboard/**/*.test.ts"], testTimeout: 30_000, hookTimeout: 60_000 },
      { name: "monitoring", include: ["test/monitoring/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
    ],
  },
];

export default defineConfig({
  test: {
    dangerouslyIgnoreUnhandledErrors: false,
    projects: groups.flatMap(({ workers, projects }, groupOrder) =>
      projects.map((project) => ({
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          ...project,
          environment: "node",
          pool: "forks",
          maxWorkers: workers,
          sequence: { groupOrder },
          teardownTimeout: 10_000,
        },
      })),
    ),
  },
});
