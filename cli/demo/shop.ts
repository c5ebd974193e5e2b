/** The demo's surroundings: the outside systems as simulators that remember, and the configuration that names them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startPull } from '../../activities/schedules.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { connectors } from '../../connectors/registry.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { startShopeeSimulator, type ShopeeSimulator } from '../../simulators/shopee/index.ts'
import { startWmsSimulator, type WmsSimulator } from '../../simulators/wms/index.ts'
import { applyConnections } from '../../store/configuration.ts'
import { demoConfiguration, PARTNER_ID, PARTNER_KEY, PUSH_KEY, warehouseConnection, type Addresses } from './configuration.ts'
import { planDay, SHOP_ID, type DayPlan } from './plan.ts'
import { newDay, readDayState, writeDayState, type DayState } from './state.ts'

/** No token runs out while somebody looks at the demo. */
const TOKEN_TTL_MS = 365 * 86_400_000
const PAGE_CAP = 20

export interface ShopOptions {
  runtime: Runtime
  dataDir: string
  url: string
  again?: boolean
  shopeeNow?: () => Date
}

export interface Shop {
  plan: DayPlan
  state: DayState
  /** Files of the day: the workbooks, the warehouse's folders, what the simulators remember. */
  folder: string
  url: string
  ecpay: EcpaySimulator
  shopee: ShopeeSimulator
  wms: WmsSimulator
  /** A file of the day: made once, the same after a restart. */
  file(name: string, make: () => Buffer): Buffer
  save(): void
  /** The warehouse takes orders from here on. */
  openWarehouse(): Promise<void>
  /** Pulls the marketplace now, as `omnisaga pull shopee` does. */
  pull(): Promise<{ stored: number; known: number }>
  stop(): Promise<void>
}

const isBusy = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
/** At the port of the last time, so that nothing needs to be told anew; at a free one when that is taken. */
async function atPort<T>(port: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port ?? 0)
  } catch (error) {
    if (!isBusy(error)) throw error
    return await start(0)
  }
}

/** Begins a day, or goes on with the one that was begun. */
export async function openShop({ runtime, dataDir, url, again = false }: ShopOptions): Promise<Shop> {
  const folder = join(dataDir, 'demo')
  const [toWarehouse, fromWarehouse] = [join(folder, 'to-warehouse'), join(folder, 'from-warehouse')]
  for (const path of [toWarehouse, fromWarehouse]) mkdirSync(path, { recursive: true })
  const before = readDayState(folder)
  const state =
    before === null ? newDay(1, null) : before.finishedAt !== null && again ? newDay(before.run + 1, before.ports) : before
  const plan = planDay(state.run, new Date(state.startedAt))

  const ecpay = await atPort(state.ports?.ecpay, (port) =>
    startEcpaySimulator({ port, homeCollection: true, stateFile: join(folder, 'ecpay.json') }),
  )
  const shopee = await atPort(state.ports?.shopee, (port) =>
    startShopeeSimulator({
      port,
      partnerId: PARTNER_ID,
      partnerKey: PARTNER_KEY,
      shopId: SHOP_ID,
      pageCap: PAGE_CAP,
      accessTokenTtlMs: TOKEN_TTL_MS,
      push: { callbackUrl: `${url}/webhooks/shopee`, partnerKey: PUSH_KEY },
      stateFile: join(folder, 'shopee.json'),
    }),
  )
  const wms = await startWmsSimulator({
    inFolder: toWarehouse,
    outFolder: fromWarehouse,
    pollMs: 100,
    stateFile: join(folder, 'warehouse.json'),
  })
  state.ports = { ecpay: ecpay.port, shopee: Number(new URL(shopee.url).port) }
  const save = () => writeDayState(folder, state)
  save()

  const addresses: Addresses = { server: url, ecpay: ecpay.url, shopee: shopee.url, toWarehouse, fromWarehouse }
  const apply = async (document: unknown) => {
    await applyConnections(runtime.pool, runtime.secretKey, document, connectors)
  }
  await apply(
    demoConfiguration(addresses, plan.products, { warehouseOpen: state.done.includes('open'), shopeeTokens: shopee.tokens() }),
  )

  return {
    plan,
    state,
    folder,
    url,
    ecpay,
    shopee,
    wms,
    save,
    file(name, make) {
      const path = join(folder, `${state.run}-${name}`)
      if (!existsSync(path)) writeFileSync(path, make())
      return readFileSync(path)
    },
    openWarehouse: () => apply({ connections: [warehouseConnection(addresses, true)] }),
    pull: async () => await (await startPull(runtime.temporal, 'shopee', { taskQueue: runtime.taskQueue })).result(),
    async stop() {
      await wms.stop()
      await ecpay.stop()
      await shopee.stop()
    },
  }
}
