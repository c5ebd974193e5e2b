/**
 * Evaluated once in each workflow sandbox, before the first workflow (`preloadModules`): no stack traces in it. The SDK takes one for
 * every promise, with a look into the source map for every frame, and that was a third of all that the workflow thread did. What is
 * lost: the `__stack_trace` query and the frames of an error of the workflow itself. A replay of its history with
 * OMNISAGA_WORKFLOW_STACKS=1 takes the same way and shows them.
 */
Reflect.deleteProperty(Error, 'stackTraceLimit')
