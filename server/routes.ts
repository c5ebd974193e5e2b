/** Every route there is. */
import type { Route } from './route.ts'
import { aliasRoutes } from './routes/aliases.ts'
import { appointmentRoutes } from './routes/appointments.ts'
import { backorderRoutes } from './routes/backorders.ts'
import { campaignRoutes } from './routes/campaigns.ts'
import { connectorRoutes } from './routes/connectors.ts'
import { deliveryRoutes } from './routes/delivery.ts'
import { importRoutes } from './routes/imports.ts'
import { manifestRoutes } from './routes/manifests.ts'
import { orderRoutes } from './routes/orders.ts'
import { packingRoutes } from './routes/packing.ts'
import { parcelRoutes } from './routes/parcels.ts'
import { profileRoutes } from './routes/profiles.ts'
import { returnRoutes } from './routes/returns.ts'
import { stockRoutes } from './routes/stock.ts'
import { storeRoutes } from './routes/store.ts'
import { systemRoutes } from './routes/system.ts'
import { taskRoutes } from './routes/tasks.ts'
import { transferRoutes } from './routes/transfers.ts'
import { webhookRoutes } from './routes/webhooks.ts'

export const routes: readonly Route[] = [
  ...webhookRoutes,
  ...orderRoutes,
  ...parcelRoutes,
  ...packingRoutes,
  ...manifestRoutes,
  ...importRoutes,
  ...profileRoutes,
  ...aliasRoutes,
  ...stockRoutes,
  ...campaignRoutes,
  ...backorderRoutes,
  ...appointmentRoutes,
  ...transferRoutes,
  ...storeRoutes,
  ...deliveryRoutes,
  ...returnRoutes,
  ...taskRoutes,
  ...connectorRoutes,
  ...systemRoutes,
]
