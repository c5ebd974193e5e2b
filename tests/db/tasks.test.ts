/** What a task offers, what an action would change, and that a preview changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { previewAction, takeAction } from '../../server/tasks.ts'
import { viewTask, viewTasks } from '../../server/taskView.ts'
import { stateOf } from '../../activities/order/previewState.ts'
import { setHint } from '../../cli/setFields.ts'
import { openTask } from '../../store/tasks.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
})
afterAll(() => spine?.stop())

const WHO = 'person:test'
/** At the southern warehouse nobody answers for us: a person is asked to pick and pack. */
async function toBePacked(): Promise<{ id: string; taskId: number }> {
  const id = await spine.place({ lines: lines(['CAP', 2]), payment: { method: 'cod', state: 'pending', amountDueMinor: 26_000 } })
  await spine.untilRouted(id)
  return { id, taskId: (await spine.tasks(id))[0]?.id ?? 0 }
}

it('packing is previewed with the parcel that is booked then and the cash it collects, and nothing is done', async () => {
  const { id, taskId } = await toBePacked()
  const before = await stateOf(spine.db.pool, id)
  const would = await previewAction(spine.runtime, taskId, 'packed', {}, WHO)
  expect(would).toMatchObject({
    action: 'packed',
    possible: true,
    answer: 'packed',
    asks: ['ecpay is asked to book a parcel, 260 to collect'],
  })
  expect(would.changes).toContainEqual({ of: 'phase', name: 'phase', from: 'confirmed', to: 'packed' })
  expect(would.changes).toContainEqual({ of: 'line', name: 'CAP (1) packed', from: '0', to: '2' })
  expect(would.changes).toContainEqual({ of: 'taskCloses', name: `${taskId} Pick and pack at south`, from: 'open', to: null })
  expect(await stateOf(spine.db.pool, id)).toEqual(before)
  expect((await spine.db.pool.query('select from commands where order_id = $1 and task_id = $2', [id, taskId])).rowCount).toBe(0)
})

it('cancelling is previewed to its end: what goes back on sale, and what the customer is told', async () => {
  const { id, taskId } = await toBePacked()
  const would = await previewAction(spine.runtime, taskId, 'cancel', { reason: 'no longer wanted' }, WHO)
  expect(would.changes).toContainEqual({ of: 'phase', name: 'phase', from: 'confirmed', to: 'cancelled' })
  expect(would.changes).toContainEqual({ of: 'hold', name: 'CAP at south', from: '2', to: null })
  expect(would.changes).toContainEqual({ of: 'told', name: 'the customer', from: null, to: 'cancelled' })
  expect(await spine.held(id)).toBe(2)
  expect((await spine.order(id)).phase).toBe('confirmed')
})

it('new goods are held in the preview, and not held after it', async () => {
  const id = await spine.place({ lines: lines(['RARE', 1]) })
  await spine.steps.check(id)
  await spine.steps.reserve(id)
  const [task] = await spine.tasks(id)
  const would = await previewAction(spine.runtime, task?.id ?? 0, 'change', { lines: [{ lineId: '1', sku: 'CAP' }] }, WHO)
  expect(would.changes).toContainEqual({ of: 'hold', name: 'CAP at south', from: null, to: '1' })
  expect(would.changes).toContainEqual({ of: 'phase', name: 'phase', from: 'waitingStock', to: 'confirmed' })
  expect(await spine.held(id)).toBe(0)
  expect((await spine.order(id)).phase).toBe('waitingStock')
})

it('an action that the order would refuse now is not offered, and its preview says why', async () => {
  const { id, taskId } = await toBePacked()
  expect((await viewTask(spine.db.pool, taskId))?.actions).toEqual(['packed', 'reroute', 'cancel'])
  await spine.command(id, 'cancel')
  expect((await viewTask(spine.db.pool, taskId))?.actions).toEqual(['packed'])
  await spine.steps.recall(id)
  expect((await viewTask(spine.db.pool, taskId))?.actions).toEqual([])
  expect(await previewAction(spine.runtime, taskId, 'packed', {}, WHO)).toMatchObject({ possible: false, changes: [], asks: [] })
})

it('a task says who waits, since when, and who did what', async () => {
  const { id, taskId } = await toBePacked()
  await spine.command(id, 'packed', {}, { taskId })
  const task = await viewTask(spine.db.pool, taskId)
  expect(task).toMatchObject({ whoWaits: '測試', done: [{ verb: 'packed', who: WHO, state: 'done', answer: 'packed' }] })
  expect(task?.waitingSince).toBe(task?.openedAt)
})

