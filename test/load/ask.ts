/** The asking side of protocol.ts: a child process whose commands are called like functions. */
import { type ChildProcess, fork } from "node:child_process";
import { endWithParent, leave } from "../support/children.ts";
import type { Answer, Question } from "./protocol.ts";

/** A child process that answers `Commands`. */
export interface Asked<Commands> {
  readonly pid: number;
  readonly ask: Commands;
  /** kill -9. */
  kill(): Promise<void>;
  /** Lets it end by itself, so that it can write what it has to write. */
  end(): Promise<void>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the program `file`, written in TypeScript, with one argument as JSON. */
export function startAsked<Commands extends object>(
  file: string,
  argument: unknown,
  execArgv: readonly string[] = [],
): Asked<Commands> {
  const child = fork(file, [JSON.stringify(argument)], {
    execArgv: ["--import", "tsx", ...execArgv],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  endWithParent(child);
  const waiting = answersOf(child, file);
  let lastId = 0;
  const ask = (name: string, input: unknown) =>
    new Promise((resolve, reject) => {
      const question: Question = { id: ++lastId, name, argument: input };
      waiting.set(question.id, { resolve, reject });
      child.send(question, (error) => error && reject(error));
    });
  return {
    pid: child.pid ?? 0,
    // Every property is a question: serve.ts refuses the names that are not commands.
    ask: new Proxy({}, { get: (_, name) => (input: unknown) => ask(String(name), input) }) as Commands,
    kill: () => leave(child, () => child.kill("SIGKILL")),
    end: () => leave(child, () => child.disconnect()),
  };
}

/** Gives each answer to whoever asked; when the child is gone, nobody waits in vain. */
function answersOf(child: ChildProcess, file: string): Map<number, Waiting> {
  const waiting = new Map<number, Waiting>();
  child.on("message", (answer: Answer) => {
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) asker?.reject(new Error(answer.error));
    else asker?.resolve(answer.result);
  });
  child.once("exit", (code, signal) => {
    const gone = new Error(`${file} has ended: ${signal ?? `exit code ${code}`}`);
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  });
  return waiting;
}
