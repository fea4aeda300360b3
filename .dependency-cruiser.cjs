/** Who may import what. The tables are the rules; the functions below turn them into what dependency-cruiser reads. */

/** Inside the server: a part may import itself and the parts on its right. `app.ts`, `main.ts` and `testing.ts` join all. */
const PARTS = {
  lib: [],
  domain: ["lib"],
  config: ["domain", "lib"],
  observe: ["domain", "lib"],
  port: ["domain", "lib"],
  "store/redis": ["port", "domain", "observe", "lib"],
  "store/embedded": ["port", "domain", "observe", "lib"],
  "store/open": ["store/redis", "store/embedded", "port", "config", "domain", "observe", "lib"],
  // These three never see an adapter, and not each other.
  delivery: ["port", "domain", "observe", "lib"],
  maintenance: ["port", "domain", "observe", "lib"],
  stats: ["port", "domain", "observe", "lib"],
  auth: ["config", "domain", "lib"],
  api: ["delivery", "stats", "auth", "port", "domain", "observe", "lib"],
  grpc: ["api", "auth", "config", "domain", "observe", "lib"],
  http: ["api", "stats", "auth", "port", "config", "domain", "observe", "lib"],
};

/** Parts that are not simply a folder. */
const PATHS = {
  port: "store/(?!open\\.)[^/]+\\.ts$",
  "store/open": "store/open\\.ts$",
};

/** What only some may import, and who they are. */
const RESERVED = [
  { name: "ioredis", what: "node_modules/ioredis/", only: "^(server/src/store/redis/|test/)" },
  { name: "lmdb", what: "node_modules/lmdb/", only: "^server/src/store/embedded/" },
  { name: "prom-client", what: "node_modules/prom-client/", only: "^server/src/observe/" },
  // Wire types end at the edge of the server.
  {
    name: "wire-types",
    what: "^proto/gen/",
    only: "^(proto|client|worker-sdk|test|scripts)/|^server/src/(api|grpc|testing)|\\.test\\.ts$",
  },
];

/** Packages of ours: which others each may import, and the doors that those enter by. */
const PACKAGES = {
  proto: { imports: [], doors: "gen/(index|health|reflection|descriptors)\\.ts$" },
  client: { imports: ["proto"], doors: "src/(connection/)?index\\.ts$" },
  "worker-sdk": { imports: ["client", "proto"], doors: "src/(index|testing)\\.ts$" },
  server: { imports: ["proto"], doors: "src/testing\\.ts$" },
  test: { imports: ["proto", "client", "worker-sdk", "server"], doors: "" },
};

const TESTS = "(\\.test|-fixture|/fake-broker)\\.ts$|^test/|^scripts/|/examples/";

module.exports = {
  forbidden: [
    ...Object.entries(PARTS).map(partRule),
    ...RESERVED.map(reservedRule),
    ...Object.entries(PACKAGES).flatMap(packageRules),
    {
      name: "dashboard",
      comment: "runs in a browser: it knows the broker by its HTTP door only",
      severity: "error",
      from: { path: "^server/dashboard/" },
      to: { path: "^(proto|client|worker-sdk|server/src|test|scripts)/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, pathNot: "node_modules" },
    },
    {
      name: "declared-packages",
      comment: "what is published may import only what its package.json names as a dependency",
      severity: "error",
      from: { path: "^(proto|client|worker-sdk|server)/", pathNot: `${TESTS}|^server/dashboard/` },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^[^/]+/dist/" },
    tsConfig: { fileName: "tsconfig.base.json" },
    // Types count: a layer that names another's type depends on it.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ["source", "import", "node", "default"], exportsFields: ["exports"] },
  },
};

function partPath(part) {
  return `^server/src/${PATHS[part] ?? `${part}/`}`;
}

function partRule([part, allowed]) {
  return {
    name: `server-${part.replace("/", "-")}`,
    comment: `may import ${["itself", ...allowed].join(", ")}`,
    severity: "error",
    from: { path: partPath(part), pathNot: "\\.test\\.ts$" },
    to: { path: "^server/src/", pathNot: [part, ...allowed].map(partPath) },
  };
}

function reservedRule({ name, what, only }) {
  return { name: `only-${name}`, severity: "error", from: { pathNot: only }, to: { path: what } };
}

function packageRules([name, { imports }]) {
  const others = Object.keys(PACKAGES).filter((other) => other !== name);
  const from = { path: `^${name}/` };
  return others.map((other) => {
    const to = imports.includes(other)
      ? { path: `^${other}/`, pathNot: `^${other}/${PACKAGES[other].doors}` }
      : { path: `^${other}/` };
    return { name: `${name}-to-${other}`, severity: "error", from, to };
  });
}
