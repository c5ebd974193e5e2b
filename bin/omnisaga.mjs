#!/usr/bin/env node
// The command line. The sources are TypeScript and are run as they are.
import { register } from 'tsx/esm/api'

register()
await import('../cli/main.ts')
