"""Fills an empty karrio: a user for us with a token, and one connection of the carrier `generic`.

Run by `karrio shell` with KARRIO_TOKEN and KARRIO_PASSWORD in the environment.
"""
import os

from django.contrib.auth import get_user_model
from karrio.server.providers.models import CarrierConnection
from karrio.server.user.models import Token

user = get_user_model().objects.create_superuser('omnisaga@example.com', os.environ['KARRIO_PASSWORD'])
Token.objects.create(user=user, key=os.environ['KARRIO_TOKEN'], test_mode=False)
CarrierConnection.objects.create(
    carrier_code='generic',
    carrier_id='peer-express',
    created_by=user,
    test_mode=False,
    active=True,
    capabilities=['rating', 'shipping'],
    credentials={
        'display_name': 'Peer Express',
        'custom_carrier_name': 'peer_express',
        'account_country_code': 'TW',
    },
)
