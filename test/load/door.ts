/** A caller of the HTTP door whose connections are kept. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

export class Door {
  readonly #agent: Agent;
  readonly #host: string;
  readonly #port: number;

  /**
   * @param address host:port
   * @param connections so many requests at a time; others wait for one of them
   */
  constructor(address: string, connections: number) {
    const { hostname, port } = new URL(`http://${address}`);
    this.#host = hostname;
    this.#port = Number(port);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  async get(path: string): Promise<string> {
    return text(await this.#ask("GET", path));
  }

  /** Calls a unary RPC by the Connect protocol, as JSON. */
  async call(rpc: string, request: object): Promise<unknown> {
    return JSON.parse(await text(await this.#ask("POST", `/taskwire.v1.${rpc}`, JSON.stringify(request))));
  }

  /** Reads server-sent events until the door is closed. Rejects when the stream ends before. */
  async events(path: string, onEvent: () => void): Promise<never> {
    const stream = await this.#ask("GET", path);
    for await (const line of createInterface({ input: stream })) if (line.startsWith("data: ")) onEvent();
    throw new Error(`${path} has ended`);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Resolves when an answer of status 200 begins. */
  #ask(method: string, path: string, body?: string): Promise<IncomingMessage> {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const options = { host: this.#host, port: this.#port, method, path, headers, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const request = httpRequest(options, (response) => {
        if (response.statusCode === 200) return resolve(response);
        text(response).then((answer) => reject(new Error(`${path}: ${response.statusCode} ${answer}`)), reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  }
}
