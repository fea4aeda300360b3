/** What the handlers know of a call, whichever door it came through. */

export interface CallContext {
  /** Aborted when the caller is gone, or its deadline has passed. */
  readonly signal: AbortSignal;
}

/** Answers one request with one response. */
export type UnaryHandler<Request, Response> = (request: Request, context: CallContext) => Promise<Response>;

/** Answers one request with any number of responses. */
export type ServerStreamHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => AsyncIterable<Response>;

/** The broker's side of a stream of frames both ways. */
export interface FrameStream {
  /** Sends an encoded message; false when the reader is behind. */
  send(frame: Buffer): boolean;
  /** Ends the stream well, after what was sent. */
  end(): void;
  /** Ends the stream with the status of an error. */
  fail(error: unknown): void;
}

/** What the broker does with the frames of a stream. */
export interface FrameHandler {
  /** How many frames were read and not answered: when the stream fails, what they did is unknown to the caller. */
  readonly unanswered: number;
  /** An encoded message came. May throw: the stream then fails. The next is not read before a returned promise has settled. */
  frame(bytes: Buffer): Promise<void> | void;
  /** The reader has caught up. */
  drained(): void;
  /** The caller closed its side; it still reads. */
  ended(): void;
  /** The stream is over, whatever the reason. Called once, last. */
  closed(): void;
}

/** Takes a new stream. May throw: the stream then fails. */
export type BidiHandler = (stream: FrameStream) => FrameHandler;
