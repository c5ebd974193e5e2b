/** /Express/Create: books a parcel. developers.ecpay.com.tw ?p=22414 (convenience store), ?p=22507 (home delivery). */
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Booking, ParcelRequest } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import {
  addressField,
  deliverySlotOf,
  distanceOf,
  dollarsField,
  goodsNameField,
  invalid,
  nameField,
  phonesOf,
  taipeiTime,
  zipField,
} from './fields.ts'
import { signed } from './mac.ts'
import { readAnswer, waybillOf } from './answer.ts'

const TEMPERATURE = { ambient: '0001', chilled: '0002', frozen: '0003' } as const
const isC2c = (service: string) => service.endsWith('C2C')
const isUnimart = (service: string) => service.startsWith('UNIMART')

/** Amounts: what is collected, and the declared value (for 7-ELEVEN both must be equal when it collects). */
function amounts(config: EcpayConfig, parcel: ParcelRequest): Record<string, string> {
  const { amountDueMinor, goodsAmountMinor, service } = parcel
  if (amountDueMinor <= 0) {
    return {
      GoodsAmount: String(dollarsField('GoodsAmount', Math.max(declared(goodsAmountMinor), MINOR_PER_MAJOR))),
      IsCollection: 'N',
    }
  }
  if (parcel.method === 'home' && !config.homeCollection) {
    throw invalid(
      'IsCollection',
      'ECPay does not collect at the door',
      'Send it to a convenience store or by another courier; if your contract allows it, set homeCollection of the connection.',
    )
  }
  const collection = dollarsField('CollectionAmount', amountDueMinor)
  const goods = isUnimart(service)
    ? collection
    : dollarsField('GoodsAmount', Math.max(declared(goodsAmountMinor), MINOR_PER_MAJOR))
  return { GoodsAmount: String(goods), IsCollection: 'Y', CollectionAmount: String(collection) }
}

/** The declared value only limits what ECPay pays for a lost parcel: cents of it are rounded up. */
const declared = (goodsAmountMinor: number) => Math.ceil(goodsAmountMinor / MINOR_PER_MAJOR) * MINOR_PER_MAJOR

export function people(parcel: ParcelRequest): Record<string, string> {
  const sender = phonesOf(parcel.sender.phone)
  const recipient = phonesOf(parcel.recipient.phone)
  if (parcel.method === 'cvs' && !recipient.cell) {
    throw invalid(
      'ReceiverCellPhone',
      'no mobile number',
      'Ask the customer for a mobile number (09 and 8 digits): the store sends its notice there.',
    )
  }
  if (!recipient.cell && !recipient.landline) {
    throw invalid(
      'ReceiverPhone',
      'not a telephone number of Taiwan',
      'Correct the number: 09 and 8 digits, or area code and number.',
    )
  }
  if (isC2c(parcel.service) && !sender.cell) {
    throw invalid(
      'SenderCellPhone',
      'the sender has no mobile number',
      'Give the location a sender with a mobile number: store-to-store parcels need one.',
    )
  }
  if (!sender.cell && !sender.landline) {
    throw invalid('SenderPhone', 'the sender has no telephone number of Taiwan', "Correct the phone of the location's sender.")
  }
  return {
    SenderName: nameField('SenderName', parcel.sender.name),
    SenderPhone: sender.landline,
    SenderCellPhone: sender.cell,
    ReceiverName: nameField('ReceiverName', parcel.recipient.name),
    ReceiverPhone: recipient.landline,
    ReceiverCellPhone: recipient.cell,
  }
}

export function homeFields(config: EcpayConfig, parcel: ParcelRequest): Record<string, string> {
  const { recipient, sender, service, temperature } = parcel
  const zip = zipField('ReceiverZipCode', recipient.postalCode)
  if (temperature === 'frozen' && config.specification === '0004') {
    throw invalid('Specification', '150 cm boxes do not travel frozen', 'Use a smaller specification for this connection.')
  }
  const post: Record<string, string> = {}
  if (service === 'POST') {
    if (temperature !== 'ambient') throw invalid('Temperature', `POST does not carry ${temperature} goods`, 'Use TCAT.')
    if (parcel.weightGrams === null || parcel.weightGrams <= 0)
      throw invalid('GoodsWeight', 'POST needs the weight', 'Give the products their weight.')
    if (parcel.weightGrams > 20_000)
      throw invalid('GoodsWeight', `${parcel.weightGrams} g is above 20 kg`, 'Send it in several parcels.')
    post.GoodsWeight = String(parcel.weightGrams / 1000)
  }
  return {
    ...post,
    SenderZipCode: zipField('SenderZipCode', sender.postalCode),
    SenderAddress: addressField('SenderAddress', [sender.address]),
    ReceiverZipCode: zip,
    ReceiverAddress: addressField('ReceiverAddress', [recipient.city, recipient.district, recipient.address]),
    Temperature: TEMPERATURE[temperature],
    Distance: distanceOf(sender.address, recipient.city, zip),
    Specification: config.specification,
    ...(service === 'TCAT' ? { ScheduledPickupTime: '4', ScheduledDeliveryTime: deliverySlotOf(parcel.askedTime) } : {}),
  }
}

