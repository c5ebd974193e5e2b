import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aWave, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

export const subject: Subject = {
  name: 'wms-dropfolder',
  async stage() {
    const folder = mkdtempSync(join(tmpdir(), 'omnisaga-wms-'))
    const [outFolder, inFolder] = [join(folder, 'out'), join(folder, 'in')]
    for (const path of [outFolder, inFolder]) mkdirSync(path)
    const files = (kind: string) => readdirSync(outFolder).filter((name) => name.startsWith(kind)).length
    return {
      config: { outFolder, inFolder },
      secrets: [],
      personalData: [RECIPIENT.name, RECIPIENT.phone, RECIPIENT.address],
      faults: null,
      bad: [
        { name: 'a folder that is not there', config: { outFolder: join(folder, 'away') }, says: /outFolder .* does not exist/ },
        { name: 'one folder for both ways', config: { inFolder: outFolder }, says: /another use/ },
      ],
      writes: [
        {
          name: 'warehouse.sendWave',
          run: (ctx, { warehouse }) => warehouse!.sendWave(ctx, aWave()),
          effects: () => files('wave-'),
          request: { path: '' },
        },
        {
          name: 'warehouse.sendCancel',
          run: (ctx, { warehouse }) => warehouse!.sendCancel(ctx, { unitId: 'unit-1', reason: 'customer', key: 'c1' }),
          effects: () => files('cancel-'),
          request: { path: '' },
        },
        {
          name: 'warehouse.sendLabel',
          run: (ctx, { warehouse }) =>
            warehouse!.sendLabel(ctx, {
              unitId: 'unit-1',
              waybill: '900123456785',
              courier: 'TCAT',
              amountDueMinor: 0,
              notes: null,
              key: 'l1',
            }),
          effects: () => files('label-'),
          request: { path: '' },
        },
      ],
      lenient: {
        malformed: {
          kind: 'shipmentAdvice',
          externalId: 'unit-1',
          version: '1',
          eventAt: null,
          payload: { UnitId: 'unit-1', Status: 'vanished', EventAt: '2026-11-22T10:15:00+08:00' },
        },
      },
      stop: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}
