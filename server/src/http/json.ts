/** How messages are read from JSON and written to it, on every path. */
export const JSON_OPTIONS = {
  // A field whose name is misspelt would be left out in silence.
  ignoreUnknownFields: false,
  // A counter that is 0 is there, too.
  alwaysEmitImplicit: true,
} as const;
