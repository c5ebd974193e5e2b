export declare const TEMPORAL_CLI_VERSION: string
export declare const TEMPORAL_CLI_MINIMUM: string
export declare function findTemporal(options: {
  root: string
  say?: (line: string) => void
  env?: NodeJS.ProcessEnv
}): Promise<{ address: string } | { binary: string; version: string }>
export declare function namesTemporal(env: NodeJS.ProcessEnv): boolean
