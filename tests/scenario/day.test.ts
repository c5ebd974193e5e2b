import { afterAll, beforeAll, expect, it } from 'vitest'
import { liveThroughTheDay, type DayWorld } from './dayWorld.ts'

let world: DayWorld
beforeAll(async () => { world = await liveThroughTheDay() })
afterAll(() => world?.stop())

it('is over', async () => {
  console.log(world.said.join('\n'))
  console.log(await world.api.openTasks())
  expect(1).toBe(1)
})
