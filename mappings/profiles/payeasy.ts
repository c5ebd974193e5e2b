/**
 * PayEasy's supplier file. Source: ../shared/facts/excel-columns.json `payeasy`, seen in public code, not in an official document;
 * what is uncertain is told in docs/profiles/payeasy.md.
 */
import { layoutProfile } from './mapping.ts'

export const payeasy = layoutProfile({
  name: 'payeasy',
  title: "PayEasy's supplier orders",
  channel: 'payeasy',
  columns: {
    serial: ['項次'],
    placedAt: ['組檔日期'],
    orderNumber: ['訂單編號'],
    orderType: ['活動訂單'],
    productName: ['商品銷售名稱'],
    itemId: ['商品流水號'],
    sku: ['廠商商品原始碼'],
    quantity: ['商品數量'],
    recipientName: ['收貨人'],
    postalCode: ['郵遞區號'],
    city: ['縣市別'],
    address: ['收貨地址'],
    phone: ['手機'],
    phone2: ['電話(日)'],
    phone3: ['電話(夜)'],
    notes: ['備註'],
  },
  // Whether they are what a piece or the whole costs is not known: they stay in the raw record.
  otherHeaders: ['帳款金額', '訂單貨款'],
  required: [['orderNumber'], ['sku'], ['quantity'], ['recipientName'], ['phone', 'phone2', 'phone3'], ['address']],
  finish: (order, rows) => {
    const types = [...new Set(rows.map((row) => row.text('orderType')))].filter(
      (text) => text !== '' && !/^(否|n|no|0|-)$/i.test(text),
    )
    return { ...order, notes: [order.notes, ...types.map((text) => `活動訂單 ${text}`)].filter(Boolean).join('\n') || null }
  },
})
