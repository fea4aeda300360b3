/** The answering side of protocol.ts: a process that does what its parent asks. */
import type { Answer, Question } from "./protocol.ts";

type Command = (argument: never) => Promise<unknown>;

/** Answers the parent's questions until it goes away, and then ends the process. */
export function serve<Commands extends { [Name in keyof Commands]: Command }>(commands: Commands): void {
  process.on("message", (question: Question) => void answer(commands, question));
  // Without a parent nobody would end it.
  process.on("disconnect", () => process.exit(0));
}

async function answer(commands: object, { id, name, argument }: Question): Promise<void> {
  try {
    // The parent asks through the same interface: see ask.ts.
    const command = (commands as Record<string, Command>)[name];
    if (!command) throw new Error(`there is no command ${name}`);
    reply({ id, result: await command(argument as never) });
  } catch (error) {
    reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function reply(answer: Answer): void {
  process.send?.(answer);
}
