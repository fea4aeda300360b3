import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/ui/",
  publicDir: false,
  build: {
    // Beside the compiled broker, which serves it.
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    target: "es2022",
    // An image within the script or the style would need more than default-src 'self'.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
