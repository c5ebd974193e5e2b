/** An order as get_order_detail tells it (v2.order.get_order_detail, response_params). */
import type { SimOrder } from './types.ts'

const MASK = '****'

/** What comes only when response_optional_fields names it. */
function optionalFields(order: SimOrder): Record<string, unknown> {
  const { recipient, integrated } = order
  const hidden = (value: string) => (integrated ? MASK : value)
  return {
    buyer_user_id: integrated ? order.buyer.userId : null,
    buyer_username: integrated ? order.buyer.username : MASK,
    estimated_shipping_fee: 60,
    actual_shipping_fee: 0,
    goods_to_declare: false,
    note: order.note,
    note_update_time: 0,
    recipient_address: {
      name: hidden(recipient.name),
      phone: hidden(recipient.phone),
      town: '',
      district: hidden(recipient.district),
      city: hidden(recipient.city),
      state: '',
      region: 'TW',
      zipcode: hidden(recipient.zipcode),
      full_address: hidden(recipient.fullAddress),
    },
    item_list: order.items.map((item) => ({
      item_id: item.itemId,
      item_name: item.name,
      item_sku: item.itemSku,
      model_id: item.modelId,
      model_name: item.modelName,
      model_sku: item.modelSku,
      model_quantity_purchased: item.quantity,
      model_original_price: item.price,
      model_discounted_price: item.price,
      wholesale: false,
      weight: 0.3,
      add_on_deal: false,
      main_item: false,
      add_on_deal_id: 0,
      promotion_type: '',
      promotion_id: 0,
      order_item_id: item.itemId,
      promotion_group_id: 0,
    })),
    pay_time: order.payTime,
    cancel_by: order.status === 'CANCELLED' ? 'buyer' : '',
    cancel_reason: order.cancelReason,
    buyer_cancel_reason: '',
    fulfillment_flag: 'fulfilled_by_local_seller',
    pickup_done_time: 0,
    split_up: false,
    package_list: [
      {
        package_number: order.packageNumber,
        logistics_status: order.logisticsStatus,
        logistics_channel_id: order.channelId,
        shipping_carrier: order.carrier,
        allow_self_design_awb: false,
        group_shipment_id: null,
        item_list: order.items.map((item) => ({ item_id: item.itemId, model_id: item.modelId, model_quantity: item.quantity })),
      },
    ],
    shipping_carrier: order.carrier,
    payment_method: order.cod ? 'Cash on Delivery' : 'Credit Card',
    ...(order.status === 'UNPAID' ? {} : { total_amount: order.totalAmount }),
    invoice_data: null,
    order_chargeable_weight_gram: 300,
  }
}

export function orderDetail(order: SimOrder, optional: ReadonlySet<string>): Record<string, unknown> {
  const asked = Object.fromEntries(Object.entries(optionalFields(order)).filter(([name]) => optional.has(name)))
  return {
    order_sn: order.orderSn,
    region: 'TW',
    currency: 'TWD',
    cod: order.cod,
    order_status: order.status,
    message_to_seller: order.messageToSeller,
    create_time: order.createTime,
    update_time: order.updateTime,
    days_to_ship: 2,
    ship_by_date: order.createTime + 3 * 86_400,
    ...asked,
    ...order.malformed,
  }
}
