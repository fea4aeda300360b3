/** Something that runs from `start` to `stop`. Both may be called twice. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
