"""Devices in a home's network that Luna could speak to itself."""

from luna.contracts.device_search import DevicePort, FindDevicesRequest, NetworkName, SecretName
from luna.contracts.message import Message
from luna.drivers.networks import require_home_network
from luna.house.capability import CapabilityCall, capability


class SearchedNetwork(Message):
    """Network to search for devices."""

    network: NetworkName
    port: DevicePort = None
    secret: SecretName = None


@capability(
    "POST",
    "/v1/device-searches",
    noun="sites",
    scope="administer",
    local_command="devices scan",
    status=202,
)
def find_home_devices(_: CapabilityCall, searched: SearchedNetwork) -> FindDevicesRequest:
    """Find devices in a network.

    Search a private network as a job for devices that Luna knows. Luna writes to none of them.
    """
    return FindDevicesRequest(
        network=require_home_network(searched.network), port=searched.port, secret=searched.secret
    )


CAPABILITIES = (find_home_devices,)
