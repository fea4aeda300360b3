import { defineConfig } from "vitest/config";

// Packages resolve to their sources: tests need no build. Only broker and fault tests start programs from dist.
const conditions = ["source", "node", "import", "default"];

/** The projects run one after the other, in this order, so that nothing else loads the machine while timing is tested. */
const projects = [
  {
    // Beside their sources. Patient enough for a machine that does other work as well.
    name: "unit",
    include: ["{server,client,worker-sdk}/src/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    fileParallelism: true,
  },
  {
    name: "store",
    include: ["test/store/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    fileParallelism: true,
  },
  { name: "broker", include: ["test/broker/**/*.test.ts"], testTimeout: 20_000, hookTimeout: 30_000 },
  { name: "faults", include: ["test/faults/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 30_000 },
  { name: "monitoring", include: ["test/monitoring/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
  // The hooks install and build what other languages need.
  { name: "clients", include: ["test/clients/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
  // Against the dashboard as it is built, in a real browser.
  {
    name: "dashboard",
    include: ["test/dashboard/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    fileParallelism: true,
  },
  { name: "examples", include: ["test/examples/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
];

export default defineConfig({
  test: {
    dangerouslyIgnoreUnhandledErrors: false,
    projects: projects.map(({ fileParallelism = false, ...project }, groupOrder) => ({
      resolve: { conditions },
      ssr: { resolve: { conditions } },
      test: {
        ...project,
        environment: "node",
        pool: "forks",
        // Two, not one for each core: store tests start servers of their own.
        maxWorkers: fileParallelism ? 2 : 1,
        sequence: { groupOrder },
        teardownTimeout: 10_000,
      },
    })),
  },
});
