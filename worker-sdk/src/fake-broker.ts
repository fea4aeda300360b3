/** A broker for the SDK's own tests: speaks the wire, keeps nothing, and does what each test tells it. */
import { once } from "node:events";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import {
  type Delivery,
  type Hello,
  type Settle,
  SettleTasksRequest,
  SettleTasksResponse,
  SubscribeRequest,
  SubscribeResponse,
  type Task,
  type TokenResult,
  WorkerServiceDefinition,
} from "@taskwire/proto";

type Request = NonNullable<SubscribeRequest["frame"]>;
type Response = NonNullable<SubscribeResponse["frame"]>;
type RequestOf<Case extends Request["$case"]> = Extract<Request, { $case: Case }>["value"];

export interface FakeBrokerOptions {
  /** Sent in Welcome. */
  readonly heartbeatMs?: number;
  readonly sessionTimeoutMs?: number;
  /** Answers every Settle at once; otherwise the test does. Default true. */
  readonly autoConfirm?: boolean;
  /** Answers SettleTasks. Default: all are settled. */
  readonly settleTasks?: (request: SettleTasksRequest) => Promise<TokenResult[]>;
}

/** One Subscribe stream, seen from the broker. */
export class FakeSession {
  readonly call: ServerDuplexStream<Request | undefined, Response>;
  readonly received: Request[] = [];
  hasEnded = false;
  #lastTag = 0;
  #waiting: { check: () => boolean; resolve: () => void }[] = [];

  constructor(
    call: ServerDuplexStream<Request | undefined, Response>,
    onFrame: (session: FakeSession, frame: Request) => void,
  ) {
    this.call = call;
    call.on("data", (frame: Request | undefined) => {
      if (!frame) return;
      this.received.push(frame);
      onFrame(this, frame);
      this.#wake();
    });
    const end = () => {
      this.hasEnded = true;
      this.#wake();
    };
    call.on("end", end);
    call.on("cancelled", end);
    call.on("error", end);
  }

  get hello(): Hello {
    const [first] = this.received;
    if (first?.$case !== "hello") throw new Error("the first frame is not a Hello");
    return first.value;
  }

  send(frame: Response): void {
    this.call.write(frame);
  }

  /** Delivers tasks in one frame; returns their tags. */
  deliver(...tasks: readonly Partial<Task>[]): number[] {
    const deliveries = tasks.map((task) => this.#delivery(task));
    this.send({ $case: "deliver", value: { deliveries } });
    return deliveries.map(({ tag }) => tag);
  }

  all<Case extends Request["$case"]>($case: Case): RequestOf<Case>[] {
    // The filter makes sure of it; the compiler does not see it.
    return this.received.filter((frame) => frame.$case === $case).map((frame) => frame.value) as RequestOf<Case>[];
  }

  /** All that was settled so far, by tag. */
  get settled(): Map<number, Settle["outcomes"][number]["result"]> {
    const settled = new Map<number, Settle["outcomes"][number]["result"]>();
    for (const { ackTags, outcomes } of this.all("settle")) {
      for (const tag of ackTags) settled.set(tag, { $case: "ack", value: { result: new Uint8Array() } });
      for (const { tag, result } of outcomes) settled.set(tag, result);
    }
    return settled;
  }

  /** Resolves once `check` is true; it is asked again after each frame and at the end. */
  until(check: () => boolean): Promise<void> {
    if (check()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ check, resolve }));
  }

  untilSettled(count: number): Promise<void> {
    return this.until(() => this.settled.size >= count);
  }

  /** Ends the stream with an error. */
  breakOff(): void {
    this.call.emit("error", { code: status.UNAVAILABLE, details: "broken off by the test" });
  }

  #delivery(task: Partial<Task>): Delivery {
    const tag = ++this.#lastTag;
    const defaults = { id: `task-${tag}`, type: "email", queue: "email", payload: new Uint8Array(), contentType: "" };
    const rest = {
      headers: {},
      priority: 0,
      maxRetries: undefined,
      retry: undefined,
      timeout: undefined,
      enqueueTime: undefined,
    };
    return {
      tag,
      attempt: 1,
      deadlineTime: undefined,
      leaseToken: `token-${tag}`,
      task: { ...defaults, ...rest, ...task },
    };
  }

  #wake(): void {
    const ready = this.#waiting.filter(({ check }) => check());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}

