/** ECPay's Create, answered at once: a process of its own, so that its work is not the product's. Prints its port. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [hashKey = '', hashIv = ''] = process.argv.slice(2)

function mac(fields: Record<string, string>): string {
  const text = Object.keys(fields)
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .map((name) => `${name}=${fields[name]}`)
    .join('&')
  const encoded = encodeURIComponent(`HashKey=${hashKey}&${text}&HashIV=${hashIv}`).replace(/%20/g, '+').toLowerCase()
  return createHash('md5').update(encoded).digest('hex').toUpperCase()
}

let serial = 0
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const asked = new URLSearchParams(Buffer.concat(parts).toString())
    serial++
    const answer: Record<string, string> = {
      MerchantID: asked.get('MerchantID') ?? '',
      MerchantTradeNo: asked.get('MerchantTradeNo') ?? '',
      RtnCode: '300',
      RtnMsg: 'OK',
      AllPayLogisticsID: String(10_000_000 + serial),
      LogisticsType: 'HOME',
      LogisticsSubType: 'TCAT',
      BookingNote: String(900_000_000_000 + serial),
    }
    const fields = { ...answer, CheckMacValue: mac(answer) }
    response.end(
      `1|${Object.entries(fields)
        .map(([name, value]) => `${name}=${value}`)
        .join('&')}`,
    )
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.on('end', () => process.exit(0)).resume()
