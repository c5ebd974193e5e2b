/** A vitest reporter: which tests passed only at their second try, and what the first one said. Each is a finding, not noise. */
import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

export default class SecondTries implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules)
      for (const test of module.children.allTests('passed')) {
        if (test.diagnostic()?.flaky !== true) continue
        const said = (test.result().errors ?? []).map((error) => error.message).join('\n')
        console.log(`\nSECOND TRY ${relative(process.cwd(), module.moduleId)}: ${test.fullName}\nits first: ${said}`)
      }
  }
}
