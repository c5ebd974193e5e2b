/** Our key of a refund, in the note that a vendor keeps with it: by it a repeat finds its first try, and a pull tells ours from theirs. */
export const withKey = (reason: string, key: string): string => `${reason} [${key}]`
export const keyIn = (note: string | null | undefined): string | null => /\[([^[\]]+)\]\s*$/.exec(note ?? '')?.[1] ?? null
