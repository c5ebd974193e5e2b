// A Vendure shop in Taiwan with three products: node main.mjs set-up | serve, in the folder that holds its node_modules.
// Environment: DATABASE_URL, PORT, SUPERADMIN_PASSWORD.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(join(process.cwd(), 'package.json'))
const vendure = require('@vendure/core')
const { importProductsFromCsv, populateInitialData } = require('@vendure/core/cli')
const setUp = process.argv[2] === 'set-up'

const config = vendure.mergeConfig(vendure.defaultConfig, {
  apiOptions: { hostname: '127.0.0.1', port: Number(process.env.PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: ['bearer'],
    superadminCredentials: { identifier: 'superadmin', password: process.env.SUPERADMIN_PASSWORD },
    cookieOptions: { secret: 'no-cookies-here' },
  },
  dbConnectionOptions: { type: 'postgres', url: process.env.DATABASE_URL, synchronize: setUp, logging: false },
  importExportOptions: { importAssetsDir: process.cwd() },
  paymentOptions: { paymentMethodHandlers: [vendure.dummyPaymentHandler] },
  shippingOptions: { fulfillmentHandlers: [vendure.manualFulfillmentHandler] },
  // Small searches of the shop read the table itself: no index to wait for.
  plugins: [vendure.DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true })],
})

const INITIAL = {
  defaultLanguage: 'en',
  defaultZone: 'Taiwan',
  countries: [{ name: 'Taiwan', code: 'TW', zone: 'Taiwan' }],
  taxRates: [{ name: 'Zero', percentage: 0 }],
  shippingMethods: [{ name: 'Home delivery', price: 10000 }],
  paymentMethods: [
    {
      name: 'Card',
      handler: { code: vendure.dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'false' }] },
    },
  ],
  collections: [],
}

async function fill() {
  const app = await vendure.bootstrap(config)
  const channels = app.get(vendure.ChannelService)
  const channel = await channels.getDefaultChannel()
  const ctx = await app.get(vendure.RequestContextService).create({ apiType: 'admin' })
  await channels.update(ctx, {
    id: channel.id,
    defaultCurrencyCode: 'TWD',
    availableCurrencyCodes: ['TWD'],
    pricesIncludeTax: true,
  })
  await populateInitialData(app, INITIAL)
  const products = fileURLToPath(new URL('products.csv', import.meta.url))
  const { imported, errors } = await importProductsFromCsv(app, products, 'en')
  process.stdout.write(`${imported} products; ${errors?.join('; ') ?? ''}\n`)
  await app.close()
  if (errors?.length) process.exit(1)
}

if (setUp) await fill()
else await vendure.bootstrap(config)
if (setUp) process.exit(0)
