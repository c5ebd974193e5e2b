/** What customers read about returns, exchanges and parcels that do not get to them. See texts.ts. */
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
  storeClosed: {
    'zh-TW': {
      subject: '請重新選擇取貨門市：訂單 {order}',
      lines: [
        '{customer} 您好：',
        '您選擇的取貨門市已關閉或停止收件，訂單 {order} 無法送達該門市。',
        '請重新選擇門市：{link}',
        '請於 {until} 前選擇，逾期包裹將退回。',
        '您也可以直接與我們聯絡。',
      ],
    },
    en: {
      subject: 'Please choose another pickup store: order {order}',
      lines: [
        'Dear {customer},',
        'the store that you chose for order {order} takes no parcels any more.',
        'Choose another one: {link}',
        'Please choose by {until}, or the parcel goes back.',
        'You may also call us.',
      ],
    },
  },
  wrongAddress: {
    'zh-TW': {
      subject: '收件地址需要您確認：訂單 {order}',
      lines: [
        '{customer} 您好：',
        '物流無法依訂單 {order} 的地址找到您，請盡快告知我們正確的地址與電話。',
        '託運單號：{waybill}',
      ],
    },
    en: {
      subject: 'We need your right address: order {order}',
      lines: [
        'Dear {customer},',
        'the courier does not find you at the address of order {order}. Please tell us the right address and telephone number.',
        'Waybill: {waybill}',
      ],
    },
  },
  parcelRefused: {
    'zh-TW': {
      subject: '包裹未被簽收：訂單 {order}',
      lines: [
        '{customer} 您好：',
        '物流回報訂單 {order} 的包裹被拒收，將退回我們。若有誤會，請盡快與我們聯絡。',
        '託運單號：{waybill}',
      ],
    },
    en: {
      subject: 'Your parcel was not accepted: order {order}',
      lines: [
        'Dear {customer},',
        'the courier tells that the parcel of order {order} was refused; it comes back to us. Please call us if that is a mistake.',
        'Waybill: {waybill}',
      ],
    },
  },
}
