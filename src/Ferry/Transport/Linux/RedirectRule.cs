using System.Net;
using System.Net.Sockets;

namespace Ferry.Transport.Linux;

/// <summary>A range of ports whose connections the kernel brings to one.</summary>
/// <param name="DestinationPort">The port of the listener.</param>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="Address">The destination address; null: any address of this machine.</param>
/// <param name="First">The first port.</param>
/// <param name="Last">The last port.</param>
internal sealed record RedirectRule(int DestinationPort, AddressFamily Family, IPAddress? Address, int First, int Last);
