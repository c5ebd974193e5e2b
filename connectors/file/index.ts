/** The channel whose orders come as files that a person uploads, e.g. momo's supplier workbook. It has no network side. */
import { z } from 'zod'
import { incomingOrderOf } from '../kit/incoming.ts'
import type { Connector } from '../kit/types.ts'

export const FileConfig = z.strictObject({
  channel: z.string().min(1).describe('Where the orders were sold, e.g. `momo`.'),
  shop: z.string().min(1).describe('The account within the channel.'),
  profile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The Excel or CSV profile its files are read with, e.g. `momo`; without it, it is guessed from the headers of each file.',
    ),
  paysBackItself: z
    .boolean()
    .default(false)
    .describe('Whether the channel pays the buyer of a cancelled order back by itself, as a marketplace does.'),
  zone: z.string().default('Asia/Taipei').describe("Time zone of the file's times, which name none."),
})
export type FileConfig = z.infer<typeof FileConfig>

export const file: Connector<FileConfig> = {
  name: 'file',
  title: 'Order files',
  kind: 'file',
  configSchema: FileConfig,
  secretFields: [],
  check: async () => ({ ok: true, problems: [] }),
  identity: ({ config }) => ({ channel: config.channel, shop: config.shop }),
  paysBackItself: (config) => config.paysBackItself,
  mapOrder: ({ name, config }, { externalId, payload }) =>
    incomingOrderOf(payload, { channel: config.channel, shop: config.shop, connection: name, externalId }),
}
