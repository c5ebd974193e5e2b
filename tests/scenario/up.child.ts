/** `omnisaga up` without services, to be killed: prints one line of JSON when it is up. */
import { startEmbedded } from '../../cli/embedded/up.ts'

const { environment } = await startEmbedded({ services: [], say: (line) => console.error(line) })
console.log(JSON.stringify(environment))
