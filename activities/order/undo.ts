/** Undo, from the facts: units that have not begun are struck off, the others are recalled; at the end nothing is held. */
import type { OrderView } from '../../domain/view.ts'
import { release } from '../../store/ledger/operations.ts'
import { changeOrder, readOrder, strikeUnit, type Changed } from '../../store/orderRecord.ts'
import { owe } from '../../store/outbox.ts'
import { openTask } from '../../store/tasks.ts'
import { endShortage } from '../shortage/shortage.ts'
import { cancellationNotice } from '../campaigns/standing.ts'
import { besideIt, findNewLeaders } from '../packing/sharedBox.ts'
import type { Runtime } from '../runtime.ts'
import { payBackCalledOff, payBackRest, paysBackItself } from './calledOff.ts'
import { changeAfterRecall, changeAwaited, goOnAsItWas, whyCalledBack } from './recall.ts'
import { lowerAmounts, rememberPaid } from './tryOn.ts'
import { sendBackUnwanted } from '../store/bringing.ts'

export async function recall(runtime: Runtime, orderId: string): Promise<OrderView> {
  const { view, record } = await strikeOrRecall(runtime, orderId)
  if (record.units.some(({ sharedBox }) => sharedBox !== null)) await findNewLeaders(runtime, orderId)
  return view
}

async function strikeOrRecall(runtime: Runtime, orderId: string): Promise<Changed<void>> {
  return await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
    if (!record.is('cancelRequested')) return
    const policy = await runtime.policy(record.settingsVersion)
    for (const unit of record.units) {
      if (unit.state === 'planned' || unit.state === 'ready') strikeUnit(record, unit)
      if (!['handedOver', 'picked', 'packed'].includes(unit.state)) continue
      const location = await tx.query<{ warehouse: string | null }>(
        'select warehouse_connection as warehouse from locations where id = $1',
        [unit.location],
      )
      const warehouse = location.rows[0]?.warehouse
      if (!warehouse) {
        strikeUnit(record, unit)
        await openTask(tx, {
          kind: 'unit.putBack',
          key: `unit:${unit.id}:putBack`,
          orderId,
          connection: record.connection,
          subject: record.doc.externalId,
          title: `Put the goods back at ${unit.location}`,
          detail: `Order ${record.doc.externalId} ${whyCalledBack(record)} after it was begun: ${unit.lines.map((line) => `${line.quantity - line.short} × ${line.sku}`).join(', ')}. ${changeAwaited(record) === null ? 'They can be sold again.' : 'It ships anew once it is changed.'}${await besideIt(tx, unit)}`,
          remedy: 'Take them out of the box and put them on the shelf, then skip.',
          actions: ['skip'],
        })
        continue
      }
      unit.state = 'recalling'
      await tx.query(`update units set answer_due_at = now() + $2 * interval '1 millisecond' where id = $1`, [
        unit.id,
        policy.recallTimeoutMs,
      ])
      await owe(tx, {
        // A cancellation that was let go and is asked for again is told again.
        key: `recall:${unit.id}:${record.course}`,
        participant: 'warehouse',
        connection: warehouse,
        kind: 'recall',
        orderId,
        payload: { unitId: unit.id },
      })
    }
  })
}

export async function releaseAll(runtime: Runtime, orderId: string): Promise<OrderView> {
  const channelPays = await paysBackItself(runtime, (await readOrder(runtime.pool, orderId)).connection)
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      // Let go at the last moment: nothing is released any more.
      const request = record.facts.cancelRequested
      if (record.is('cancelled') || request === undefined) return
      const hasLeft = record.lines.some((line) => line.shipped > 0)
      const change = changeAwaited(record)
      if (change !== null) return hasLeft ? await goOnAsItWas(tx, record) : await changeAfterRecall(tx, record, change)
      await release(tx, { orderId })
      await endShortage(tx, record, 'cancelled')
      const isPart = record.lines.some((line) => line.delivered > 0)
      if (isPart) rememberPaid(record)
      for (const line of record.lines) {
        const given = line.ordered - line.delivered - line.cancelled
        line.held = 0
        line.cancelled += given
        if (isPart) lowerAmounts(record, given * (line.unitPriceMinor ?? 0))
      }
      await sendBackUnwanted(tx, record)
      if (isPart) {
        await payBackRest(tx, record, request, channelPays)
        // It came too late for what the customer has in hand: the order is no longer cancelled, it is what was delivered.
        record.withdraw('cancelRequested')
        record.changeCourse()
        return
      }
      record.record('cancelled', { by: request.by, reason: request.reason })
      await payBackCalledOff(tx, record, request, channelPays)
      record.withdraw('cancelRequested')
      record.tellCustomer({ key: `${orderId}:cancelled`, ...cancellationNotice(request) })
    })
  ).view
}
