/** What the buttons of sales and shipments do (trytond_sale, trytond_stock 8.2): their transitions and what hangs on them. */
import type { Records, Row } from './records.ts'

/** trytond's UserError: HTTP 400 with its message. */
export class UserError extends Error {}

type Step = { from: string[]; to: string }
const BUTTONS: Record<string, Record<string, Step>> = {
  'sale.sale': {
    quote: { from: ['draft'], to: 'quotation' },
    confirm: { from: ['quotation'], to: 'confirmed' },
    process: { from: ['confirmed', 'processing'], to: 'processing' },
    draft: { from: ['quotation', 'confirmed', 'cancelled'], to: 'draft' },
    cancel: { from: ['draft', 'quotation'], to: 'cancelled' },
  },
  'stock.shipment.out': {
    draft: { from: ['waiting', 'cancelled'], to: 'draft' },
    wait: { from: ['draft', 'waiting', 'assigned'], to: 'waiting' },
    assign_try: { from: ['waiting'], to: 'assigned' },
    assign_force: { from: ['waiting'], to: 'assigned' },
    pick: { from: ['assigned'], to: 'picked' },
    pack: { from: ['picked'], to: 'packed' },
    do: { from: ['packed', 'shipped'], to: 'done' },
    cancel: { from: ['draft', 'waiting', 'assigned', 'picked', 'packed'], to: 'cancelled' },
  },
  'stock.shipment.out.return': {
    receive: { from: ['draft'], to: 'received' },
    do: { from: ['received'], to: 'done' },
  },
}

export function createButtons(records: Records, stock: Map<string, number>) {
  let lastNumber = 0
  const nextNumber = () => String(++lastNumber)
  const keyOf = (warehouse: unknown, product: unknown) => `${String(warehouse)} ${String(product)}`
  const moveStock = (warehouse: unknown, move: Row, sign: number) => {
    const key = keyOf(warehouse, move.product)
    stock.set(key, (stock.get(key) ?? 0) + sign * Number(move.quantity))
  }

  /** Makes a shipment for what no move covers yet. */
  function ship(sale: Row): void {
    const missing = records.related('sale.sale', sale, 'lines').flatMap((line) => {
      if (records.get('product.product', line.product)?.type !== 'goods') return []
      const ignored = (line.moves_ignored as number[] | undefined) ?? []
      const moves = records.related('sale.line', line, 'moves')
      if (moves.some((move) => move.state === 'cancelled' && !ignored.includes(move.id))) return [] // an exception: a person decides
      const covered = moves.reduce((sum, move) => sum + Number(move.quantity), 0)
      return Number(line.quantity) > covered ? [{ line, quantity: Number(line.quantity) - covered }] : []
    })
    if (missing.length === 0) return
    const warehouse = records.get('stock.location', sale.warehouse)
    const shipment = records.create('stock.shipment.out', {
      sale: sale.id,
      number: nextNumber(),
      reference: null,
      shipping_reference: null,
      state: 'waiting',
      warehouse: warehouse?.id,
      warehouse_storage: warehouse?.storage_location,
      warehouse_output: warehouse?.output_location,
    })
    for (const { line, quantity } of missing)
      records.create('stock.move', {
        shipment: shipment.id,
        origin: line.id,
        product: line.product,
        quantity,
        state: 'draft',
        from_location: warehouse?.output_location,
      })
  }

  function afterwards(model: string, row: Row, action: string): void {
    if (model === 'sale.sale' && action === 'quote') row.number ??= nextNumber()
    if (model === 'sale.sale' && action === 'process') ship(row)
    if (model !== 'stock.shipment.out' && model !== 'stock.shipment.out.return') return
    const moves = records.related(model, row, 'moves')
    if (action === 'cancel') for (const move of moves) move.state = 'cancelled'
    if (action !== 'do') return
    for (const move of moves) {
      move.state = 'done'
      moveStock(row.warehouse, move, model === 'stock.shipment.out' ? -1 : 1)
    }
    const sale = records.get('sale.sale', row.sale)
    if (sale) ship(sale)
  }

  return {
    known: (model: string, action: string): boolean => BUTTONS[model]?.[action] !== undefined,
    press(model: string, row: Row, action: string, context: Record<string, unknown>): void {
      const step = BUTTONS[model]?.[action]
      if (!step?.from.includes(String(row.state)))
        throw new UserError(`You can not call "${action}" on "${String(row.number)}" of "${model}".`)
      if (model === 'sale.sale' && action === 'quote' && !row.warehouse)
        throw new UserError(`To get a quote for sale "${row.id}" you must enter a warehouse for the line "1".`)
      if (action === 'pack' && context._skip_warnings !== true)
        throw new UserError(`The shipment "${String(row.number)}" does not have a carrier set.`)
      if (action === 'assign_try') {
        const enough = records
          .related(model, row, 'moves')
          .every((move) => (stock.get(keyOf(row.warehouse, move.product)) ?? 0) >= Number(move.quantity))
        if (!enough) return
      }
      row.state = step.to
      afterwards(model, row, action)
    },
    /** After the answer: what is confirmed is processed from trytond's queue. */
    settle(): void {
      for (const sale of records.table('sale.sale')) {
        if (sale.state !== 'confirmed') continue
        sale.state = 'processing'
        ship(sale)
      }
    },
  }
}