it('tasks are found by connection, by order and by age', async () => {
  const { id, taskId } = await toBePacked()
  const ids = async (filter: Parameters<typeof viewTasks>[1]) => (await viewTasks(spine.db.pool, filter)).map((task) => task.id)
  expect(await ids({ orderId: id })).toEqual([taskId])
  expect(await ids({ orderId: id, connection: 'store-taipei' })).toEqual([taskId])
  expect(await ids({ orderId: id, connection: 'ecpay' })).toEqual([])
  await spine.db.pool.query(`update tasks set opened_at = now() - interval '5 hours' where id = $1`, [taskId])
  expect(await ids({ orderId: id, olderThanHours: 4 })).toEqual([taskId])
  expect(await ids({ orderId: id, olderThanHours: 6 })).toEqual([])
})

it('what is settled without an order is previewed too', async () => {
  await openTask(spine.db.pool, {
    kind: 'inbox.failed',
    key: 'inbox:none',
    subject: 'a record',
    title: 'A record was not understood',
    detail: 'It waits.',
    remedy: 'Try again.',
    actions: ['skip'],
  })
  const [task] = await viewTasks(spine.db.pool, { kind: 'inbox.failed' })
  expect(await previewAction(spine.runtime, task?.id ?? 0, 'skip', {}, WHO)).toMatchObject({ possible: true })
  expect((await viewTask(spine.db.pool, task?.id ?? 0))?.state).toBe('open')
  expect(await takeAction(spine.runtime, task?.id ?? 0, 'skip', {}, { who: WHO })).toMatchObject({ state: 'done' })
})

it('of two people at one task the second hears who was first, also where no order is asked', async () => {
  await openTask(spine.db.pool, {
    kind: 'feed.rejected',
    key: 'feed:two',
    subject: 'a file',
    title: 'A file cannot be read',
    detail: 'It was set aside.',
    remedy: 'Have it sent again.',
    actions: ['skip'],
  })
  const [task] = await viewTasks(spine.db.pool, { kind: 'feed.rejected' })
  const both = await Promise.allSettled(
    ['ann', 'bob'].map((who) => takeAction(spine.runtime, task?.id ?? 0, 'skip', {}, { who: `person:${who}` })),
  )
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const first = both[0]?.status === 'fulfilled' ? 'ann' : 'bob'
  expect(both.find((each) => each.status === 'rejected')?.reason).toMatchObject({
    status: 409,
    message: expect.stringContaining(`was closed by person:${first}`) as string,
  })
  expect(await viewTask(spine.db.pool, task?.id ?? 0)).toMatchObject({ closedBy: `person:${first}` })
})

it('what the courier refused is mended by a change alone: the parcel is booked once more, by the way it goes', async () => {
  for (const [delivery, hint] of [
    [{ method: 'home' }, 'recipient.address=ADDRESS'],
    [{ method: 'cvs', cvs: { chain: 'FAMI', storeId: '006598' } }, 'delivery.cvs.storeId=STORE'],
  ] as const) {
    const id = await spine.place({ lines: lines(['CAP', 1]), delivery })
    await spine.untilRouted(id)
    await spine.command(id, 'packed')
    const [unit] = (await spine.order(id)).units
    for (let tried = 0; tried < (unit?.bookingsAllowed ?? 0); tried++) {
      await spine.steps.intendParcel(id, unit?.id ?? '')
      await spine.db.pool.query(`update parcels set state = 'refused', refusal = 'no such road' where order_id = $1`, [id])
    }
    await spine.steps.askAboutRefusal(id, unit?.id ?? '')
    const [task] = await viewTasks(spine.db.pool, { orderId: id, kind: 'booking.refused' })
    expect(task).toMatchObject({ state: 'open', actions: ['retry', 'change', 'cancel'] })
    expect(setHint({ field: task?.field ?? null, value: task?.value ?? null }, 'change')).toContain(hint)
    const would = await previewAction(spine.runtime, task?.id ?? 0, 'change', { notes: 'third floor' }, WHO)
    expect(would).toMatchObject({ possible: true, asks: ['ecpay is asked to book a parcel'] })
  }
})

