/** One task, as a handler sees it. Fields are decoded when they are read. */
export interface Task<Payload = unknown> {
  /** Unique within its queue; unique for ever when the broker chose it. */
  readonly id: string;
  /** What kind of work; picked the handler. */
  readonly type: string;
  /** The queue it stood in. */
  readonly queue: string;
  /**
   * The input: the decoded value when the content type is `application/json`, else the bytes. The type parameter is a
   * promise of the producer, not a check.
   * @throws InvalidPayload when it says that it is JSON and is not
   */
  readonly payload: Payload;
  /** The input as it came. A view: copy it if you keep it longer than the handler runs. */
  readonly bytes: Uint8Array;
  /** The media type of the payload; empty when the producer named none. */
  readonly contentType: string;
  /** What travels with the task, such as a trace context. */
  readonly headers: Readonly<Record<string, string>>;
  /** Higher is handed out first. */
  readonly priority: number;
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  /** When the broker accepted it, by the clock of the store. */
  readonly enqueuedAt: Date;
}
