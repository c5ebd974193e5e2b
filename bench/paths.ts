/**
 * What each path of an order costs the engine: Actions, events and bytes of all its workflows, counted after every one of them has
 * ended, on the whole system with a real Temporal dev server, PostgreSQL and simulators. Counts, not times: they are enforced.
 */
import { historyCost, type HistoryCost } from './historyCost.ts'
import { atMost, type Measure } from './measure.ts'
import { startPeople, type People } from './paths/people.ts'
import { roads, type Road } from './paths/roads.ts'
import type { Place } from './place.ts'
import { workflowIdOf } from '../domain/ids.ts'

const GOAL_EVENTS = 80
const GOAL_BYTES = 40 * 1024
const RUNNING = 1

export async function pathMeasures(place: Place, say: (line: string) => void): Promise<Measure[]> {
  const people = await startPeople(place)
  try {
    const walked: { road: Road; orderIds: string[]; tasks: number; violations: number }[] = []
    for (const road of roads) walked.push({ road, ...(await walk(people, road)) })
    const measures: Measure[] = []
    for (const { road, orderIds, tasks, violations } of walked) {
      const costs = (await Promise.all(orderIds.map((orderId) => costsOf(people, orderId)))).flat()
      const sum = (of: 'actions' | 'events' | 'bytes') => costs.reduce((total, cost) => total + cost[of], 0)
      say(`${road.name}: ${costs.map(told).join('; ')}`)
      const figure = (column: string, value: number, goal: number): Measure => ({
        ...atMost(`paths: ${road.name}: ${column}`, column, value, goal),
        cell: { row: road.name, column },
        enforced: true,
      })
      measures.push(
        figure('Actions', sum('actions'), road.actions),
        figure('events', sum('events'), GOAL_EVENTS * orderIds.length),
        figure('bytes', sum('bytes'), GOAL_BYTES * orderIds.length),
        figure('tasks left', tasks, 0),
        figure('violations', violations, 0),
      )
    }
    return measures
  } finally {
    await people.world.stop()
  }
}

/** Alone: nothing it does is helped or hindered by others. */
async function walk(people: People, road: Road): Promise<{ orderIds: string[]; tasks: number; violations: number }> {
  try {
    const orderIds = await road.walk(people)
    for (const orderId of orderIds) await people.closed(orderId)
    const { violations } = await people.world.audit()
    return { orderIds, tasks: (await people.tasksLeft(orderIds)).length, violations: violations.length }
  } catch (error) {
    throw new Error(`the path "${road.name}" could not be walked: ${(error as Error).message}`, { cause: error })
  }
}

/** Of every run: a command that comes after the close starts the order's workflow again. */
async function costsOf({ world }: People, orderId: string): Promise<HistoryCost[]> {
  const { workflow } = world.runtime.temporal
  const workflowId = workflowIdOf(orderId)
  const runIds = await world.until(`every run of ${orderId} has ended and is listed`, async () => {
    const newest = await workflow.getHandle(workflowId).describe()
    const listed: string[] = []
    for await (const { runId } of workflow.list({ query: `WorkflowId = '${workflowId}'` })) listed.push(runId)
    return newest.status.code !== RUNNING && listed.includes(newest.runId) && listed
  })
  return await Promise.all(runIds.map(async (runId) => historyCost(await workflow.getHandle(workflowId, runId).fetchHistory())))
}

const told = ({ actions, breakdown }: HistoryCost): string =>
  `${actions} Actions (${Object.entries(breakdown)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')})`