it('what a person cannot pick is sent from elsewhere, not asked for there again, and comes back when nobody else has it', async () => {
  const id = await spine.place({ lines: lines(['TEE-M', 2]) })
  await spine.untilRouted(id)
  expect((await spine.order(id)).units.map(({ location, state }) => [location, state])).toEqual([['north', 'ready']])
  expect(await spine.command(id, 'reroute', { from: 'moon' })).toMatchObject({
    state: 'refused',
    answer: 'nothing of it waits at moon',
  })
  expect(await spine.command(id, 'reroute')).toMatchObject({ answer: 'it is sent from elsewhere than north' })
  await spine.steps.reRoute(id)
  const [, second] = (await spine.order(id)).units
  expect(second).toMatchObject({ location: 'south', state: 'planned' })
  await spine.steps.queueForWave(id, second?.id ?? '')
  const [task] = await viewTasks(spine.db.pool, { orderId: id, kind: 'unit.pick' })
  const would = await previewAction(spine.runtime, task?.id ?? 0, 'reroute', {}, WHO)
  expect(would.changes).toContainEqual({ of: 'taskOpens', name: 'Missing, and nowhere else: 2 × TEE-M', from: null, to: 'open' })
  await spine.command(id, 'reroute', {}, { taskId: task?.id ?? 0 })
  await spine.steps.reRoute(id)
  expect((await spine.tasks(id)).map(({ kind }) => kind)).toEqual(['pick.short'])
  await spine.command(id, 'retry')
  await spine.steps.reRoute(id)
  expect((await spine.order(id)).units.map(({ location, state }) => [location, state])).toEqual([
    ['north', 'cancelled'],
    ['south', 'cancelled'],
    ['north', 'planned'],
  ])
  expect(await spine.held(id)).toBe(2)
})

it('going on without what is missing is refused before anything was looked for: its goods stay held and it is not cancelled', async () => {
  const id = await spine.place({ lines: lines(['CAP', 2]) })
  await spine.steps.check(id)
  await spine.steps.reserve(id)
  expect(await spine.command(id, 'shipWithout')).toMatchObject({ state: 'refused', answer: 'nothing of it is missing' })
  expect(await spine.held(id)).toBe(2)
  expect((await spine.order(id)).phase).toBe('reserved')
})

it('a change says what it changes, from what to what, without the customer in it', async () => {
  const { id, taskId } = await toBePacked()
  await spine.db.pool.query(`update tasks set actions = actions || '{change}' where id = $1`, [taskId])
  const detail = {
    recipient: { name: '林小華', phone: '0987654321', address: '臺北市信義區市府路46號' },
    buyer: { email: 'amy@example.com' },
    delivery: { method: 'cvs', cvs: { chain: 'FAMI', storeId: '006598' } },
    notes: 'third floor',
  }
  const would = await previewAction(spine.runtime, taskId, 'change', detail, WHO)
  const said = would.changes.filter(({ of }) => ['recipient', 'buyer', 'delivery', 'notes'].includes(of))
  expect(said).toEqual([
    { of: 'recipient', name: 'name', from: '測○', to: '林○華' },
    { of: 'recipient', name: 'phone', from: '+886912***678', to: '+886987***321' },
    { of: 'recipient', name: 'address', from: '*** 臺北市 信義區 市府路**號', to: '*** 臺北市 信義區 市府路**號 (another)' },
    { of: 'buyer', name: 'email', from: null, to: 'a***@example.com' },
    { of: 'delivery', name: 'method', from: 'home', to: 'cvs' },
    { of: 'delivery', name: 'store', from: null, to: 'FAMI 006598' },
    { of: 'notes', name: 'notes', from: null, to: 'third floor' },
  ])
  for (const hidden of ['小', '測試', '912345', '987654', '45', '46', 'amy']) expect(JSON.stringify(said)).not.toContain(hidden)
  expect((await spine.order(id)).doc.recipient.name).toBe('測試')
})

