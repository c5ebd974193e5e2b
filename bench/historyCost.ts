/** What one workflow run cost the engine, counted from its history. */
import proto, { type temporal } from '@temporalio/proto'

export type History = temporal.api.history.v1.IHistory

export interface HistoryCost {
  /** Billable operations; what counts is told at {@link historyCost}. */
  actions: number
  /** How many of each kind. */
  breakdown: Record<'starts' | 'signals' | 'updates' | 'timers' | 'activities' | 'localActivities' | 'upserts', number>
  events: number
  /** Of the history as protocol buffers, as the engine stores and sends it. */
  bytes: number
}

const { EventType } = proto.temporal.api.enums.v1

/**
 * A start, a signal, an update, a timer, an upsert and each attempt of an activity are one Action each; all local activities of one
 * workflow task are one together. Source: Temporal's documentation, "Temporal Cloud Actions".
 */
export function historyCost(history: History): HistoryCost {
  const events = history.events ?? []
  const of = (type: number) => events.filter((event) => event.eventType === type)
  const attempts = of(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED).reduce(
    (sum, event) => sum + Math.max(1, event.activityTaskStartedEventAttributes?.attempt ?? 1),
    0,
  )
  const started = new Set(
    of(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED).map((event) =>
      String(event.activityTaskStartedEventAttributes?.scheduledEventId),
    ),
  )
  // One that is under way has not been written as started yet.
  const underWay = of(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED).filter((event) => !started.has(String(event.eventId))).length
  const localByTask = new Set(
    of(EventType.EVENT_TYPE_MARKER_RECORDED)
      .filter((event) => event.markerRecordedEventAttributes?.markerName === 'core_local_activity')
      .map((event) => String(event.markerRecordedEventAttributes?.workflowTaskCompletedEventId)),
  )
  const breakdown = {
    starts: of(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED).length,
    signals: of(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED).length,
    updates: of(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED).length,
    timers: of(EventType.EVENT_TYPE_TIMER_STARTED).length,
    activities: attempts + underWay,
    localActivities: localByTask.size,
    upserts: of(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES).length,
  }
  return {
    actions: Object.values(breakdown).reduce((sum, count) => sum + count, 0),
    breakdown,
    events: events.length,
    bytes: proto.temporal.api.history.v1.History.encode(history).finish().length,
  }
}
