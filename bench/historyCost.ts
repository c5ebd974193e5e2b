/** What a workflow's history costs: Actions as Temporal Cloud bills them, events, bytes. */
import proto from '@temporalio/proto'
import type { temporal } from '@temporalio/proto'

const { EventType } = proto.temporal.api.enums.v1
const { History } = proto.temporal.api.history.v1
type IHistory = temporal.api.history.v1.IHistory
type IHistoryEvent = temporal.api.history.v1.IHistoryEvent

export interface HistoryCost {
  actions: number
  events: number
  /** As the server stores it, before compression. */
  bytes: number
  /** Actions by what they were. */
  by: Record<string, number>
}

const LOCAL_ACTIVITY = 'core_local_activity'

/**
 * Each of these is one Action: a start, a signal, an Update, a timer, an activity's attempt; local activities once a workflow task,
 * however many run in it. https://docs.temporal.io/cloud/actions#actions-in-workflows
 */
function actionOf(event: IHistoryEvent): string | null {
  switch (event.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
      return 'start'
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      return 'signal'
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      return 'update'
    case EventType.EVENT_TYPE_TIMER_STARTED:
      return 'timer'
    case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
      return 'activity'
    case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return (event.activityTaskStartedEventAttributes?.attempt ?? 1) > 1 ? 'activity retry' : null
    case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
      return 'child workflow'
    case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return 'search attributes'
    case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      return 'signal to another'
    default:
      return null
  }
}

export function historyCost(history: IHistory): HistoryCost {
  const events = history.events ?? []
  const by: Record<string, number> = {}
  const count = (what: string) => {
    by[what] = (by[what] ?? 0) + 1
  }
  const batches = new Set<string>()
  for (const event of events) {
    const action = actionOf(event)
    if (action !== null) count(action)
    const marker = event.markerRecordedEventAttributes
    if (marker?.markerName !== LOCAL_ACTIVITY) continue
    const task = String(marker.workflowTaskCompletedEventId)
    if (!batches.has(task)) count('local activities')
    batches.add(task)
  }
  const actions = Object.values(by).reduce((sum, times) => sum + times, 0)
  return { actions, events: events.length, bytes: History.encode(history).finish().length, by }
}