describe('a change that came too late', () => {
  const channel = { who: 'channel:store' }
  /** Articles of the south are packed by a person, and booked. */
  const atWork = async (sku: string) => {
    const id = await spine.place({ lines: lines([sku, 2]) })
    await spine.untilRouted(id)
    if (sku !== 'CAP') await spine.handOver(id)
    else {
      await spine.command(id, 'packed')
      await spine.steps.intendParcel(id, (await spine.order(id)).units[0]?.id ?? '')
      await spine.db.pool.query(`update parcels set state = 'booked', waybill = id, booked_at = now() where order_id = $1`, [id])
    }
    return id
  }
  const tooLate = async (id: string, detail: Record<string, unknown>) => {
    expect(await spine.command(id, 'change', detail, channel)).toMatchObject({ state: 'refused' })
    const [task] = (await viewTasks(spine.db.pool, { orderId: id, kind: 'change.refused' })).slice(-1)
    return task ?? expect.fail('no task')
  }

  it('can be recalled by its task, and the preview says what is changed once the warehouse has given the goods back', async () => {
    const id = await atWork('TEE-S')
    const task = await tooLate(id, { recipient: { name: '林小華' } })
    expect(task.actions).toEqual(['recall', 'skip'])
    const would = await previewAction(spine.runtime, task.id, 'recall', {}, WHO)
    expect(would.later).toEqual([{ of: 'recipient', name: 'name', from: '測○', to: '林○華' }])
    expect(would.changes).toContainEqual({ of: 'phase', name: 'phase', from: 'picking', to: 'cancelling' })
    expect(would.changes).toContainEqual({ of: 'told', name: 'warehouse', from: null, to: 'recall' })
    expect(await spine.command(id, 'recall', {}, { taskId: task.id })).toMatchObject({ state: 'done', answer: would.answer })
    expect(await viewTask(spine.db.pool, task.id)).toMatchObject({ state: 'done', closedBy: WHO })
  })

  it('where a person packed it, its label is given up and the rest of the way is previewed, too', async () => {
    const id = await atWork('CAP')
    const task = await tooLate(id, { recipient: { phone: '+886987654321' } })
    const would = await previewAction(spine.runtime, task.id, 'recall', {}, WHO)
    const [waybill] = (await spine.order(id)).parcels.map((parcel) => parcel.waybill)
    expect(would.asks).toEqual([`ecpay is asked to cancel ${waybill}; it may refuse`])
    expect(would.changes).toContainEqual({ of: 'parcel', name: `ecpay ${waybill}`, from: 'booked', to: 'void' })
    expect(would.changes).toContainEqual({ of: 'recipient', name: 'phone', from: '+886912***678', to: '+886987***321' })
    expect(would.changes).toContainEqual({ of: 'taskOpens', name: 'Put the goods back at south', from: null, to: 'open' })
    expect(would.later).toEqual([])
  })

  it('of two, each task recalls its own; the other can be recalled after it', async () => {
    const id = await atWork('CAP')
    const first = await tooLate(id, { notes: 'third floor' })
    const second = await tooLate(id, { recipient: { name: '林小華' } })
    await spine.command(id, 'recall', {}, { taskId: first.id })
    await spine.steps.recall(id)
    await spine.steps.releaseAll(id)
    expect((await spine.order(id)).doc).toMatchObject({ notes: 'third floor', recipient: { name: '測試' } })
    expect((await viewTask(spine.db.pool, second.id))?.actions).toEqual(['recall', 'skip'])
    await spine.command(id, 'recall', {}, { taskId: second.id })
    await spine.steps.recall(id)
    await spine.steps.releaseAll(id)
    expect((await spine.order(id)).doc).toMatchObject({ notes: 'third floor', recipient: { name: '林小華' } })
    expect((await spine.order(id)).is('changeRefused')).toBe(false)
  })

  it('whose recall is let go is a task again, and one that has left offers nothing but to skip', async () => {
    const id = await atWork('TEE-S')
    const task = await tooLate(id, { recipient: { name: '林小華' } })
    await spine.command(id, 'recall', {}, { taskId: task.id })
    await spine.steps.recall(id)
    await spine.command(id, 'letGo')
    const [again] = await viewTasks(spine.db.pool, { orderId: id, kind: 'change.refused', state: 'open' })
    expect(again).toMatchObject({
      title: 'The channel asks to change, but its goods were not given back',
      actions: ['recall', 'skip'],
    })
    expect(again?.id).not.toBe(task.id)
    await spine.db.pool.query(`update order_lines set picked = 2, packed = 2, shipped = 2 where order_id = $1`, [id])
    expect((await viewTask(spine.db.pool, again?.id ?? 0))?.actions).toEqual(['skip'])
    expect(await spine.command(id, 'recall')).toMatchObject({
      state: 'refused',
      answer: 'a parcel of it is with the courier or delivered',
    })
  })

  it('whose goods were delivered before they could be given back goes on as it was, and its channel is not forgotten', async () => {
    const id = await atWork('TEE-S')
    const task = await tooLate(id, { recipient: { name: '林小華' } })
    await spine.command(id, 'recall', {}, { taskId: task.id })
    await spine.steps.recall(id)
    expect(await spine.command(id, 'recall')).toMatchObject({ answer: 'it is called back to be changed' })
    await spine.db.pool.query(`update order_lines set picked = 2, packed = 2, shipped = 2, delivered = 2 where order_id = $1`, [
      id,
    ])
    await spine.db.pool.query(`update units set state = 'delivered' where order_id = $1`, [id])
    await spine.steps.releaseAll(id)
    const order = await spine.order(id)
    expect([order.phase, order.is('cancelRequested'), order.doc.recipient.name]).toEqual(['delivered', false, '測試'])
    expect(await viewTasks(spine.db.pool, { orderId: id, kind: 'change.refused', state: 'open' })).toMatchObject([
      { title: 'The channel asks to change, but its goods were not given back', actions: ['skip'] },
    ])
  })

  it('that names a line which is not there is no change to recall for', async () => {
    const id = await atWork('TEE-S')
    const asked = await spine.command(id, 'change', { skus: { 9: 'CAP' }, recall: true })
    expect(asked).toMatchObject({ state: 'refused', answer: 'there is no line 9; lines are 1' })
    expect(await spine.command(id, 'recall')).toMatchObject({ state: 'refused' })
  })
})
