/**
 * What customers read, by template and language. Plain text; `{name}` is filled in, and a line whose value is missing is left out.
 * Whoever adds a template adds both languages: tests/unit/notices.test.ts compares them with what the activities use.
 */
import { returnTexts } from './returnTexts.ts'
import type { Language, Words } from './words.ts'

export { LANGUAGES, type Language, type Words } from './words.ts'

export const texts: Record<string, Record<Language, Words>> = {
  ...returnTexts,
  confirmCod: {
    'zh-TW': {
      subject: '請確認您的訂單 {order}',
      lines: [
        '{customer} 您好：',
        '您的訂單 {order} 採貨到付款，應付金額 {amount}。',
        '請確認訂單，我們收到確認後立即為您備貨。',
      ],
    },
    en: {
      subject: 'Please confirm your order {order}',
      lines: [
        'Dear {customer},',
        'your order {order} is paid on delivery: {amount}.',
        'Please confirm it; we pack it as soon as you have.',
      ],
    },
  },
  awaitPayment: {
    'zh-TW': {
      subject: '訂單 {order} 等待付款',
      lines: ['{customer} 您好：', '您的訂單 {order} 尚未完成付款，商品已為您保留。', '付款完成後我們立即出貨。'],
    },
    en: {
      subject: 'Your order {order} awaits payment',
      lines: [
        'Dear {customer},',
        'your order {order} is not paid yet. We keep the goods for you.',
        'They leave as soon as it is paid.',
      ],
    },
  },
  tryOnHeld: {
    'zh-TW': {
      subject: '試穿商品已保留：{order}',
      lines: ['{customer} 您好：', '您預約試穿的商品（{order}）已為您保留。', '門市：{location}', '保留至：{until}'],
    },
    en: {
      subject: 'Kept for you to try on: {order}',
      lines: [
        'Dear {customer},',
        'the goods you want to try on ({order}) are kept for you.',
        'Store: {location}',
        'Until: {until}',
      ],
    },
  },
  tryOnMissed: {
    'zh-TW': {
      subject: '試穿預約已過期：{order}',
      lines: ['{customer} 您好：', '您未於預約時間到店，試穿商品（{order}）已不再保留。', '歡迎再次預約。'],
    },
    en: {
      subject: 'Your appointment has passed: {order}',
      lines: ['Dear {customer},', 'we missed you; the goods of {order} are no longer kept.', 'You are welcome to book again.'],
    },
  },
  appointmentBooked: {
    'zh-TW': {
      subject: '您的預約已確認：{until}',
      lines: ['{customer} 您好：', '您的到店預約已確認。', '時間：{until}', '門市：{location}', '訂單：{order}'],
    },
    en: {
      subject: 'Your appointment: {until}',
      lines: ['Dear {customer},', 'your appointment is booked.', 'Time: {until}', 'Store: {location}', 'Order: {order}'],
    },
  },
  appointmentReminder: {
    'zh-TW': {
      subject: '預約提醒：{until}',
      lines: ['{customer} 您好：', '提醒您即將到來的到店預約。', '時間：{until}', '門市：{location}', '訂單：{order}'],
    },
    en: {
      subject: 'A reminder of your appointment: {until}',
      lines: ['Dear {customer},', 'we look forward to seeing you.', 'Time: {until}', 'Store: {location}', 'Order: {order}'],
    },
  },
  appointmentMissed: {
    'zh-TW': {
      subject: '您的預約已過期：{until}',
      lines: ['{customer} 您好：', '您未於預約時間到店，歡迎再次預約。', '時間：{until}', '門市：{location}'],
    },
    en: {
      subject: 'Your appointment has passed: {until}',
      lines: ['Dear {customer},', 'we missed you. You are welcome to book again.', 'Time: {until}', 'Store: {location}'],
    },
  },
  readyForPickup: {
    'zh-TW': {
      subject: '訂單 {order} 可以取貨了',
      lines: [
        '{customer} 您好：',
        '您的訂單 {order} 已備妥，歡迎到店取貨。',
        '門市：{location}',
        '取貨碼：{voucher}',
        '保留至：{until}',
      ],
    },
    en: {
      subject: 'Your order {order} is ready',
      lines: [
        'Dear {customer},',
        'your order {order} waits for you.',
        'Store: {location}',
        'Pickup code: {voucher}',
        'Until: {until}',
      ],
    },
  },
  pickupReminder: {
    'zh-TW': {
      subject: '提醒您取貨：訂單 {order}',
      lines: [
        '{customer} 您好：',
        '您的訂單 {order} 仍在門市等候取貨。',
        '門市：{location}',
        '取貨碼：{voucher}',
        '保留至：{until}',
      ],
    },
    en: {
      subject: 'Your order {order} still waits for you',
      lines: [
        'Dear {customer},',
        'your order {order} still waits at the store.',
        'Store: {location}',
        'Pickup code: {voucher}',
        'Until: {until}',
      ],
    },
  },
  pickupExpiring: {
    'zh-TW': {
      subject: '訂單 {order} 即將逾期未取',
      lines: [
        '{customer} 您好：',
        '您的訂單 {order} 即將超過保留期限，請盡快取貨。',
        '門市：{location}',
        '取貨碼：{voucher}',
        '保留至：{until}',
      ],
    },
    en: {
      subject: 'Last days to pick up your order {order}',
      lines: [
        'Dear {customer},',
        'your order {order} is kept for a short while only.',
        'Store: {location}',
        'Pickup code: {voucher}',
        'Until: {until}',
      ],
    },
  },
  onItsWay: {
    'zh-TW': {
      subject: '訂單 {order} 準備出貨',
      lines: ['{customer} 您好：', '您的訂單 {order} 已包裝完成，即將交給物流。', '物流：{courier}', '託運單號：{waybill}'],
    },
    en: {
      subject: 'Your order {order} is about to leave',
      lines: [
        'Dear {customer},',
        'your order {order} is packed and goes to the courier.',
        'Courier: {courier}',
        'Waybill: {waybill}',
      ],
    },
  },
  arrivedAtPickup: {
    'zh-TW': {
      subject: '訂單 {order} 已到取貨門市',
      lines: [
        '{customer} 您好：',
        '您的包裹已送達取貨門市，請盡快取件。',
        '訂單：{order}',
        '託運單號：{waybill}',
        '應付金額：{amount}',
      ],
    },
    en: {
      subject: 'Your order {order} has arrived at the pickup store',
      lines: [
        'Dear {customer},',
        'your parcel waits at the store you chose.',
        'Order: {order}',
        'Waybill: {waybill}',
        'To be paid: {amount}',
      ],
    },
  },
  delivered: {
    'zh-TW': {
      subject: '訂單 {order} 已送達',
      lines: ['{customer} 您好：', '您的訂單 {order} 已送達，謝謝您的購買。'],
    },
    en: {
      subject: 'Your order {order} was delivered',
      lines: ['Dear {customer},', 'your order {order} was delivered. Thank you.'],
    },
  },
  cancelled: {
    'zh-TW': {
      subject: '訂單 {order} 已取消',
      lines: ['{customer} 您好：', '您的訂單 {order} 已取消。'],
    },
    en: {
      subject: 'Your order {order} is cancelled',
      lines: ['Dear {customer},', 'your order {order} is cancelled.'],
    },
  },
  backordered: {
    'zh-TW': {
      subject: '訂單 {order} 等待到貨',
      lines: ['{customer} 您好：', '您的訂單 {order} 有商品正在補貨，到貨後優先為您出貨。', '預計到貨：{until}'],
    },
    en: {
      subject: 'Your order {order} waits for goods',
      lines: [
        'Dear {customer},',
        'some goods of your order {order} are not there yet; they are yours before anybody else can buy them.',
        'Expected by: {until}',
      ],
    },
  },
  campaignFailed: {
    'zh-TW': {
      subject: '團購未成團：{order}',
      lines: ['{customer} 您好：', '您參加的團購未達成團數量，訂單 {order} 已取消。', '已付款項將退還給您。'],
    },
    en: {
      subject: 'The group-buy did not take place: {order}',
      lines: [
        'Dear {customer},',
        'too few took part in the group-buy, so your order {order} is cancelled.',
        'What you have paid is paid back.',
      ],
    },
  },
  campaignMissed: {
    'zh-TW': {
      subject: '團購已截止：{order}',
      lines: ['{customer} 您好：', '團購已截止或名額已滿，訂單 {order} 未能成立，已取消。', '已付款項將退還給您。'],
    },
    en: {
      subject: 'The group-buy is over: {order}',
      lines: [
        'Dear {customer},',
        'the group-buy was over or sold out before your order {order} had its goods; it is cancelled.',
        'What you have paid is paid back.',
      ],
    },
  },
  refunded: {
    'zh-TW': {
      subject: '訂單 {order} 已退款',
      lines: ['{customer} 您好：', '您的訂單 {order} 已退款 {amount}，入帳時間依您的付款方式而定。'],
    },
    en: {
      subject: 'Refund for your order {order}',
      lines: ['Dear {customer},', 'we have refunded {amount} of your order {order}. When it arrives depends on how you paid.'],
    },
  },
}