export class FakeBroker {
  readonly sessions: FakeSession[] = [];
  readonly settledByToken: SettleTasksRequest[] = [];
  port = 0;
  readonly #options: FakeBrokerOptions;
  #server = new Server();
  #arrivals: (() => void)[] = [];

  constructor(options: FakeBrokerOptions = {}) {
    this.#options = options;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Listens on a free port, or again on the one that it had. */
  async start(): Promise<this> {
    this.#server = new Server();
    const { subscribe, settleTasks } = WorkerServiceDefinition.methods;
    this.#server.addService(
      {
        subscribe: {
          path: `/${WorkerServiceDefinition.fullName}/${subscribe.name}`,
          requestStream: true,
          responseStream: true,
          requestDeserialize: (bytes: Buffer) => SubscribeRequest.decode(bytes).frame,
          requestSerialize: () => Buffer.alloc(0),
          responseSerialize: (frame: Response) => Buffer.from(SubscribeResponse.encode({ frame }).finish()),
          responseDeserialize: () => undefined,
        },
        settleTasks: {
          path: `/${WorkerServiceDefinition.fullName}/${settleTasks.name}`,
          requestStream: false,
          responseStream: false,
          requestDeserialize: (bytes: Buffer) => SettleTasksRequest.decode(bytes),
          requestSerialize: () => Buffer.alloc(0),
          responseSerialize: (response: SettleTasksResponse) =>
            Buffer.from(SettleTasksResponse.encode(response).finish()),
          responseDeserialize: () => undefined,
        },
      },
      {
        subscribe: (call: ServerDuplexStream<Request | undefined, Response>) => this.#subscribe(call),
        settleTasks: (
          call: ServerUnaryCall<SettleTasksRequest, SettleTasksResponse>,
          done: sendUnaryData<SettleTasksResponse>,
        ) => {
          void this.#settleTasks(call.request).then((results) => done(null, { results }));
        },
      },
    );
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    return this;
  }

  /** The n-th session, from 1, once its Hello has come. */
  async session(n: number): Promise<FakeSession> {
    while (this.sessions.length < n) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    const session = this.sessions[n - 1];
    if (!session) throw new Error(`there is no session ${n}`);
    return session;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #subscribe(call: ServerDuplexStream<Request | undefined, Response>): void {
    const session = new FakeSession(call, (_, frame) => this.#answer(session, frame));
    void once(call, "end").then(
      () => call.end(),
      () => {},
    );
  }

  #answer(session: FakeSession, frame: Request): void {
    const { heartbeatMs = 10_000, sessionTimeoutMs = 30_000, autoConfirm = true } = this.#options;
    if (frame.$case === "hello") {
      session.send({
        $case: "welcome",
        value: {
          sessionId: `session-${this.sessions.length + 1}`,
          heartbeatInterval: toDuration(heartbeatMs),
          sessionTimeout: toDuration(sessionTimeoutMs),
          window: frame.value.window,
          notices: [],
        },
      });
      this.sessions.push(session);
      const arrivals = this.#arrivals;
      this.#arrivals = [];
      for (const resolve of arrivals) resolve();
    } else if (frame.$case === "stopDelivery") {
      session.send({ $case: "deliveryStopped", value: { lastTag: 0 } });
    } else if (frame.$case === "settle" && autoConfirm) {
      session.send({ $case: "settleResult", value: { settleId: frame.value.settleId, rejections: [] } });
    }
  }

  async #settleTasks(request: SettleTasksRequest): Promise<TokenResult[]> {
    this.settledByToken.push(request);
    const all = async () => request.outcomes.map(() => ({ settled: true, reason: 0 as const, message: "" }));
    return (this.#options.settleTasks ?? all)(request);
  }
}

function toDuration(ms: number): { seconds: number; nanos: number } {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 };
}

/** A pino destination that keeps what was logged. */
export class LogLines {
  readonly lines: Record<string, unknown>[] = [];

  write(line: string): void {
    this.lines.push(JSON.parse(line));
  }

  named(msg: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line["msg"] === msg);
  }
}