function storeFields(parcel: ParcelRequest): Record<string, string> {
  const storeId = parcel.cvs?.storeId ?? ''
  if (!/^[A-Za-z0-9]{1,6}$/.test(storeId)) {
    throw invalid(
      'ReceiverStoreID',
      storeId ? `${JSON.stringify(storeId)} is not a store number` : 'no pickup store was chosen',
      'Give the number of the pickup store (at most 6 letters and digits).',
    )
  }
  const frozenService = parcel.service === 'UNIMARTFREEZE'
  if (frozenService !== (parcel.temperature === 'frozen') || parcel.temperature === 'chilled') {
    throw invalid(
      'Temperature',
      `${parcel.service} does not carry ${parcel.temperature} goods`,
      'Send them home with TCAT, or frozen by UNIMARTFREEZE.',
    )
  }
  return { ReceiverStoreID: storeId }
}

/** @throws OmnisagaError Invalid, its code the field ECPay would refuse. */
export function createRequest(
  config: EcpayConfig,
  parcel: ParcelRequest,
  now: Date,
): { url: string; fields: Record<string, string> } {
  if (!/^[A-Za-z0-9]{1,20}$/.test(parcel.reference)) {
    throw invalid(
      'MerchantTradeNo',
      `${JSON.stringify(parcel.reference)} is not 1 to 20 letters and digits`,
      'This is a fault of the caller.',
    )
  }
  const remark = [parcel.askedTime, parcel.notes]
    .filter(Boolean)
    .join(' ')
    .normalize('NFKC')
    .replace(/[\^'`!@#%&*+\\"<>|_[\]\r\n]/g, ' ')
    .trim()
  const fields: Record<string, string> = {
    MerchantID: config.merchantId,
    MerchantTradeNo: parcel.reference,
    MerchantTradeDate: taipeiTime(now),
    LogisticsType: parcel.method === 'home' ? 'HOME' : 'CVS',
    LogisticsSubType: parcel.service,
    ...amounts(config, parcel),
    GoodsName: goodsNameField(parcel.goodsName),
    ...people(parcel),
    Remark: [...remark].slice(0, 100).join(''),
    ServerReplyURL: config.serverReplyUrl,
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
    ...(parcel.method === 'home' ? homeFields(config, parcel) : storeFields(parcel)),
  }
  return { url: `${config.baseUrl.replace(/\/$/, '')}/Express/Create`, fields: signed(fields, config) }
}

/**
 * @param body `1|k=v&…` or `0|reason`
 * @throws OmnisagaError Rejected with ECPay's words; OutcomeUnknown when the answer cannot be believed or says the number is taken.
 */
export function parseCreate(config: EcpayConfig, parcel: ParcelRequest, body: string): Booking {
  const fields = readAnswer(config, body, parcel)
  if (!fields.AllPayLogisticsID) {
    throw new OmnisagaError('Rejected', `ECPay: ${fields.RtnMsg ?? 'no logistics number in its answer'}`.slice(0, 200), {
      code: fields.RtnCode,
    })
  }
  if (fields.MerchantTradeNo !== undefined && fields.MerchantTradeNo !== parcel.reference) {
    throw new OmnisagaError('OutcomeUnknown', 'ECPay answered about another parcel', { code: 'other-parcel' })
  }
  const collected = parcel.amountDueMinor > 0
  // For 7-ELEVEN the declared value is what the label collects: believe the answer, not our own request.
  const labelDollars =
    collected && isUnimart(parcel.service) && fields.GoodsAmount
      ? Number(fields.GoodsAmount)
      : parcel.amountDueMinor / MINOR_PER_MAJOR
  return {
    waybill: waybillOf(parcel.service, fields),
    courierBookingId: fields.AllPayLogisticsID,
    labelAmountMinor: collected ? labelDollars * MINOR_PER_MAJOR : 0,
    label: {
      service: parcel.service,
      allPayLogisticsId: fields.AllPayLogisticsID,
      ...(fields.CVSPaymentNo ? { cvsPaymentNo: fields.CVSPaymentNo } : {}),
      ...(fields.CVSValidationNo ? { cvsValidationNo: fields.CVSValidationNo } : {}),
      ...(fields.BookingNote ? { bookingNote: fields.BookingNote } : {}),
    },
  }
}
