/** What ECPay checks of a Create request (facts: developers.ecpay.com.tw ?p=22414, ?p=22507, field rules of its official SDK). */

const SUB_TYPES: Record<string, string[]> = {
  CVS: ['UNIMART', 'UNIMARTFREEZE', 'UNIMARTC2C', 'FAMI', 'FAMIC2C', 'HILIFE', 'HILIFEC2C', 'OKMARTC2C'],
  HOME: ['TCAT', 'POST'],
}
const REQUIRED = [
  'MerchantID',
  'MerchantTradeDate',
  'LogisticsType',
  'LogisticsSubType',
  'GoodsAmount',
  'SenderName',
  'ReceiverName',
  'ServerReplyURL',
  'CheckMacValue',
]
const REQUIRED_HOME = [
  'SenderZipCode',
  'SenderAddress',
  'ReceiverZipCode',
  'ReceiverAddress',
  'Temperature',
  'Distance',
  'Specification',
]
const REQUIRED_CVS = ['ReceiverCellPhone', 'ReceiverStoreID']

const width = (text: string) => Array.from(text).reduce((sum, char) => sum + (char.charCodeAt(0) > 127 ? 2 : 1), 0)
const CELL = /^09\d{8}$/

export interface RuleOptions {
  kind: 'B2C' | 'C2C'
  /** ECPay's SDK refuses collection at the door; true for a merchant whose contract has it. */
  homeCollection: boolean
}
type Fields = Record<string, string>
const has = (fields: Fields, name: string) => (fields[name] ?? '') !== ''

function amountProblem(f: Fields, options: RuleOptions): string | null {
  const amount = Number(f.GoodsAmount)
  if (!/^\d+$/.test(f.GoodsAmount ?? '') || amount < 1 || amount > 20_000) return 'GoodsAmount需為1~20000之整數'
  if (!['Y', 'N', '', undefined].includes(f.IsCollection)) return 'IsCollection參數錯誤'
  if (f.IsCollection !== 'Y') return null
  if (f.LogisticsType === 'HOME' && !options.homeCollection) return '宅配不提供代收貨款'
  const collection = Number(f.CollectionAmount)
  if (!/^\d+$/.test(f.CollectionAmount ?? '') || collection < 1 || collection > 20_000) return 'CollectionAmount需為1~20000之整數'
  if (f.LogisticsSubType?.startsWith('UNIMART') && collection !== amount) return 'CollectionAmount需等於GoodsAmount'
  return null
}

function peopleProblem(f: Fields): string | null {
  for (const name of ['SenderName', 'ReceiverName']) {
    const value = f[name] ?? ''
    if (width(value) < 4 || width(value) > 10) return `${name}長度需為4~10字元`
    if (/[\d\s\p{P}\p{S}]/u.test(value)) return `${name}不可有數字或符號`
  }
  for (const name of ['SenderCellPhone', 'ReceiverCellPhone'])
    if (has(f, name) && !CELL.test(f[name] ?? '')) return `${name}格式錯誤`
  for (const name of ['SenderPhone', 'ReceiverPhone'])
    if (has(f, name) && !/^[\d()#-]{1,20}$/.test(f[name] ?? '')) return `${name}格式錯誤`
  if (f.LogisticsType === 'HOME') {
    if (!has(f, 'SenderPhone') && !has(f, 'SenderCellPhone')) return 'SenderPhone與SenderCellPhone不可同時為空'
    if (!has(f, 'ReceiverPhone') && !has(f, 'ReceiverCellPhone')) return 'ReceiverPhone與ReceiverCellPhone不可同時為空'
  }
  return null
}

function homeProblem(f: Fields): string | null {
  for (const name of ['SenderZipCode', 'ReceiverZipCode']) if (!/^\d{3}(\d{2})?$/.test(f[name] ?? '')) return `${name}格式錯誤`
  for (const name of ['SenderAddress', 'ReceiverAddress']) {
    const length = Array.from(f[name] ?? '').length
    if (length < 6 || length > 60) return `${name}長度需為6~60字元`
  }
  if (!['0001', '0002', '0003'].includes(f.Temperature ?? '')) return 'Temperature參數錯誤'
  if (!['00', '01', '02'].includes(f.Distance ?? '')) return 'Distance參數錯誤'
  if (!['0001', '0002', '0003', '0004'].includes(f.Specification ?? '')) return 'Specification參數錯誤'
  if (f.Temperature === '0003' && f.Specification === '0004') return 'Specification不可為0004'
  if (f.LogisticsSubType === 'TCAT') {
    if (!['1', '2', '3', '4'].includes(f.ScheduledPickupTime ?? '')) return 'ScheduledPickupTime參數錯誤'
    if (!['', '1', '2', '4'].includes(f.ScheduledDeliveryTime ?? '')) return 'ScheduledDeliveryTime參數錯誤'
  }
  if (f.LogisticsSubType === 'POST' && !/^\d{1,2}(\.\d{1,3})?$/.test(f.GoodsWeight ?? '')) return 'GoodsWeight參數錯誤'
  return null
}

function storeProblem(f: Fields): string | null {
  if (!/^[a-zA-Z0-9]{1,6}$/.test(f.ReceiverStoreID ?? '')) return 'ReceiverStoreID格式錯誤'
  if (!f.LogisticsSubType?.endsWith('C2C')) return null
  if (!has(f, 'GoodsName')) return 'GoodsName不可為空'
  return f.LogisticsSubType !== 'FAMIC2C' && !has(f, 'SenderCellPhone') ? 'SenderCellPhone不可為空' : null
}

/** @returns ECPay's reason, null when it takes the order. CheckMacValue and duplicates are judged elsewhere. */
export function problemOf(f: Fields, options: RuleOptions): string | null {
  const type = f.LogisticsType ?? ''
  const missing = [...REQUIRED, ...(type === 'HOME' ? REQUIRED_HOME : REQUIRED_CVS)].find((name) => !has(f, name))
  if (missing) return `${missing}不可為空`
  if (!SUB_TYPES[type]?.includes(f.LogisticsSubType ?? '')) return 'LogisticsSubType參數錯誤'
  if (type === 'CVS' && f.LogisticsSubType?.endsWith('C2C') !== (options.kind === 'C2C')) return '此廠商未申請該物流類型'
  if (has(f, 'MerchantTradeNo') && !/^[A-Za-z0-9]{1,20}$/.test(f.MerchantTradeNo ?? '')) return 'MerchantTradeNo格式錯誤'
  if (!/^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2}$/.test(f.MerchantTradeDate ?? '')) return 'MerchantTradeDate格式錯誤'
  if (Array.from(f.GoodsName ?? '').length > 50 || /[\^'`!@#%&*+\\"<>|_[\]]/.test(f.GoodsName ?? '')) return 'GoodsName格式錯誤'
  if ((f.ServerReplyURL ?? '').length > 200 || !URL.canParse(f.ServerReplyURL ?? '')) return 'ServerReplyURL格式錯誤'
  if (Array.from(f.Remark ?? '').length > 200) return 'Remark長度錯誤'
  return amountProblem(f, options) ?? peopleProblem(f) ?? (type === 'HOME' ? homeProblem(f) : storeProblem(f))
}
