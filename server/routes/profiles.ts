/** Layouts of order files: those that are built in, and those that were taught. */
import { z } from 'zod'
import { applyProfile, profileList } from '../../activities/profiles.ts'
import { InvalidLayout } from '../../mappings/profiles/layout.ts'
import { getProfile } from '../../store/profiles.ts'
import { notFound, Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const Name = z.object({ name: z.string().min(1).max(60) })
const Listed = z.object({
  name: z.string(),
  title: z.string(),
  channel: z.string(),
  version: z.int().nullable().meta({ description: 'null: built in.' }),
})

export const profileRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/profiles',
    operationId: 'listProfiles',
    summary: 'Layouts of order files that are known',
    access: 'key',
    responses: { 200: { description: 'Built in and taught.', schema: z.object({ profiles: z.array(Listed) }) } },
    handle: async ({ runtime }) => ({ status: 200, body: { profiles: await profileList(runtime.pool) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/profiles/{name}',
    operationId: 'getProfile',
    summary: 'One taught layout, as its YAML',
    access: 'key',
    params: Name,
    responses: {
      200: { description: 'The newest version.', schema: z.looseObject({ name: z.string(), yaml: z.string() }) },
      404: { description: 'No such taught layout.' },
    },
    handle: async ({ runtime, params }) => {
      const found = await getProfile(runtime.pool, params.name)
      if (!found) throw notFound('profile', params.name)
      return { status: 200, body: found }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/profiles',
    operationId: 'applyProfile',
    summary: 'Teach a layout; the next file with these headers is read by it',
    access: 'key',
    body: z.strictObject({ yaml: z.string().min(1).max(100_000) }),
    responses: {
      200: { description: 'Remembered.', schema: z.looseObject({ name: z.string(), version: z.int() }) },
      400: { description: 'The YAML cannot be used; every place with value and remedy.' },
    },
    handle: async ({ runtime, body, who }) => {
      try {
        return { status: 200, body: await applyProfile(runtime.pool, body.yaml, who) }
      } catch (error) {
        if (!(error instanceof InvalidLayout)) throw error
        throw new Problem(400, 'Invalid input', 'The profile cannot be used.', {
          errors: error.problems.map(({ line, path, value, message, remedy }) => ({
            path: `${path}${line === null ? '' : ` (line ${line})`}`,
            value,
            message,
            remedy,
          })),
        })
      }
    },
  }),
]
