/**
 * A real system that we did not write and that our connector must agree with. Each peer keeps to itself: its packages, its
 * PostgreSQL and its logs lie in .cache/peers/NAME, it listens on 127.0.0.1 at free ports, and is stopped by process id.
 *
 * A peer's file (tests/peers/NAME.ts) exports `peer`: start() installs what is missing (place.ts: installNpm, installPython),
 * brings up its database (place.ts: startDatabase, which keeps the set-up for the next run and gives every run a fresh
 * copy) and its server (place.ts: startServer). What it cannot do it throws: a peer that does not start is a failure.
 */
export interface Peer<R extends RunningPeer = RunningPeer> {
  /** The folder's name, e.g. `tryton`. */
  name: string
  /** With its version, e.g. `Tryton 8.2.1`; as the table of results shows it. */
  title: string
  /** @param say tells one line of progress. */
  start(say: (line: string) => void): Promise<R>
}

export interface RunningPeer {
  /** e.g. `http://127.0.0.1:41234`, no slash at the end. */
  url: string
  /** A connection to it, as a configuration file has it: secrets included, all of it made up for this run. */
  connection: { connector: string; config: Record<string, unknown> }
  /** Ends its server and its database, by process id. Safe to call twice. */
  stop(): Promise<void>
}
