/** A shop in this process: it shows the levels it was told, newest version only if asked to, and fails as it is told to. */
import { z } from 'zod'
import { incomingOrderOf } from '../../connectors/kit/incoming.ts'
import type { Connector, ExternalLevel, Listing, ListingLevel, ListingOutcome } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'

const Config = z.strictObject({ channel: z.string(), shop: z.string().default('main'), account: z.string() })

/** What becomes of the next push: `lost` takes the levels and loses the answer. */
export type PushFate = 'ok' | 'down' | 'lost' | 'limited' | 'refuseAll' | 'misconfigured'

export class Account {
  listings: Listing[] = []
  counts: ExternalLevel[] = []
  /** What the shop shows, by listing and variant. */
  readonly shows = new Map<string, number>()
  readonly pushes: ListingLevel[][] = []
  readonly tracking: { externalId: string; lines: { lineId: string; quantity: number }[] }[] = []
  fates: PushFate[] = []
  otherwise: PushFate = 'ok'
  /** Listings that the shop refuses one by one. */
  refuses = new Set<string>()
  #gate: { came: () => void; open: Promise<void> } | null = null

  /** The next push waits, before the shop takes it, until `release` is called. */
  hold(): { came: Promise<void>; release: () => void } {
    let release: () => void = () => undefined
    let arrived: () => void = () => undefined
    const came = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const open = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#gate = { came: arrived, open }
    return { came, release }
  }

  async push(levels: ListingLevel[]): Promise<ListingOutcome[]> {
    const gate = this.#gate
    this.#gate = null
    gate?.came()
    await gate?.open
    this.pushes.push(levels)
    const fate = this.fates.shift() ?? this.otherwise
    if (fate === 'down') throw new OmnisagaError('Transient', 'nobody answers')
    if (fate === 'limited') throw new OmnisagaError('RateLimited', 'too often', { retryAfterMs: 60_000 })
    if (fate === 'misconfigured') throw new OmnisagaError('Misconfigured', 'the key is wrong', { code: 'key' })
    if (fate === 'refuseAll' && levels.length > 1) throw new OmnisagaError('Rejected', 'one of them is wrong', { code: 'batch' })
    const outcomes = levels.map(({ listingId, variantId, quantity }) => {
      if (this.refuses.has(listingId))
        return { listingId, variantId, error: { kind: 'Rejected' as const, code: 'archived', message: 'it is archived' } }
      this.shows.set([listingId, variantId].filter(Boolean).join('/'), quantity)
      return { listingId, variantId, error: null }
    })
    if (fate === 'lost') throw new OmnisagaError('OutcomeUnknown', 'no answer after sending')
    return outcomes
  }
}

export interface StandInShop {
  connector: Connector
  account(name: string): Account
}

export function standInShop(batchSize = 50): StandInShop {
  const accounts = new Map<string, Account>()
  const account = (name: string) => {
    const known = accounts.get(name) ?? new Account()
    accounts.set(name, known)
    return known
  }
  const pages = <T>(items: T[]) =>
    (async function* () {
      for (let at = 0; at < items.length; at += 2) yield await Promise.resolve(items.slice(at, at + 2))
    })()
  const of = ({ connection }: { connection: { config: unknown } }) => account(Config.parse(connection.config).account)
  const connector: Connector = {
    name: 'stand-in',
    title: 'A shop',
    kind: 'shop',
    configSchema: Config as Connector['configSchema'],
    secretFields: [],
    check: () => Promise.resolve({ ok: true, problems: [] }),
    identity: ({ config }) => ({ channel: Config.parse(config).channel, shop: Config.parse(config).shop }),
    mapOrder(connection, { externalId, payload }) {
      const { channel, shop } = Config.parse(connection.config)
      return incomingOrderOf(payload, { channel, shop, connection: connection.name, externalId })
    },
    writeTracking(ctx, { externalId, lines }) {
      of(ctx).tracking.push({ externalId, lines: lines.map(({ lineId, quantity }) => ({ lineId, quantity })) })
      return Promise.resolve()
    },
    stock: {
      batchSize,
      listListings: (ctx) => pages(of(ctx).listings),
      push: (ctx, levels) => of(ctx).push(levels),
      read: (ctx) => pages(of(ctx).counts),
    },
  }
  return { connector, account }
}
