// Biome lints; ESLint is here for three rules that need types, and which Biome does not have in this quality.
import tseslint from "typescript-eslint";

export default [
  { ignores: ["**/dist/", "proto/", ".cache/", "**/*.mjs", "**/*.cjs", "**/vite.config.ts"] },
  {
    files: ["**/*.ts", "**/*.tsx"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: {
        tsconfigRootDir: import.meta.dirname,
        project: ["test/tsconfig.json", "server/dashboard/tsconfig.json"],
      },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      // A default counts: a number from the wire may be none of those that its type names.
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
];
