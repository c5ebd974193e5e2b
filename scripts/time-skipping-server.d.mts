export declare const TEST_SERVER_VERSION: string
export declare function findTimeSkippingServer(options: { root: string; say?: (line: string) => void }): Promise<string>
