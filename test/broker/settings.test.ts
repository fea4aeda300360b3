/** What the broker says to settings that it does not take: it leaves with 2 and a sentence. */
import { describe, expect, test } from "vitest";
import { runBroker } from "../support/broker.ts";

describe("a broker that is started", () => {
  test.for([
    [["--nope"], "--nope is not a setting of the broker; see --help"],
    [["--data-dri", "x"], "--data-dri is not a setting of the broker, did you mean --data-dir? See --help"],
    [["--max-lost"], "option '--max-lost <value>' argument missing; see --help"],
    [["redis"], "too many arguments. Expected 0 arguments but got 1; see --help"],
    [["--max-lost", "many"], '--max-lost is "many": must be a whole number from 0 to 1000'],
    [["--max-lost", "1001"], '--max-lost is "1001": must be a whole number from 0 to 1000'],
    [["--max-lost="], '--max-lost is "": must be a whole number from 0 to 1000'],
    [["--store", "foo"], '--store is "foo": must be one of embedded, redis'],
    [["--warm-up", "maybe"], '--warm-up is "maybe": must be true or false'],
    [["--insecure=false"], "--insecure takes no value: leave =false out; see --help"],
    [["--insecrue=false"], "--insecrue is not a setting of the broker, did you mean --insecure? See --help"],
    [["--data-dir="], '--data-dir is "": must not be empty'],
    [["--grpc-listen", "127.0.0.1:65536"], '--grpc-listen is "127.0.0.1:65536": must have a port from 0 to 65535'],
    [["--grpc-listen", "0.0.0.0:50051"], "--grpc-listen is 0.0.0.0, which others can reach, without encryption"],
    [["--http-listen", "here"], '--http-listen is "here": must be host:port, such as 127.0.0.1:8080, or off'],
    [["--http-listen", "0.0.0.0:8080"], "--http-listen is 0.0.0.0, which others can reach, without encryption"],
    [["--grpc-listen", "[::]:50051"], "--grpc-listen is ::, which others can reach, without encryption"],
    [["--http-allowed-hosts", "http://a.example"], "must be names of hosts without ports"],
  ] as const)("with %j leaves with 2 and says why", async ([flags, sentence]) => {
    const { code, stdout, stderr } = await runBroker(flags);

    expect(stderr).toContain(sentence);
    expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 2, stdout: "", lines: 1 });
  });

  test("with settings of the environment that it does not know leaves with 2 and names all", async () => {
    const { code, stderr } = await runBroker([], { TASKWIRE_REDIS_ULR: "redis://x", TASKWIRE_NOPE: "1" });

    expect(stderr).toContain("TASKWIRE_REDIS_ULR is not a setting of the broker, did you mean TASKWIRE_REDIS_URL?");
    expect(stderr).toContain("TASKWIRE_NOPE is not a setting of the broker; see --help");
    expect(code).toBe(2);
  });

  test("with --help tells its settings, and leaves with 0", async () => {
    const { code, stdout, stderr } = await runBroker(["--help"]);

    expect(stdout).toContain("--require-durability <value>");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
