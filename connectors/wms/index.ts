/**
 * A warehouse that exchanges files: orders, cancellations and labels into one folder (to-warehouse.xsd), shipment advices out of
 * another (from-warehouse.xsd), or the same as CSV. See docs/connectors/wms.md.
 */
import { resolve } from 'node:path'
import type { CheckResult, Connector } from '../kit/types.ts'
import { readAnswers } from './answers.ts'
import { WmsConfig, doneFolderOf, rejectedFolderOf } from './config.ts'
import { cancelCsv, labelCsv, waveCsv } from './csv.ts'
import { inFolder, problemWith, writeWhole } from './folder.ts'
import { mapAdvice } from './mapAdvice.ts'
import { cancelRequest, labelRequest, waveRequest } from './requests.ts'
import type { OutFile } from './requests.ts'

async function send(config: WmsConfig, file: OutFile, now: Date): Promise<string> {
  await inFolder(config.outFolder, () => writeWhole(config.outFolder, file.fileName, file.content, now.getTime()))
  return file.fileName
}

async function check(config: WmsConfig): Promise<CheckResult> {
  const folders = [
    { key: 'outFolder', path: config.outFolder, make: false },
    { key: 'inFolder', path: config.inFolder, make: false },
    { key: 'doneFolder', path: doneFolderOf(config), make: true },
    { key: 'rejectedFolder', path: rejectedFolderOf(config), make: true },
  ]
  const problems: CheckResult['problems'] = []
  let inFolderMissing = false
  for (const { key, path, make } of folders) {
    if (make && inFolderMissing) continue // making it would hide that the mount is not there
    const problem = await problemWith(path, make)
    if (problem === null) continue
    inFolderMissing ||= key === 'inFolder'
    problems.push({
      message: `${key} ${path} ${problem}`,
      remedy: 'make or mount the folder and let this process read and write it',
    })
  }
  const twins = folders.filter(({ path }, index) => folders.findIndex((other) => resolve(other.path) === resolve(path)) < index)
  for (const { key, path } of twins)
    problems.push({ message: `${key} ${path} is given to another use too`, remedy: 'give each of the folders a path of its own' })
  return { ok: problems.length === 0, problems }
}

export const wms: Connector<WmsConfig> = {
  name: 'wms-dropfolder',
  title: 'Warehouse drop folder (XML, CSV)',
  kind: 'warehouse',
  configSchema: WmsConfig,
  secretFields: [],
  check: (ctx) => check(ctx.connection.config),
  warehouse: {
    async sendWave(ctx, wave) {
      const { config } = ctx.connection
      return await send(config, config.format === 'csv' ? waveCsv(wave, config) : waveRequest(wave), ctx.now())
    },
    async sendCancel(ctx, args) {
      const { config } = ctx.connection
      await send(config, config.format === 'csv' ? cancelCsv(args, config) : cancelRequest(args), ctx.now())
    },
    async sendLabel(ctx, args) {
      const { config } = ctx.connection
      await send(config, config.format === 'csv' ? labelCsv(args, config) : labelRequest(args), ctx.now())
    },
    readAnswers: (ctx) => readAnswers(ctx.connection.config, () => ctx.now()),
    mapAdvice,
  },
}
