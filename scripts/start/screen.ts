/** Where the picture goes: redrawn in place on a terminal, a line each second elsewhere. */
import { createLogUpdate } from "log-update";
import { describe, draw, plainLine, type Scene } from "./picture.ts";

const DRAW_MS = 200;
const PLAIN_LINE_MS = 1_000;

export interface Screen {
  /** Begins to show the scene, until `stop`. */
  show(scene: Scene): void;
  /** Prints text that stays, above the picture. */
  say(text: string): void;
  /** Leaves the last picture where it is. */
  stop(): void;
}

export function openScreen(stream: NodeJS.WriteStream): Screen {
  return stream.isTTY ? terminal(stream) : plain(stream);
}

function terminal(stream: NodeJS.WriteStream): Screen {
  const update = createLogUpdate(stream);
  let timer: NodeJS.Timeout | undefined;
  let redraw = () => {};
  return {
    show: (scene) => {
      redraw = () => update(draw(scene, stream.columns));
      timer = setInterval(redraw, DRAW_MS);
      redraw();
    },
    say: (text) => {
      update.clear();
      stream.write(`${text}\n`);
      redraw();
    },
    stop: () => {
      clearInterval(timer);
      redraw();
      redraw = () => {};
      update.done();
    },
  };
}

/** A line when something has changed, and each failure when it is known what follows from it. */
function plain(stream: NodeJS.WriteStream): Screen {
  let timer: NodeJS.Timeout | undefined;
  let saidAt = 0;
  let told = 0;
  const say = (text: string) => void stream.write(`${text}\n`);
  const tell = ({ progress, failures, startedAt }: Scene) => {
    for (const failure of failures.all.slice(told)) {
      if (failure.fate.kind === "unknown") break;
      told++;
      say(describe(failure, startedAt));
    }
    if (progress.changedAt >= saidAt) say(plainLine(progress, startedAt));
    saidAt = Date.now();
  };
  return {
    show: (scene) => {
      timer = setInterval(() => tell(scene), PLAIN_LINE_MS);
    },
    say,
    stop: () => clearInterval(timer),
  };
}
