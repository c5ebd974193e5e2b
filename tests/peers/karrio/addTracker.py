"""Makes the tracker of a purchased shipment, with the fields that karrio gives it itself where a carrier has tracking.

Run by `karrio shell` with WAYBILL in the environment; see create_shipment_tracker in karrio/server/manager/serializers/shipment.py.
"""
import os

from karrio.server.core import utils
from karrio.server.manager import models

shipment = models.Shipment.objects.get(tracking_number=os.environ['WAYBILL'], status='created')
models.Tracking.objects.create(
    tracking_number=shipment.tracking_number,
    delivered=False,
    shipment=shipment,
    carrier=shipment.carrier,
    test_mode=False,
    created_by=shipment.created_by,
    status='pending',
    events=utils.default_tracking_event(event_at=shipment.updated_at),
    options={},
    meta={},
    info={'source': 'api'},
)
