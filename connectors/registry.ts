/** Every connector, by the name that connections use. */
import type { Connector } from './kit/types.ts'
import { cyberbiz, cyberbizPos } from './cyberbiz/index.ts'
import { ecpay } from './ecpay/index.ts'
import { file } from './file/index.ts'
import { shopee } from './shopee/index.ts'
import { store } from './store/index.ts'
import { wms } from './wms/index.ts'

export const connectors: Readonly<Record<string, Connector>> = {
  cyberbiz,
  'cyberbiz-pos': cyberbizPos,
  ecpay,
  file,
  shopee,
  store,
  'wms-dropfolder': wms,
}
