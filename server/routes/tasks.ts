/** Tasks: what a person must decide, and deciding it. */
import { z } from 'zod'
import { actOnTask, previewAction } from '../tasks.ts'
import { viewTask, viewTasks } from '../taskView.ts'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  CommandAnswer,
  PreviewQuery,
  PreviewSchema,
  TaskAction,
  TaskActionBody,
  TaskDetailSchema,
  TaskId,
  TasksAnswer,
  TasksQuery,
} from '../schemas.ts'

export const taskRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/tasks',
    operationId: 'listTasks',
    summary: 'Tasks, oldest first',
    access: 'key',
    query: TasksQuery,
    responses: { 200: { description: 'Tasks with what happened, what to do, and the actions allowed.', schema: TasksAnswer } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { tasks: await viewTasks(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/tasks/{id}',
    operationId: 'getTask',
    summary: 'One task',
    access: 'key',
    params: TaskId,
    responses: { 200: { description: 'The task.', schema: TaskDetailSchema }, 404: { description: 'No such task.' } },
    handle: async ({ runtime, params }) => {
      const task = await viewTask(runtime.pool, params.id)
      if (!task) throw notFound('task', String(params.id))
      return { status: 200, body: task }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/tasks/{id}/{action}',
    operationId: 'actOnTask',
    summary: 'Do one of the actions a task allows',
    access: 'key',
    params: TaskAction,
    query: PreviewQuery,
    body: TaskActionBody,
    responses: {
      200: { description: 'Done; or, with preview=true, what would change.', schema: z.union([CommandAnswer, PreviewSchema]) },
      202: { description: 'Asked for and kept; the answer was not there within 3 seconds.', schema: CommandAnswer },
      404: { description: 'No such task.' },
      409: { description: 'Refused, closed already, or not an action of this task; `detail` says which.' },
    },
    handle: async ({ runtime, params, query, body, who, request }) =>
      query.preview === 'true'
        ? { status: 200, body: await previewAction(runtime, params.id, params.action, body, who) }
        : await actOnTask(runtime, params, body, { who, idempotencyKey: request.headers['idempotency-key'] }),
  }),
]
