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
    merchantId: z.string().regex(/^\d{7,10}$/, 'must be 7 to 10 digits'),
    hashKey: z.string().min(1),
    hashIv: z.string().min(1),
    /** Stage: https://logistics-stage.ecpay.com.tw */
    baseUrl: url.default('https://logistics.ecpay.com.tw'),
    /** Where ECPay sends status reports: `https://…/webhooks/{connection}`, port 80 or 443. */
    serverReplyUrl: url.max(200),
    /** The sub-type used for home delivery and for each chain. A B2C account cannot create C2C parcels, nor the other way round. */
    services: z
      .strictObject({
        home: z.enum(HOME_SERVICES).default('TCAT'),
        UNIMART: z.enum(CVS_SERVICES.UNIMART).default('UNIMART'),
        FAMI: z.enum(CVS_SERVICES.FAMI).default('FAMI'),
        HILIFE: z.enum(CVS_SERVICES.HILIFE).default('HILIFE'),
        OKMART: z.enum(CVS_SERVICES.OKMART).default('OKMARTC2C'),
      })
      .prefault({}),
    /** True when your contract lets T-cat collect at the door through ECPay; its published rules and SDK refuse that. */
    homeCollection: z.boolean().default(false),
    /** Box size of home deliveries: 0001 60 cm, 0002 90 cm, 0003 120 cm, 0004 150 cm (length + width + height). */
    specification: z.enum(['0001', '0002', '0003', '0004']).default('0001'),
    /** Of an ECPay platform account only. */
    platformId: z
      .string()
      .regex(/^\d{7,10}$/)
      .optional(),
    quota: Limits.prefault({}),
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
