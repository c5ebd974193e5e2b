/** What an ECPay connection is configured with. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const HOME_SERVICES = ['TCAT', 'POST'] as const
export const CVS_SERVICES = {
  UNIMART: ['UNIMART', 'UNIMARTFREEZE', 'UNIMARTC2C'],
  FAMI: ['FAMI', 'FAMIC2C'],
  HILIFE: ['HILIFE', 'HILIFEC2C'],
  OKMART: ['OKMARTC2C'],
} as const

const url = z.url({ protocol: /^https?$/ })

/** A simulator on this machine: any port, no TLS. */
export const isLoopback = (address: string): boolean =>
  URL.canParse(address) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(address).hostname)

export const EcpayConfig = z
  .strictObject({
    merchantId: z
      .string()
      .regex(/^\d{7,10}$/, 'must be 7 to 10 digits')
      .describe('MerchantID, 7 to 10 digits, from the ECPay back office'),
    hashKey: z.string().min(1).describe('HashKey from the ECPay back office'),
    hashIv: z.string().min(1).describe('HashIV from the ECPay back office'),
    baseUrl: url
      .default('https://logistics.ecpay.com.tw')
      .describe('For trials https://logistics-stage.ecpay.com.tw; an address on this machine is taken for a simulator'),
    serverReplyUrl: url
      .max(200)
      .describe('Where ECPay sends status reports: https://…/webhooks/CONNECTION, on port 80 or 443; at most 200 characters'),
    services: z
      .strictObject({
        home: z.enum(HOME_SERVICES).default('TCAT'),
        UNIMART: z.enum(CVS_SERVICES.UNIMART).default('UNIMART'),
        FAMI: z.enum(CVS_SERVICES.FAMI).default('FAMI'),
        HILIFE: z.enum(CVS_SERVICES.HILIFE).default('HILIFE'),
        OKMART: z.enum(CVS_SERVICES.OKMART).default('OKMARTC2C'),
      })
      .prefault({})
      .describe(
        'The sub-type used for home delivery and for each chain. A bulk (B2C) account cannot create store-to-store (C2C) parcels, nor the other way round: use two connections',
      ),
    homeCollection: z
      .boolean()
      .default(false)
      .describe('True when your contract lets T-cat collect at the door through ECPay; its published rules and SDK refuse that'),
    specification: z
      .enum(['0001', '0002', '0003', '0004'])
      .default('0001')
      .describe('Box size of home deliveries: 0001 60 cm, 0002 90 cm, 0003 120 cm, 0004 150 cm (length + width + height)'),
    postLabel: z.enum(['A4', 'A6']).default('A4').describe('Paper of post office labels; A6 is for a thermal printer'),
    platformId: z
      .string()
      .regex(/^\d{7,10}$/)
      .optional()
      .describe('Of an ECPay platform account only'),
    quota: Limits.prefault({}).describe('Requests of this connection over all processes'),
  })
  .superRefine((config, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (isLoopback(config.baseUrl)) return
    if (!config.baseUrl.startsWith('https:')) wrong('baseUrl', 'must begin with https:')
    const { protocol, port, hostname } = new URL(config.serverReplyUrl)
    if (port !== '' && port !== '80' && port !== '443') wrong('serverReplyUrl', 'ECPay sends to ports 80 and 443 only')
    if (protocol === 'https:' && port === '80') wrong('serverReplyUrl', 'port 80 does not go with https:')
    if (isLoopback(config.serverReplyUrl) || hostname === '0.0.0.0')
      wrong('serverReplyUrl', 'must be reachable from the internet')
  })
export type EcpayConfig = z.infer<typeof EcpayConfig>
