/** The verb `change`: other goods, another address, another way of delivery, as long as nobody is working on it. */
import { reviseSales } from '../../store/owed.ts'
import { bookRefusedAgain } from './bookAgain.ts'
import { chooseStore, storeIsSettled } from './closedStore.ts'
import { learnSkus, names, Patch, patched, refuseUnknownLines, startOver } from './patch.ts'
import { callBack, whyCalledBack } from './recall.ts'
import { atWarehouse, Refusal, shipped, TooLate, type Obedience } from './refusal.ts'
import { addressIsCorrected } from './wrongAddress.ts'

/** Before the goods are being picked; afterwards an order is cancelled or completed, not changed. */
export const change: Obedience = async (record, tx, { id, detail, who }) => {
  const { recall, ...patch } = Patch.parse(detail)
  if (record.is('cancelRequested') || record.is('cancelled')) throw new Refusal(`it ${whyCalledBack(record)}`)
  const store = patch.delivery?.cvs
  if (store && record.is('storeClosed') && names(patch, 'delivery')) return await chooseStore(tx, record, store)
  if (record.is('wrongAddress') && names(patch, 'recipient')) {
    record.doc = patched(record.doc, patch)
    return await addressIsCorrected(tx, record)
  }
  const onlyAfterRefusal =
    record.units.every(
      (unit) => unit.state === 'packed' && ['refused', 'void', undefined].includes(record.parcelOf(unit.id)?.state),
    ) &&
    record.units.length > 0 &&
    patch.lines === undefined
  if (shipped(record)) throw new Refusal('a parcel of it is with the courier or delivered')
  refuseUnknownLines(record, patch.skus)
  if (recall === true && atWarehouse(record)) return callBack(record, id, who)
  if (atWarehouse(record) && !onlyAfterRefusal) throw new TooLate('the warehouse is already working on it')
  if (patch.skus !== undefined) await learnSkus(tx, record, patch.skus)
  record.doc = patched(record.doc, patch)
  if (patch.delivery !== undefined) await storeIsSettled(tx, record, 'it is delivered another way')
  const goodsMove =
    patch.lines !== undefined ||
    patch.skus !== undefined ||
    patch.delivery?.location !== undefined ||
    patch.delivery?.method !== undefined
  if (onlyAfterRefusal) await bookRefusedAgain(tx, record)
  else if (goodsMove) await startOver(tx, record, patch.lines)
  if (patch.payment !== undefined && record.doc.payment.method === 'cod' && !who.startsWith('channel:'))
    record.withdraw('confirmed')
  record.withdraw('checked', 'blocked', 'changeRefused')
  record.changeCourse()
  await reviseSales(tx, record)
  return 'changed'
}
