/** Every connector, by the name that connections use. */
import type { Connector } from './kit/types.ts'
import { track17 } from './17track/index.ts'
import { aftership } from './aftership/index.ts'
import { cyberbiz, cyberbizPos } from './cyberbiz/index.ts'
import { easypost } from './easypost/index.ts'
import { ecpay } from './ecpay/index.ts'
import { file } from './file/index.ts'
import { medusa } from './medusa/index.ts'
import { karrio } from './karrio/index.ts'
import { line } from './line/index.ts'
import { odoo } from './odoo/index.ts'
import { shopee } from './shopee/index.ts'
import { shopify } from './shopify/index.ts'
import { smtp } from './smtp/index.ts'
import { square } from './square/index.ts'
import { store } from './store/index.ts'
import { vendure } from './vendure/index.ts'
import { tryton } from './tryton/index.ts'
import { wms } from './wms/index.ts'
import { wmsRest } from './wms-rest/index.ts'
import { woocommerce } from './woocommerce/index.ts'

export const connectors: Readonly<Record<string, Connector>> = {
  '17track': track17,
  aftership,
  cyberbiz,
  'cyberbiz-pos': cyberbizPos,
  easypost,
  ecpay,
  file,
  karrio,
  line,
  medusa,
  odoo,
  shopee,
  shopify,
  smtp,
  square,
  store,
  vendure,
  tryton,
  'wms-dropfolder': wms,
  'wms-rest': wmsRest,
  woocommerce,
}
