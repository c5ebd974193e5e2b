/** What customers read about returns, exchanges and parcels that are late. See texts.ts. */
import type { Language, Words } from './words.ts'

export const returnTexts: Record<string, Record<Language, Words>> = {
  returnAsked: {
    'zh-TW': {
      subject: '已收到您的退貨申請：{order}',
      lines: ['{customer} 您好：', '您的訂單 {order} 退貨申請已收到，我們確認後會再通知您。'],
    },
    en: {
      subject: 'Your return of order {order} was received',
      lines: ['Dear {customer},', 'you asked to return goods of order {order}. We look at it and write to you.'],
    },
  },
  returnApproved: {
    'zh-TW': {
      subject: '退貨申請已核准：{order}',
      lines: ['{customer} 您好：', '您的訂單 {order} 退貨申請已核准。', '退回地點：{location}', '請於 {until} 前退回。'],
    },
    en: {
      subject: 'You may return goods of order {order}',
      lines: [
        'Dear {customer},',
        'your return of goods of order {order} is approved.',
        'To: {location}',
        'Please return them by {until}.',
      ],
    },
  },
  returnRefused: {
    'zh-TW': {
      subject: '退貨申請未核准：{order}',
      lines: ['{customer} 您好：', '很抱歉，您的訂單 {order} 退貨申請未能核准，請與我們聯絡。'],
    },
    en: {
      subject: 'Your return of order {order}',
      lines: ['Dear {customer},', 'we are sorry that we cannot take the goods of order {order} back. Please ask us.'],
    },
  },
  returnBooked: {
    'zh-TW': {
      subject: '退貨取件已安排：{order}',
      lines: ['{customer} 您好：', '您的訂單 {order} 退貨已安排物流。', '退貨編號：{waybill}'],
    },
    en: {
      subject: 'The return of order {order} is booked',
      lines: ['Dear {customer},', 'a courier takes the goods of order {order} back.', 'Number: {waybill}'],
    },
  },
  returnReceived: {
    'zh-TW': {
      subject: '已收到退回商品：{order}',
      lines: ['{customer} 您好：', '我們已收到您的訂單 {order} 退回的商品，檢查後為您處理。'],
    },
    en: {
      subject: 'The goods of order {order} are here',
      lines: ['Dear {customer},', 'the goods that you returned of order {order} are here. We look at them now.'],
    },
  },
  returnExpired: {
    'zh-TW': {
      subject: '退貨期限已過：{order}',
      lines: ['{customer} 您好：', '您的訂單 {order} 商品未於期限內退回，退貨已取消。'],
    },
    en: {
      subject: 'The return of order {order} has ended',
      lines: ['Dear {customer},', 'the goods of order {order} did not come in time, so the return has ended.'],
    },
  },
  exchangeHeld: {
    'zh-TW': {
      subject: '換貨商品已為您保留：{order}',
      lines: ['{customer} 您好：', '換貨商品已為您保留，收到退回商品後立即出貨。', '換貨單：{order}'],
    },
    en: {
      subject: 'Your exchange is kept for you: {order}',
      lines: [
        'Dear {customer},',
        'the goods you want instead are kept for you. They leave as soon as the others are here.',
        'Exchange: {order}',
      ],
    },
  },
  parcelLate: {
    'zh-TW': {
      subject: '訂單 {order} 配送延遲',
      lines: ['{customer} 您好：', '很抱歉，您的訂單 {order} 配送延遲，我們正在向物流查詢。', '託運單號：{waybill}'],
    },
    en: {
      subject: 'Your order {order} is late',
      lines: [
        'Dear {customer},',
        'we are sorry: the parcel of order {order} is late. We are asking the courier.',
        'Waybill: {waybill}',
      ],
    },
  },
  cameBack: {
    'zh-TW': {
      subject: '訂單 {order} 包裹已退回',
      lines: ['{customer} 您好：', '您的訂單 {order} 包裹未能送達，已退回我們。', '託運單號：{waybill}'],
    },
    en: {
      subject: 'The parcel of order {order} came back to us',
      lines: [
        'Dear {customer},',
        'the parcel of order {order} could not be delivered and came back to us.',
        'Waybill: {waybill}',
      ],
    },
  },
  feedback: {
    'zh-TW': {
      subject: '您對訂單 {order} 滿意嗎？',
      lines: ['{customer} 您好：', '您的訂單 {order} 已送達，歡迎回覆您的意見。'],
    },
    en: {
      subject: 'How was order {order}?',
      lines: ['Dear {customer},', 'your order {order} was delivered. Tell us how it was.'],
    },
  },
}
