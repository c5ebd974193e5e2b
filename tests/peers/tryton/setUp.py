"""Fills an empty Tryton database: a company that sells in TWD, three products, two warehouses with stock, a user for us.

Called with the configuration file, the name of the database, the login of our user and, in TRYTON_KEY, the user application
key that it shall have. The chart of accounts is left out: sales are invoiced by hand here.
"""
import datetime
import os
import sys
from decimal import Decimal

from proteus import Model, Wizard, config as proteus

config_file, database, login = sys.argv[1:4]
proteus.set_trytond(database, config_file=config_file)

User = Model.get('res.user')
Group = Model.get('res.group')

for item in Model.get('ir.module.config_wizard.item').find([('state', '!=', 'done')]):
    item.state = 'done'
    item.save()

Currency = Model.get('currency.currency')
currency = Currency(name='New Taiwan dollar', symbol='NT$', code='TWD', numeric_code='901', rounding=Decimal('1'), digits=0)
currency.save()
country = Model.get('country.country')(name='Taiwan', code='TW', code3='TWN', code_numeric='158')
country.save()

Party = Model.get('party.party')
party = Party(name='Peer Company')
party.save()
wizard = Wizard('company.company.config')
wizard.execute('company')
wizard.form.party = party
wizard.form.currency = currency
wizard.execute('add')

Company = Model.get('company.company')
company, = Company.find()
proteus.get_config()._context = User.get_preferences(True, {})

Party(name='Shop customers', code='SHOP').save()

sales = Model.get('sale.configuration')(1)
sales.sale_invoice_method = 'manual'
sales.sale_shipment_method = 'order'
sales.save()

Location = Model.get('stock.location')
first, = Location.find([('type', '=', 'warehouse')])
zones = {}
for zone in ('input', 'output', 'storage'):
    zones[zone] = Location(name=f'Second {zone}', type='storage')
    zones[zone].save()
second = Location(
    name='Second warehouse', code='WH2', type='warehouse',
    input_location=zones['input'], output_location=zones['output'], storage_location=zones['storage'],
    lost_found_location=first.lost_found_location)
second.save()

unit, = Model.get('product.uom').find([('name', '=', 'Unit')])
gram, = Model.get('product.uom').find([('name', '=', 'Gram')])
kilogram, = Model.get('product.uom').find([('name', '=', 'Kilogram')])
Template = Model.get('product.template')


def product(code, name, price, weight, weight_unit, ean=None, **values):
    template = Template(
        name=name, type='goods', default_uom=unit, salable=True, list_price=Decimal(price),
        weight=weight, weight_uom=weight_unit, **values)
    made, = template.products
    made.suffix_code = code
    made.cost_price = Decimal('100')
    if ean:
        identifier = made.identifiers.new()
        identifier.type = 'ean'
        identifier.code = ean
    template.save()
    return template.products[0]


stocked = [
    (product('SHIRT-S', 'Linen shirt S', '590', 180, gram, ean='4006381333931'), 20),
    (product('SHIRT-M', 'Linen shirt M', '590', 0.2, kilogram), 30),
    (product('MUG-01', 'Mug', '250', None, None), 40),
]
for code, name in (('SHIPPING', 'Shipping'), ('DISCOUNT', 'Discount')):
    template = Template(name=name, type='service', default_uom=unit, salable=True, list_price=Decimal('0'))
    template.products[0].suffix_code = code
    template.save()

Inventory = Model.get('stock.inventory')
for warehouse, share in ((first, 1), (second, 0.5)):
    inventory = Inventory(location=warehouse.storage_location, date=datetime.date.today(), empty_quantity='keep')
    for each, quantity in stocked:
        line = inventory.lines.new()
        line.product = each
        line.quantity = quantity * share
    inventory.click('confirm')

user = User(name='Omnisaga', login=login)
user.companies.append(company)
user.company = company
for name in ('Sales Administrator', 'Stock', 'Stock Force Assignment', 'Party Administration'):
    found = Group.find([('name', '=', name)])
    if not found:
        sys.exit(f'no group {name}: {[group.name for group in Group.find([])]}')
    user.groups.append(found[0])
user.save()
Model.get('res.user.application')(user=user, application='rest', state='validated', key=os.environ['TRYTON_KEY']).save()
print('company', company.id)
