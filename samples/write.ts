/** `node --import tsx samples/write.ts`: writes a file of every profile to samples/files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { layoutFiles, layoutOrders } from './layouts.ts'

const folder = fileURLToPath(new URL('./files/', import.meta.url))
mkdirSync(folder, { recursive: true })
for (const make of Object.values(layoutFiles)) {
  const { fileName, bytes } = make(layoutOrders())
  writeFileSync(`${folder}${fileName}`, bytes)
}
