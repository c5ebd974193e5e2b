/** 0 good, 1 refused or found wrong, 2 misuse. */
export type ExitCode = 0 | 1 | 2

/** The command was asked for in a way it does not understand: exit 2. */
export class Misuse extends Error {
  override name = 'Misuse'
}
